/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * conn_auth -- what a session logs in with.
 *
 * A token is read from its file for each session, so that whoever renews
 * it need not tell us; or it is asked of barid-http before we connect.
 * Without it there is no session: mail waits, and the log says which token
 * is meant.
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conn.h"
#include "lib/mem.h"
#include "token.h"

/* A token is part of an AUTH line (RFC 4954 4), and that in base64. */
#define TOKEN_MAX 8192
#define FILE_PREFIX "file:"

/* The whole of the file at FD; -1: errno. */
static int
read_all(int fd, struct buf *b)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode) || st.st_size > TOKEN_MAX) {
		errno = S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return -1;
	}
	for (;;) {
		char p[1024];
		ssize_t n = read(fd, p, sizeof(p));

		if (n > 0)
			buf_add(b, str_n(p, (size_t)n));
		mem_wipe(p, sizeof(p));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
	}
}

/* RFC 6750 2.1: a token is printable, and has no space. */
static bool
is_token(struct str s)
{
	return s.n > 0 && !str_has_ctl(s) && !str_has_8bit(s) &&
	    str_find(s, ' ') < 0;
}

/* The token at PATH as a string for mem_free(); NULL: C says why. */
static char *
token_read(struct conn *c, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *token = NULL;
	struct str s;
	struct buf b;

	buf_init(&b, TOKEN_MAX);
	if (fd < 0 || read_all(fd, &b) < 0) {
		conn_fail(c, "4.7.0", "cannot read the token %s: %s", path,
		    strerror(errno));
	} else {
		s = str_trim(buf_str(&b));
		if (buf_ok(&b) && is_token(s))
			token = mem_dup(s);
		else
			conn_fail(c, "4.7.0", "%s holds no token", path);
	}
	if (fd >= 0)
		close(fd);
	buf_wipe(&b);
	buf_free(&b);
	return token;
}

static char *
token_given(struct conn *c, const struct conf_server *s)
{
	const char *token = token_get(c->r, s);

	if (token != NULL)
		return mem_dup(str_c(token));
	conn_fail(c, "4.7.0", "the token for %s has ended meanwhile", s->name);
	return NULL;
}

bool
conn_login(struct conn *c, struct client_options *o, char **token)
{
	const struct conf_server *s = conn_hop(c)->server;

	*token = NULL;
	if (s == NULL || s->user[0] == '\0' || conn_is_sunk(c))
		return true;
	o->user = s->user;
	if (s->password[0] != '\0')
		o->password = s->password;
	for (size_t i = 0; i < s->auth.n; i++)
		o->mechanisms |= client_mechanism(str_c(s->auth.v[i]));
	/* Whoever writes tls = "off" beside a password means it. */
	o->auth_in_clear = conn_tls_level(c) == TLS_OFF;
	if (s->token[0] == '\0')
		return true;
	*token = token_is_given(s) ? token_given(c, s) :
	    token_read(c, s->token + strlen(FILE_PREFIX));
	o->token = *token;
	return *token != NULL;
}

void
conn_bind(struct conn *c)
{
	struct buf b;

	if (c->tls == NULL || conn_hop(c)->server == NULL ||
	    conn_hop(c)->server->user[0] == '\0')
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
