/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_LOG_LINE_H
#define LIB_LOG_LINE_H

/* log_line -- the shapes of a line of the log; the targets are log.c's. */

#include "lib/log.h"

/* One line's facts, before a target shapes them. */
struct log_event {
	const char *host;
	const char *component;
	const char *word;	/* "error", "warning", ... as JSON says it */
	const char *prefix;	/* the same as text says it */
	int priority;		/* of syslog */
	const char *id;
	struct str text;
	int64_t at;		/* wall clock, microseconds */
};

/* A line that is being built at P; what does not fit below MAX is left out. */
struct log_line {
	char *p;
	size_t n;
	size_t max;
};

/* Each fills L, which has a P, N = 0 and a MAX; the first two end it with LF. */
void log_line_text(struct log_line *l, const struct log_event *e);
void log_line_json(struct log_line *l, const struct log_event *e);
void log_line_syslog(
    struct log_line *l, const struct log_event *e, int facility);

#endif
