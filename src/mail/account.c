/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * account -- the lines of a file of users.
 *
 * The hashes of crypt(3) hold no colon; a password as it is may, and so does a
 * key in the form of RFC 5803: these go to the end of the line.
 */

#include "mail/account.h"

#include "mail/scram_key.h"

#define PLAIN_MARK "{PLAIN}"
#define APP_MAX 64

bool
account_is_plain(struct str secret, struct str *password)
{
	*password = STR("");
	if (!str_starts(secret, STR(PLAIN_MARK)))
		return false;
	*password = str_skip(secret, strlen(PLAIN_MARK));
	return true;
}

bool
account_app_valid(struct str name)
{
	return name.n > 0 && name.n <= APP_MAX && !str_has_ctl(name) &&
	    str_is_utf8(name) && str_eq(name, str_trim(name)) &&
	    str_find(name, ':') < 0 && str_find(name, '/') < 0 &&
	    str_find(name, '"') < 0 && str_find(name, '\\') < 0;
}

bool
account_parse(struct str line, struct account *a)
{
	struct str name, rest, password;

	line = str_trim(line);
	if (line.n == 0 || line.p[0] == '#' ||
	    !str_cut(line, ':', &name, &rest))
		return false;
	a->app = STR("");
	if (str_cut(name, '/', &a->user, &a->app) &&
	    !account_app_valid(a->app))
		return false;
	a->secret = rest;
	if (!account_is_plain(rest, &password) && !scram_key_is(rest))
		(void)str_cut(rest, ':', &a->secret, &rest);
	return a->user.n > 0;
}
