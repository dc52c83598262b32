/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef ADMIN_SESSIONS_H
#define ADMIN_SESSIONS_H

/*
 * sessions -- who is logged in with a browser: a table of fixed size.
 *
 * A session is known by a hash of the random token that its cookie has, so that
 * who reads the table has nobody's cookie.  It ends when it was not used for
 * SESSION_IDLE_MS, and SESSION_LIFE_MS after the login in any case.
 */

#include "lib/digest.h"

#define SESSIONS_MAX 64
#define SESSIONS_PER_USER 8
#define SESSION_USER_MAX 255
#define SESSION_IDLE_MS (30 * 60 * INT64_C(1000))
#define SESSION_LIFE_MS (12 * 3600 * INT64_C(1000))

struct session {
	unsigned char id[SHA256_SIZE];
	char user[SESSION_USER_MAX + 1];	/* "": a free place */
	int64_t since_ms, seen_ms;
};

struct sessions {
	struct session v[SESSIONS_MAX];
};

/* What TOKEN is known by; -1: it cannot be hashed. */
int session_id(struct str token, unsigned char id[SHA256_SIZE]) MUST_USE;
/* The session of ID that goes on at NOW, or NULL. */
const struct session *sessions_find(const struct sessions *s,
    const unsigned char id[SHA256_SIZE], int64_t now);
/*
 * Begins one for USER (a name that fits) at NOW.  Where he has too many, or all
 * together, the one that was not used for longest ends.
 */
void sessions_begin(struct sessions *s, const unsigned char id[SHA256_SIZE], struct str user,
    int64_t now);
/* It was used at NOW.  One that is not there stays so. */
void sessions_touch(struct sessions *s, const unsigned char id[SHA256_SIZE], int64_t now);
void sessions_end(struct sessions *s, const unsigned char id[SHA256_SIZE]);

#endif
