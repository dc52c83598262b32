/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_COLLECT_H
#define CONF_COLLECT_H

/* collect -- the sections about mailboxes elsewhere whose mail is fetched by POP3. */

#include "conf/types.h"

/* What came in so, where listeners are named. */
#define CONF_LISTEN_COLLECT "collect"

enum conf_collect_tls { COLLECT_POP3S, COLLECT_STLS, COLLECT_CLEAR };

/* What keep_ms may be besides a time. */
#define COLLECT_KEEP_ALL (-1)

struct conf_collect {
	const char *name;	/* fit for the name of a directory */
	struct conf_place place;
	const char *server;
	uint64_t port;		/* set by conf_collect_finish() where it was not */
	int tls;		/* enum conf_collect_tls */
	const char *tls_name;	/* "": the server's */
	bool verify;		/* its certificate */
	const char *user;
	const char *password;
	const char *password_file;	/* "": the password is given */
	struct conf_strs auth;	/* mechanisms; empty: all */
	const char *to;
	const char *by_header;	/* "": TO gets all */
	int64_t every;
	const char *keep;
	uint64_t messages;	/* in a run */
	uint64_t octets;	/* in a run; 0: as many as there are */
	uint64_t message_size;	/* 0: that of limits */
	int64_t timeout;	/* of an answer */
	int64_t run_time;
	/* meaning */
	int64_t keep_ms;	/* 0: not at all; COLLECT_KEEP_ALL */
};

#endif
