/* SPDX-License-Identifier: GPL-3.0-or-later */

/* stream -- lines however they arrive, limits, and output. */

#include <errno.h>
#include <signal.h>

#include "child.h"
#include "lib/stream.h"

#define S(lit) { "" lit, sizeof(lit) - 1 }

/* Results as letters: one for each call until the end of the file. */
static const char letters[] = { [STREAM_OK] = 'k', [STREAM_EOF] = 'E',
	[STREAM_TIMEOUT] = 't', [STREAM_ERROR] = 'r', [STREAM_TOO_LONG] = 'L',
	[STREAM_FLOOD] = 'F', [STREAM_BARE] = 'b', [STREAM_NUL] = '0' };

static const struct {
	struct str in;
	size_t max;
	const char *results;	/* then each line in brackets */
} lines[] = {
	{ S(""), 10, "E" },
	{ S("\r\n"), 10, "k[]E" },
	{ S("NOOP\r\nQUIT\r\n"), 10, "k[NOOP]k[QUIT]E" },
	{ S("NOOP\r\nQUI"), 10, "k[NOOP]E" },
	{ S("a\nb\r\n"), 10, "b[a]k[b]E" },
	{ S("\n\r\n"), 10, "b[]k[]E" },
	{ S("a\rb\r\nc\r\n"), 10, "b[a\rb]k[c]E" },
	{ S("a\r\r\nb\r\n"), 10, "b[a\r]k[b]E" },
	{ S("\r\r\n"), 10, "b[\r]E" },
	{ S("a\rb\nc\r\n"), 10, "b[a\rb]k[c]E" },
	{ S("a\n\rb\r\n"), 10, "b[a]b[\rb]E" },
	{ S("a\0b\r\nc\r\n"), 10, "0[a?b]k[c]E" },
	{ S("a\0b\nc\r\n"), 10, "b[a?b]k[c]E" },
	/* Ten octets with the CRLF, and eleven. */
	{ S("12345678\r\nx\r\n"), 10, "k[12345678]k[x]E" },
	{ S("123456789\r\nx\r\n"), 10, "L[12345678]k[x]E" },
	{ S("1234567890\r\nx\r\n"), 10, "L[12345678]k[x]E" },
	{ S("123456789\nx\r\n"), 10, "b[123456789]k[x]E" },
	{ S("1234567890123456789\r\nx\r\n"), 10, "L[12345678]k[x]E" },
	/* A long line does not end at a bare LF, nor at a bare CR. */
	{ S("1234567890\nMAIL\r\nx\r\n"), 10, "L[12345678]k[x]E" },
	{ S("1234567890\rMAIL\r\nx\r\n"), 10, "L[12345678]k[x]E" },
	{ S("1234567890\r\r\nx\r\n"), 10, "L[12345678]k[x]E" },
	{ S("123456789\r\r\nx\r\n"), 10, "L[12345678]k[x]E" },
	{ S("1234567890\n\n\n\r\nx\r\n"), 10, "L[12345678]k[x]E" },
	{ S("1234567890\n"), 10, "E" },
	{ S("1234567890123\r"), 10, "E" },
	{ S("123456789\r"), 10, "E" },
	{ S("\r\n"), 2, "k[]E" },
	{ S("a\r\n\r\n"), 2, "L[a\r]k[]E" },
};

static void
ck_lines(size_t row, size_t chunk)
{
	struct stream_mem m = { .in = lines[row].in, .chunk = chunk };
	struct stream s;
	struct buf got;
	enum stream_result r;
	struct str line;

	buf_init(&got, 1000);
	stream_init(&s, &stream_mem_ops, &m);
	do {
		r = stream_line(&s, lines[row].max, -1, &line);
		buf_addc(&got, letters[r]);
		if (r == STREAM_EOF)
			break;
		buf_addc(&got, '[');
		for (size_t i = 0; i < line.n; i++)
			buf_addc(&got, line.p[i] != '\0' ? line.p[i] : '?');
		buf_addc(&got, ']');
	} while (buf_ok(&got));
	ck_assert_msg(strcmp(buf_cstr(&got), lines[row].results) == 0,
	    "row %zu by %zu: %s", row, chunk, buf_cstr(&got));
	ck_assert_uint_eq(s.bytes_in, lines[row].in.n);
	buf_free(&got);
	stream_free(&s);
}

START_TEST(lines_by_any_chunk)
{
	for (size_t row = 0; row < ARRAY_LEN(lines); row++) {
		for (size_t chunk = 0; chunk <= lines[row].in.n; chunk++)
			ck_lines(row, chunk);
	}
}
END_TEST

