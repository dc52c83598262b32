/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * trays -- the first runner keeps the trays of the spool in order.
 *
 * What a session or a runner has died over is ended, with each scan.  What was
 * left in one and is no message goes to bad/: a session died amid it, or the power
 * went.  Nobody was told that it was accepted; what the disk has spoilt since
 * looks the same, so that it is kept, and said.
 */

#include <errno.h>

#include "lib/log.h"
#include "trays.h"

static void
found(void *arg, const char *id)
{
	struct trays_bad *b = arg;

	if (b->n < ARRAY_LEN(b->ids))
		memcpy(b->ids[b->n++], id, QUEUE_ID_SIZE);
}

void
trays_mend(struct runner *r, struct trays_bad *b)
{
	b->n = 0;
	if (r->number == 0 && queue_tray_mend(r->queue, found, b) < 0)
		log_warn(NULL, "cannot put trays/ in order: %s", strerror(errno));
}

void
trays_tell(struct runner *r, const struct trays_bad *b)
{
	static const char what[] = "in a tray, and no message";

	for (size_t i = 0; i < b->n; i++) {
		log_warn(b->ids[i], "what was in a tray is no message, of which "
		    "nobody was told that it was accepted: moved to bad/");
		record_message(r, JOURNAL_BAD, b->ids[i], 0, what);
	}
}
