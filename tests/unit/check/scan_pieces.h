/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_SCAN_PIECES_H
#define TESTS_SCAN_PIECES_H

/* scan_pieces -- answers of servers, given to a scan octet by octet and at once. */

#include "check/scan.h"

static struct msg_scan about = { .size = 100 };

/* Gives ANSWER to S in pieces of N octets, and the end if it wants more. */
static inline enum scan_state
give(struct scan *s, struct str answer, size_t n)
{
	enum scan_state state = SCAN_MORE;

	for (; answer.n > 0 && state == SCAN_MORE; answer = str_skip(answer, n))
		state = scan_take(s, str_head(answer, n));
	return state == SCAN_MORE ? scan_end(s) : state;
}

#endif
