/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * envelope -- F-08: the reader of the spool, fed with anything.
 *
 * The input is read as a block as it is; then as the lines of a block whose
 * first line fits; as the notes behind a text; and as what is noted.  What is
 * taken as an envelope and can be written again must be read the same way
 * again, and the last note that was written is the one that is found.
 *
 * Parsers: queue/envelope.c queue/envelope_parse.c queue/note.c.
 */

#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "queue/queue.h"

#define FIRST "barid-1 env=0000000 sum=00000000 size=000000000000 " \
	"crc=00000000\n"

static void
digits(char *to, size_t n, unsigned base, uint64_t v)
{
	for (; n > 0; v /= base)
		to[--n] = "0123456789ABCDEF"[v % base];
}

/* Writes and reads E again: the same block must come out. */
static void
write_again(const struct envelope *e, struct arena *a)
{
	struct envelope again;
	struct buf one, two;
	uint64_t size;
	uint32_t crc;

	buf_init(&one, ENVELOPE_MAX);
	buf_init(&two, ENVELOPE_MAX);
	envelope_format(&one, e);
	/* An unknown key may have a form that is read and never written. */
	if (buf_ok(&one)) {
		envelope_seal(one.p, 1, 2);
		if (envelope_parse(buf_str(&one), a, &again, &size, &crc) !=
		    NULL || size != 1 || crc != 2)
			abort();
		envelope_format(&two, &again);
		envelope_seal(two.p, 1, 2);
		if (!str_eq(buf_str(&one), buf_str(&two)))
			abort();
	}
	buf_free(&one);
	buf_free(&two);
}

static void
read_lines(struct str lines, struct arena *a)
{
	struct envelope e;
	struct buf b;
	uint64_t size;
	uint32_t crc;

	buf_init(&b, ENVELOPE_MAX);
	buf_add(&b, STR(FIRST));
	buf_add(&b, lines);
	if (buf_ok(&b)) {
		digits(b.p + 12, 7, 10, b.n);
		digits(b.p + 24, 8, 16, envelope_sum(buf_str(&b)));
		if (envelope_parse(buf_str(&b), a, &e, &size, &crc) == NULL) {
			for (size_t i = 0; i < e.rcpt_n; i++)
				if (b.p[e.rcpts[i].state_at] !=
				    (char)e.rcpts[i].state)
					abort();
			write_again(&e, a);
		}
	}
	buf_free(&b);
}

static void
read_notes(struct str s, struct arena *a)
{
	struct queue_file f = { .end = (off_t)s.n };
	struct queue_attempt *last;

	f.fd = memfd_create("notes", MFD_CLOEXEC);
	f.env.rcpt_n = 3;
	if (f.fd < 0 || write(f.fd, s.p, s.n) != (ssize_t)s.n)
		abort();
	if (queue_notes(&f, a, &last) != 0)
		abort();
	for (size_t i = 0; i < 3; i++)
		if (last[i].rcpt != i || last[i].reply.n > 1024)
			abort();
	close(f.fd);
}

/* What came before a line end, and no more than LIMIT of it. */
static struct str
piece(struct str *rest, size_t limit)
{
	struct str p;

	str_cut(*rest, '\n', &p, rest);
	return str_head(p, limit);
}

/* A note of anything, behind whatever stood there. */
static void
write_note(struct str s, struct arena *a)
{
	struct queue_file f = { .env.rcpt_n = 2, .torn = s.n % 2 != 0 };
	struct queue_attempt note = { .time = 1763690000, .rcpt = 1 }, *last;
	struct str status;

	status = piece(&s, sizeof(note.status) - 1);
	memcpy(note.status, status.p, status.n);
	note.relay = piece(&s, 600);
	note.source = piece(&s, 80);
	note.reply = s;
	f.fd = memfd_create("note", MFD_CLOEXEC);
	if (f.fd < 0 || queue_note(&f, &note) != 0 ||
	    queue_notes(&f, a, &last) != 0)
		abort();
	if (last[1].time != note.time || last[0].time != 0)
		abort();
	/* What stands for a line end was none when it was cut. */
	if (last[1].reply.n > s.n || (s.n > 0 && last[1].reply.n == 0))
		abort();
	if (str_find(last[1].relay, '\n') >= 0 ||
	    str_find(last[1].source, '\n') >= 0)
		abort();
	close(f.fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = str_n((const char *)data, n);
	struct envelope e;
	struct arena a;
	uint64_t size;
	uint32_t crc;

	arena_init(&a, 3 * ENVELOPE_ARENA);
	(void)envelope_length(s);
	if (envelope_parse(s, &a, &e, &size, &crc) == NULL && e.rcpt_n == 0)
		abort();
	read_lines(s, &a);
	read_notes(s, &a);
	write_note(s, &a);
	arena_free(&a);
	return 0;
}