/* A line of N octets with its CRLF, then "x\r\n". */
static void
ck_long(size_t n, size_t max, size_t chunk, enum stream_result want)
{
	struct stream_mem m = { .chunk = chunk };
	struct stream s;
	struct buf b;
	struct str line;
	char *room;

	buf_init(&b, n + 10);
	room = buf_room(&b, n - 2);
	ck_assert_ptr_nonnull(room);
	memset(room, 'a', n - 2);
	buf_grew(&b, n - 2);
	buf_adds(&b, "\r\nx\r\n");
	m.in = buf_str(&b);
	stream_init(&s, &stream_mem_ops, &m);
	ck_assert_int_eq(stream_line(&s, max, -1, &line), want);
	if (want == STREAM_OK)
		ck_assert_uint_eq(line.n, n - 2);
	if (want != STREAM_FLOOD) {
		ck_assert_int_eq(stream_line(&s, max, -1, &line), STREAM_OK);
		ck_str(line, STR("x"));
	} else {
		ck_assert_int_eq(
		    stream_line(&s, max, -1, &line), STREAM_FLOOD);
	}
	stream_free(&s);
	buf_free(&b);
}

START_TEST(floods)
{
	static const size_t chunks[] = { 0, 1, 512, 4095, 4096, 4097, 65535 };

	for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
		size_t c = chunks[i];

		ck_long(1000, 1000, c, STREAM_OK);
		ck_long(1001, 1000, c, STREAM_TOO_LONG);
		ck_long(STREAM_SKIP_MAX, 512, c, STREAM_TOO_LONG);
		ck_long(STREAM_SKIP_MAX + 1, 512, c, STREAM_FLOOD);
		ck_long(STREAM_SKIP_MAX + 2, 512, c, STREAM_FLOOD);
		ck_long(300000, 512, c, STREAM_FLOOD);
		ck_long(STREAM_SKIP_MAX, STREAM_SKIP_MAX, c, STREAM_OK);
		/* A limit above what is skipped holds as well. */
		ck_long(300000, 300000, c, STREAM_OK);
		ck_long(300001, 300000, c, STREAM_FLOOD);
	}
}
END_TEST

/* A transport that follows a script. */
struct script {
	const struct step {
		const char *bytes;	/* NULL: fail with ERROR */
		int error;
	} *steps;
	size_t at;
	struct buf *out;
	size_t write_max;
};

static ssize_t
script_read(void *ctx, void *buf, size_t n, int64_t deadline)
{
	struct script *x = ctx;
	const struct step *step = &x->steps[x->at++];
	size_t len = step->bytes != NULL ? strlen(step->bytes) : 0;

	(void)deadline;
	if (step->bytes == NULL) {
		errno = step->error;
		return -1;
	}
	ck_assert_uint_le(len, n);
	memcpy(buf, step->bytes, len);
	return (ssize_t)len;
}

static ssize_t
script_write(void *ctx, const void *buf, size_t n, int64_t deadline)
{
	struct script *x = ctx;

	(void)deadline;
	if (n > x->write_max)
		n = x->write_max;
	if (n == 0) {
		errno = ETIMEDOUT;
		return -1;
	}
	buf_add(x->out, str_n(buf, n));
	x->write_max -= n;
	return (ssize_t)n;
}

static const struct stream_ops script_ops = { script_read, script_write };

START_TEST(goes_on_after_a_time_out)
{
	static const struct step steps[] = { { "NO", 0 }, { NULL, ETIMEDOUT },
		{ "OP\r\n12345678901", 0 }, { NULL, ETIMEDOUT },
		{ "2345\r", 0 }, { NULL, ETIMEDOUT }, { "\nQUIT\r\n", 0 },
		{ NULL, ECONNRESET }, { "never", 0 } };
	struct script x = { .steps = steps };
	struct stream s;
	struct str line;

	stream_init(&s, &script_ops, &x);
	ck_assert_int_eq(stream_line(&s, 10, 5, &line), STREAM_TIMEOUT);
	ck_assert_int_eq(stream_line(&s, 10, 5, &line), STREAM_OK);
	ck_str(line, STR("NOOP"));
	/* The middle of a long line is not taken for the next one. */
	ck_assert_int_eq(stream_line(&s, 10, 5, &line), STREAM_TIMEOUT);
	ck_assert_int_eq(stream_line(&s, 10, 5, &line), STREAM_TIMEOUT);
	ck_assert_int_eq(stream_line(&s, 10, 5, &line), STREAM_TOO_LONG);
	ck_assert_int_eq(stream_line(&s, 10, 5, &line), STREAM_OK);
	ck_str(line, STR("QUIT"));
	ck_assert_int_eq(stream_line(&s, 10, 5, &line), STREAM_ERROR);
	ck_assert_int_eq(s.error, ECONNRESET);
	/* It stays broken, in both directions. */
	ck_assert_int_eq(stream_line(&s, 10, 5, &line), STREAM_ERROR);
	ck_assert_int_eq(stream_fill(&s, 5, &line), STREAM_ERROR);
	ck_assert_int_eq(stream_put(&s, STR("x"), 5), STREAM_ERROR);
	ck_assert_int_eq(stream_flush(&s, 5), STREAM_ERROR);
	stream_free(&s);
}
END_TEST

