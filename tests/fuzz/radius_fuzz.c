/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What anybody sends as the answer of a RADIUS server.
 *
 * Parsers: auth/radius_packet.c.
 */

#include "fuzz.h"

#include "auth/radius.h"
#include "lib/digest.h"

/* Makes PACKET genuine as far as its attributes let it be. */
static void
sign(char *packet, size_t n, const struct radius_request *r)
{
	unsigned char sum[MD5_SIZE];
	struct str whole = str_n(packet, n), secret = str_c(r->secret);

	packet[1] = (char)r->id;
	packet[2] = (char)(n >> 8);
	packet[3] = (char)n;
	memcpy(packet + 4, r->random, RADIUS_RANDOM);
	if (n >= 38 && packet[20] == 80) {
		memset(packet + 22, 0, MD5_SIZE);
		if (hmac_md5(secret, whole, sum) == 0)
			memcpy(packet + 22, sum, sizeof(sum));
	}
	if (md5(whole, secret, sum) == 0)
		memcpy(packet + 4, sum, sizeof(sum));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const struct radius_request r = { .id = 7, .secret = "testing123", .identifier = "x",
		.client = "y", .user = "alice", .password = "barid" };
	char packet[RADIUS_PACKET_MAX];
	enum radius_answer answer;
	struct buf asked;

	buf_init(&asked, RADIUS_PACKET_MAX);
	if (!radius_put(&asked, &r) || !buf_ok(&asked))
		abort();
	/* A request is no answer to itself. */
	if (radius_get(buf_str(&asked), &r) != RADIUS_NOTHING)
		abort();
	buf_free(&asked);
	/* Nobody guesses both sums. */
	if (radius_get(str_n((const char *)data, n), &r) != RADIUS_NOTHING)
		abort();
	if (n < 20 || n > sizeof(packet))
		return 0;
	memcpy(packet, data, n);
	sign(packet, n, &r);
	answer = radius_get(str_n(packet, n), &r);
	if (answer == RADIUS_ACCEPT && (packet[0] != 2 || n < 38))
		abort();
	return 0;
}
