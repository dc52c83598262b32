/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * way -- how mail leaves: to MX hosts, an upstream or a program, from which
 * address.
 *
 * Most of it is the configuration's and lives as long as the process.  But a
 * message may bring an upstream along that stands in no file.  It is copied
 * once for its destination, and lives until the last connection to it is
 * gone.
 */

#include "way.h"

#include <sysexits.h>

#include "lib/digest.h"
#include "lib/log.h"
#include "lib/mem.h"

#define WAY_ARENA 65536

/* Upstreams of one name, and written where they are used, may differ in it. */
static int
level(const struct dest_way *w)
{
	return w->upstream != NULL && w->upstream->server_n > 0 ?
	    w->upstream->servers[0].tls : w->tls;
}

/* A login of a message's own: another one is another way.  It is shown to nobody. */
static void
add_login(struct buf *b, const struct conf_server *s)
{
	unsigned char hash[SHA256_SIZE];

	if (hmac_sha256(str_c(s->user), str_c(s->password), hash) < 0)
		fatal(EX_SOFTWARE, "cannot make a digest");
	for (size_t i = 0; i < sizeof(hash); i++)
		buf_addf(b, "%02x", hash[i]);
	buf_addc(b, '/');
}

static bool
is_own(const struct conf_upstream *u)
{
	return u->place.file[0] == '\0';
}

bool
way_is_spawn(enum dest_kind kind)
{
	return kind == DEST_PIPE || kind == DEST_FORWARD;
}

void
way_key(struct buf *b, const struct dest_way *w)
{
	static const char *const words[] = { "local", "mx", "upstream",
		"pipe", "forward", "list" };

	buf_addf(b, "%s/%d%s/" STR_FMT "/", words[w->kind], level(w),
	    w->requiretls ? "r" : "", STR_ARG(w->source));
	if (w->fallback != NULL)
		buf_addf(b, "%s/", w->fallback->name);
	if (w->upstream != NULL && is_own(w->upstream) &&
	    w->upstream->servers[0].user[0] != '\0')
		add_login(b, &w->upstream->servers[0]);
	if (w->port != 0)
		buf_addf(b, ":%u/", w->port);
	/* Others may have the same pattern, or program. */
	if (way_is_spawn(w->kind))
		buf_addf(b, "%zu/", w->command);
}

/* An upstream that a message brought along goes with the message. */
static const struct conf_upstream *
own_upstream(const struct conf *c, const struct dest_way *w, struct arena *a)
{
	const struct conf_server *s;
	struct conf_via via;

	if (w->upstream == NULL || !is_own(w->upstream))
		return w->upstream;
	s = &w->upstream->servers[0];
	if (conf_via_read(c, w->upstream->name, s->tls, a, &via) != NULL)
		panic("the way %s was one", w->upstream->name);
	return s->user[0] == '\0' ? via.upstream : conf_upstream_login(
	    via.upstream, str_c(s->user), str_c(s->password), a);
}

struct way *
way_new(const struct conf *c, const struct dest_way *w)
{
	struct way *kept = mem_alloc(sizeof(*kept));

	kept->refs = 1;
	arena_init(&kept->arena, WAY_ARENA);
	kept->kind = w->kind;
	kept->upstream = own_upstream(c, w, &kept->arena);
	kept->fallback = w->fallback;
	kept->command = w->command;
	kept->port = w->port != 0 ? w->port : (uint16_t)c->smtp_port;
	kept->tls = w->tls;
	kept->requiretls = w->requiretls;
	kept->source = arena_cstr(&kept->arena, w->source);
	return kept;
}

struct way *
way_take(struct way *w)
{
	w->refs++;
	return w;
}

void
way_drop(struct way *w)
{
	if (--w->refs > 0)
		return;
	arena_free(&w->arena);
	mem_free(w);
}
