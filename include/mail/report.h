/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_REPORT_H
#define MAIL_REPORT_H

/* report -- mail that tells what became of other mail, known by its header. */

#include "mail/header.h"

enum report_kind {
	REPORT_NONE,
	REPORT_OTHER,	/* of no standard, or of none of those below */
	REPORT_DSN,	/* RFC 3464 */
	REPORT_MDN,	/* RFC 8098 */
	REPORT_ABUSE,	/* RFC 5965 */
	REPORT_TLS,	/* RFC 8460 */
	REPORT_DMARC	/* RFC 7489, 7.2.1.1 */
};

/* Looks at one field of the header after the other; *KIND begins as none. */
void report_look(enum report_kind *kind, const struct field *f);
/* "dsn", "mdn", "abuse", "tls", "dmarc", "other"; "": none. */
const char *report_name(enum report_kind kind);

#endif
