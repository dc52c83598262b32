/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A proxy that says anything: it comes to an end within its octets,
 * nothing is read beyond what was wanted, and the password goes only to one
 * that asked for it.
 *
 * Parsers: net/socks.c net/socks_http.c.
 */

#include "fuzz.h"

#include "net/socks.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct socks_proxy proxies[] = { { 4, "", "", "" },
		{ 4, "me", "", "" }, { 5, "", "", "" },
		{ 5, "me", "secret", "" }, { SOCKS_HTTP, "", "", "bTpz" } };
	struct str rest = str_n((const char *)data, n);
	enum socks_result r = SOCKS_MORE;
	struct str asked = { NULL, 0 };
	struct socks s;

	if (n == 0)
		return 0;
	check(socks_init(&s, &proxies[data[0] == 'H' ? 4 : data[0] % 4], STR("smtp.test"), 587));
	rest = str_skip(rest, 1);
	while (r == SOCKS_MORE && rest.n > 0) {
		size_t want = socks_want(&s), take;

		check(want > 0 && want <= SOCKS_IN_MAX);
		check(socks_output(&s).n <= SOCKS_OUT_MAX);
		if (memmem(socks_output(&s).p, socks_output(&s).n, "secret", 6) != NULL)
			check(asked.n == 2 && asked.p[0] == 5 && asked.p[1] == 2);
		socks_sent(&s, SOCKS_OUT_MAX);
		take = 1 + (unsigned char)rest.p[0] % want;
		asked = str_head(rest, want);
		r = socks_input(&s, str_head(rest, take));
		rest = str_skip(rest, take);
	}
	check(r == SOCKS_MORE || socks_want(&s) == 0);
	check(socks_error(&s)[0] != '\0');
	return 0;
}
