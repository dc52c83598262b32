/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-03.  Addresses under every set of flags (the first octet).  What is accepted
 * holds no control character, is within the limits, and is the same after
 * it was written and parsed again.
 *
 * Parsers: mail/path.c.
 */

#include "fuzz.h"

#include "mail/limits.h"
#include "mail/path.h"

static void
accepted(struct arena *a, const struct path *p)
{
	unsigned flags = PATH_NULL | PATH_BARE | PATH_UTF8;
	struct path again;
	struct str text = path_str(a, p);
	struct buf b;

	check(!str_has_ctl(p->local) && !str_has_ctl(p->domain));
	check(str_find(p->domain, '/') == -1);
	check(str_is_utf8(p->local) && str_is_utf8(p->domain));
	check(p->local.n <= MAIL_LOCAL_MAX && text.n + 2 <= MAIL_PATH_MAX);
	check(p->local.n > 0 || p->domain.n == 0);
	check(path_parse_addr(text, flags, a, &again) == NULL);
	check(str_eq(p->local, again.local) && str_eq(p->domain, again.domain));
	check(path_eq(p, &again) && path_check(p) == NULL);
	buf_init(&b, MAIL_PATH_MAX);
	path_add(&b, &again);
	check(buf_ok(&b) && str_eq(buf_str(&b), text));
	buf_free(&b);
}

/* What is made of a domain is one. */
static void
domains(struct str text)
{
	struct buf b;

	buf_init(&b, 4096);
	check(!address_domain(&b, text) || domain_valid(buf_str(&b)));
	buf_reset(&b);
	check(!domain_add_host(&b, text) || domain_valid(buf_str(&b)));
	(void)domain_is_below(text, buf_str(&b));
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text, rest;
	struct arena a;
	struct path p;
	unsigned flags;

	if (n == 0)
		return 0;
	flags = data[0] & 63u;
	text = str_n((const char *)data + 1, n - 1);
	arena_init(&a, 1 << 20);
	if (path_parse(text, flags, &a, &p, NULL) == NULL)
		accepted(&a, &p);
	if (path_parse(text, flags, &a, &p, &rest) == NULL) {
		check(rest.n == 0 || rest.p[0] == ' ');
		accepted(&a, &p);
	}
	if (path_parse_addr(text, flags, &a, &p) == NULL)
		accepted(&a, &p);
	domains(text);
	(void)domain_valid(text);
	(void)domain_is_literal(text);
	arena_free(&a);
	return 0;
}
