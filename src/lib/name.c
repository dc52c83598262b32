/* SPDX-License-Identifier: GPL-3.0-or-later */

/* name -- what may be the name of a user: one rule for all rooms. */

#include "lib/name.h"

static bool
is_allowed(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("._=+@-", c) != NULL);
}

bool
name_is_plain(struct str s)
{
	if (s.n == 0 || s.n > NAME_LEN_MAX || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_allowed(s.p[i]))
			return false;
	return true;
}
