/* SPDX-License-Identifier: GPL-3.0-or-later */

/* radius_test -- requests with a secret, and which answers are genuine (CVE-2024-3596). */

#include "auth/radius.h"
#include "lib/digest.h"
#include "unit.h"

static struct radius_request
request(void)
{
	struct radius_request r = { .id = 42, .secret = "testing123", .identifier = "barid",
		.client = "192.0.2.1", .user = "alice", .password = "a password of 40 octets, that is enough.." };

	memcpy(r.random, "0123456789abcdef", RADIUS_RANDOM);
	return r;
}

/* The value of the attribute TYPE in PACKET. */
static struct str
attribute(struct str packet, int type)
{
	for (size_t at = 20; at + 2 <= packet.n; at += (unsigned char)packet.p[at + 1])
		if (packet.p[at] == type)
			return str_n(packet.p + at + 2, (size_t)(unsigned char)packet.p[at + 1] - 2);
	return STR("");
}

START_TEST(requests)
{
	struct radius_request r = request();
	unsigned char mask[MD5_SIZE], sum[MD5_SIZE];
	char text[48], copy[300];
	struct str hidden, before;
	struct buf b;

	buf_init(&b, RADIUS_PACKET_MAX);
	ck_assert(radius_put(&b, &r));
	ck_assert_int_eq(b.p[0], 1);
	ck_assert_int_eq(b.p[1], 42);
	ck_assert_uint_eq((size_t)(unsigned char)b.p[2] * 256 + (unsigned char)b.p[3], b.n);
	/* The Message-Authenticator is the first. */
	ck_assert_int_eq(b.p[20], 80);
	ck_str(attribute(buf_str(&b), 1), STR("alice"));
	ck_str(attribute(buf_str(&b), 32), STR("barid"));
	ck_str(attribute(buf_str(&b), 31), STR("192.0.2.1"));
	/* RFC 2865 5.2, backwards. */
	hidden = attribute(buf_str(&b), 2);
	ck_assert_uint_eq(hidden.n, 48);
	before = str_n("0123456789abcdef", 16);
	for (size_t i = 0; i < 48; i += 16) {
		ck_assert_int_eq(md5(STR("testing123"), before, mask), 0);
		for (size_t k = 0; k < 16; k++)
			text[i + k] = (char)((unsigned char)hidden.p[i + k] ^ mask[k]);
		before = str_n(hidden.p + i, 16);
	}
	ck_assert_int_eq(memcmp(text, r.password, strlen(r.password)), 0);
	ck_assert_int_eq(text[47], 0);
	/* RFC 3579 3.2: over the packet with zeroes in its place. */
	memcpy(copy, b.p, b.n);
	memset(copy + 22, 0, 16);
	ck_assert_int_eq(hmac_md5(STR("testing123"), str_n(copy, b.n), sum), 0);
	ck_assert_int_eq(memcmp(sum, b.p + 22, 16), 0);
	buf_free(&b);
}
END_TEST

START_TEST(no_requests)
{
	struct radius_request r;
	char long_one[300];
	struct buf b;

	memset(long_one, 'x', sizeof(long_one) - 1);
	long_one[299] = '\0';
	buf_init(&b, RADIUS_PACKET_MAX);
	r = request(), r.user = long_one;
	ck_assert(!radius_put(&b, &r));
	r = request(), r.user = "";
	ck_assert(!radius_put(&b, &r));
	r = request(), r.password = long_one;
	ck_assert(!radius_put(&b, &r));
	r = request(), r.password = "";
	ck_assert(!radius_put(&b, &r));
	r = request(), r.identifier = long_one;
	ck_assert(!radius_put(&b, &r));
	buf_free(&b);
}
END_TEST

struct reply {
	int code;
	const char *secret;
	bool bare;		/* without a Message-Authenticator */
	const char *more;	/* attributes behind it */
	size_t more_n;
};

/* An answer to R as a server makes it. */
static void
answer(struct buf *b, const struct radius_request *r, const struct reply *how)
{
	unsigned char sum[MD5_SIZE];
	struct str secret = str_c(how->secret);

	buf_reset(b);
	buf_addc(b, (char)how->code);
	buf_addc(b, (char)r->id);
	buf_add(b, STR("\0\0"));
	buf_add(b, str_n((const char *)r->random, RADIUS_RANDOM));
	if (!how->bare)
		buf_add(b, STR("\x50\x12" "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"));
	buf_add(b, str_n(how->more ? how->more : "", how->more_n));
	b->p[3] = (char)b->n;
	ck_assert_int_eq(hmac_md5(secret, buf_str(b), sum), 0);
	if (!how->bare)
		memcpy(b->p + 22, sum, 16);
	ck_assert_int_eq(md5(buf_str(b), secret, sum), 0);
	memcpy(b->p + 4, sum, 16);
}

START_TEST(answers)
{
	static const struct {
		struct reply how;
		enum radius_answer want;
	} t[] = {
		{ { 2, "testing123", false, NULL, 0 }, RADIUS_ACCEPT },
		{ { 3, "testing123", false, NULL, 0 }, RADIUS_REJECT },
		{ { 11, "testing123", false, NULL, 0 }, RADIUS_CHALLENGE },
		{ { 2, "testing123", false, "\x12\x05you", 5 }, RADIUS_ACCEPT },
		{ { 5, "testing123", false, NULL, 0 }, RADIUS_NOTHING },
		/* The forgery of CVE-2024-3596 has no Message-Authenticator. */
		{ { 2, "testing123", true, NULL, 0 }, RADIUS_BARE },
		{ { 2, "testing123", true, "\x12\x05you", 5 }, RADIUS_BARE },
		{ { 2, "another", true, NULL, 0 }, RADIUS_NOTHING },
		{ { 2, "another", false, NULL, 0 }, RADIUS_NOTHING },
		/* Attributes that are cut short, of no length, or a second authenticator. */
		{ { 2, "testing123", false, "\x12\x06you", 5 }, RADIUS_NOTHING },
		{ { 2, "testing123", false, "\x12\x01", 2 }, RADIUS_NOTHING },
		{ { 2, "testing123", false, "\x12", 1 }, RADIUS_NOTHING },
		{ { 2, "testing123", false, "\x50\x12" "0123456789abcdef", 18 }, RADIUS_NOTHING },
		{ { 2, "testing123", true, "\x50\x11" "0123456789abcde", 17 }, RADIUS_NOTHING },
	};
	struct radius_request r = request();
	struct buf b;

	buf_init(&b, RADIUS_PACKET_MAX);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		answer(&b, &r, &t[i].how);
		ck_assert_msg(radius_get(buf_str(&b), &r) == t[i].want, "%zu", i);
	}
	/* Every octet counts, and no length but the whole. */
	answer(&b, &r, &t[0].how);
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 1;
		ck_assert_msg(radius_get(buf_str(&b), &r) == RADIUS_NOTHING, "octet %zu", i);
		b.p[i] ^= 1;
		ck_assert(radius_get(str_head(buf_str(&b), i), &r) == RADIUS_NOTHING);
	}
	ck_assert(radius_get(buf_str(&b), &r) == RADIUS_ACCEPT);
	/* It answers this request and no other. */
	r.random[0] ^= 1;
	ck_assert(radius_get(buf_str(&b), &r) == RADIUS_NOTHING);
	buf_free(&b);
}
END_TEST

UNIT_MAIN("auth/radius", requests, no_requests, answers)
