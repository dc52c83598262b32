/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * form -- application/x-www-form-urlencoded, as RFC 6749 Appendix B has it:
 * letters, digits and "-._" stand for themselves, every other octet is %XX.
 */

#include "fetch/fetch.h"

void
form_add_value(struct buf *b, const char *value)
{
	for (const char *p = value; *p; p++) {
		bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		    (*p >= '0' && *p <= '9') || strchr("-._", *p) != NULL;

		if (plain)
			buf_addc(b, *p);
		else
			buf_addf(b, "%%%02X", (unsigned)(unsigned char)*p);
	}
}

void
form_add(struct buf *b, const char *name, const char *value)
{
	if (b->n > 0)
		buf_addc(b, '&');
	buf_adds(b, name);
	buf_addc(b, '=');
	form_add_value(b, value);
}
