/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * lend -- which session has which tray of the spool.
 *
 * A session that is taken over could write into any tray that it has, so it has
 * one, and that for itself until its end: the next one gets it when the master
 * has given back the slot of the one before, which is when nothing of it is left.
 * What sessions of another acceptor have still, one before a reload or a crash,
 * is kept from us by a lock of theirs (queue_tray_claim()).
 *
 * It is written for each client, in memory that children have not got: it is
 * not copied for each of them.
 */

#include "lend.h"

#include <sys/mman.h>
#include <unistd.h>

#include "master.h"

/* A client gets none rather than wait for a long search. */
#define LOOKS 4
/* Of all descriptors one in so many: the others are for clients. */
#define SHARE 4

struct lent {
	int fd;				/* >= master_fd_base(), or -1 */
	bool ours;			/* queue_tray_claim() */
	const struct score_slot *slot;	/* whose session had it last; NULL: nobody's */
	pid_t pid;			/* of it */
};

struct lender {
	unsigned n, last;
	struct lent v[QUEUE_TRAYS_MAX];
};

struct lender *
lend_open(const struct queue *q)
{
	size_t most = proc_files_max() / SHARE;
	struct lender *l;

	if (queue_tray_count(q) == 0 || most == 0)
		return NULL;
	l = mmap(NULL, sizeof(*l), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (l == MAP_FAILED)
		return NULL;
	if (madvise(l, sizeof(*l), MADV_DONTFORK) < 0) {
		(void)munmap(l, sizeof(*l));
		return NULL;
	}
	l->n = queue_tray_count(q) < most ? queue_tray_count(q) : (unsigned)most;
	for (unsigned i = 0; i < l->n; i++) {
		int fd = queue_tray_open(q, i);

		l->v[i].fd = fd < 0 ? -1 : fd_raise(fd);
	}
	return l;
}

/* Another one may have its slot by now. */
static bool
is_lent(const struct lent *t, struct score *score)
{
	return t->slot && atomic_load(score_pid(score, t->slot)) == t->pid;
}

int
lend_find(struct lender *l, struct score *score, int *fd)
{
	int looks = 0;

	for (unsigned i = 0; l && i < l->n && looks < LOOKS; i++) {
		struct lent *t = &l->v[l->last = (l->last + 1) % l->n];

		if (t->fd < 0 || is_lent(t, score))
			continue;
		if (queue_tray_claim(t->fd, &t->ours)) {
			*fd = t->fd;
			return (int)l->last;
		}
		looks++;
	}
	return -1;
}

void
lend_to(struct lender *l, int tray, const struct score_slot *slot, pid_t pid)
{
	l->v[tray].slot = slot;
	l->v[tray].pid = pid;
}
