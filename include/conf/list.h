/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_LIST_H
#define CONF_LIST_H

/* list -- the sections of mailing lists, to which sections recipient lead. */

#include "conf/pattern.h"
#include "conf/route.h"

enum conf_list_from { LIST_FROM_AUTO, LIST_FROM_AUTHOR, LIST_FROM_LIST };

struct conf_list {
	const char *name;
	struct conf_place place;
	const char *address;	/* "": that of the section recipient */
	const char *members;	/* a file */
	const char *return_path;
	const char *subject_prefix;
	bool members_only;
	struct conf_strs posters;	/* patterns of who else may send */
	struct conf_strs subjects;	/* patterns of what anybody may send about */
	const char *refusal;	/* in words */
	bool attachments;
	bool reply_to_list;
	int from;		/* enum conf_list_from */
	bool other_lists;
	struct conf_strs headers;	/* "List-Help: <mailto:...>" */
	/* meaning */
	const char *id;		/* "dev.example.org" */
	struct pattern *poster_patterns, *subject_patterns;
};

#endif
