/* SPDX-License-Identifier: GPL-3.0-or-later */

/* dns-override: what the configuration says is what a look-up answers. */

#include "policy/override.h"

#include "unit.h"

static char seen[200];

static void
on_addr(void *arg, const struct dns_addr_answer *a)
{
	struct buf b;

	buf_init(&b, sizeof(seen) - 1);
	for (size_t i = 0; i < a->addr_n; i++) {
		addr_add_port(&b, &a->addr[i]);
		buf_addc(&b, ' ');
	}
	memcpy(seen, buf_cstr(&b), b.n + 1);
	buf_free(&b);
	*(bool *)arg = true;
}

static const char *
look(struct loop *l, struct dns *d, const char *name)
{
	bool done = false;

	dns_addr(d, name, on_addr, &done);
	while (!done)
		loop_once(l, true);
	return seen;
}

START_TEST(all)
{
	struct loop *l = loop_new();
	struct buf error;
	struct conf *c;
	struct dns *d;

	buf_init(&error, 4096);
	c = conf_parse("t.conf", STR("dns-override a.test { addresses = "
	    "{'192.0.2.1', '192.0.2.2:2525', '[2001:db8::1]:26'} }\n"
	    "dns-override mta-sts.a.test { addresses = {'127.0.0.1:8443'} }\n"
	    "dns { servers = {'127.0.0.1:1'} timeout = 500ms attempts = 1 }\n"), &error);
	ck_assert_msg(c != NULL, "%s", buf_cstr(&error));
	d = resolver_new(c, l);
	ck_assert_ptr_nonnull(d);
	ck_assert_str_eq(look(l, d, "A.test"), "192.0.2.1:0 192.0.2.2:2525 [2001:db8::1]:26 ");
	ck_assert_str_eq(look(l, d, "mta-sts.a.test"), "127.0.0.1:8443 ");
	ck_assert(override_has(c, STR("a.TEST")));
	ck_assert(!override_has(c, STR("b.test")));
	ck_assert(!override_has(c, STR("x.a.test")));
	conf_free(c);
	dns_free(d);
	loop_free(l);
	buf_free(&error);
}
END_TEST

UNIT_MAIN("override", all)
