/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sasl -- what a PLAIN message says: [authzid] NUL authcid NUL password.
 *
 * Nobody may act for somebody else here, so an authorization identity is
 * accepted only where it repeats the user.
 */

#include "mail/sasl.h"

#include <errno.h>

#include "mail/text.h"

int
sasl_plain_parse(struct str base64, struct buf *bytes, struct sasl_plain *out)
{
	struct str authzid, rest;

	errno = EBADMSG;
	buf_reset(bytes);
	/* RFC 4954 4: "=" stands for no bytes at all. */
	if (str_eq(base64, STR("=")))
		base64 = STR("");
	if (base64_decode(base64, bytes) < 0 || !buf_ok(bytes))
		return -1;
	if (!str_cut(buf_str(bytes), '\0', &authzid, &rest) ||
	    !str_cut(rest, '\0', &out->user, &out->password))
		return -1;
	if (str_find(out->password, '\0') >= 0)
		return -1;
	if (authzid.n > 0 && !str_eq(authzid, out->user)) {
		errno = EPERM;
		return -1;
	}
	return 0;
}
