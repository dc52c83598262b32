/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef QUEUE_TRAYS_H
#define QUEUE_TRAYS_H

/* trays -- what the files about trays share, and the room uses of them. */

#include <pthread.h>

#include "queue/tray.h"

#include "spool.h"

#define TRAY_SIZE SPOOL_CHUNK
#define TRAY_FLAGS (O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
/* In place of the first octet: nothing is here, nor may anything be put here yet. */
#define TRAY_WIPING '-'

/* What this process has heard or seen of a tray. */
struct tray {
	char id[QUEUE_ID_SIZE];	/* empty: nothing is known to be there */
	uint32_t size;		/* octets to be overwritten; 0: all */
	bool owed;		/* ID is a file by now, and still to be wiped here */
	bool emptied;		/* and not on its way to the disk */
};

struct trays {
	pthread_mutex_t lock, mending;
	_Atomic unsigned n;	/* that have an id */
	struct tray v[QUEUE_TRAYS_MAX];
};

struct trays *trays_new(void) MUST_USE;
void trays_free(struct trays *t);

/* ---- tray_where.c -------------------------------------------------------- */

/* The tray of which ID was said to be in it, or -1.  OWED: or to be wiped there. */
int tray_find(const struct queue *q, const char *id, bool owed);
/* Looks into all trays for ID, so that tray_find() knows. */
void tray_search(struct queue *q, const char *id);
/* Looks into TRAY, and notes what stands there. */
void tray_look(struct queue *q, int tray);
/* F was loaded from TRAY by who owns it. */
void tray_seen(struct queue *q, int tray, const struct queue_file *f);
/* ID, which stands in TRAY, is a file as well, by which it goes from now on. */
void tray_owe(struct queue *q, int tray, const char *id);
/* ID does not stand in TRAY any more, or never did. */
void tray_forget(struct queue *q, int tray, const char *id);
/* Octets of ID in TRAY; 0: not known. */
size_t tray_size(const struct queue *q, int tray, const char *id);
/*
 * Opens TRAY, which truly has ID, and nobody else has loaded, nor will while it
 * is open.  -1: errno, ENOENT if it has not, EAGAIN if somebody has loaded it.
 */
int tray_open(struct queue *q, int tray, const char *id) MUST_USE;
void tray_name(const struct queue *q, int tray, struct spool_name *n);
/* The id of the message that begins in FD, into ID: 1; 0: there is none; -1: errno. */
int tray_label(int fd, char id[QUEUE_ID_SIZE]) MUST_USE;

/* ---- tray.c ---------------------------------------------------------------- */

/*
 * In the process that writes: 1, the message in B is durable in its tray; 0, it
 * has none that is empty and large enough; -1, errno.
 */
int tray_put(struct queue *q, const struct buf *b) MUST_USE;
/* Loads what stands in TRAY and is whole.  -1: EBADMSG, nothing is, or errno. */
int tray_load(struct queue *q, int tray, struct arena *a, struct queue_file *f) MUST_USE;
/*
 * Looks into each tray, and calls FN with what queue_scan() does; false: FN said
 * so.  What is a file as well is left to that.
 */
bool tray_scan(struct queue *q, const struct queue_part *part,
    bool (*fn)(void *arg, const char *id, int64_t mtime, uint64_t size), void *arg);
/* The first octet of tray FD: NUL, it is empty; -1: errno. */
int tray_first(int fd) MUST_USE;

/* ---- tray_empty.c ------------------------------------------------------------ */

/* ID is dealt with: 1, its tray is empty; 0, it stands in none; -1: errno. */
int tray_empty(struct queue *q, const char *id) MUST_USE;
/* The same where it is a file as well. */
int tray_empty_owed(struct queue *q, const char *id) MUST_USE;
/* Hands it to the disk that they were made empty; the next flush takes it along.  -1: errno. */
int tray_sync(struct queue *q) MUST_USE;
/*
 * Overwrites SIZE octets of FD with zeros (0: all), the first one last: until then
 * it says that nothing is here and nothing may be put here.
 */
int tray_wipe(int fd, size_t size) MUST_USE;

/* ---- tray_leave.c ------------------------------------------------------------- */

/*
 * Makes N octets of FD message ID of PLACE, durable with its name; never over
 * another.  Its descriptor, or -1: errno, and nothing of it is left.
 */
int tray_copy(struct queue *q, int fd, size_t n, enum queue_place place,
    const char *id) MUST_USE;
/* If F stands in a tray it becomes a file of its own, durable in new/.  -1: errno. */
int tray_leave(struct queue_file *f) MUST_USE;
/* The same of ID, before it is moved from PLACE. */
int tray_leave_id(struct queue *q, enum queue_place place, const char *id) MUST_USE;
/* What stands whole in TRAY as F is a file as well: true, and the tray is wiped, or will be. */
bool tray_has_left(struct queue *q, int tray, const struct queue_file *f);

#endif
