/* SPDX-License-Identifier: GPL-3.0-or-later */

/* fmt -- what it writes is what vsnprintf() writes, at any length. */

#include "unit.h"

#include <limits.h>
#include <stdio.h>

#include "lib/fmt.h"

PRINTF(1, 2) static void
same(const char *fmt, ...)
{
	char want[256], got[256];
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(want, sizeof(want), fmt, again);
	va_end(again);
	ck_assert_int_lt(n, (int)sizeof(want));
	for (size_t max = 0; max <= (size_t)n + 2; max++) {
		memset(got, '#', sizeof(got));
		va_copy(again, ap);
		ck_assert_int_eq(fmt_put(max ? got : NULL, max, fmt, again), n);
		va_end(again);
		if (max > 0)
			ck_str(str_c(got), str_head(str_c(want), max - 1));
		/* Nothing behind what it was given. */
		ck_assert_int_eq(got[max], '#');
	}
	va_end(ap);
}

START_TEST(strings)
{
	same("%s", "");
	same("plain");
	same("%%");
	same("100%% of %s%c", "it", '!');
	same("<%s> and <%s>", "one", "two");
	same("%.*s|%.*s|%.*s", 3, "abcdef", 0, "x", -1, "all");
	same("%.*s", 2, (const char[]){ 'a', 'b' });
	same("%.*s", 9, "short");
}
END_TEST

START_TEST(numbers)
{
	same("%d %d %d %i", 0, INT_MAX, INT_MIN, -1);
	same("%u %u", 0u, UINT_MAX);
	same("%ld %ld %lu", LONG_MAX, LONG_MIN, ULONG_MAX);
	same("%lld %lld %llu", LLONG_MAX, LLONG_MIN, ULLONG_MAX);
	same("%zu %zd", SIZE_MAX, (ssize_t)-1);
	same("%x %lx %llx %zx", 0xbeefu, 0x10ul, ULLONG_MAX, (size_t)255);
	same("%02d:%02d:%03u", 1, 23, 7u);
	same("%04d %04d %02d", -5, 12345, -5);
	same("%016llx", 0x1234abcdull);
	same("%020llu %020lld", ULLONG_MAX, LLONG_MIN);
}
END_TEST

/* These go to the library as they are. */
START_TEST(others)
{
	same("%5d|%-5d|%+d|% d", 42, 42, 42, 42);
	same("%8s|%-8s|%.3s|%*s", "a", "b", "abcdef", 4, "c");
	same("%X %o %#x %td", 255u, 8u, 255u, (ptrdiff_t)-3);
	same("%.2f and %s", 1.5, "text");
	same("%030d %.3d", 7, 7);
	same("%hhu %hd", (unsigned char)7, (short)-7);
}
END_TEST

UNIT_MAIN("lib/fmt", strings, numbers, others)
