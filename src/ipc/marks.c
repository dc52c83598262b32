/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * marks -- crashes of sessions, by address (CONFORMANCE P-05).
 *
 * A session that crashes may be an attack that guessed wrong, and the guess
 * must not be made again and again; or it is a mistake of ours that honest
 * mail meets, and then the sender must come in again some time.  So three
 * crashes are an hour without service, and an hour without a crash forgets.
 *
 * The table is small and is searched from end to end: a crash is rare, and
 * 256 numbers are read in less than a microsecond.  When it is full, who has
 * crashed least and longest ago makes room: an attacker who has many
 * addresses cannot free one that is refused by marking others once.
 */

#include "ipc/marks.h"

/* True if M still counts. */
static bool
is_fresh(const struct mark *m, int64_t now)
{
	return m->key != 0 && now - m->last_ms < MARKS_MS;
}

/* True if A should make room rather than B. */
static bool
is_less(const struct mark *a, const struct mark *b, int64_t now)
{
	if (is_fresh(a, now) != is_fresh(b, now))
		return is_fresh(b, now);
	if (a->crashes != b->crashes)
		return a->crashes < b->crashes;
	return a->last_ms < b->last_ms;
}

/* The place of KEY, or the one that it may take. */
static struct mark *
place_of(struct marks *m, uint64_t key, int64_t now)
{
	struct mark *least = &m->v[0];

	for (size_t i = 0; i < MARKS_MAX; i++) {
		if (m->v[i].key == key)
			return &m->v[i];
		if (is_less(&m->v[i], least, now))
			least = &m->v[i];
	}
	*least = (struct mark){ .key = key, .last_ms = now };
	return least;
}

void
marks_add(struct marks *m, uint64_t key, int64_t now)
{
	struct mark *mark;

	if (key == 0)
		return;
	mark = place_of(m, key, now);
	if (!is_fresh(mark, now))
		mark->crashes = 0;
	mark->crashes++;
	mark->last_ms = now;
}

int64_t
marks_refused_ms(const struct marks *m, uint64_t key, int64_t now)
{
	for (size_t i = 0; i < MARKS_MAX; i++) {
		const struct mark *mark = &m->v[i];

		if (mark->key != key || !is_fresh(mark, now))
			continue;
		if (mark->crashes >= MARKS_REFUSED)
			return mark->last_ms + MARKS_MS - now;
	}
	return 0;
}

const struct mark *
marks_at(const struct marks *m, size_t i, int64_t now)
{
	return is_fresh(&m->v[i], now) ? &m->v[i] : NULL;
}

void
mark_put(struct buf *b, const struct mark *mark)
{
	buf_addf(b, "%llu %llu %lld", (unsigned long long)mark->key,
	    (unsigned long long)mark->crashes, (long long)mark->last_ms);
}

bool
mark_get(struct marks *m, struct str words)
{
	struct mark mark;
	uint64_t last;

	if (str_u64(str_word(&words), UINT64_MAX, &mark.key) < 0 ||
	    str_u64(str_word(&words), UINT64_MAX, &mark.crashes) < 0 ||
	    str_u64(str_word(&words), INT64_MAX, &last) < 0 || mark.key == 0)
		return false;
	mark.last_ms = (int64_t)last;
	*place_of(m, mark.key, mark.last_ms) = mark;
	return true;
}
