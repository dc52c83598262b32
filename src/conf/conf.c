/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf -- a configuration from its file to its end, and the questions that
 * are asked of it.
 *
 * A configuration is either whole and checked, or it is not there: there
 * is no half one.
 */

#include <errno.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/mem.h"

#include "private.h"

/* The build says where; this is for objects that are compiled alone. */
#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

static struct conf *
conf_new(const char *path)
{
	struct conf *c = mem_alloc(sizeof(*c));

	arena_init(&c->arena, CONF_ARENA_MAX);
	c->path = arena_cstr(&c->arena, str_c(path));
	return c;
}

bool
conf_open_log(const struct conf *c)
{
	bool any = false;

	log_reset();
	log_setup((enum log_level)c->log.level, (enum log_format)c->log.format);
	for (size_t i = 0; i < c->log.to.n; i++) {
		if (log_to(c->log.to.v[i]) == 0)
			any = true;
		else
			log_warn(NULL, "cannot log to %s: %s", c->log.to.v[i], strerror(errno));
	}
	return any;
}

void
conf_forget_secrets(struct conf *c)
{
	for (size_t i = 0; i < c->upstream_n; i++)
		for (size_t j = 0; j < c->upstreams[i].server_n; j++) {
			struct conf_server *server = &c->upstreams[i].servers[j];
			/* The text is the arena's own, and ours to change. */
			mem_wipe((void *)(uintptr_t)server->password, strlen(server->password));
			server->password = "";
			mem_wipe((void *)(uintptr_t)server->socks, strlen(server->socks));
			server->socks = "";
			if (!server->proxy.version)
				continue;
			mem_wipe((void *)(uintptr_t)server->proxy.password,
			    strlen(server->proxy.password));
			server->proxy.password = "";
		}
}

void
conf_free(struct conf *c)
{
	if (!c)
		return;
	arena_free(&c->arena);
	mem_free(c);
}

/* Reads S, or the file at C's path if it is NULL. */
static struct conf *
conf_read(struct conf *c, struct source *s, struct buf *error)
{
	struct lexer lx;
	bool ok;
	size_t before = error->n;

	lexer_init(&lx, &c->arena, error);
	lx.may_include = !s || s->name[0] == '/';
	ok = s ? lexer_run(&lx, s) : conf_source_read(&lx, c->path);
	ok = ok && conf_fill(c, &lx, error);
	if (ok) {
		conf_finish(c);
		conf_check(c, error);
		ok = error->n == before && buf_ok(error);
	}
	lexer_free(&lx);
	if (ok)
		return c;
	conf_free(c);
	return NULL;
}

struct conf *
conf_load(const char *path, struct buf *error)
{
	return conf_read(conf_new(path), NULL, error);
}

struct conf *
conf_parse(const char *name, struct str text, struct buf *error)
{
	struct conf *c = conf_new(name);
	struct source s = { .name = c->path, .text = text, .line = 1 };

	if (text.n > CONF_FILE_MAX) {
		conf_complain(error, conf_place_top(c),
		    "the text is too large, expected at most "
		    "4MB");
		conf_free(c);
		return NULL;
	}
	return conf_read(c, &s, error);
}

struct conf *
conf_default(void)
{
	struct buf error;
	struct conf *c;

	buf_init(&error, 4096);
	c = conf_parse("", STR(""), &error);
	if (!c)
		panic(
		    "the default configuration is wrong: %s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

const char *
conf_default_path(void)
{
	/* sendmail is set-group-id: its caller does not choose what it trusts. */
	const char *path = secure_getenv("BARID_CONF");

	return path && *path ? path : SYSCONFDIR "/barid/barid.conf";
}

/* ---- questions ---- */

bool
conf_is_local(const struct conf *c, struct str domain)
{
	size_t i;

	for (i = 0; i < c->domains.n; i++)
		if (str_ieq(str_c(c->domains.v[i]), domain))
			return true;
	return false;
}

const struct conf_upstream *
conf_upstream(const struct conf *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->upstream_n; i++)
		if (strcmp(c->upstreams[i].name, name) == 0)
			return &c->upstreams[i];
	return NULL;
}
