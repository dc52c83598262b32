/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * told -- what a program is told of a message: arguments, environment, and the
 * lines before the text.
 *
 * The template is the configuration's, the rest is anybody's.  An address stays
 * within its word, and no shell looks at it; but it could be taken for an
 * option, so that none goes out that begins with "-" where one could stand.
 * Variables are looked at by shells that the program may start: in them what
 * is not plain is "_".
 */

#include "spawn.h"

#include <stdlib.h>

#include "conf/program.h"
#include "queue/queue.h"

#define ARG_MAX_OCTETS 65536
#define PATHS "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
/* RFC 5321 4.5.5: nobody; a program wants a name. */
#define NOBODY "MAILER-DAEMON"

/* ---- a request --------------------------------------------------------------- */

static bool
read_path(struct str text, unsigned flags, struct arena *a, struct path *p)
{
	if (text.n == 0 && (flags & PATH_NULL) != 0) {
		*p = (struct path){ STR(""), STR("") };
		return true;
	}
	return path_parse_addr(text, PATH_UTF8 | PATH_LOOSE | PATH_BARE, a, p) ==
	    NULL && !path_is_null(p);
}

/* That of an alias is found elsewhere (part.c). */
static bool
take_way(const struct conf *c, const struct msg_spawn *m, struct told *t)
{
	struct program_command command;

	if (m->kind != SPAWN_COMMAND)
		return true;
	if (!program_command(c, m->command, &command) ||
	    !str_eq(m->via, str_c(command.via)))
		return false;
	t->way = command.way;
	return true;
}

bool
told_read(const struct conf *c, const struct msg_spawn *m, struct arena *a,
    struct told *t)
{
	*t = (struct told){ .conf = c, .id = m->id, .size = m->size,
		.client = m->client, .login = m->login, .rcpt_n = m->rcpt_n };
	if (!queue_id_valid(m->id) || str_has_ctl(m->client) ||
	    str_has_ctl(m->login) || !take_way(c, m, t) ||
	    (m->rcpt_n > 1 && (t->way == NULL || !t->way->all)) ||
	    !read_path(m->sender, PATH_NULL, a, &t->sender))
		return false;
	t->rcpts = arena_alloc(a, m->rcpt_n * sizeof(*t->rcpts));
	for (size_t i = 0; i < m->rcpt_n; i++)
		if (!read_path(m->rcpts[i], 0, a, &t->rcpts[i]))
			return false;
	return true;
}

/* ---- facts ------------------------------------------------------------------- */

/* Of a local part what stands before, or behind, the first sign of a detail. */
static struct str
part(const struct told *t, struct str local, bool behind)
{
	struct str signs = str_c(t->conf->recipients.subaddress);
	size_t at = 1;

	while (at < local.n && str_find(signs, local.p[at]) < 0)
		at++;
	if (at >= local.n)
		return behind ? STR("") : local;
	return behind ? str_skip(local, at + 1) : str_head(local, at);
}

static void
add_path(struct buf *b, const struct path *p)
{
	if (path_is_null(p))
		buf_adds(b, NOBODY);
	else
		path_add(b, p);
}

static void
add_fact(struct buf *b, const struct told *t, enum program_fact fact)
{
	const struct path *rcpt = &t->rcpts[0];

	switch (fact) {
	case PROGRAM_SENDER:
		add_path(b, &t->sender);
		break;
	case PROGRAM_RECIPIENT:
		add_path(b, rcpt);
		break;
	case PROGRAM_USER:
		buf_add(b, part(t, rcpt->local, false));
		break;
	case PROGRAM_EXTENSION:
		buf_add(b, part(t, rcpt->local, true));
		break;
	case PROGRAM_MAILBOX:
		buf_add(b, rcpt->local);
		break;
	case PROGRAM_DOMAIN:
	case PROGRAM_NEXTHOP:
		buf_add(b, rcpt->domain);
		break;
	case PROGRAM_QUEUE_ID:
		buf_add(b, t->id);
		break;
	case PROGRAM_SIZE:
		buf_addu(b, t->size);
		break;
	case PROGRAM_CLIENT_ADDRESS:
		buf_add(b, t->client);
		break;
	case PROGRAM_SASL_USERNAME:
		buf_add(b, t->login);
		break;
	case PROGRAM_RECIPIENTS:
	case PROGRAM_FACTS:
		break;
	}
}

/* ---- arguments --------------------------------------------------------------- */

struct args {
	char **v;
	size_t n;
	struct arena *a;
	const char *why;
};

/* FOREIGN: how it begins was not written by the administrator. */
static void
add_arg(struct args *args, struct buf *b, bool foreign)
{
	bool ends = args->n > 0 && strcmp(args->v[args->n - 1], "--") == 0;

	if (!buf_ok(b))
		args->why = "5.1.3 an address is too long for a program";
	else if (foreign && !ends && str_starts(buf_str(b), STR("-")))
		args->why = "5.1.3 an address that begins with \"-\" is not "
		    "given to a program";
	args->v[args->n++] = arena_cstr(args->a, buf_str(b));
	buf_reset(b);
}

