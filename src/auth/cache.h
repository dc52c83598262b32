/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef AUTH_CACHE_H
#define AUTH_CACHE_H

/* cache -- logins that succeeded a moment ago. */

#include <sys/types.h>
#include <time.h>

#include "ipc/msg.h"

struct cache;
#define CACHE_KEY_SIZE 32

/* A file as it is now: another one, or a change, is another version. */
struct cache_version {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed, written;
};
/* Of the open FILE; of -1, or what cannot be looked at: none, that no other equals. */
void cache_version(struct cache_version *v, int file);

struct cache_entry {
	unsigned place;		/* who said yes */
	struct cache_version version;	/* of its file, when it was asked */
	char app[65];
};
/* Whether the file that E was made of is still V. */
bool cache_is_current(const struct cache_entry *e, const struct cache_version *v);

struct cache *cache_new(int64_t for_ms) MUST_USE;
void cache_free(struct cache *c);
/* What stands for the question M; false: it cannot be kept. */
bool cache_key(const struct cache *c, const struct msg_auth *m,
    unsigned char key[CACHE_KEY_SIZE]) MUST_USE;
void cache_put(struct cache *c, const unsigned char key[CACHE_KEY_SIZE],
    const struct cache_entry *e);
/* False: there is none, or it is over. */
bool cache_get(const struct cache *c, const unsigned char key[CACHE_KEY_SIZE],
    struct cache_entry *e) MUST_USE;

#endif
