/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_SCAN_KINDS_H
#define CHECK_SCAN_KINDS_H

/* scan_kinds -- what differs between servers: a file for each. */

#include "check/scan.h"

struct scan_kind_ops {
	const char *head_end;	/* what the head of an answer ends with */
	size_t head_end_n;
	bool head_is_all;	/* there is no body, and the end of the connection ends it, too */
	void (*head)(const struct scan *s, struct buf *out);
	/* What stands before N octets of text, and behind all; NULL: nothing. */
	void (*before)(struct buf *out, size_t n);
	void (*tail)(struct buf *out);
	/* HEAD is there, without its end: SCAN_DONE, SCAN_BROKEN, or MORE: a body comes. */
	enum scan_state (*take_head)(struct scan *s, struct str head);
	/* All of the body is there; NULL: that is enough. */
	enum scan_state (*take_body)(struct scan *s);
};

extern const struct scan_kind_ops scan_spamd, scan_rspamd, scan_clamd;

/* S is of no use any more, since WHY. */
enum scan_state scan_broken(struct scan *s, const char *why);
/* The value of the first field NAME behind the first line of HEAD. */
bool scan_field(struct str head, struct str name, struct str *value) MUST_USE;

#endif
