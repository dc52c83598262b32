/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SIGN_SIGN_H
#define SIGN_SIGN_H

/* sign -- the private interface of the program barid-sign. */

#include <sys/types.h>

#include "lib/buf.h"
#include "net/tls_key.h"

/* ---- keys.c: what can be signed with -------------------------------------------- */

struct keys {
	struct tls_key **v;
	size_t n;
};
/* All that the master kept for us in FD, which is closed; what is broken is said in the log. */
void keys_take_fd(struct keys *k, int fd);
void keys_free(struct keys *k);

/* ---- turns.c: who asked how often -------------------------------------------------- */

#define TURNS 1024
/* A session asks once.  So many more in so long, and it is not served. */
#define TURNS_EACH 4
#define TURNS_MS 60000

struct turns {
	struct turn {
		pid_t who;
		unsigned n;
		int64_t since_ms;
	} v[TURNS];
};
/* Whether WHO has a turn at NOW, which it has used with that. */
bool turns_take(struct turns *t, pid_t who, int64_t now) MUST_USE;

/* ---- answer.c --------------------------------------------------------------------- */

/*
 * The answer to PACKET into B.  False: there is none, and it says in WHY what
 * was wrong with the request.
 */
bool sign_answer(const struct keys *k, struct str packet, struct buf *b, const char **why) MUST_USE;

#endif
