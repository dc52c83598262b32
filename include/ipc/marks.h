/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MARKS_H
#define IPC_MARKS_H

/*
 * marks -- which addresses had sessions that crashed, and which of them are
 * not let in for a while.  The master writes them, and whoever lets clients in
 * reads them: no session can write there.
 */

#include "lib/str.h"

/* So many crashes, each less than MARKS_MS after the one before ... */
#define MARKS_REFUSED 3
/* ... and the address is refused until this time after the last. */
#define MARKS_MS (3600 * 1000)
/* So many addresses are known at once. */
#define MARKS_MAX 256

struct mark {
	uint64_t key;		/* addr_key(); 0: a free place */
	uint64_t crashes;
	int64_t last_ms;
};

struct marks {
	struct mark v[MARKS_MAX];
};

/* Counts a crash of a session of KEY; one that has no address (0) is nobody's. */
void marks_add(struct marks *m, uint64_t key, int64_t now_ms);
/* For how long KEY is refused from now on; 0: it is not. */
int64_t marks_refused_ms(const struct marks *m, uint64_t key, int64_t now_ms);
/* The mark at place I, NULL if there is none that counts: for I < MARKS_MAX. */
const struct mark *marks_at(const struct marks *m, size_t i, int64_t now_ms);

/*
 * Marks in shared memory that only who makes them can write, and none of its
 * children; *FD is for those who read.  NULL: errno.
 */
struct marks *marks_new(int *fd) MUST_USE;
const struct marks *marks_attach(int fd) MUST_USE;	/* FD stays the caller's */
void marks_free(const struct marks *m);	/* NULL is fine */

#endif
