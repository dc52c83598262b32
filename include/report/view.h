/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_VIEW_H
#define REPORT_VIEW_H

/* view -- the destinations of all runners, as `baridctl top` shows them. */

#include <stdio.h>

#include "lib/arena.h"

struct view_row {
	struct str key;		/* as the runners call it */
	struct str kind;	/* "local", "mx", "upstream", "pipe" */
	struct str name;
	uint64_t waiting, parked, connections, ready;
	uint64_t window;	/* connections that there may be now, in all */
	uint64_t wanted;	/* that each runner would open: the sum of it */
	uint64_t sent, deferred, bounced;	/* in the last minute */
	uint64_t dead_ms;
	struct str why;		/* it is dead */
};

/* A limit of limits.rate, and how much of it whoever has used most of it has used. */
struct view_rate {
	struct str name;
	uint64_t messages, recipients;	/* 0: as many as there are */
	uint64_t per;			/* seconds */
	uint64_t used;			/* per cent, ... */
	struct str who;			/* ... by whom; empty: nobody is near, or can be named */
};

#define VIEW_RATES_MAX 16

/* An address that has many of the connections that it may have. */
struct view_from {
	struct str address;
	uint64_t connections, most;
};
#define VIEW_FROMS_MAX 5

struct view {
	struct arena arena;
	struct view_row *rows;	/* the busiest first */
	size_t n, size;
	uint64_t runners, queued, active, connections;
	uint64_t more;		/* destinations that are not among them */
	struct view_rate rates[VIEW_RATES_MAX];
	size_t rate_n;
	struct view_from froms[VIEW_FROMS_MAX];	/* the most first */
	size_t from_n;
};

void view_init(struct view *v);
void view_free(struct view *v);
/* Reads the answers of the master and the runners (ipc/msg.h); a line that is none is skipped. */
void view_read(struct view *v, struct str text);
/* The row of KEY's name and kind, or NULL. */
const struct view_row *view_find(const struct view *v, struct str kind, struct str name);
/* A page of at most ROWS lines, each of COLUMNS at most; ROWS 0: all there is. */
void view_page(const struct view *v, size_t rows, size_t columns, int64_t now, FILE *out);

/* A page of the rates, with an empty line before it: how many lines. */
size_t view_rates(const struct view *v, size_t columns, FILE *out);
/* Likewise of the addresses. */
size_t view_froms(const struct view *v, size_t columns, FILE *out);

/* All of it for programs: an object in one line. */
void view_json(const struct view *v, int64_t now, FILE *out);

#endif
