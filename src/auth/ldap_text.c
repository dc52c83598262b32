/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * ldap_text -- a name that a client sent as a part of a DN, or of a filter.
 *
 * What means anything there is written in hexadecimal, so that it is never
 * more than the value that it stands for (CONFORMANCE S-35).
 */

#include "auth.h"

#include "lib/idn.h"

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits and what is no ASCII stay; RFC 4514 2.4 and RFC 4515 3 allow \XX for all else. */
void
auth_ldap_escape(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (is_letter(s.p[i]) || c >= 0x80 || (c != 0 && strchr("@-_", c)) ||
		    (c == '.'))
			buf_addc(b, s.p[i]);
		else
			buf_addf(b, "\\%02x", (unsigned)c);
	}
}

void
auth_ldap_filter(struct buf *b, const char *filter, struct str user)
{
	for (; *filter; filter++) {
		if (filter[0] == '%' && filter[1] == 'u') {
			auth_ldap_escape(b, user);
			filter++;
		} else {
			buf_addc(b, *filter);
		}
	}
}

bool
auth_ldap_is_own_name(struct str user)
{
	for (size_t i = 0; i < user.n; i++)
		if (user.p[i] == ' ' && (i == 0 || i + 1 == user.n || user.p[i + 1] == ' '))
			return false;
	return idn_is_plain(user);
}
