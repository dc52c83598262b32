/* SPDX-License-Identifier: GPL-3.0-or-later */

/* host -- servers by host and port, or by a socket. */

#include "conf/private.h"

#include "unit.h"

START_TEST(values)
{
	static const struct {
		const char *text, *host;
		uint16_t fallback, port;
	} t[] = { { "localhost:99", "localhost", 0, 99 }, { "localhost", "localhost", 5, 5 },
		{ "[::1]:99", "::1", 0, 99 }, { "[::1]", "::1", 7, 7 },
		{ "192.0.2.1:1", "192.0.2.1", 9, 1 }, { "unix:/run/x", "unix:/run/x", 1, 1 },
		{ "/run/x", "unix:/run/x", 1, 1 } };
	struct arena a;

	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const char *host = NULL;
		uint16_t port = 1;

		ck_assert(conf_host_read(str_c(t[i].text), t[i].fallback, &a, &host, &port) == NULL);
		ck_assert_str_eq(host, t[i].host);
		ck_assert_uint_eq(port, t[i].port);
	}
	arena_free(&a);
}
END_TEST

START_TEST(mistakes)
{
	static const char *const t[] = { "", ":", "a", "a:0", "a:65536", "a:b", "a b:9", "unix:",
		"unix:run/x", "[]:9" };
	struct arena a;
	const char *host;
	uint16_t port;

	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(conf_host_read(str_c(t[i]), 0, &a, &host, &port) != NULL, "%s", t[i]);
	arena_free(&a);
}
END_TEST

UNIT_MAIN("conf/host", values, mistakes)
