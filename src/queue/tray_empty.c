/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tray_empty -- what stood in a tray is overwritten, and the tray is for the next.
 *
 * Whoever does it has made sure, with a lock that nobody who has a message loaded
 * lets him have, that the tray has the very message that is dealt with.  Its
 * first octet says so from the beginning of that to its end, so that a death in
 * between leaves no message and no tray that is taken for an empty one.
 */

#include <errno.h>
#include <fcntl.h>

#include "lib/mem.h"
#include "lib/sys.h"

#include "trays.h"

int
tray_wipe(int fd, size_t size)
{
	const char wiping = TRAY_WIPING;
	char *zeros;
	int r;

	if (size < 2 || size > TRAY_SIZE)
		size = TRAY_SIZE;
	zeros = mem_alloc(size - 1);
	r = sys_pwrite_all(fd, &wiping, 1, 0);
	if (r == 0)
		r = sys_pwrite_all(fd, zeros, size - 1, 1);
	mem_free(zeros);
	/* The next message may come before we are through with this. */
	return r < 0 ? -1 : sys_pwrite_all(fd, "", 1, 0);
}

/* TRAY may have ID.  As tray_empty(). */
static int
empty(struct queue *q, int tray, const char *id)
{
	struct trays *t = q->in;
	int fd = tray < 0 ? -1 : tray_open(q, tray, id), r, e;

	if (fd < 0)
		return tray < 0 || errno == ENOENT ? 0 : -1;
	r = tray_wipe(fd, tray_size(q, tray, id));
	e = errno;
	sys_close(fd);
	errno = e;
	if (r < 0)
		return -1;
	pthread_mutex_lock(&t->lock);
	t->v[tray].emptied = true;
	pthread_mutex_unlock(&t->lock);
	tray_forget(q, tray, id);
	return 1;
}

int
tray_empty(struct queue *q, const char *id)
{
	return empty(q, tray_find(q, id, false), id);
}

int
tray_empty_owed(struct queue *q, const char *id)
{
	return empty(q, tray_find(q, id, true), id);
}

/* Another time, if somebody has one of them loaded. */
static void
empty_all_owed(struct queue *q)
{
	struct trays *t = q->in;
	char id[QUEUE_ID_SIZE];

	if (atomic_load(&t->n) == 0)
		return;
	for (int i = 0; i < QUEUE_TRAYS_MAX; i++) {
		id[0] = '\0';
		pthread_mutex_lock(&t->lock);
		if (t->v[i].owed)
			memcpy(id, t->v[i].id, sizeof(id));
		pthread_mutex_unlock(&t->lock);
		if (id[0] != '\0')
			(void)!empty(q, i, id);
	}
}

/* Opens the trays that were made empty since it was asked last; the others are -1. */
static int
open_emptied(struct queue *q, int fds[QUEUE_TRAYS_MAX])
{
	struct trays *t = q->in;
	int r = 0;

	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < QUEUE_TRAYS_MAX; i++) {
		fds[i] = t->v[i].emptied ? 0 : -1;
		t->v[i].emptied = false;
	}
	pthread_mutex_unlock(&t->lock);
	for (int i = 0; i < QUEUE_TRAYS_MAX; i++)
		if (fds[i] == 0 &&
		    (fds[i] = queue_tray_open(q, (unsigned)i)) < 0)
			r = -1;
	return r;
}

int
tray_sync(struct queue *q)
{
	int fds[QUEUE_TRAYS_MAX], r, e;

	empty_all_owed(q);
	r = open_emptied(q, fds);
	e = errno;
	for (int wait = 0; wait < 2; wait++)
		for (int i = 0; i < QUEUE_TRAYS_MAX; i++)
			if (fds[i] >= 0 && sys_sync_range(fds[i], wait) < 0) {
				r = -1;
				e = errno;
			}
	for (int i = 0; i < QUEUE_TRAYS_MAX; i++)
		if (fds[i] >= 0)
			sys_close(fds[i]);
	errno = e;
	return r;
}
