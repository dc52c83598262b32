/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pop3d_box -- the TRANSACTION and UPDATE states: looking, marking, and at
 * QUIT removing.
 *
 * Numbers are those of the login for the whole session; what another
 * program removes meanwhile is an -ERR for that message only.
 */

#include "pop3d.h"

#include <errno.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"

#define READ_SIZE 65536

ptrdiff_t
pop3_number(struct pop3_session *s, struct str arg, struct pop3_response *r)
{
	uint64_t n;

	if (str_u64(arg, UINT32_MAX, &n) < 0 || n == 0)
		*r = pop3_err(s, "this is no message number");
	else if (n > s->box.n)
		*r = pop3_err(s, "no such message, there are %zu", s->box.n);
	else if (s->box.v[n - 1].deleted)
		*r = pop3_err(s, "message %llu is marked deleted", (unsigned long long)n);
	else
		return (ptrdiff_t)n - 1;
	return -1;
}

/* Size of message I; one that is gone counts nothing. */
static uint64_t
size_of(struct pop3_session *s, size_t i)
{
	uint64_t size;

	return maildir_size(&s->box, i, &size) == 0 ? size : 0;
}

struct pop3_response
pop3_stat(struct pop3_session *s, const struct command *c UNUSED)
{
	uint64_t total = 0;
	size_t n = 0;

	for (size_t i = 0; i < s->box.n; i++) {
		if (s->box.v[i].deleted)
			continue;
		n++;
		total += size_of(s, i);
	}
	return pop3_ok(s, "%zu %llu", n, (unsigned long long)total);
}

/* One line for each message that is not deleted; LINE adds its second half. */
static void
listing(struct pop3_session *s, void (*line)(struct pop3_session *s, size_t i, struct buf *b))
{
	struct buf b;

	buf_init(&b, READ_SIZE);
	for (size_t i = 0; i < s->box.n && !s->lost; i++) {
		if (s->box.v[i].deleted)
			continue;
		buf_addu(&b, i + 1);
		buf_addc(&b, ' ');
		line(s, i, &b);
		buf_adds(&b, "\r\n");
		if (b.n > READ_SIZE / 2) {
			pop3_put(s, buf_str(&b));
			buf_reset(&b);
		}
	}
	buf_adds(&b, ".\r\n");
	pop3_put(s, buf_str(&b));
	buf_free(&b);
}

static void
size_line(struct pop3_session *s, size_t i, struct buf *b)
{
	buf_addu(b, size_of(s, i));
}

static void
uidl_line(struct pop3_session *s, size_t i, struct buf *b)
{
	maildir_uidl(&s->box, i, b);
}

static void
list_body(struct pop3_session *s)
{
	listing(s, size_line);
}

static void
uidl_body(struct pop3_session *s)
{
	listing(s, uidl_line);
}

/* LIST and UIDL: all, or one. */
static struct pop3_response
list_or_one(struct pop3_session *s, const struct command *c, void (*body)(struct pop3_session *),
    void (*line)(struct pop3_session *, size_t, struct buf *))
{
	struct pop3_response r;
	struct buf b;

	if (c->arg.n == 0) {
		r = pop3_ok(s, "%zu messages", s->box.n);
		r.body = body;
		return r;
	}
	ptrdiff_t i = pop3_number(s, c->arg, &r);
	if (i < 0)
		return r;
	buf_init(&b, 256);
	line(s, (size_t)i, &b);
	r = pop3_ok(s, "%zu %s", (size_t)i + 1, buf_cstr(&b));
	buf_free(&b);
	return r;
}

struct pop3_response
pop3_list(struct pop3_session *s, const struct command *c)
{
	return list_or_one(s, c, list_body, size_line);
}

struct pop3_response
pop3_uidl(struct pop3_session *s, const struct command *c)
{
	return list_or_one(s, c, uidl_body, uidl_line);
}

struct pop3_response
pop3_dele(struct pop3_session *s, const struct command *c)
{
	struct pop3_response r;
	ptrdiff_t i = pop3_number(s, c->arg, &r);

	if (i < 0)
		return r;
	s->box.v[i].deleted = true;
	return pop3_ok(s, "message %td is marked", i + 1);
}

struct pop3_response
pop3_rset(struct pop3_session *s, const struct command *c UNUSED)
{
	for (size_t i = 0; i < s->box.n; i++)
		s->box.v[i].deleted = false;
	return pop3_ok(s, "%zu messages", s->box.n);
}

struct pop3_response
pop3_noop(struct pop3_session *s, const struct command *c UNUSED)
{
	return pop3_ok(s, "still here");
}

static size_t
marked(const struct pop3_session *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->box.n; i++)
		n += s->box.v[i].deleted;
	return n;
}

/* What is older than the configuration wants it to be. */
static void
expire(struct pop3_session *s)
{
	int64_t age = s->env->conf->pop3.expire / 1000, now = clock_wall();
	size_t n = 0;

	for (size_t i = 0; age > 0 && i < s->box.n; i++) {
		int64_t arrival = maildir_arrival(&s->box, i);

		if (s->box.v[i].deleted || arrival == 0 || arrival + age > now)
			continue;
		s->box.v[i].deleted = true;
		n++;
	}
	if (n > 0)
		log_info(NULL, "mailbox %s: %zu messages are too old and go", s->user, n);
}

/*
 * Where clients delete nothing they are told that they did: many fetch a
 * message again and again, or not at all, if DELE is refused.
 */
static void
keep_all(struct pop3_session *s)
{
	size_t n = marked(s);

	for (size_t i = 0; i < s->box.n; i++)
		s->box.v[i].deleted = false;
	if (n > 0)
		log_info(NULL, "mailbox %s: %zu messages stay, by pop3.no-delete", s->user, n);
}

struct pop3_response
pop3_quit(struct pop3_session *s, const struct command *c UNUSED)
{
	struct pop3_response r;
	size_t left = 0;
	int error = 0;

	if (s->state == POP3_TRANSACTION) {
		if (s->env->slot)
			atomic_store(&s->env->slot->state, SCORE_UPDATE);
		if (s->env->conf->pop3.no_delete)
			keep_all(s);
		expire(s);
		left = maildir_expunge(&s->box);
		error = errno;
		s->removed = marked(s) - left;
		/* Who has his answer may log in again. */
		maildir_close(&s->box);
		s->box_open = false;
	}
	if (left > 0) {
		log_warn(NULL, "mailbox %s: %zu messages could not be removed: %s", s->user, left,
		    strerror(error));
		r = pop3_err(s, "[SYS/TEMP] %zu messages could not be removed", left);
	} else {
		r = pop3_ok(s, "good bye");
	}
	r.then = POP3_CLOSE;
	return r;
}
