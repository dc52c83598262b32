/* SPDX-License-Identifier: GPL-3.0-or-later */

/* place -- where options and elements were set, and complaints that say so. */

#include "conf_unit.h"

static void
blamed(const struct conf *c, const void *field, const char *want)
{
	struct buf b;

	buf_init(&b, 1000);
	conf_blame(c, conf_where(c, field, CONF_NOWHERE), "name", &b, "is %d", 5);
	ck_assert_str_eq(buf_cstr(&b), want);
	buf_free(&b);
}

START_TEST(places)
{
	struct conf *c = must_parse("spool = /a\n\nqueue {\nretry = {1s,\n2s}\n}\n"
	    "domains = {a.example}\ndomains += {b.example}\nspool = /b\n"
	    "listen a { port = 25 tls = off }\n");

	blamed(c, &c->spool, "test.conf:9: name: is 5\n");
	blamed(c, &c->run, "test.conf: name (default): is 5\n");
	blamed(c, &c->domains, "test.conf:8: name: is 5\n");
	blamed(c, &c->domains.v[0], "test.conf:7: name: is 5\n");
	blamed(c, &c->domains.v[1], "test.conf:8: name: is 5\n");
	blamed(c, &c->queue.retry, "test.conf:4: name: is 5\n");
	blamed(c, &c->queue.retry.v[1], "test.conf:5: name: is 5\n");
	blamed(c, &c->queue.delay_notice.v[0], "test.conf: name (default): is 5\n");
	blamed(c, &c->listens[0].tls, "test.conf:10: name: is 5\n");
	/* What has its default in a section is where the section is. */
	ck_assert_int_eq(conf_where(c, &c->listens[0].address, c->listens[0].place).line, 10);
	conf_free(c);
}
END_TEST

UNIT_MAIN("conf/place", places)
