/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * account -- the lines of a file of users.
 *
 * The hashes of crypt(3) hold no colon; a password as it is may, and so does a
 * key in the form of RFC 5803: these go to the end of the line.
 */

#include "mail/account.h"

#include "mail/cram.h"
#include "mail/scram_key.h"
#include "mail/text.h"

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

static int
hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The hash of the state that SECRET is, and its digits. */
static bool
is_marked(struct str secret, enum hmac_hash *hash, struct str *hex)
{
	struct str name;

	return str_starts(secret, STR("{")) &&
	    str_cut(str_skip(secret, 1), '}', &name, hex) && cram_hash(name, hash) &&
	    hmac_state_size(*hash) > 0 && hex->n == 2 * hmac_state_size(*hash);
}

bool
account_is_state(struct str secret, struct hmac_state *state)
{
	enum hmac_hash hash;
	struct str hex;
	size_t n;

	if (!is_marked(secret, &hash, &hex))
		return false;
	*state = (struct hmac_state){ .hash = hash };
	n = hmac_state_size(hash);
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(hex.p[2 * i]), low = hex_digit(hex.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		state->octets[(i + n / 2) % n] = (unsigned char)(high << 4 | low);
	}
	return true;
}

void
account_add_state(struct buf *b, const struct hmac_state *state)
{
	struct str octets = str_n((const char *)state->octets, hmac_state_size(state->hash));

	buf_addf(b, "{%s}", cram_name(state->hash));
	hex_add(b, str_skip(octets, octets.n / 2));
	hex_add(b, str_head(octets, octets.n / 2));
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
