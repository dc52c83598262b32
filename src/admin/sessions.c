/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sessions -- who is logged in with a browser: a table of fixed size.
 *
 * It is the keeper's of barid-admin; who serves a connection has a copy of the
 * moment when it came.
 */

#include "sessions.h"

int
session_id(struct str token, unsigned char id[SHA256_SIZE])
{
	return sha256(token, id);
}

static bool
is_over(const struct session *s, int64_t now)
{
	return now - s->seen_ms >= SESSION_IDLE_MS || now - s->since_ms >= SESSION_LIFE_MS;
}

/* The place of ID, or NULL.  An id is a hash: how long it takes to compare says nothing. */
static const struct session *
place_of(const struct sessions *s, const unsigned char id[SHA256_SIZE])
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (s->v[i].user[0] != '\0' && memcmp(s->v[i].id, id, SHA256_SIZE) == 0)
			return &s->v[i];
	return NULL;
}

const struct session *
sessions_find(const struct sessions *s, const unsigned char id[SHA256_SIZE], int64_t now)
{
	const struct session *one = place_of(s, id);

	return one && !is_over(one, now) ? one : NULL;
}

/* That of USER (empty: of anybody) that was not used for longest; *N: how many he has. */
static struct session *
oldest(struct sessions *s, struct str user, size_t *n)
{
	struct session *old = NULL;

	*n = 0;
	for (size_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *one = &s->v[i];

		if (one->user[0] == '\0' || (user.n > 0 && !str_eq(user, str_c(one->user))))
			continue;
		(*n)++;
		if (!old || one->seen_ms < old->seen_ms)
			old = one;
	}
	return old;
}

static void
sweep(struct sessions *s, int64_t now)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (s->v[i].user[0] != '\0' && is_over(&s->v[i], now))
			s->v[i] = (struct session){ .user = "" };
}

void
sessions_begin(struct sessions *s, const unsigned char id[SHA256_SIZE], struct str user,
    int64_t now)
{
	struct session *to;
	size_t n;

	if (user.n == 0 || user.n > SESSION_USER_MAX || place_of(s, id))
		return;
	sweep(s, now);
	to = oldest(s, user, &n);
	if (n < SESSIONS_PER_USER) {
		to = oldest(s, STR(""), &n);
		for (size_t i = 0; n < SESSIONS_MAX && i < SESSIONS_MAX; i++)
			if (s->v[i].user[0] == '\0')
				to = &s->v[i];
	}
	*to = (struct session){ .since_ms = now, .seen_ms = now };
	memcpy(to->id, id, SHA256_SIZE);
	memcpy(to->user, user.p, user.n);
}

void
sessions_touch(struct sessions *s, const unsigned char id[SHA256_SIZE], int64_t now)
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (&s->v[i] == sessions_find(s, id, now))
			s->v[i].seen_ms = now;
}

void
sessions_end(struct sessions *s, const unsigned char id[SHA256_SIZE])
{
	for (size_t i = 0; i < SESSIONS_MAX; i++)
		if (&s->v[i] == place_of(s, id))
			s->v[i] = (struct session){ .user = "" };
}
