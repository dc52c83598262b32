/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef COLLECT_LINES_H
#define COLLECT_LINES_H

/* lines -- what the files of the POP3 client share. */

#include "pop.h"

/* RFC 2449 4: 512; some say more of an error. */
#define POP_LINE_MAX 2048
#define POP_CAPABILITIES_MAX 200

/* Notes what became of the stream. */
void pop_lose_stream(struct pop *p, enum stream_result r);
/* The next line; false: POP_LOST. */
bool pop_line(struct pop *p, int64_t deadline, struct str *line);
/* Sends B and a line end, and wipes it; false: POP_LOST. */
bool pop_say(struct pop *p, struct buf *b);
/* The lines of a list up to its dot; one that FN has no use for ends it all. */
enum pop_answer pop_lines(struct pop *p, size_t max,
    bool (*fn)(void *arg, struct str line), void *arg);

#endif
