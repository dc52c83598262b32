/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * secrets -- the lines of E-MailRelay's secrets files.
 *
 * Each is read by itself: that two say different things of one user is for
 * whoever has all of them.  A line that is not understood is said to be so,
 * and never half used.
 */

#include "mail/secrets.h"

#include "mail/cram.h"
#include "mail/text.h"

#define FIELD_MAX 65536
#define KEYWORD_MAX 64

static bool
read_side(struct str word, bool *client)
{
	*client = str_ieq(word, STR("client"));
	return *client || str_ieq(word, STR("server"));
}

/* The hash whose states have the type WORD; false: there are none. */
static bool
read_hash(struct str word, enum hmac_hash *hash)
{
	if (str_ieq(word, STR("apop"))) {
		*hash = HMAC_MD5;
		return true;
	}
	for (int i = 0; i < HMAC_HASHES; i++) {
		*hash = (enum hmac_hash)i;
		if (hmac_state_size(*hash) > 0 &&
		    (str_ieq(word, str_c(cram_hash_name(*hash))) ||
			str_ieq(word, str_c(cram_name(*hash)))))
			return true;
	}
	return false;
}

/* The type of L that WORD names; IN_BASE64: both texts are.  False: it is none. */
static bool
read_type(struct str word, struct secrets_line *l, bool *in_base64)
{
	static const struct {
		const char *word;
		enum secrets_type type;
	} t[] = { { "plain", SECRETS_PLAIN }, { "login", SECRETS_PLAIN },
		{ "oauth", SECRETS_OAUTH }, { "none", SECRETS_NONE } };

	if (read_hash(word, &l->state.hash)) {
		l->type = SECRETS_STATE;
		*in_base64 = false;
		return true;
	}
	*in_base64 = str_iends(word, STR(":b"));
	if (*in_base64)
		word = str_head(word, word.n - 2);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		if (str_ieq(word, str_c(t[i].word))) {
			l->type = t[i].type;
			return !*in_base64 || l->type != SECRETS_NONE;
		}
	return false;
}

/* The text that S stands for; false: none, or one with a NUL. */
static bool
read_text(struct str s, bool in_base64, struct arena *a, struct str *text)
{
	struct buf b;
	bool ok;

	buf_init(&b, FIELD_MAX);
	ok = str_eq(s, STR("=")) ||
	    (in_base64 ? base64_decode(s, &b) : xtext_decode(s, &b)) == 0;
	ok = ok && buf_ok(&b) && str_find(buf_str(&b), '\0') < 0;
	if (ok)
		*text = arena_str(a, buf_str(&b));
	buf_wipe(&b);
	buf_free(&b);
	return ok;
}

/* Eight numbers with dots between, each four octets; false: these are none. */
static bool
read_dotted(struct str s, struct buf *b)
{
	struct str one;
	uint64_t n;

	for (int i = 0; i < 8; i++) {
		if (str_cut(s, '.', &one, &s) != (i < 7) || str_u64(one, UINT32_MAX, &n) < 0)
			return false;
		for (int k = 0; k < 4; k++, n >>= 8)
			buf_addc(b, (char)(n & 0xff));
	}
	return true;
}

static bool
read_state(struct str s, struct hmac_state *state)
{
	struct buf b;
	bool ok;

	buf_init(&b, FIELD_MAX);
	ok = state->hash == HMAC_MD5 && read_dotted(s, &b);
	if (!ok) {
		buf_reset(&b);
		ok = base64_decode(s, &b) == 0;
	}
	ok = ok && buf_ok(&b) && b.n == hmac_state_size(state->hash);
	if (ok)
		memcpy(state->octets, buf_str(&b).p, b.n);
	buf_wipe(&b);
	buf_free(&b);
	return ok;
}

/* Who need not log in, and the word for them, which programs get as it is. */
static const char *
read_trust(struct secrets_line *l, struct str range, struct str keyword, struct arena *a)
{
	if (l->client)
		return "has a type that is for servers, expected \"server none\"";
	if (ip_range_parse(range, &l->range) != NULL)
		return "has a range that cannot be read, expected 192.0.2.1, 192.0.2.0/24, "
		       "192.0.2.* or 2001:db8::/32";
	if (keyword.n > KEYWORD_MAX || str_has_ctl(keyword) || str_find(keyword, '|') >= 0)
		return "has a keyword that cannot be used, expected at most 64 characters, "
		       "and no bar";
	l->secret = arena_str(a, keyword);
	return NULL;
}

/* What the third and the fourth field say; NULL, or what is wrong. */
static const char *
read_fields(struct secrets_line *l, bool in_base64, struct str user, struct str secret,
    struct arena *a)
{
	if (l->type == SECRETS_OAUTH && !l->client)
		return "has a type that is for clients, expected \"client oauth\"";
	if (l->type == SECRETS_NONE)
		return read_trust(l, user, secret, a);
	if (!read_text(user, in_base64, a, &l->user) || str_has_ctl(l->user))
		return in_base64 ? "has a user that cannot be read, expected base64"
				 : "has a user that cannot be read, expected xtext, as in "
				   "alice+40example.org";
	if (l->type == SECRETS_STATE)
		return read_state(secret, &l->state) ? NULL : "has a hash that cannot be read, "
		    "expected what emailrelay-passwd makes for that type";
	if (!read_text(secret, in_base64, a, &l->secret))
		return in_base64 ? "has a secret that cannot be read, expected base64"
				 : "has a secret that cannot be read, expected xtext, with +20 for "
				   "a space, +2B for a plus and +3D for an equals sign";
	return NULL;
}

int
secrets_parse(struct str line, struct arena *a, struct secrets_line *l, const char **why)
{
	struct str rest = str_trim(line), side, type, user, secret;
	bool in_base64;

	*l = (struct secrets_line){ .user = STR(""), .secret = STR("") };
	*why = NULL;
	if (rest.n == 0 || rest.p[0] == '#')
		return 0;
	side = str_word(&rest);
	type = str_word(&rest);
	user = str_word(&rest);
	secret = str_word(&rest);
	l->selector = arena_str(a, str_word(&rest));
	if (!read_side(side, &l->client)) {
		struct str first = side;
		side = type;
		type = first;
	}
	if (!read_side(side, &l->client))
		*why = "is for nobody, expected \"server\" or \"client\" at its beginning";
	else if (!read_type(type, l, &in_base64))
		*why = "has a type that is not known, expected plain, plain:b, md5, sha1, "
		       "sha256, oauth, oauth:b or none";
	else if (secret.n == 0)
		*why = "is too short, expected a user and a secret behind the type";
	else
		*why = read_fields(l, in_base64, user, secret, a);
	return *why == NULL ? 1 : -1;
}

bool
secrets_account(const struct secrets_line *l, struct arena *a, struct account *account)
{
	struct buf b;

	if (l->client || l->user.n == 0 ||
	    (l->type != SECRETS_STATE && (l->type != SECRETS_PLAIN || l->secret.n == 0)))
		return false;
	buf_init(&b, FIELD_MAX * 2);
	if (l->type == SECRETS_PLAIN) {
		buf_adds(&b, "{PLAIN}");
		buf_add(&b, l->secret);
	} else {
		account_add_state(&b, &l->state);
	}
	*account = (struct account){ .user = l->user, .app = STR(""),
		.secret = arena_str(a, buf_str(&b)) };
	buf_wipe(&b);
	buf_free(&b);
	return true;
}
