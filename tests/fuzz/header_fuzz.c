/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-04.  Headers: fields taken apart and put together again, addresses, dates and
 * the words that are made from any text.
 *
 * Parsers: mail/header.c mail/date.c.
 */

#include "fuzz.h"

#include "mail/date.h"
#include "mail/header.h"

static bool
count(void *arg, struct str addr)
{
	check(addr.n > 0 && addr.n <= 512);
	check(memchr(addr.p, '\n', addr.n) == NULL);
	return ++*(unsigned *)arg < 10000;
}

/* A field with VALUE is one field, and its value is found in it again. */
static void
make_field(struct arena *a, struct str value)
{
	struct buf b;
	struct field f;
	struct str rest, plain;
	size_t n = 0;

	buf_init(&b, 4 * value.n + 64);
	field_add(&b, "Name", value);
	check(buf_ok(&b));
	rest = buf_str(&b);
	check(field_next(&rest, &f) == 1 && rest.n == 0);
	plain = field_unfold(a, &f);
	check(memchr(plain.p, '\r', plain.n) == NULL);
	check(memchr(plain.p, '\n', plain.n) == NULL);
	/* Every octet of the value that is no control character is there. */
	for (size_t i = 0; i < value.n; i++) {
		if ((unsigned char)value.p[i] <= ' ' || value.p[i] == 0x7f)
			continue;
		while (n < plain.n && plain.p[n] != value.p[i])
			n++;
		check(n++ < plain.n);
	}
	buf_free(&b);
}

static void
make_words(struct str text)
{
	struct buf b;
	unsigned n = 0;

	buf_init(&b, 8 * text.n + 256);
	phrase_add(&b, text);
	check(buf_ok(&b));
	check(!str_has_ctl(buf_str(&b)) && !str_has_8bit(buf_str(&b)));
	buf_add(&b, STR(" <a@b>"));
	check(address_list(buf_str(&b), count, &n) && n == 1);
	buf_reset(&b);
	unstructured_add(&b, text);
	check(buf_ok(&b));
	check(!str_has_ctl(buf_str(&b)) && !str_has_8bit(buf_str(&b)));
	buf_free(&b);
}

static void
dates(struct str text)
{
	int64_t t = date_parse(text);
	struct buf b;

	/* At the edges another zone may mean another century. */
	if (t < 86400 || t > 253000000000)
		return;
	buf_init(&b, 64);
	date_add(&b, t);
	check(date_parse(buf_str(&b)) == t);
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n), rest = text;
	struct field f;
	struct arena a;
	unsigned fields = 0, calls = 0;

	if (n == 0)
		return 0;
	arena_init(&a, 16 * n + (1 << 20));
	while (field_next(&rest, &f) == 1) {
		struct field same;

		check(f.name.n > 0 && f.raw.n > f.name.n + f.value.n);
		check(header_find(text, f.name, &same));
		if (++fields > 50)
			break;
		calls = 0;
		(void)address_list(f.value, count, &calls);
		make_field(&a, f.value);
		make_field(&a, field_unfold(&a, &f));
		dates(f.value);
	}
	calls = 0;
	(void)address_list(text, count, &calls);
	make_field(&a, text);
	make_words(text);
	dates(text);
	arena_free(&a);
	return 0;
}
