/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-07.  The configuration: any text is refused with a complaint or is whole, and
 * what is whole can be asked and shown.  No file is read: the text has a
 * name without a directory.
 *
 * Parsers: conf/check.c conf/destination.c conf/lex.c conf/lex_text.c
 * conf/listen.c conf/name.c conf/nearest.c conf/parse.c conf/pattern.c
 * conf/pool.c conf/route.c conf/source.c conf/upstream.c conf/value.c.
 */

#include "fuzz.h"

#include <sys/socket.h>

#include "conf/conf.h"

static void
look(void *arg, const char *name, const char *value, struct conf_place place)
{
	size_t *seen = arg;

	check(name[0] != '\0' && value[0] != '\0' && place.file != NULL);
	check(str_is_utf8(str_c(value)) && !str_has_ctl(str_c(value)));
	(*seen)++;
}

static void
ask(const struct conf *c)
{
	unsigned char addr[16] = { 127, 0, 0, 1 };
	size_t seen = 0, i;

	conf_each(c, look, &seen);
	check(seen >= 50);
	check(c->listen_n > 0 && c->route_n > 0 && c->queue.retry.n > 0);
	for (i = 0; i < c->route_n; i++)
		check(c->routes[i].way.kind != VIA_UPSTREAM || c->routes[i].way.upstream->server_n > 0);
	for (i = 0; i < c->domains.n; i++)
		check(conf_is_local(c, str_c(c->domains.v[i])));
	for (i = 0; i < c->route_n; i++)
		(void)pattern_fits(&c->routes[i].to, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), STR("a.example"));
	(void)conf_nets_have(&c->access.relay, AF_INET, addr);
	(void)conf_nets_have(&c->access.connect, AF_INET6, addr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 1 << 20);
	c = conf_parse("fuzz.conf", str_n((const char *)data, n), &error);
	if (c)
		ask(c);
	else
		check(error.n > 0 && str_starts(buf_str(&error), STR("fuzz.conf:")));
	conf_free(c);
	buf_free(&error);
	return 0;
}
