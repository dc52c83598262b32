/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * envelope_parse -- the form of an envelope in the spool, read.
 *
 * The bytes may be anything: a file cut short, a flipped bit, a file that
 * somebody made.  One pass, no recursion; memory is bounded by the block's
 * size and asked for only if the arena has it, so that no input is fatal.
 * What is accepted is what envelope_format() writes, with keys in any order
 * and unknown ones kept; a known key twice is refused, since nothing says
 * which one is meant.
 */

#include <stddef.h>

#include "lib/hash.h"
#include "mail/text.h"

#include "envelope_line.h"
#include "queue/envelope.h"

#define PATH_FLAGS (PATH_NULL | PATH_POSTMASTER | PATH_BARE | PATH_UTF8)

struct reader {
	struct str block;
	struct arena *a;
	struct envelope *e;
	size_t rcpt_max, extra_max;	/* allocated */
	uint64_t seen;			/* bits by index in keys[] */
};

static const char bad_line[] = "a line of the envelope is not \"key: value\"";

size_t
envelope_retry(struct str retry, int64_t ms[ENVELOPE_RETRY_MAX])
{
	struct str word;
	uint64_t s;
	size_t n = 0;
	bool more;

	do {
		more = str_cut(retry, ',', &word, &retry);
		if (n == ENVELOPE_RETRY_MAX ||
		    str_u64(word, ENVELOPE_WAIT_MAX, &s) < 0 || s == 0)
			return 0;
		ms[n++] = (int64_t)s * 1000;
	} while (more);
	return n;
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Exactly N digits at P in base 10 or 16; false if they are none. */
static bool
digits(const char *p, size_t n, unsigned base, uint64_t *v)
{
	*v = 0;
	for (size_t i = 0; i < n; i++) {
		int d = hex_value(p[i]);

		if (d < 0 || (unsigned)d >= base)
			return false;
		*v = *v * base + (unsigned)d;
	}
	return true;
}

/* True if LINE has the fixed text of a first line at [AT, END). */
static bool
fixed(struct str line, size_t at, size_t end)
{
	static const char first[] = FIRST_LINE;

	return memcmp(line.p + at, first + at, end - at) == 0;
}

static bool
is_first_line(struct str s)
{
	return s.n >= FIRST_LEN && fixed(s, 0, FIRST_LENGTH_AT) &&
	    fixed(s, FIRST_LENGTH_AT + FIRST_LENGTH_N, FIRST_SUM_AT) &&
	    fixed(s, FIRST_SUM_AT + FIRST_SUM_N, FIRST_SIZE_AT) &&
	    fixed(s, FIRST_SIZE_AT + FIRST_SIZE_N, FIRST_CRC_AT) &&
	    fixed(s, FIRST_CRC_AT + FIRST_CRC_N, FIRST_LEN);
}

size_t
envelope_length(struct str start)
{
	uint64_t n;

	if (!is_first_line(start) ||
	    !digits(start.p + FIRST_LENGTH_AT, FIRST_LENGTH_N, 10, &n) ||
	    n <= FIRST_LEN || n > ENVELOPE_MAX)
		return 0;
	return (size_t)n;
}

bool
envelope_is_open(struct str block)
{
	return is_first_line(block) && fixed(block, FIRST_CRC_AT, FIRST_CRC_AT + 1);
}

static const char *
read_first_line(struct str block, uint64_t *size, uint32_t *crc)
{
	uint64_t sum, all;

	if (envelope_length(block) == 0)
		return "the first line is not that of a message";
	if (envelope_length(block) != block.n)
		return "the envelope is cut short";
	if (!digits(block.p + FIRST_SUM_AT, FIRST_SUM_N, 16, &sum))
		return "the first line has no checksum";
	if (envelope_is_open(block))
		return "the message was never completed";
	if (!digits(block.p + FIRST_SIZE_AT, FIRST_SIZE_N, 10, size) ||
	    !digits(block.p + FIRST_CRC_AT, FIRST_CRC_N, 16, &all))
		return "the first line is not well formed";
	if (envelope_sum(block) != sum)
		return "the checksum of the envelope is wrong";
	*crc = (uint32_t)all;
	return NULL;
}

static const char *
read_id(struct reader *r, struct str v)
{
	if (!queue_id_valid(v))
		return "the id is not well formed";
	memcpy(r->e->id, v.p, v.n);
	r->e->id[v.n] = '\0';
	return NULL;
}

static const char *
read_from(struct reader *r, struct str v)
{
	return path_parse(v, PATH_FLAGS, r->a, &r->e->from, NULL);
}

static const char *
read_us(struct str v, int64_t *us)
{
	uint64_t n;

	if (str_u64(v, INT64_MAX, &n) < 0)
		return "a time is not a number";
	*us = (int64_t)n;
	return NULL;
}

static const char *
read_time(struct reader *r, struct str v)
{
	return read_us(v, &r->e->arrival_us);
}

static const char *
read_not_before(struct reader *r, struct str v)
{
	return read_us(v, &r->e->not_before_us);
}

static const char *
read_deadline(struct reader *r, struct str v)
{
	return read_us(v, &r->e->deadline_us);
}

static const char *
read_max_attempts(struct reader *r, struct str v)
{
	uint64_t n;

	if (str_u64(v, ENVELOPE_ATTEMPTS_MAX, &n) < 0)
		return "the number of attempts is not well formed";
	r->e->max_attempts = (unsigned)n;
	return NULL;
}

static const char *
read_retry(struct reader *r, struct str v)
{
	int64_t ms[ENVELOPE_RETRY_MAX];

	if (envelope_retry(v, ms) == 0)
		return "the times of retry are not well formed";
	r->e->retry = arena_str(r->a, v);
	return NULL;
}

static const char *
read_priority(struct reader *r, struct str v)
{
	bool low = str_starts(v, STR("-"));
	uint64_t n;

	if (str_u64(low ? str_skip(v, 1) : v, ENVELOPE_PRIORITY_MAX, &n) < 0)
		return "the priority is not well formed";
	r->e->priority = low ? -(int)n : (int)n;
	return NULL;
}

/* What fills up a block that was reserved larger than it is. */
static const char *
read_pad(struct reader *r UNUSED, struct str v UNUSED)
{
	return NULL;
}

static const char *
read_delays(struct reader *r, struct str v)
{
	uint64_t n;

	if (v.n != DELAYS_LEN || !digits(v.p, v.n, 10, &n))
		return "the count of delay reports is not well formed";
	r->e->delays = (unsigned)n;
	return NULL;
}

static const char *
read_body(struct reader *r, struct str v)
{
	for (enum body_type b = BODY_7BIT; b <= BODY_BINARYMIME; b++) {
		if (str_eq(v, str_c(envelope_body_name(b)))) {
			r->e->body = b;
			return NULL;
		}
	}
	return "the body type is unknown";
}

static const char *
read_smtputf8(struct reader *r, struct str v)
{
	r->e->smtputf8 = str_eq(v, STR("yes"));
	return r->e->smtputf8 ? NULL : "smtputf8 is not \"yes\"";
}

static const char *
read_ours(struct reader *r, struct str v)
{
	r->e->ours = str_eq(v, STR("yes"));
	return r->e->ours ? NULL : "ours is not \"yes\"";
}

static const char *
read_ret(struct reader *r, struct str v)
{
	if (str_eq(v, STR("FULL")))
		r->e->ret = RET_FULL;
	else if (str_eq(v, STR("HDRS")))
		r->e->ret = RET_HDRS;
	else
		return "RET is neither FULL nor HDRS";
	return NULL;
}

static const char *
read_tls_wish(struct reader *r, struct str v)
{
	for (enum tls_wish w = TLS_WISH_REQUIRED; w <= TLS_WISH_NONE; w++) {
		if (str_eq(v, str_c(envelope_tls_name(w)))) {
			r->e->tls_wish = w;
			return NULL;
		}
	}
	return "requiretls is neither \"yes\" nor \"no\"";
}

static const char *
read_by(struct reader *r, struct str v)
{
	struct str when, mode;

	if (!str_cut(v, ' ', &when, &mode) || mode.n == 0 || mode.n > 2 ||
	    (mode.p[0] != 'R' && mode.p[0] != 'N') ||
	    (mode.n == 2 && mode.p[1] != 'T'))
		return "the time to deliver by is not well formed";
	r->e->by_mode = mode.p[0] == 'R' ? BY_RETURN : BY_NOTIFY;
	r->e->by_trace = mode.n == 2;
	return read_us(when, &r->e->by_us);
}

/* The words behind a recipient's path; one of a later version is skipped. */
static const char *
read_rcpt_words(struct reader *r, struct envelope_rcpt *rcpt, struct str rest)
{
	while (rest.n > 0) {
		struct str word = str_word(&rest), key, value;

		if (!str_cut(word, '=', &key, &value))
			return "a word behind a recipient has no \"=\"";
		if (str_eq(key, STR("notify"))) {
			rcpt->notify = notify_parse(value);
			if (rcpt->notify == 0)
				return "NOTIFY is not well formed";
		} else if (str_eq(key, STR("orcpt"))) {
			rcpt->orcpt = arena_str(r->a, value);
		} else if (str_eq(key, STR("of"))) {
			if (!xtext_valid(value))
				return "the origin of a recipient is no xtext";
			rcpt->of = arena_str(r->a, value);
		} else if (str_eq(key, STR("part"))) {
			rcpt->part = arena_str(r->a, value);
		}
	}
	return NULL;
}

static const char *
read_rcpt(struct reader *r, struct str v)
{
	struct envelope_rcpt *rcpt = &r->e->rcpts[r->e->rcpt_n];
	const char *why;
	struct str rest;

	if (r->e->rcpt_n == r->rcpt_max)
		return "there are too many recipients";
	if (v.n < 2 || v.p[0] == '\0' || strchr(RCPT_STATES, v.p[0]) == NULL ||
	    v.p[1] != ' ')
		return "the state of a recipient is unknown";
	rcpt->state = (enum rcpt_state)v.p[0];
	rcpt->state_at = (size_t)(v.p - r->block.p);
	why = path_parse(str_skip(v, 2), PATH_FLAGS & ~PATH_NULL, r->a,
	    &rcpt->path, &rest);
	if (why != NULL)
		return why;
	r->e->rcpt_n++;
	return read_rcpt_words(r, rcpt, rest);
}

/* A key is either read by a function or copied as text to an offset. */
struct key {
	const char *name;
	const char *(*read)(struct reader *r, struct str value);
	size_t text_at;
};

/* clang-format off */
static const struct key keys[] = {
	{ "rcpt",     read_rcpt,     0 },	/* the only one that comes again */
	{ "id",       read_id,       0 },
	{ "from",     read_from,     0 },
	{ "time",     read_time,     0 },
	{ "delays",   read_delays,   0 },
	{ "client",   NULL,          offsetof(struct envelope, client) },
	{ "helo",     NULL,          offsetof(struct envelope, helo) },
	{ "proto",    NULL,          offsetof(struct envelope, proto) },
	{ "user",     NULL,          offsetof(struct envelope, user) },
	{ "ours",     read_ours,     0 },
	{ "listener", NULL,          offsetof(struct envelope, listener) },
	{ "local",    NULL,          offsetof(struct envelope, local) },
	{ "tls",      NULL,          offsetof(struct envelope, tls) },
	{ "certificate",  NULL,              offsetof(struct envelope, certificate) },
	{ "certificate-chain", NULL,         offsetof(struct envelope, chain) },
	{ "body",     read_body,     0 },
	{ "smtputf8", read_smtputf8, 0 },
	{ "ret",      read_ret,      0 },
	{ "envid",    NULL,          offsetof(struct envelope, envid) },
	{ "report",   NULL,          offsetof(struct envelope, report) },
	{ "auth",     NULL,          offsetof(struct envelope, auth) },
	{ "requiretls",   read_tls_wish,     0 },
	{ "by",       read_by,       0 },
	{ "not-before",   read_not_before,   0 },
	{ "deadline",     read_deadline,     0 },
	{ "max-attempts", read_max_attempts, 0 },
	{ "retry",    read_retry,    0 },
	{ "source",   NULL,          offsetof(struct envelope, source) },
	{ "route",    NULL,          offsetof(struct envelope, route) },
	{ "route-user",     NULL,    offsetof(struct envelope, route_user) },
	{ "route-password", NULL,    offsetof(struct envelope, route_password) },
	{ "key",      NULL,          offsetof(struct envelope, key) },
	{ "dkim",     NULL,          offsetof(struct envelope, dkim) },
	{ "priority", read_priority, 0 },
	{ "checks",   NULL,          offsetof(struct envelope, checks) },
	{ "pad",      read_pad,      0 },
};
/* clang-format on */

/* Bits of keys[] that every envelope has: rcpt, id, from, time, delays. */
#define KEYS_NEEDED 0x1fu

/* The index of KEY in keys[], or their number. */
static size_t
key_index(struct str key)
{
	size_t i = 0;

	while (i < ARRAY_LEN(keys) && !str_eq(key, str_c(keys[i].name)))
		i++;
	return i;
}

bool
envelope_key_known(struct str key)
{
	return key_index(key) < ARRAY_LEN(keys);
}

static const char *
read_extra(struct reader *r, struct str key, struct str value)
{
	struct envelope_extra *x = &r->e->extras[r->e->extra_n];

	if (r->e->extra_n == r->extra_max)
		return "there are too many unknown keys";
	r->e->extra_n++;
	x->key = arena_str(r->a, key);
	x->value = arena_str(r->a, value);
	return NULL;
}

static const char *
read_line(struct reader *r, struct str line)
{
	struct str key, value;
	size_t i;

	if (!str_cut(line, ':', &key, &value) || key.n == 0 || value.n == 0 ||
	    value.p[0] != ' ' || str_has_ctl(line))
		return bad_line;
	value = str_skip(value, 1);
	i = key_index(key);
	if (i == ARRAY_LEN(keys))
		return read_extra(r, key, value);
	if (i > 0 && (r->seen & UINT64_C(1) << i) != 0)
		return "a key stands in the envelope twice";
	r->seen |= UINT64_C(1) << i;
	if (keys[i].read != NULL)
		return keys[i].read(r, value);
	*(struct str *)((char *)r->e + keys[i].text_at) =
	    arena_str(r->a, value);
	return NULL;
}

/* Makes room for the recipients and extras that the block can hold. */
static const char *
reserve(struct reader *r)
{
	struct str line, rest = str_skip(r->block, FIRST_LEN);
	size_t rcpts = 0, others = 0, need;

	while (str_cut(rest, '\n', &line, &rest)) {
		if (str_starts(line, STR(RCPT_KEY)))
			rcpts++;
		else
			others++;
	}
	r->rcpt_max = rcpts < ENVELOPE_RCPT_MAX ? rcpts : ENVELOPE_RCPT_MAX;
	r->extra_max =
	    others < ENVELOPE_EXTRA_MAX ? others : ENVELOPE_EXTRA_MAX;
	/* One more of each: where the check for too many looks. */
	need = (r->rcpt_max + 1) * sizeof(*r->e->rcpts) +
	    (r->extra_max + 1) * sizeof(*r->e->extras) + 2 * r->block.n;
	if (r->a->used > r->a->max || need > r->a->max - r->a->used)
		return "the envelope is too large for this process";
	r->e->rcpts = arena_alloc(r->a,
	    (r->rcpt_max + 1) * sizeof(*r->e->rcpts));
	r->e->extras = arena_alloc(r->a,
	    (r->extra_max + 1) * sizeof(*r->e->extras));
	return NULL;
}

const char *
envelope_parse(struct str block, struct arena *a, struct envelope *e,
    uint64_t *size, uint32_t *crc)
{
	struct reader r = { .block = block, .a = a, .e = e };
	struct str line, rest = str_skip(block, FIRST_LEN);
	const char *why;

	*e = (struct envelope){ .from = { STR(""), STR("") } };
	if ((why = read_first_line(block, size, crc)) != NULL ||
	    (why = reserve(&r)) != NULL)
		return why;
	for (;;) {
		if (!str_cut(rest, '\n', &line, &rest))
			return "the envelope has no end";
		if (line.n == 0)
			break;
		if ((why = read_line(&r, line)) != NULL)
			return why;
	}
	if (rest.n > 0)
		return "the envelope ends before it should";
	if ((r.seen & KEYS_NEEDED) != KEYS_NEEDED)
		return "the envelope is not complete";
	return NULL;
}

const char *
envelope_body_name(enum body_type body)
{
	switch (body) {
	case BODY_7BIT:
		return "7BIT";
	case BODY_8BITMIME:
		return "8BITMIME";
	case BODY_BINARYMIME:
		return "BINARYMIME";
	case BODY_UNSAID:
		break;
	}
	return "";
}

const char *
envelope_tls_name(enum tls_wish wish)
{
	return wish == TLS_WISH_REQUIRED ? "yes" :
	    wish == TLS_WISH_NONE	 ? "no" : "";
}

const char *
envelope_ret_name(enum dsn_ret ret)
{
	return ret == RET_FULL ? "FULL" : ret == RET_HDRS ? "HDRS" : "";
}
