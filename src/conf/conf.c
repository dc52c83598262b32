/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * conf -- a configuration from its file to its end, and the questions that
 * are asked of it.
 *
 * A configuration is either whole and checked, or it is not there: there
 * is no half one.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/idn.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/sys.h"

#include "conf/backend.h"
#include "private.h"

/* The build says where; this is for objects that are compiled alone. */
#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif

static struct conf *
conf_new(struct str path)
{
	struct conf *c = mem_alloc(sizeof(*c));

	arena_init(&c->arena, CONF_ARENA_MAX);
	c->path = arena_cstr(&c->arena, path);
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

/* The text is the arena's own, and ours to change. */
static void
forget(const char **s)
{
	mem_wipe((void *)(uintptr_t)*s, strlen(*s));
	*s = "";
}

void
conf_forget_refresh(struct conf *c)
{
	for (size_t i = 0; i < c->upstream_n; i++)
		for (size_t j = 0; j < c->upstreams[i].server_n; j++) {
			forget(&c->upstreams[i].servers[j].client_secret);
			forget(&c->upstreams[i].servers[j].refresh_token);
		}
}

void
conf_forget_proxy(struct conf *c)
{
	forget(&c->http_proxy);
	if (c->http_way.version)
		forget(&c->http_way.password);
}

static void
forget_backends(struct conf *c, const struct conf_strs *list)
{
	struct buf show;

	buf_init(&show, 2 * CONF_VALUE_MAX);
	for (size_t i = 0; i < list->n; i++) {
		buf_reset(&show);
		conf_backend_show(&show, str_c(list->v[i]));
		forget(&list->v[i]);
		list->v[i] = arena_cstr(&c->arena, buf_str(&show));
	}
	buf_free(&show);
}

void
conf_forget_backends(struct conf *c)
{
	forget_backends(c, &c->auth.backends);
	forget_backends(c, &c->admin.auth);
}

void
conf_forget_collects(struct conf *c)
{
	for (size_t i = 0; i < c->collect_n; i++)
		forget(&c->collects[i].password);
}

void
conf_forget_secrets(struct conf *c)
{
	conf_forget_upstreams(c);
	conf_forget_collects(c);
}

void
conf_forget_upstreams(struct conf *c)
{
	conf_forget_refresh(c);
	for (size_t i = 0; i < c->upstream_n; i++)
		for (size_t j = 0; j < c->upstreams[i].server_n; j++) {
			struct conf_server *server = &c->upstreams[i].servers[j];

			forget(&server->password);
			forget(&server->socks);
			if (server->proxy.version)
				forget(&server->proxy.password);
		}
	for (size_t i = 0; i < c->source_name_n; i++) {
		struct conf_source_name *name = &c->source_names[i];

		forget(&name->socks);
		if (name->proxy.version)
			forget(&name->proxy.password);
	}
}

void
conf_free(struct conf *c)
{
	if (!c)
		return;
	conf_tables_free(c);
	arena_wipe(&c->arena);
	mem_free(c);
}

/* What a configuration is read from: the file at its path, if nothing else. */
struct input {
	struct source *text;
	const struct kept *kept;
	int *keep; /* NULL, or where to leave what was read */
};

static bool
read_tokens(const struct conf *c, const struct input *in, struct lexer *lx)
{
	if (in->text)
		return lexer_run(lx, in->text);
	if (!in->kept)
		return conf_source_read(lx, c->path);
	if (conf_kept_read(in->kept, lx))
		return true;
	conf_complain(lx->error, conf_place_top(c),
	    "what was kept of this file is broken");
	return false;
}

static bool
make(struct conf *c, const struct input *in, struct lexer *lx)
{
	struct buf *error = lx->error;
	size_t before = error->n;

	if (!read_tokens(c, in, lx) || !conf_fill(c, lx, error))
		return false;
	/* The host may be called otherwise by now. */
	if (in->kept && c->hostname[0] == '\0')
		c->hostname = arena_cstr(&c->arena, in->kept->hostname);
	conf_finish(c);
	conf_check(c, error);
	if (error->n != before || !buf_ok(error))
		return false;
	if (in->keep)
		*in->keep = conf_keep(c, lx, error);
	return !in->keep || *in->keep >= 0;
}

/* C, or NULL and C is gone. */
static struct conf *
conf_read(struct conf *c, const struct input *in, struct buf *error)
{
	struct lexer lx;
	bool ok;

	lexer_init(&lx, &c->arena, error);
	lx.may_include = !in->text || in->text->name[0] == '/';
	ok = make(c, in, &lx);
	lexer_free(&lx);
	if (ok)
		return c;
	conf_free(c);
	return NULL;
}

struct conf *
conf_load(const char *path, struct buf *error)
{
	return conf_read(conf_new(str_c(path)), &(struct input){ 0 }, error);
}

struct conf *
conf_load_and_keep(const char *path, int *kept, struct buf *error)
{
	*kept = -1;
	return conf_read(
	    conf_new(str_c(path)), &(struct input){ .keep = kept }, error);
}

struct conf *
conf_load_kept(int fd, bool tables, struct buf *error)
{
	struct kept kept;
	struct conf *c;

	if (!conf_kept_open(&kept, fd)) {
		buf_adds(error, "what was inherited is no configuration of "
				"this release of barid\n");
		return NULL;
	}
	c = conf_read(
	    conf_new(kept.path), &(struct input){ .kept = &kept }, error);
	if (c && tables && conf_tables_take(c, kept.tables, error) < 0) {
		conf_free(c);
		c = NULL;
	}
	conf_kept_close(&kept);
	return c;
}

/* A line that is wrong is no less of a mistake than one of the main file. */
static struct conf *
load_with_tables(const char *path, struct buf *error)
{
	struct conf *c = conf_load(path, error);

	if (c && (conf_tables_load(c, error) < 0 || error->n > 0)) {
		conf_free(c);
		c = NULL;
	}
	return c;
}

struct conf *
conf_inherit(const char *path, bool tables, struct buf *error)
{
	struct conf *c;
	int null;

	if (!conf_is_kept(STDIN_FILENO))
		return tables ? load_with_tables(path, error) : conf_load(path, error);
	c = conf_load_kept(STDIN_FILENO, tables, error);
	/* What it has is not for whoever may come to read this process's files. */
	null = sys_openat(AT_FDCWD, "/dev/null", O_RDONLY | O_CLOEXEC, 0);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		(void)sys_close(STDIN_FILENO);
	if (null >= 0)
		(void)sys_close(null);
	return c;
}

struct conf *
conf_parse(const char *name, struct str text, struct buf *error)
{
	struct conf *c = conf_new(str_c(name));
	struct source s = { .name = c->path, .text = text, .line = 1 };

	if (text.n > CONF_FILE_MAX) {
		conf_complain(error, conf_place_top(c),
		    "the text is too large, expected at most "
		    "4MB");
		conf_free(c);
		return NULL;
	}
	return conf_read(c, &(struct input){ .text = &s }, error);
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

/* DOMAIN is in the form of DNS, as those of C are (conf/check.c). */
static bool
is_local(const struct conf *c, struct str domain)
{
	size_t i;

	for (i = 0; i < c->domains.n; i++)
		if (str_ieq(str_c(c->domains.v[i]), domain))
			return true;
	return false;
}

bool
conf_is_local(const struct conf *c, struct str domain)
{
	struct buf b;
	bool local;

	if (!str_has_8bit(domain))
		return is_local(c, domain);
	/* RFC 5890 2.3.2.1: the same name in letters. */
	buf_init(&b, CONF_VALUE_MAX);
	local = idn_add(&b, domain) == NULL && buf_ok(&b) &&
	    is_local(c, buf_str(&b));
	buf_free(&b);
	return local;
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