static void
add_word(struct args *args, const struct told *t, const char *word)
{
	struct str rest = str_c(word), text;
	enum program_fact fact;
	bool foreign = false;
	struct buf b;

	buf_init(&b, ARG_MAX_OCTETS);
	while (program_next(&rest, &fact, &text)) {
		foreign = foreign || (b.n == 0 && fact != PROGRAM_FACTS);
		if (fact == PROGRAM_FACTS)
			buf_add(&b, text);
		else
			add_fact(&b, t, fact);
	}
	add_arg(args, &b, foreign);
	buf_free(&b);
}

static void
add_rcpts(struct args *args, const struct told *t)
{
	size_t first = args->n;
	struct buf b;

	buf_init(&b, ARG_MAX_OCTETS);
	for (size_t i = 0; i < t->rcpt_n; i++) {
		path_add(&b, &t->rcpts[i]);
		/* Those behind another one of them could be options, too. */
		add_arg(args, &b, first == 0 ||
		    strcmp(args->v[first - 1], "--") != 0);
	}
	buf_free(&b);
}

static bool
is_rcpts(const char *word)
{
	return strcmp(word, "${recipients}") == 0 ||
	    strcmp(word, "$recipients") == 0;
}

char **
told_args(const struct told *t, struct arena *a, const char **why)
{
	const struct conf_strs *words = &t->way->words;
	struct args args = { .a = a };
	size_t most = words->n + 1;

	for (size_t i = 0; i < words->n; i++)
		most += is_rcpts(words->v[i]) ? t->rcpt_n : 0;
	args.v = arena_alloc(a, most * sizeof(*args.v));
	for (size_t i = 0; i < words->n; i++) {
		if (is_rcpts(words->v[i]))
			add_rcpts(&args, t);
		else
			add_word(&args, t, words->v[i]);
	}
	args.v[args.n] = NULL;
	*why = args.why;
	return args.why == NULL ? args.v : NULL;
}

/* ---- the environment --------------------------------------------------------- */

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || (c != '\0' && strchr("!@%-_=+:,./", c));
}

struct env {
	char *v[32];
	size_t n;
	struct arena *a;
	struct buf b;
};

static void
env_add(struct env *e, const char *name)
{
	char *text = arena_printf(e->a, "%s=%s", name, buf_cstr(&e->b));

	for (char *p = text + strlen(name) + 1; *p != '\0'; p++)
		if (!is_plain(*p))
			*p = '_';
	e->v[e->n++] = text;
	buf_reset(&e->b);
}

static void
env_fact(struct env *e, const struct told *t, const char *name,
    enum program_fact fact)
{
	add_fact(&e->b, t, fact);
	if (e->b.n > 0)
		env_add(e, name);
}

/* What is the administrator's stays as it is. */
static void
env_own(struct env *e, const char *name, const char *value)
{
	if (value != NULL)
		e->v[e->n++] = arena_printf(e->a, "%s=%s", name, value);
}

char **
told_env(const struct told *t, const struct account *as, struct arena *a)
{
	struct env e = { .a = a };
	char **v;

	buf_init(&e.b, ARG_MAX_OCTETS);
	env_own(&e, "PATH", PATHS);
	env_own(&e, "TZ", getenv("TZ"));
	env_own(&e, "LANG", getenv("LANG"));
	env_own(&e, "HOME", as->home);
	env_own(&e, "LOGNAME", as->name);
	env_own(&e, "USER", as->name);
	env_own(&e, "SHELL", as->shell);
	env_fact(&e, t, "SENDER", PROGRAM_SENDER);
	if (t->rcpt_n == 1) {
		env_fact(&e, t, "RECIPIENT", PROGRAM_RECIPIENT);
		env_fact(&e, t, "LOCAL", PROGRAM_MAILBOX);
		env_fact(&e, t, "EXTENSION", PROGRAM_EXTENSION);
		env_fact(&e, t, "DOMAIN", PROGRAM_DOMAIN);
	}
	env_fact(&e, t, "CLIENT_ADDRESS", PROGRAM_CLIENT_ADDRESS);
	env_fact(&e, t, "SASL_USERNAME", PROGRAM_SASL_USERNAME);
	env_fact(&e, t, "QUEUE_ID", PROGRAM_QUEUE_ID);
	buf_free(&e.b);
	v = arena_alloc(a, (e.n + 1) * sizeof(*v));
	memcpy(v, e.v, e.n * sizeof(*v));
	v[e.n] = NULL;
	return v;
}

/* ---- the text ---------------------------------------------------------------- */

void
told_head(const struct told *t, struct buf *b)
{
	buf_adds(b, "Return-Path: <");
	path_add(b, &t->sender);
	buf_adds(b, ">\n");
	/* Of several, nobody is shown who else there was. */
	if (t->rcpt_n > 1)
		return;
	buf_adds(b, "Delivered-To: ");
	path_add(b, &t->rcpts[0]);
	buf_adds(b, "\n");
}
