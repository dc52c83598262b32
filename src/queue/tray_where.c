/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tray_where -- which message stands in which tray, as far as is known.
 *
 * It is a guess, by hints that anybody may send, by looks into the trays, and
 * by what was loaded.  Whoever acts on it looks into the tray first.  What was
 * once found there stays known until its owner, who is the only one to remove or
 * rename it, says that it is gone: a hint is held against the tray, and a look
 * is noted before anybody else can note a later one, so that no late word of
 * what was there before takes the place of what is.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

#include "lib/mem.h"
#include "lib/sys.h"

#include "envelope_line.h"
#include "trays.h"

#define ID_KEY "id: "
/* What is looked at to see whose message it is. */
#define LABEL_LEN (FIRST_LEN + sizeof(ID_KEY) - 1 + QUEUE_ID_LEN + 1)

struct trays *
trays_new(void)
{
	struct trays *t = mem_alloc(sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	pthread_mutex_init(&t->mending, NULL);
	return t;
}

void
trays_free(struct trays *t)
{
	pthread_mutex_destroy(&t->lock);
	pthread_mutex_destroy(&t->mending);
	mem_free(t);
}

void
tray_name(const struct queue *q, int tray, struct spool_name *n)
{
	n->dir = q->trays;
	spool_dec(n->path, 2, (uint64_t)tray);
	n->path[2] = '\0';
	n->is_tray = true;
	n->shared = q->owner;
}

int
tray_label(int fd, char id[QUEUE_ID_SIZE])
{
	static const char key[] = "\n" ID_KEY;
	char label[LABEL_LEN];
	const char *p = label + FIRST_LEN - 1, *at = p + sizeof(key) - 1;
	ssize_t n = sys_pread(fd, label, sizeof(label), 0);

	if (n < 0)
		return -1;
	if (n < (ssize_t)sizeof(label) || label[0] != FIRST_LINE[0] ||
	    memcmp(p, key, sizeof(key) - 1) != 0 ||
	    !queue_id_valid(str_n(at, QUEUE_ID_LEN)) ||
	    label[LABEL_LEN - 1] != '\n')
		return 0;
	memcpy(id, at, QUEUE_ID_LEN);
	id[QUEUE_ID_LEN] = '\0';
	return 1;
}

/* The same of TRAY. */
static int
label_of(const struct queue *q, int tray, char id[QUEUE_ID_SIZE])
{
	int fd = queue_tray_open(q, (unsigned)tray), r, e;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	r = tray_label(fd, id);
	e = errno;
	sys_close(fd);
	errno = e;
	return r;
}

/* ID, of SIZE octets, stands in TRAY.  Under the lock. */
static void
set(struct trays *t, int tray, const char *id, uint32_t size)
{
	struct tray *v = &t->v[tray];

	if (v->id[0] != '\0')
		atomic_fetch_sub(&t->n, 1);
	if (id[0] != '\0')
		atomic_fetch_add(&t->n, 1);
	memset(v->id, 0, sizeof(v->id));
	memcpy(v->id, id, strlen(id));
	v->size = size;
	v->owed = false;
}

/* Under the lock; -1: none. */
static int
find(const struct trays *t, const char *id)
{
	for (int i = 0; i < QUEUE_TRAYS_MAX; i++)
		if (memcmp(t->v[i].id, id, QUEUE_ID_SIZE) == 0)
			return i;
	return -1;
}

int
tray_find(const struct queue *q, const char *id, bool owed)
{
	struct trays *t = q->in;
	int i;

	if (atomic_load(&t->n) == 0)
		return -1;
	pthread_mutex_lock(&t->lock);
	i = find(t, id);
	if (i >= 0 && t->v[i].owed != owed)
		i = -1;
	pthread_mutex_unlock(&t->lock);
	return i;
}

size_t
tray_size(const struct queue *q, int tray, const char *id)
{
	struct trays *t = q->in;
	size_t n = 0;

	pthread_mutex_lock(&t->lock);
	if (memcmp(t->v[tray].id, id, QUEUE_ID_SIZE) == 0)
		n = t->v[tray].size;
	pthread_mutex_unlock(&t->lock);
	return n;
}

void
tray_seen(struct queue *q, int tray, const struct queue_file *f)
{
	struct trays *t = q->in;

	pthread_mutex_lock(&t->lock);
	set(t, tray, f->env.id, (uint32_t)f->end);
	pthread_mutex_unlock(&t->lock);
}

void
tray_owe(struct queue *q, int tray, const char *id)
{
	struct trays *t = q->in;

	pthread_mutex_lock(&t->lock);
	set(t, tray, id, 0);
	t->v[tray].owed = true;
	pthread_mutex_unlock(&t->lock);
}

void
tray_forget(struct queue *q, int tray, const char *id)
{
	struct trays *t = q->in;

	pthread_mutex_lock(&t->lock);
	if (memcmp(t->v[tray].id, id, QUEUE_ID_SIZE) == 0)
		set(t, tray, "", 0);
	pthread_mutex_unlock(&t->lock);
}

/* True if TRAY has what is known to be there.  Under the lock. */
static bool
is_true(const struct queue *q, int tray)
{
	const struct tray *v = &q->in->v[tray];
	char there[QUEUE_ID_SIZE];

	/* What cannot be read now is not forgotten for that. */
	return v->id[0] != '\0' && (label_of(q, tray, there) < 0 ||
	    strcmp(v->id, there) == 0);
}

/*
 * ID is said to stand in TRAY.  What is truly there is not forgotten for
 * whatever is said; nor is another tray which truly has ID, or what is removed
 * there would not be what was delivered from here.  Under the lock.
 */
static void
believe(struct queue *q, int tray, const char *id)
{
	int known = find(q->in, id);

	if (known == tray || (known >= 0 && is_true(q, known)) ||
	    is_true(q, tray))
		return;
	if (known >= 0)
		set(q->in, known, "", 0);
	set(q->in, tray, id, 0);
}

void
tray_look(struct queue *q, int tray)
{
	struct trays *t = q->in;
	char id[QUEUE_ID_SIZE];

	pthread_mutex_lock(&t->lock);
	if (label_of(q, tray, id) == 1)
		believe(q, tray, id);
	pthread_mutex_unlock(&t->lock);
}

void
tray_search(struct queue *q, const char *id)
{
	char there[QUEUE_ID_SIZE];

	for (int i = 0; i < (int)q->tray_top; i++)
		if (label_of(q, i, there) == 1 && strcmp(there, id) == 0) {
			tray_look(q, i);
			return;
		}
}

void
queue_tray_hint(struct queue *q, const char *id, uint64_t tray)
{
	struct trays *t = q->in;

	if (tray == 0 || tray > q->tray_top)
		return;
	pthread_mutex_lock(&t->lock);
	believe(q, (int)(tray - 1), id);
	pthread_mutex_unlock(&t->lock);
}

int
tray_open(struct queue *q, int tray, const char *id)
{
	char there[QUEUE_ID_SIZE];
	int fd = queue_tray_open(q, (unsigned)tray), r = 0, e;

	/* First the lock, then the look: nobody wipes it between. */
	if (fd >= 0)
		r = sys_lock(fd, F_WRLCK);
	if (fd >= 0 && r == 0)
		r = tray_label(fd, there);
	if (fd >= 0 && r == 1 && strcmp(id, there) == 0)
		return fd;
	e = r >= 0 && fd >= 0 ? ENOENT : errno;
	if (fd >= 0)
		sys_close(fd);
	/* Only of what is known not to be there. */
	if (e == ENOENT)
		tray_forget(q, tray, id);
	errno = e;
	return -1;
}
