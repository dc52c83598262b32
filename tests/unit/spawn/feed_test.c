/* SPDX-License-Identifier: GPL-3.0-or-later */

/* feed -- line ends, whatever is taken at a time. */

#include "spawn/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "unit.h"

static int
file_with(struct str text)
{
	FILE *f = tmpfile();

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(text.p, 1, text.n, f), text.n);
	ck_assert_int_eq(fflush(f), 0);
	return fileno(f);
}

START_TEST(line_ends)
{
	const struct {
		struct str in, out;
	} t[] = {
		{ STR("a\r\nb\r\n"), STR("Head: x\na\nb\n") },
		{ STR("\r\n.\r\n..\r\n"), STR("Head: x\n\n.\n..\n") },
		{ STR("a\rb\r\r\nc\r"), STR("Head: x\na\rb\r\nc\r") },
		{ STR("a\nb"), STR("Head: x\na\nb") },
		{ STR(""), STR("Head: x\n") },
	};
	char got[100];
	struct feed f;
	int p[2];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_int_eq(pipe(p), 0);
		feed_init(&f, file_with(t[i].in), 0, t[i].in.n, STR("Head: x\n"));
		ck_assert_int_eq(feed_write(&f, p[1]), 1);
		ck_assert_int_eq(read(p[0], got, sizeof(got)), (ssize_t)t[i].out.n);
		ck_str(str_n(got, t[i].out.n), t[i].out);
		feed_free(&f);
		close(p[0]);
		close(p[1]);
	}
}
END_TEST

/* Only a part of the file; a reader that takes little; pieces that end in a CR. */
START_TEST(in_parts)
{
	struct buf text, want, got;
	char piece[777];
	struct feed f;
	int p[2], more;
	ssize_t n;

	buf_init(&text, 1 << 20);
	buf_init(&want, 1 << 20);
	buf_init(&got, 1 << 20);
	buf_adds(&text, "envelope\n\n");
	for (unsigned i = 0; i < 40000; i++) {
		buf_adds(&text, i % 3 ? "xy\r\n" : "\r\n");
		buf_adds(&want, i % 3 ? "xy\n" : "\n");
	}
	buf_adds(&text, "behind");
	ck_assert_int_eq(pipe2(p, O_NONBLOCK), 0);
	feed_init(&f, file_with(buf_str(&text)), 10, text.n - 16, STR(""));
	while ((more = feed_write(&f, p[1])) == 0)
		while ((n = read(p[0], piece, sizeof(piece))) > 0)
			buf_add(&got, str_n(piece, (size_t)n));
	ck_assert_int_eq(more, 1);
	while ((n = read(p[0], piece, sizeof(piece))) > 0)
		buf_add(&got, str_n(piece, (size_t)n));
	ck_str(buf_str(&got), buf_str(&want));
	feed_free(&f);
	buf_free(&text);
	buf_free(&want);
	buf_free(&got);
}
END_TEST

START_TEST(failures)
{
	struct feed f;
	int p[2];

	(void)signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(p), 0);
	/* A file that is shorter than was said. */
	feed_init(&f, file_with(STR("abc")), 0, 4, STR(""));
	ck_assert_int_eq(feed_write(&f, p[1]), -1);
	ck_assert_int_eq(errno, EIO);
	feed_free(&f);
	/* Nobody reads. */
	close(p[0]);
	feed_init(&f, file_with(STR("abc")), 0, 3, STR(""));
	ck_assert_int_eq(feed_write(&f, p[1]), -1);
	ck_assert_int_eq(errno, EPIPE);
	feed_free(&f);
}
END_TEST

/* What would begin another message of a file with many. */
START_TEST(quotes)
{
	const struct {
		struct str in, out;
		bool in_line;	/* it ends within one */
	} t[] = {
		{ STR("From x\r\nFrom"), STR(">From x\nFrom"), true },
		{ STR("x\r\nF"), STR("x\nF"), true },
		{ STR("a From x\r\n\r\nFrom \r\n"),
		    STR("a From x\n\n>From \n"), false },
		{ STR("Fro\r\nFrom: x\r\nFFrom y"),
		    STR("Fro\nFrom: x\nFFrom y"), true },
		{ STR(">From x\r\n"), STR(">From x\n"), false },
		{ STR("x\r"), STR("x\r"), true },
	};
	char got[100];
	struct feed f;
	int p[2];

	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		ck_assert_int_eq(pipe(p), 0);
		feed_init(&f, file_with(t[i].in), 0, t[i].in.n, STR(""));
		f.quote = true;
		ck_assert_int_eq(feed_write(&f, p[1]), 1);
		ck_str(str_n(got, (size_t)read(p[0], got, sizeof(got))),
		    t[i].out);
		ck_assert_int_eq(f.in_line, t[i].in_line);
		feed_free(&f);
		close(p[0]);
		close(p[1]);
	}
}
END_TEST

UNIT_MAIN("feed", line_ends, in_parts, failures, quotes)
