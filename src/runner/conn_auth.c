/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn_auth -- what a session logs in with.
 *
 * A token is read from its file for each session, so that whoever renews
 * it need not tell us; or it is asked of barid-http before we connect.
 * Without it there is no session: mail waits, and the log says which token
 * is meant.  A secrets file of E-MailRelay is read for each session, too.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conn.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "mail/secrets.h"
#include "token.h"

/* A token is part of an AUTH line (RFC 4954 4), and that in base64. */
#define TOKEN_MAX 8192
#define SECRETS_MAX (1 << 20)
#define FILE_PREFIX "file:"

/* The whole of the file at FD; -1: errno. */
static int
read_plain(int fd, off_t max, struct buf *b)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size > max) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return -1;
	}
	return file_read(fd, b);
}

/* The whole of the file at PATH; -1: errno. */
static int
read_path(const char *path, off_t max, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc, error;

	if (fd < 0)
		return -1;
	rc = read_plain(fd, max, b);
	error = errno;
	close(fd);
	errno = error;
	return rc;
}

/* RFC 6750 2.1: a token is printable, and has no space. */
static bool
is_token(struct str s)
{
	return s.n > 0 && !str_has_ctl(s) && !str_has_8bit(s) &&
	    str_find(s, ' ') < 0;
}

/* The token at PATH, in A; NULL: C says why. */
static const char *
token_read(struct conn *c, const char *path, struct arena *a)
{
	const char *token = NULL;
	struct str s;
	struct buf b;

	buf_init(&b, TOKEN_MAX);
	if (read_path(path, TOKEN_MAX, &b) < 0) {
		conn_fail(c, "4.7.0", "cannot read the token %s: %s", path,
		    strerror(errno));
	} else {
		s = str_trim(buf_str(&b));
		if (buf_ok(&b) && is_token(s))
			token = arena_cstr(a, s);
		else
			conn_fail(c, "4.7.0", "%s holds no token", path);
	}
	buf_wipe(&b);
	buf_free(&b);
	return token;
}

static const char *
token_given(struct conn *c, const struct conf_server *s, struct arena *a)
{
	const char *token = token_get(c->r, s);

	if (token != NULL)
		return arena_cstr(a, str_c(token));
	conn_fail(c, "4.7.0", "the token for %s has ended meanwhile", s->name);
	return NULL;
}

/* ---- a secrets file of E-MailRelay ------------------------------------------- */

/* Takes what L has, of the user that was first.  NULL, or what is wrong with it. */
static const char *
take_line(const struct secrets_line *l, struct client_options *o, struct arena *a, bool *known)
{
	struct hmac_state *state;
	bool again = false;

	if (o->user != NULL && !str_eq(l->user, str_c(o->user)))
		return "has another user than an earlier one for the same selector";
	*known = true;
	/* Without a user: deliberately no login. */
	if (l->user.n == 0)
		return NULL;
	o->user = l->user.p;
	switch (l->type) {
	case SECRETS_PLAIN:
		again = o->password != NULL;
		o->password = l->secret.p;
		break;
	case SECRETS_STATE:
		again = o->cram[l->state.hash] != NULL;
		state = arena_alloc(a, sizeof(*state));
		*state = l->state;
		o->cram[l->state.hash] = state;
		break;
	case SECRETS_OAUTH:
		again = o->prepared != NULL;
		o->prepared = l->secret.p;
		break;
	case SECRETS_NONE:
		break;
	}
	return again ? "says again what an earlier one does" : NULL;
}

/* All lines of TEXT that are for S; false: C says why. */
static bool
take_lines(struct conn *c, const struct conf_server *s, struct str text,
    struct client_options *o, struct arena *a)
{
	struct secrets_line l;
	bool known = false;
	struct str line;
	const char *why;
	int number = 0;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		number++;
		if (secrets_parse(line, a, &l, &why) > 0 && l.client &&
		    str_eq(l.selector, str_c(s->selector)))
			why = take_line(&l, o, a, &known);
		if (why != NULL) {
			conn_fail(c, "4.7.0", "%s:%d: this line %s", s->secrets,
			    number, why);
			return false;
		}
	}
	mem_wipe(&l, sizeof(l));
	if (!known)
		conn_fail(c, "4.7.0", "%s has nothing for a client%s%s",
		    s->secrets, s->selector[0] ? " with the selector " : "",
		    s->selector);
	return known;
}

static bool
take_secrets(struct conn *c, const struct conf_server *s,
    struct client_options *o, struct arena *a)
{
	struct buf text;
	bool ok;

	buf_init(&text, SECRETS_MAX);
	if (read_path(s->secrets, SECRETS_MAX, &text) < 0) {
		conn_fail(c, "4.7.0", "cannot read the secrets %s: %s",
		    s->secrets, strerror(errno));
		ok = false;
	} else {
		ok = take_lines(c, s, buf_str(&text), o, a);
	}
	buf_wipe(&text);
	buf_free(&text);
	return ok;
}

/* ---- all ------------------------------------------------------------------------ */

/* Whether S is to be logged in to. */
static bool
wants_login(struct conn *c, const struct conf_server *s)
{
	return s != NULL && (s->user[0] != '\0' || s->secrets[0] != '\0') &&
	    !conn_is_sunk(c);
}

bool
conn_login(struct conn *c, struct client_options *o, struct arena *a)
{
	const struct conf_server *s = conn_hop(c)->server;

	if (!wants_login(c, s))
		return true;
	for (size_t i = 0; i < s->auth.n; i++)
		o->mechanisms |= client_mechanism(str_c(s->auth.v[i]));
	/* Whoever writes tls = "off" beside a password means it. */
	o->auth_in_clear = conn_tls_level(c) == TLS_OFF;
	if (s->secrets[0] != '\0')
		return take_secrets(c, s, o, a);
	o->user = s->user;
	if (s->password[0] != '\0')
		o->password = s->password;
	if (s->token[0] == '\0')
		return true;
	o->token = token_is_given(s) ? token_given(c, s, a) :
	    token_read(c, s->token + strlen(FILE_PREFIX), a);
	return o->token != NULL;
}

void
conn_bind(struct conn *c)
{
	struct buf b;

	if (c->tls == NULL || !wants_login(c, conn_hop(c)->server))
		return;
	buf_init(&b, 64);
	tls_exporter(c->tls, &b);
	client_binding(c->client, buf_str(&b));
	buf_wipe(&b);
	buf_free(&b);
}

bool
conn_waits(struct conn *c)
{
	const struct conf_server *s = conn_hop(c)->server;

	if (s == NULL || s->user[0] == '\0' || conn_is_sunk(c) ||
	    !token_is_given(s) ||
	    token_get(c->r, s) != NULL)
		return false;
	c->state = CONN_TOKEN;
	token_ask(c->r, s);
	return true;
}

void
conn_token(struct runner *r, const struct conf_server *s, const char *why)
{
	struct conn *c = r->conns;

	while (c != NULL) {
		if (c->state != CONN_TOKEN || conn_hop(c)->server != s) {
			c = c->all_next;
			continue;
		}
		if (why == NULL) {
			conn_same_hop(c);
		} else {
			conn_fail(c, "4.7.0", "no token for %s: %s", s->name,
			    why);
			c->all_refused = false;
			conn_next_hop(c);
		}
		/* Whatever happened, the list may be another one now. */
		c = r->conns;
	}
}
