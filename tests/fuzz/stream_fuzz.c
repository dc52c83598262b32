/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * stream_fuzz -- what a line is does not depend on how its bytes arrive.
 *
 * The first two octets are the limit of a line; the rest is read once whole,
 * once octet by octet, and once for each point where it can be split in two.
 * All must give the same results and the same lines, and each line must keep
 * to its limit.  Then it is read as octets and written in pieces, with a peer
 * that takes what it likes: what comes out is what went in.
 *
 * Parsers: lib/stream.c.
 */

#include "fuzz.h"

#include <errno.h>

#include "lib/hash.h"
#include "lib/stream.h"

/* A transport that gives SPLIT bytes, a time-out, and then the rest. */
struct halves {
	struct str in;
	size_t split;
	bool paused;
};

static ssize_t
read_half(void *ctx, void *buf, size_t n, int64_t deadline)
{
	struct halves *h = ctx;
	size_t give = h->split > 0 ? h->split : h->in.n;

	(void)deadline;
	if (h->split == 0 && !h->paused) {
		h->paused = true;
		errno = ETIMEDOUT;
		return -1;
	}
	give = give < n ? give : n;
	memcpy(buf, h->in.p, give);
	h->in = str_skip(h->in, give);
	h->split -= h->split > 0 ? give : 0;
	return (ssize_t)give;
}

static const struct stream_ops half_ops = { read_half, NULL };

static void
check_line(enum stream_result r, struct str line, size_t max)
{
	bool cr = str_find(line, '\r') >= 0;
	bool nul = str_find(line, '\0') >= 0;

	if (r == STREAM_OK && (cr || nul || line.n + 2 > max))
		abort();
	if (r == STREAM_NUL && (cr || !nul || line.n + 2 > max))
		abort();
	if (r == STREAM_BARE && line.n + 1 > max)
		abort();
	if (str_find(line, '\n') >= 0)
		abort();
}

/* A sum over all results and lines until the end. */
static uint32_t
sum(struct stream *s, size_t max)
{
	uint32_t crc = 0;

	for (;;) {
		struct str line;
		enum stream_result r = stream_line(s, max, -1, &line);
		unsigned char c = (unsigned char)r;

		if (r == STREAM_TIMEOUT)
			continue;
		check_line(r, line, max);
		crc = crc32c(crc, &c, 1);
		crc = crc32c(crc, &line.n, sizeof(line.n));
		crc = crc32c(crc, line.p, line.n);
		if (r == STREAM_EOF || r == STREAM_ERROR || r == STREAM_FLOOD)
			break;
	}
	stream_free(s);
	return crc;
}

static uint32_t
sum_chunks(struct str in, size_t max, size_t chunk)
{
	struct stream_mem m = { .in = in, .chunk = chunk };
	struct stream s;

	stream_init(&s, &stream_mem_ops, &m);
	return sum(&s, max);
}

static uint32_t
sum_halves(struct str in, size_t max, size_t split)
{
	struct halves h = { .in = in, .split = split };
	struct stream s;

	stream_init(&s, &half_ops, &h);
	return sum(&s, max);
}

/* A peer that takes at most as much as the last octet said, and then nothing. */
struct taker {
	struct str in;
	struct buf out;
	size_t at_once, until;
};

static ssize_t
take(void *ctx, const void *p, size_t n, int64_t deadline)
{
	struct taker *t = ctx;

	(void)deadline;
	if (t->out.n >= t->until) {
		errno = t->until % 2 ? ETIMEDOUT : EPIPE;
		return -1;
	}
	n = n < t->at_once ? n : t->at_once;
	buf_add(&t->out, str_n(p, n));
	return (ssize_t)n;
}

static ssize_t
give(void *ctx, void *p, size_t n, int64_t deadline)
{
	struct taker *t = ctx;

	(void)deadline;
	n = n < t->at_once ? n : t->at_once;
	n = n < t->in.n ? n : t->in.n;
	memcpy(p, t->in.p, n);
	t->in = str_skip(t->in, n);
	return (ssize_t)n;
}

static const struct stream_ops taker_ops = { give, take };

/* Reads IN as octets, in pieces, and says it again. */
static void
echo(struct str in, size_t piece, size_t until)
{
	struct taker t = { .in = in, .at_once = piece * 7 + 1, .until = until };
	enum stream_result r = STREAM_OK;
	struct stream s;
	struct str bytes;

	buf_init(&t.out, in.n + 1);
	stream_init(&s, &taker_ops, &t);
	while (r == STREAM_OK && stream_fill(&s, -1, &bytes) == STREAM_OK) {
		bytes = str_head(bytes, piece);
		r = stream_put(&s, bytes, -1);
		if (stream_pending(&s) % 3 == 0 && r == STREAM_OK)
			r = stream_flush(&s, -1);
		stream_consume(&s, bytes.n);
	}
	if (r == STREAM_OK)
		r = stream_flush(&s, -1);
	/* All of it, or the first of it and a reason. */
	if (!str_eq(buf_str(&t.out), str_head(in, t.out.n)) ||
	    (r == STREAM_OK) != (t.out.n == in.n && s.out.n == 0) ||
	    s.bytes_out != t.out.n)
		abort();
	stream_switch(&s, &half_ops, NULL);
	if (s.out.n > 0 || stream_pending(&s) > 0)
		abort();
	stream_free(&s);
	buf_free(&t.out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in;
	size_t max, step;
	uint32_t want;

	if (size < 2)
		return 0;
	max = 2 + ((size_t)data[0] | (size_t)data[1] << 8) % 4096;
	in = str_n((const char *)data + 2, size - 2);
	/* Every point of what is short, a few hundred of what is long. */
	step = 1 + in.n / 500;
	want = sum_chunks(in, max, 0);
	if (sum_chunks(in, max, 1) != want)
		abort();
	for (size_t split = 0; split <= in.n; split += step) {
		if (sum_halves(in, max, split) != want)
			abort();
	}
	echo(in, 1 + data[0], SIZE_MAX);
	echo(in, in.n + 1, SIZE_MAX);
	echo(in, 1 + data[1], max);
	return 0;
}