START_TEST(fills_and_consumes)
{
	static const struct step steps[] = { { "abc", 0 }, { "def", 0 },
		{ "", 0 }, { "never", 0 } };
	struct script x = { .steps = steps };
	struct stream s;
	struct str in;

	stream_init(&s, &script_ops, &x);
	ck_assert_uint_eq(stream_pending(&s), 0);
	ck_assert_int_eq(stream_fill(&s, -1, &in), STREAM_OK);
	ck_str(in, STR("abc"));
	stream_consume(&s, 2);
	ck_assert_uint_eq(stream_pending(&s), 1);
	ck_assert_int_eq(stream_fill(&s, -1, &in), STREAM_OK);
	ck_str(in, STR("c"));
	stream_consume(&s, 1);
	ck_assert_int_eq(stream_fill(&s, -1, &in), STREAM_OK);
	ck_str(in, STR("def"));
	stream_consume(&s, 3);
	ck_assert_int_eq(stream_fill(&s, -1, &in), STREAM_EOF);
	ck_str(in, STR(""));
	/* The end of the file is not asked for again. */
	ck_assert_int_eq(stream_fill(&s, -1, &in), STREAM_EOF);
	ck_assert_int_eq(stream_line(&s, 10, -1, &in), STREAM_EOF);
	ck_assert_uint_eq(x.at, 3);
	stream_free(&s);
}
END_TEST

static void
consume_too_much(void)
{
	struct stream_mem m = { .in = STR("abc") };
	struct stream s;
	struct str in;

	stream_init(&s, &stream_mem_ops, &m);
	if (stream_fill(&s, -1, &in) == STREAM_OK)
		stream_consume(&s, 4);
}

START_TEST(consuming_too_much_is_a_bug)
{
	ck_assert_int_eq(child_run(consume_too_much, -1), 128 + SIGABRT);
}
END_TEST

START_TEST(mixes_lines_and_bytes)
{
	struct stream_mem m = { .in = STR("BDAT 4\r\nab\r\nNOOP\r\n") };
	struct stream s;
	struct str in;

	for (m.chunk = 0; m.chunk < 10; m.chunk++) {
		size_t want = 4;

		m.in = STR("BDAT 4\r\nab\r\nNOOP\r\n");
		stream_init(&s, &stream_mem_ops, &m);
		ck_assert_int_eq(stream_line(&s, 10, -1, &in), STREAM_OK);
		while (want > 0) {
			ck_assert_int_eq(stream_fill(&s, -1, &in), STREAM_OK);
			in = str_head(in, want);
			stream_consume(&s, in.n);
			want -= in.n;
		}
		ck_assert_int_eq(stream_line(&s, 10, -1, &in), STREAM_OK);
		ck_str(in, STR("NOOP"));
		stream_free(&s);
	}
}
END_TEST

START_TEST(reads_grow_with_the_peer)
{
	static char big[1000000];
	struct stream_mem m = { .in = { big, sizeof(big) } };
	struct stream s;
	struct str in;
	size_t reads = 0, most = 0;

	stream_init(&s, &stream_mem_ops, &m);
	ck_assert_ptr_null(s.in.p);
	while (stream_fill(&s, -1, &in) == STREAM_OK) {
		most = in.n > most ? in.n : most;
		stream_consume(&s, in.n);
		reads++;
	}
	ck_assert_uint_eq(most, 65536);
	ck_assert_uint_lt(reads, 20);
	ck_assert_uint_eq(s.bytes_in, sizeof(big));
	stream_free(&s);
}
END_TEST

START_TEST(an_idle_session_is_small)
{
	struct stream_mem m = { .chunk = 6 };
	struct stream s;
	struct str in;
	struct buf text;

	buf_init(&text, 1000000);
	for (int i = 0; i < 10000; i++)
		buf_adds(&text, "NOOP\r\n");
	m.in = buf_str(&text);
	stream_init(&s, &stream_mem_ops, &m);
	for (int i = 0; i < 10000; i++)
		ck_assert_int_eq(stream_line(&s, 512, -1, &in), STREAM_OK);
	ck_assert_uint_le(s.in.size, 4096);
	ck_assert_ptr_null(s.out.p);
	stream_free(&s);
	buf_free(&text);
}
END_TEST

