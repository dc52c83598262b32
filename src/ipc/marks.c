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

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
/* Linux 5.1 */
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

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

struct marks *
marks_new(int *fd)
{
	void *p = MAP_FAILED;
	int err;

	*fd = memfd_create("barid-marks", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return NULL;
	if (ftruncate(*fd, sizeof(struct marks)) == 0)
		p = mmap(NULL, sizeof(struct marks), PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	/* The mapping stays what it is, and here; nobody gets another that can be written. */
	if (p != MAP_FAILED && madvise(p, sizeof(struct marks), MADV_DONTFORK) == 0 &&
	    fcntl(*fd, F_ADD_SEALS, SEALS) == 0)
		return p;
	err = errno;
	if (p != MAP_FAILED)
		(void)munmap(p, sizeof(struct marks));
	close(*fd);
	*fd = -1;
	errno = err;
	return NULL;
}

const struct marks *
marks_attach(int fd)
{
	struct stat st;
	void *p;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size != (off_t)sizeof(struct marks)) {
		errno = EINVAL;
		return NULL;
	}
	p = mmap(NULL, sizeof(struct marks), PROT_READ, MAP_SHARED, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

void
marks_free(const struct marks *m)
{
	if (m != NULL)
		(void)munmap((void *)(uintptr_t)m, sizeof(*m));
}
