/* SPDX-License-Identifier: GPL-3.0-or-later */

/* lines_test -- line ends of programs on this host, however they arrive. */

#include "unit.h"

#include "smtpd/smtpd_lines.h"

START_TEST(ends)
{
	static const struct {
		const char *in, *out;
	} t[] = {
		{ "", "" },
		{ "QUIT", "QUIT" },
		{ "a\n\nb\r\nc\rd\r\re\n.\n", "a\r\n\r\nb\r\nc\rd\r\re\r\n.\r\n" },
		{ "\n.\r", "\r\n.\r" },
		{ "a\r\nb\n.\r\n\n", "a\r\nb\n.\r\n\n" },
	};
	static const size_t sizes[] = { 1, 2, 3, 5, 100 };

	for (size_t i = 0; i < ARRAY_LEN(t) * ARRAY_LEN(sizes) * ARRAY_LEN(sizes); i++) {
		struct stream_mem mem = { .in = str_c(t[i / 25].in), .chunk = sizes[i / 5 % 5] };
		struct smtpd_lines l;
		char got[100];
		size_t n = 0;
		ssize_t r;

		smtpd_lines_init(&l, &stream_mem_ops, &mem);
		while ((r = smtpd_lines_ops.read(&l, got + n, sizes[i % 5], 0)) > 0)
			n += (size_t)r;
		ck_assert_int_eq(r, 0);
		ck_str(str_n(got, n), str_c(t[i / 25].out));
	}
}
END_TEST

UNIT_MAIN("smtpd/lines", ends)
