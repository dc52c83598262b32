/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * cache -- logins that succeeded a moment ago.
 *
 * What is kept is an HMAC of everything that the question said, password and
 * client included, under a key that this process made for itself: who reads
 * this memory has no password, and a login from elsewhere is another one.  A
 * no is never kept.  The broker has it, which sees every password anyway; no
 * worker does.  It is gone with the process, so with each reload.
 */

#include "cache.h"

#include <sys/stat.h>

#include "lib/clock.h"
#include "lib/digest.h"
#include "lib/mem.h"
#include "lib/random.h"

/* Sets of places; a new entry takes the oldest place of its set. */
#define SETS 256
#define WAYS 4

_Static_assert(CACHE_KEY_SIZE == SHA256_SIZE, "a key is a hash");

struct kept {
	unsigned char key[CACHE_KEY_SIZE];
	int64_t until_ms;	/* 0: this place is free */
	struct cache_entry entry;
};

struct cache {
	int64_t for_ms;
	unsigned char secret[SHA256_SIZE];
	struct kept kept[SETS][WAYS];
};

struct cache *
cache_new(int64_t for_ms)
{
	struct cache *c = mem_alloc(sizeof(*c));
	unsigned char unused[SHA256_SIZE];

	c->for_ms = for_ms;
	random_bytes(c->secret, sizeof(c->secret));
	/* OpenSSL reads its files at the first use, when they are still to be seen. */
	if (hmac_sha256(str_n((char *)c->secret, SHA256_SIZE), STR(""), unused) < 0)
		c->for_ms = 0;
	return c;
}

void
cache_free(struct cache *c)
{
	if (!c)
		return;
	mem_wipe(c, sizeof(*c));
	mem_free(c);
}

bool
cache_key(const struct cache *c, const struct msg_auth *m,
    unsigned char key[CACHE_KEY_SIZE])
{
	struct buf b;
	bool ok;

	if (c->for_ms == 0)
		return false;
	buf_init(&b, FRAME_MAX);
	/* A frame says where each part ends. */
	msg_auth_put(&b, m);
	ok = buf_ok(&b) && hmac_sha256(str_n((const char *)c->secret, SHA256_SIZE),
	    buf_str(&b), key) == 0;
	buf_wipe(&b);
	buf_free(&b);
	return ok;
}

void
cache_version(struct cache_version *v, int file)
{
	struct stat st;

	memset(v, 0, sizeof(*v));
	if (file < 0 || fstat(file, &st) < 0)
		return;
	v->device = st.st_dev;
	v->inode = st.st_ino;
	v->size = st.st_size;
	v->changed = st.st_ctim;
	v->written = st.st_mtim;
}

static bool
same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool
cache_is_current(const struct cache_entry *e, const struct cache_version *v)
{
	const struct cache_version *was = &e->version;

	return v->inode != 0 && v->device == was->device && v->inode == was->inode &&
	    v->size == was->size && same_time(v->changed, was->changed) &&
	    same_time(v->written, was->written);
}

static const struct kept *
find(const struct cache *c, const unsigned char *key)
{
	const struct kept *set = c->kept[key[0]];

	for (size_t i = 0; i < WAYS; i++)
		if (set[i].until_ms > clock_ms() &&
		    mem_same(set[i].key, key, CACHE_KEY_SIZE))
			return &set[i];
	return NULL;
}

void
cache_put(struct cache *c, const unsigned char key[CACHE_KEY_SIZE],
    const struct cache_entry *e)
{
	struct kept *set = c->kept[key[0]], *oldest = &set[0];

	for (size_t i = 0; i < WAYS; i++) {
		if (mem_same(set[i].key, key, CACHE_KEY_SIZE)) {
			oldest = &set[i];
			break;
		}
		if (set[i].until_ms < oldest->until_ms)
			oldest = &set[i];
	}
	memcpy(oldest->key, key, CACHE_KEY_SIZE);
	oldest->until_ms = clock_ms() + c->for_ms;
	oldest->entry = *e;
}

bool
cache_get(const struct cache *c, const unsigned char key[CACHE_KEY_SIZE],
    struct cache_entry *e)
{
	const struct kept *k = find(c, key);

	if (k)
		*e = k->entry;
	return k != NULL;
}
