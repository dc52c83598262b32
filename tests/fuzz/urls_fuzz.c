/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * BEYOND S8.  Whom the URLs of any message lead to: names of hosts and addresses
 * alone, each once, no more than there is room for, and the same by any way in which
 * the text can be written as HTML.
 *
 * Parsers: mail/urls.c.
 */

#include "fuzz.h"

#include <arpa/inet.h>

#include "lib/buf.h"
#include "mail/path.h"
#include "mail/urls.h"

static bool
is_address(struct str s)
{
	unsigned char octets[16];
	char text[INET6_ADDRSTRLEN];

	if (s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	return inet_pton(AF_INET, text, octets) == 1 || inet_pton(AF_INET6, text, octets) == 1;
}

static void
check_host(const struct urls *u, size_t i)
{
	struct buf b;

	buf_init(&b, 1024);
	check(is_address(u->host[i]) ||
	    (domain_add_host(&b, u->host[i]) && str_eq(buf_str(&b), u->host[i])));
	buf_free(&b);
	for (size_t k = 0; k < i; k++)
		check(!str_eq(u->host[k], u->host[i]));
}

static void
find(struct urls *u, struct str message, struct arena *a)
{
	u->n = 0;
	urls_find(u, message, a);
	check(u->n <= URLS_MAX);
	for (size_t i = 0; i < u->n; i++)
		check_host(u, i);
}

/* TEXT as a message of TYPE; each octet as itself, or as an entity. */
static void
write_message(struct buf *b, const char *type, struct str text, bool entities)
{
	buf_addf(b, "Content-Type: %s\n\n", type);
	for (size_t i = 0; i < text.n; i++)
		if (entities)
			buf_addf(b, "&#%u;", (unsigned)text.p[i]);
		else
			buf_addc(b, text.p[i]);
}

static void
same_in_html(struct str text, struct arena *a)
{
	struct urls plain, html;
	struct buf b;

	/* What is no ASCII has a number of its own there. */
	if (str_has_8bit(text) || str_find(text, '\0') >= 0)
		return;
	buf_init(&b, 8 * text.n + 100);
	write_message(&b, "text/plain", text, false);
	find(&plain, buf_str(&b), a);
	buf_reset(&b);
	write_message(&b, "text/html", text, true);
	find(&html, buf_str(&b), a);
	check(plain.n == html.n);
	for (size_t i = 0; i < plain.n; i++)
		check(str_eq(plain.host[i], html.host[i]));
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n);
	struct urls u;
	struct arena a;

	if (n > 65536)
		return 0;
	arena_init(&a, 1 << 22);
	find(&u, text, &a);
	same_in_html(text, &a);
	arena_free(&a);
	return 0;
}
