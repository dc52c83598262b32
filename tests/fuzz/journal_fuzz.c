/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * journal -- F-08: the reader of a line, fed with anything; the writer, whose
 * lines the reader must take, whatever is in their strings; and the reader of
 * files, while one of them grows: it gives each whole line once.
 *
 * Parsers: ipc/journal_line.c ipc/journal_read.c.
 */

#include "fuzz.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/journal.h"
#include "scratch.h"

static void
write_and_read(struct str s)
{
	struct journal_entry e;
	struct buf b;
	struct journal_line l = { .id = "0651F0C3D2A1BF00042",
		.event = s.n > 0 ? (unsigned char)s.p[0] % JOURNAL_N : 0,
		.from = s, .to = s, .client = s, .reply = s, .tls = s,
		.reason = s, .rcpts = s.n, .rcpt = s.n, .runner = s.n,
		.has_delays = s.n % 2 == 0, .delays = { -1, 0, (int64_t)s.n, 7 },
		.last = s.n % 3 == 0, .since_us = (int64_t)s.n,
		.arrival_us = (int64_t)s.n };

	buf_init(&b, 1 << 20);
	journal_format(&b, &l, INT64_C(1763690000123456));
	if (!buf_ok(&b) || b.n == 0 || b.p[b.n - 1] != '\n' ||
	    memchr(b.p, '\n', b.n - 1) != NULL || !str_is_utf8(buf_str(&b)) ||
	    !journal_parse(str_n(b.p, b.n - 1), &e) || e.event != l.event ||
	    e.rcpts != s.n)
		abort();
	buf_free(&b);
}

#define FILE_NAME "2025-11-21.0.000.jsonl"

static struct {
	char dir[SCRATCH_SIZE];
	int root, file;
} spool;

static void
remove_spool(void)
{
	scratch_end(spool.dir);
}

static void
make_spool(void)
{
	scratch_begin_fast(spool.dir);
	spool.root = scratch_open(spool.dir);
	if (mkdirat(spool.root, JOURNAL_DIR, 0700) != 0)
		abort();
	spool.file = openat(spool.root, JOURNAL_DIR "/" FILE_NAME,
	    O_RDWR | O_CREAT, 0600);
	if (spool.file < 0)
		abort();
	atexit(remove_spool);
}

struct got {
	struct str text;	/* what was not given yet */
	uint64_t number;
};

static void
on_line(void *arg, const char *file, uint64_t number, struct str line)
{
	struct got *g = arg;
	struct str next = { NULL, 0 };

	/* Empty lines are counted and not given. */
	while (str_cut(g->text, '\n', &next, &g->text) && ++g->number < number)
		if (next.n > 0)
			abort();
	if (strcmp(file, FILE_NAME) != 0 ||
	    g->number != number || line.n == 0 || !str_eq(line, next))
		abort();
}

/* Half of the file is there at first. */
static void
read_file(struct str s)
{
	struct journal_reader *r;
	struct got g = { .text = s };
	size_t half = s.n / 2, left;

	if (spool.dir[0] == '\0')
		make_spool();
	if (ftruncate(spool.file, 0) != 0 ||
	    pwrite(spool.file, s.p, half, 0) != (ssize_t)half)
		abort();
	r = journal_reader_open(spool.dir, 0);
	if (r == NULL || journal_read(r, on_line, &g) != 0 ||
	    pwrite(spool.file, s.p + half, s.n - half, (off_t)half) !=
	    (ssize_t)(s.n - half) || journal_read(r, on_line, &g) != 0)
		abort();
	/* What is left are empty lines, and one without its end. */
	left = 0;
	while (left < g.text.n && g.text.p[left] == '\n')
		left++;
	if (str_find(str_skip(g.text, left), '\n') >= 0 ||
	    (journal_torn(r) == 1) != (left < g.text.n) ||
	    journal_octets(r) != s.n || journal_oldest(r) == INT64_MAX)
		abort();
	journal_rewind(r);
	g = (struct got){ .text = s };
	if (journal_read(r, on_line, &g) != 0)
		abort();
	journal_reader_close(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = str_n((const char *)data, n);
	struct journal_entry e;

	if (journal_parse(s, &e) &&
	    (e.event >= JOURNAL_N || e.time_us <= 0 || e.id.n > n))
		abort();
	write_and_read(s);
	read_file(s);
	return 0;
}
