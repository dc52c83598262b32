/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

/*
 * option -- the one table of options; see conf/conf.h.
 *
 * The parser, the check, conf_each() and the test of the manual page all
 * read this table and nothing else: an option is added here and described
 * in barid.conf(5).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The type of the field at OFFSET stands behind each. */
enum option_type {
	OPTION_STRING,	/* const char *; one of CHOICES if there are any */
	OPTION_BOOL,	/* bool */
	OPTION_NUMBER,	/* uint64_t */
	OPTION_SIGNED,	/* int64_t, from -max to max */
	OPTION_SIZE,	/* uint64_t, octets: KB, MB, GB */
	OPTION_TIME,	/* int64_t, milliseconds: ms, s, m, h, d */
	OPTION_CHOICE,	/* int, the index of one word of CHOICES */
	OPTION_PORTS,	/* struct conf_ports */
	OPTION_STRINGS,	/* struct conf_strs */
	OPTION_TIMES,	/* struct conf_times */
	OPTION_NETS,	/* struct conf_nets */
	OPTION_SECTION	/* SUB says what is in it */
};

enum option_when {
	OPTION_NOW,
	/*
	 * Known, of a later release, without a field: refused when it is
	 * anything but OFF.  Of a section: refused when it is there.
	 */
	OPTION_LATER,
	/*
	 * The same, but without effect by itself, so that any value is fine.
	 * Of a section: its options say themselves what they refuse.
	 */
	OPTION_IDLE
};

struct option {
	const char *name;
	enum option_type type;
	enum option_when when;
	size_t offset;		/* in the struct of the section */
	const char *fallback;	/* the default, in the file's spelling; "" for none */
	const char *off;	/* OPTION_LATER: the harmless value, as conf_each() shows it */
	uint64_t min, max;	/* of a number, size or time; of a list's count; 0: no maximum */
	const char *help;	/* one sentence, as in the manual */
	/* Words, NULL-terminated: of a value, in the order of the enum; of a section, titles. */
	const char *const *choices;
	/*
	 * Sections.  One that takes a title is an array of structs of SIZE,
	 * each starting with its title (const char *) and a struct conf_place;
	 * the pointer to it is at OFFSET, the count at COUNT_OFFSET.
	 */
	const struct option *sub;
	size_t sub_n;
	size_t size;
	size_t count_offset;	/* SIZE_MAX: only one, no title */
	bool repeats;		/* a section whose title may stand again beside it */
	/*
	 * Of a section whose title decides what is in it: this title.  Its
	 * entries, one for each title, stand together in the table.  It is one
	 * struct at OFFSET, which starts as those above do and stays all zero
	 * where there is no such section.  A list may have a default in one of
	 * them only, if several have an option of that name.
	 */
	const char *title;
	bool secret;		/* never shown; of a list, as conf_backend_show() does */
};

extern const struct option conf_options[];
extern const size_t conf_option_n;

#endif