START_TEST(any_put)
{
	static char big[100000];
	struct buf out;
	struct stream_mem m = { .out = &out };
	struct stream s;
	size_t put = 0;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 251);
	for (size_t step = 1; step < 60000; step = step * 3 + 1) {
		buf_init(&out, sizeof(big));
		stream_init(&s, &stream_mem_ops, &m);
		ck_assert_int_eq(stream_put(&s, STR(""), -1), STREAM_OK);
		for (put = 0; put < sizeof(big); put += step) {
			size_t n = sizeof(big) - put;

			n = n < step ? n : step;
			ck_assert_int_eq(stream_put(&s, str_n(big + put, n),
			    -1), STREAM_OK);
			ck_assert_uint_le(s.out.n, 16384);
		}
		ck_assert_int_eq(stream_flush(&s, -1), STREAM_OK);
		ck_assert_uint_eq(s.bytes_out, sizeof(big));
		ck_assert(str_eq(buf_str(&out), str_n(big, sizeof(big))));
		stream_free(&s);
		buf_free(&out);
	}
}
END_TEST

START_TEST(a_small_put_waits)
{
	struct buf out;
	struct stream_mem m = { .out = &out };
	struct stream s;

	buf_init(&out, 8);
	stream_init(&s, &stream_mem_ops, &m);
	ck_assert_int_eq(stream_put(&s, STR("250 ok\r\n"), -1), STREAM_OK);
	ck_assert_uint_eq(out.n, 0);
	ck_assert_int_eq(stream_flush(&s, -1), STREAM_OK);
	ck_str(buf_str(&out), STR("250 ok\r\n"));
	ck_assert_int_eq(stream_flush(&s, -1), STREAM_OK);
	/* The other side takes no more. */
	ck_assert_int_eq(stream_put(&s, STR("x"), -1), STREAM_OK);
	ck_assert_int_eq(stream_flush(&s, -1), STREAM_ERROR);
	ck_assert_int_eq(s.error, EFBIG);
	stream_free(&s);
	buf_free(&out);
}
END_TEST

START_TEST(output_that_times_out_goes_on)
{
	struct buf out;
	struct script x = { .out = &out, .write_max = 3 };
	struct stream s;

	buf_init(&out, 100);
	stream_init(&s, &script_ops, &x);
	ck_assert_int_eq(stream_put(&s, STR("0123456789"), 5), STREAM_OK);
	ck_assert_int_eq(stream_flush(&s, 5), STREAM_TIMEOUT);
	ck_str(buf_str(&out), STR("012"));
	x.write_max = 100;
	ck_assert_int_eq(stream_flush(&s, 5), STREAM_OK);
	ck_str(buf_str(&out), STR("0123456789"));
	ck_assert_uint_eq(s.bytes_out, 10);
	stream_free(&s);
	buf_free(&out);
}
END_TEST

START_TEST(switching_drops_what_is_pending)
{
	struct stream_mem clear = { .in = STR("STARTTLS\r\nRCPT evil\r\n") };
	struct stream_mem tls = { .in = STR("EHLO a\r\n") };
	struct stream s;
	struct str line;

	stream_init(&s, &stream_mem_ops, &clear);
	ck_assert_int_eq(stream_line(&s, 512, -1, &line), STREAM_OK);
	ck_assert_uint_gt(stream_pending(&s), 0);
	stream_switch(&s, &stream_mem_ops, &tls);
	ck_assert_uint_eq(stream_pending(&s), 0);
	ck_assert_int_eq(stream_line(&s, 512, -1, &line), STREAM_OK);
	ck_str(line, STR("EHLO a"));
	ck_assert_int_eq(stream_line(&s, 512, -1, &line), STREAM_EOF);
	tls.in = STR("again\r\n");
	stream_switch(&s, &stream_mem_ops, &tls);
	ck_assert_int_eq(stream_line(&s, 512, -1, &line), STREAM_OK);
	stream_free(&s);
}
END_TEST

UNIT_MAIN("lib/stream", lines_by_any_chunk, floods, goes_on_after_a_time_out,
    fills_and_consumes, consuming_too_much_is_a_bug, mixes_lines_and_bytes,
    reads_grow_with_the_peer, an_idle_session_is_small, any_put,
    a_small_put_waits, output_that_times_out_goes_on,
    switching_drops_what_is_pending)
