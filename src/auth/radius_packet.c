/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * radius_packet -- RADIUS (RFC 2865) with PAP and the Message-Authenticator of
 * RFC 3579 3.2, as bytes in and bytes out.
 *
 * The library that Debian has sends no Message-Authenticator and takes answers
 * without one, which lets whoever is on the way forge a yes; so this is our
 * own, and short: one request, and three codes of an answer.
 */

#include "lib/digest.h"
#include "lib/mem.h"
#include "radius.h"

#define HEADER 20
#define LENGTH_AT 2
#define AUTHENTICATOR_AT 4

enum code { ACCESS_REQUEST = 1, ACCESS_ACCEPT = 2, ACCESS_REJECT = 3, ACCESS_CHALLENGE = 11 };

enum attribute {
	USER_NAME = 1,
	USER_PASSWORD = 2,
	SERVICE_TYPE = 6,
	CALLING_STATION_ID = 31,
	NAS_IDENTIFIER = 32,
	NAS_PORT_TYPE = 61,
	MESSAGE_AUTHENTICATOR = 80
};

/* RFC 2865 5.6, 5.41. */
static const char authenticate_only[4] = { 0, 0, 0, 8 };
static const char virtual_port[4] = { 0, 0, 0, 5 };
static const char zeroes[MD5_SIZE];

static struct str
bytes(const unsigned char *p, size_t n)
{
	return str_n((const char *)p, n);
}

/* ---- a request ----------------------------------------------------------------- */

static void
put(struct buf *b, enum attribute type, struct str value)
{
	if (value.n == 0)
		return;
	buf_addc(b, (char)type);
	buf_addc(b, (char)(value.n + 2));
	buf_add(b, value);
}

/* RFC 2865 5.2: hidden by a chain of hashes; padded, so that its length is hidden too. */
static bool
put_password(struct buf *b, const struct radius_request *r)
{
	size_t n = strlen(r->password), padded = (n + MD5_SIZE - 1) / MD5_SIZE * MD5_SIZE;
	unsigned char text[RADIUS_PASSWORD_MAX] = { 0 }, mask[MD5_SIZE];
	struct str before = bytes(r->random, RADIUS_RANDOM);
	bool ok = true;

	memcpy(text, r->password, n);
	for (size_t i = 0; i < padded && ok; i += MD5_SIZE) {
		ok = md5(str_c(r->secret), before, mask) == 0;
		for (size_t k = 0; k < MD5_SIZE; k++)
			text[i + k] ^= mask[k];
		before = bytes(text + i, MD5_SIZE);
	}
	put(b, USER_PASSWORD, bytes(text, padded));
	mem_wipe(text, sizeof(text));
	return ok;
}

bool
radius_put(struct buf *b, const struct radius_request *r)
{
	unsigned char sum[MD5_SIZE];
	size_t mark;

	if (strlen(r->user) == 0 || strlen(r->user) > RADIUS_USER_MAX ||
	    strlen(r->password) == 0 || strlen(r->password) > RADIUS_PASSWORD_MAX ||
	    strlen(r->identifier) > RADIUS_USER_MAX || strlen(r->client) > RADIUS_USER_MAX)
		return false;
	buf_addc(b, ACCESS_REQUEST);
	buf_addc(b, (char)r->id);
	buf_add(b, STR("\0\0"));
	buf_add(b, bytes(r->random, RADIUS_RANDOM));
	/* First, so that nothing that an attacker chose stands before it. */
	put(b, MESSAGE_AUTHENTICATOR, str_n(zeroes, sizeof(zeroes)));
	mark = b->n - MD5_SIZE;
	put(b, USER_NAME, str_c(r->user));
	if (!put_password(b, r))
		return false;
	put(b, SERVICE_TYPE, str_n(authenticate_only, sizeof(authenticate_only)));
	put(b, NAS_PORT_TYPE, str_n(virtual_port, sizeof(virtual_port)));
	put(b, NAS_IDENTIFIER, str_c(r->identifier));
	put(b, CALLING_STATION_ID, str_c(r->client));
	if (!buf_ok(b))
		return false;
	b->p[LENGTH_AT] = (char)(b->n >> 8);
	b->p[LENGTH_AT + 1] = (char)(b->n & 0xff);
	if (hmac_md5(str_c(r->secret), buf_str(b), sum) < 0)
		return false;
	memcpy(b->p + mark, sum, sizeof(sum));
	return true;
}

/* ---- an answer ------------------------------------------------------------------- */

/*
 * In *MARK where the value of the Message-Authenticator is; 0: there is none.
 * False: the attributes are broken, or it has two.
 */
static bool
find_mark(struct str packet, size_t *mark)
{
	size_t at = HEADER;

	*mark = 0;
	while (at < packet.n) {
		size_t left = packet.n - at;
		unsigned char n = left < 2 ? 0 : (unsigned char)packet.p[at + 1];

		if (n < 2 || n > left)
			return false;
		if ((unsigned char)packet.p[at] == MESSAGE_AUTHENTICATOR) {
			if (*mark != 0 || n != MD5_SIZE + 2)
				return false;
			*mark = at + 2;
		}
		at += n;
	}
	return true;
}

/* RFC 2865 3: made with the authenticator of the request, as the next one. */
static bool
has_response(struct str packet, char *copy, const struct radius_request *r)
{
	unsigned char sum[MD5_SIZE];

	return md5(str_n(copy, packet.n), str_c(r->secret), sum) == 0 &&
	    mem_same(sum, packet.p + AUTHENTICATOR_AT, MD5_SIZE);
}

/* RFC 3579 3.2. */
static bool
has_mark(struct str packet, char *copy, size_t mark, const struct radius_request *r)
{
	unsigned char sum[MD5_SIZE];

	memcpy(copy + mark, zeroes, sizeof(zeroes));
	return hmac_md5(str_c(r->secret), str_n(copy, packet.n), sum) == 0 &&
	    mem_same(sum, packet.p + mark, MD5_SIZE);
}

enum radius_answer
radius_get(struct str packet, const struct radius_request *r)
{
	char copy[RADIUS_PACKET_MAX];
	size_t length, mark;

	if (packet.n < HEADER || (unsigned char)packet.p[1] != r->id)
		return RADIUS_NOTHING;
	length = (size_t)(unsigned char)packet.p[LENGTH_AT] << 8 |
	    (unsigned char)packet.p[LENGTH_AT + 1];
	/* RFC 2865 3 would have what is behind ignored; nobody sends such a thing. */
	if (length != packet.n || length > RADIUS_PACKET_MAX)
		return RADIUS_NOTHING;
	memcpy(copy, packet.p, packet.n);
	memcpy(copy + AUTHENTICATOR_AT, r->random, RADIUS_RANDOM);
	if (!find_mark(packet, &mark) || !has_response(packet, copy, r))
		return RADIUS_NOTHING;
	if (mark == 0)
		return RADIUS_BARE;
	if (!has_mark(packet, copy, mark, r))
		return RADIUS_NOTHING;
	switch (packet.p[0]) {
	case ACCESS_ACCEPT:
		return RADIUS_ACCEPT;
	case ACCESS_REJECT:
		return RADIUS_REJECT;
	case ACCESS_CHALLENGE:
		return RADIUS_CHALLENGE;
	default:
		return RADIUS_NOTHING;
	}
}
