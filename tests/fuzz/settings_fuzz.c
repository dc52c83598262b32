/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A header with settings in it: what is taken makes an envelope that can be
 * written and read again, and what is left of the header has none.
 *
 * Parsers: queue/settings.c.
 */

#include "fuzz.h"

#include "queue/settings.h"

static bool
is_setting(void *arg UNUSED, const struct field *f)
{
	return settings_field(f->name);
}

static void
check_stripped(struct str text)
{
	struct buf once;
	struct field f;
	struct str rest;

	buf_init(&once, text.n + 1);
	rest = header_strip(&once, text, is_setting, NULL) > 0 ? buf_str(&once) : text;
	check(buf_ok(&once) && rest.n <= text.n);
	while (field_seek(&rest, &f))
		check(!settings_field(f.name));
	buf_free(&once);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n);
	struct envelope_rcpt rcpt = { .state = RCPT_QUEUED,
		.path = { STR("a"), STR("b") } };
	struct envelope e = { .id = "0651F0C3D2A1BF00042", .arrival_us = 1,
		.rcpts = &rcpt, .rcpt_n = 1 }, got;
	struct conf *c = conf_default();
	struct settings s;
	struct arena a;
	struct buf b;
	uint64_t size;
	uint32_t crc;

	arena_init(&a, ENVELOPE_ARENA);
	buf_init(&b, ENVELOPE_MAX);
	settings_init(&s, c, &a, INT64_C(1795176000000000));
	if (settings_take_all(&s, text) == NULL &&
	    settings_apply(&s, &e) == NULL) {
		envelope_format(&b, &e);
		check(buf_ok(&b));
		envelope_seal(b.p, 0, 0);
		check(envelope_parse(buf_str(&b), &a, &got, &size, &crc) ==
		    NULL);
		check(got.deadline_us == e.deadline_us &&
		    str_eq(got.route, e.route) && str_eq(got.retry, e.retry));
	}
	check_stripped(text);
	buf_free(&b);
	arena_free(&a);
	conf_free(c);
	return 0;
}
