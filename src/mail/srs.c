/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * srs -- the Sender Rewriting Scheme.
 *
 * The hash covers what an address stands for, in lower case, since mail
 * systems on its way back may fold it; it is compared without case for the same
 * reason, and without telling by the time how much of it was right.  Four
 * characters of it are few, but all that a forged one wins is that one message
 * with a null reverse-path goes to an address of the forger's choice.
 */

#include "mail/srs.h"

#include "lib/digest.h"
#include "mail/text.h"

#define HASH_LEN 4
#define LOCAL_MAX 64
#define DATA_MAX 4096
#define DAY_S 86400
/* Two digits of base32: days come again after so many. */
#define DAYS 1024

static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/* The hash of what stands in PARTS, by SECRET. */
static int
hash(const char *secret, const struct str *parts, size_t n,
    char out[HASH_LEN])
{
	unsigned char mac[SHA1_SIZE];
	struct buf data, text;
	int r;

	buf_init(&data, DATA_MAX);
	buf_init(&text, 64);
	for (size_t i = 0; i < n; i++)
		buf_add_lower(&data, parts[i]);
	r = buf_ok(&data) ? hmac_sha1(str_c(secret), buf_str(&data), mac) : -1;
	if (r == 0) {
		base64_add(&text, str_n((const char *)mac, sizeof(mac)));
		memcpy(out, text.p, HASH_LEN);
	}
	buf_free(&text);
	buf_free(&data);
	return r;
}

/* True if GIVEN is the hash of PARTS by one of the secrets. */
static bool
is_ours(const struct srs *s, struct str given, const struct str *parts,
    size_t n)
{
	bool ours = false;

	if (given.n != HASH_LEN)
		return false;
	for (size_t i = 0; i < s->secret_n; i++) {
		char want[HASH_LEN];
		unsigned wrong = 0;

		if (hash(s->secrets[i], parts, n, want) < 0)
			continue;
		for (size_t k = 0; k < HASH_LEN; k++)
			wrong |= (unsigned)(char_lower(want[k]) ^
			    char_lower(given.p[k]));
		ours = ours || wrong == 0;
	}
	return ours;
}

/* Behind "SRS0" or "SRS1", whose digit goes to *KIND, comes one of "=+-". */
static bool
take_tag(struct str local, char *kind, struct str *rest)
{
	if (local.n < 5 || !str_istarts(local, STR("SRS")) ||
	    (local.p[3] != '0' && local.p[3] != '1') ||
	    local.p[4] == '\0' || strchr("=+-", local.p[4]) == NULL)
		return false;
	*kind = local.p[3];
	*rest = str_skip(local, 4);
	return true;
}

bool
srs_looks_so(struct str local)
{
	struct str rest;
	char kind;

	return take_tag(local, &kind, &rest);
}

/* ---- out ---------------------------------------------------------------- */

static int
end_forward(const struct srs *s, struct buf *b, struct arena *a,
    struct path *out)
{
	bool fits = buf_ok(b) && b->n <= LOCAL_MAX;

	if (fits)
		*out = (struct path){ arena_str(a, buf_str(b)),
			arena_str(a, s->domain) };
	buf_free(b);
	return fits ? 0 : -1;
}

/* HOST is the first forwarder, REST what it put behind its "SRS0". */
static int
forward_again(const struct srs *s, struct str host, struct str rest,
    struct arena *a, struct path *out)
{
	struct str parts[] = { host, rest };
	char h[HASH_LEN];
	struct buf b;

	if (hash(s->secrets[0], parts, ARRAY_LEN(parts), h) < 0)
		return -1;
	buf_init(&b, DATA_MAX);
	buf_addf(&b, "SRS1=%.*s=" STR_FMT "=" STR_FMT, HASH_LEN, h,
	    STR_ARG(host), STR_ARG(rest));
	return end_forward(s, &b, a, out);
}

