/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_DMARC_SEND_H
#define REPORT_DMARC_SEND_H

/*
 * dmarc_send -- sends the reports that a day has made due, to the domains that ask
 * for them (RFC 9990), by way of drop/: they are mail of this host like any other,
 * and signed like it.
 *
 * DNS is asked anew, and where reports are wanted at another domain, whether that
 * wants them.  What cannot be asked now is left for another time.
 */

#include <stdio.h>

#include "check/dmarc_tally.h"
#include "conf/conf.h"

enum dmarc_sent {
	DMARC_ALL_SENT,
	DMARC_SOME_LEFT,	/* to be tried again later; the log says why */
	DMARC_BUSY,		/* another process is at it */
	DMARC_CANNOT		/* errno */
};

struct dmarc_order {
	const struct conf *conf;
	int dir;		/* that of the tallies, borrowed */
	struct str domain;	/* this one alone; empty: all */
	int64_t now;		/* seconds since 1970 */
	int64_t after;		/* seconds that a day must be over */
	FILE *print;		/* XML goes there, and nothing is sent; or NULL */
};

/*
 * All files whose day is over; one that is done is removed.  A report goes into
 * drop/ before it is written down that it did: who is killed between the two sends
 * it again, with the id that it had.  Waits for DNS.
 */
enum dmarc_sent dmarc_send(const struct dmarc_order *o) MUST_USE;

#endif
