/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_STEPS_H
#define REPORT_STEPS_H

/* steps -- decisions in their order, each with the line that made it. */

#include <stdio.h>

#include "conf/conf.h"

struct step {
	unsigned depth;
	const char *name;	/* one word, static */
	const char *text;
	struct conf_place place;
};

struct steps {
	struct arena arena;
	struct step *v;
	size_t n, size;
};

void steps_init(struct steps *s);
void steps_free(struct steps *s);
/* Adds one; PLACE may be CONF_NOWHERE.  What is foreign in it is escaped when it is printed. */
void steps_add(struct steps *s, unsigned depth, const char *name, struct conf_place place,
    const char *fmt, ...) PRINTF(5, 6);
/* For people: a line each, indented, with FILE:LINE at its end. */
void steps_print(const struct steps *s, FILE *out);
/* For programs: an object with SUBJECT. */
void steps_json(const char *subject, const struct steps *s, FILE *out);
/* TEXT, which may be foreign, escaped as in the log. */
void steps_print_safe(FILE *out, const char *text);

#endif