static int
forward_first(const struct srs *s, const struct path *from, int64_t now,
    struct arena *a, struct path *out)
{
	unsigned day = (unsigned)(now / DAY_S % DAYS);
	char time[2] = { base32[day >> 5], base32[day & 31] };
	struct str parts[] = { str_n(time, 2), from->domain, from->local };
	char h[HASH_LEN];
	struct buf b;

	if (hash(s->secrets[0], parts, ARRAY_LEN(parts), h) < 0)
		return -1;
	buf_init(&b, DATA_MAX);
	buf_addf(&b, "SRS0=%.*s=%.2s=" STR_FMT "=" STR_FMT, HASH_LEN, h, time,
	    STR_ARG(from->domain), STR_ARG(from->local));
	return end_forward(s, &b, a, out);
}

int
srs_forward(const struct srs *s, const struct path *from, int64_t now,
    struct arena *a, struct path *out)
{
	struct str rest, skipped, host;
	char kind;

	if (s->secret_n == 0 || from->domain.n == 0 || from->domain.p[0] == '[')
		return -1;
	if (!take_tag(from->local, &kind, &rest))
		return forward_first(s, from, now, a, out);
	if (kind == '0')
		return forward_again(s, from->domain, rest, a, out);
	/* Of "=HASH=host=rest", the hash is another forwarder's. */
	if (!str_cut(str_skip(rest, 1), '=', &skipped, &rest) ||
	    !str_cut(rest, '=', &host, &rest) || host.n == 0 || rest.n == 0)
		return -1;
	return forward_again(s, host, rest, a, out);
}

/* ---- back --------------------------------------------------------------- */

static int
digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* Days since TIME, at most DAYS - 1; -1: it is none. */
static int64_t
age(struct str time, int64_t now)
{
	int high, low;

	if (time.n != 2)
		return -1;
	high = digit(time.p[0]);
	low = digit(time.p[1]);
	if (high < 0 || low < 0)
		return -1;
	return (now / DAY_S % DAYS - (high * 32 + low) + DAYS) % DAYS;
}

/* What it stands for went through a forwarder or came from a sender: an address. */
static enum srs_verdict
end_reverse(struct str local, struct str domain, struct arena *a,
    struct path *out)
{
	if (local.n == 0 || !domain_valid(domain))
		return SRS_FORGED;
	*out = (struct path){ arena_str(a, local), arena_str(a, domain) };
	return SRS_FINE;
}

/* "HASH=TT=domain=local" */
static enum srs_verdict
reverse_first(const struct srs *s, struct str rest, int64_t now,
    struct arena *a, struct path *out)
{
	struct str given, time, domain, local;
	int64_t days;

	if (!str_cut(rest, '=', &given, &rest) ||
	    !str_cut(rest, '=', &time, &rest) ||
	    !str_cut(rest, '=', &domain, &local))
		return SRS_FORGED;
	if (!is_ours(s, given, (struct str[]){ time, domain, local }, 3))
		return SRS_FORGED;
	days = age(time, now);
	/* One that is of tomorrow comes from a clock that differs. */
	if (days < 0 || (days > s->days && days < DAYS - 1))
		return SRS_EXPIRED;
	return end_reverse(local, domain, a, out);
}

/* "HASH=host=rest" */
static enum srs_verdict
reverse_again(const struct srs *s, struct str rest, struct arena *a,
    struct path *out)
{
	struct str given, host;
	char *local;

	if (!str_cut(rest, '=', &given, &rest) ||
	    !str_cut(rest, '=', &host, &rest))
		return SRS_FORGED;
	if (!is_ours(s, given, (struct str[]){ host, rest }, 2))
		return SRS_FORGED;
	local = arena_printf(a, "SRS0" STR_FMT, STR_ARG(rest));
	return end_reverse(str_c(local), host, a, out);
}

enum srs_verdict
srs_reverse(const struct srs *s, struct str local, int64_t now,
    struct arena *a, struct path *out)
{
	struct str rest;
	char kind;

	if (!take_tag(local, &kind, &rest))
		return SRS_NONE;
	rest = str_skip(rest, 1);
	return kind == '0' ? reverse_first(s, rest, now, a, out) :
			     reverse_again(s, rest, a, out);
}
