/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ADMIN_ANSWER_H
#define ADMIN_ANSWER_H

/* answer -- what a client is told: a status, fields of the header, a text. */

#include "lib/buf.h"
#include "lib/stream.h"

#define ANSWER_MAX ((size_t)8 << 20)

struct answer {
	int status;
	const char *type;	/* of the body, static */
	bool may_be_kept;	/* by the browser, for a while: it is the same for all */
	struct buf head;	/* more fields, each with its CRLF */
	struct buf body;
};

void answer_init(struct answer *a);
void answer_free(struct answer *a);
/* From here on it is STATUS with a short plain text; what it was before is gone. */
void answer_be(struct answer *a, int status, const char *text);
/* Adds the field NAME.  A VALUE that is more than a line is left out. */
void answer_field(struct answer *a, const char *name, struct str value);
/* Another address of ours, to be got. */
void answer_see(struct answer *a, const char *path);
/* Sends it; BODY false: its header alone (HEAD).  False: it could not be sent. */
bool answer_send(struct answer *a, struct stream *s, bool body, int64_t deadline);

#endif
