/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * map -- a hash table from byte strings to pointers.
 *
 * Open addressing with linear probing and a keyed hash.  A slot is free (no
 * key), gone (a mark that keeps later keys reachable) or taken.  Free slots
 * are at least a quarter, so every search ends.  A deletion moves nothing,
 * which is what lets map_next() go on after one.
 */

#include "lib/map.h"

#include "lib/log.h"
#include "lib/mem.h"

#define MAP_FIRST 16

struct slot {
	char *key;
	void *value;	/* NULL in a slot that is gone */
	size_t n;
	uint64_t hash;
};

struct map {
	struct slot *slots;
	size_t size;	/* a power of 2 */
	size_t count;
	size_t used;	/* taken and gone */
};

static char gone[1];

struct map *
map_new(void)
{
	struct map *m = mem_alloc(sizeof(*m));

	m->size = MAP_FIRST;
	m->slots = mem_array(m->size, sizeof(*m->slots));
	return m;
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->size; i++) {
		if (m->slots[i].key != gone)
			mem_free(m->slots[i].key);
	}
	mem_free(m->slots);
	mem_free(m);
}

size_t
map_count(const struct map *m)
{
	return m->count;
}

/* The slot that holds KEY, or the free one where the search ended. */
static struct slot *
find(const struct map *m, struct str key, uint64_t hash)
{
	size_t i = hash & (m->size - 1);

	for (;; i = (i + 1) & (m->size - 1)) {
		struct slot *s = &m->slots[i];

		if (s->key == NULL)
			return s;
		if (s->key != gone && s->hash == hash &&
		    str_eq(str_n(s->key, s->n), key))
			return s;
	}
}

void *
map_get(const struct map *m, struct str key)
{
	return find(m, key, str_hash(key))->value;
}

/* Moves all pairs to a table that they fill less than half. */
static void
rebuild(struct map *m)
{
	struct slot *old = m->slots;
	size_t old_size = m->size;

	while (m->count >= m->size / 2)
		m->size *= 2;
	m->slots = mem_array(m->size, sizeof(*m->slots));
	for (size_t i = 0; i < old_size; i++) {
		struct slot *s = &old[i];

		if (s->key != NULL && s->key != gone)
			*find(m, str_n(s->key, s->n), s->hash) = *s;
	}
	m->used = m->count;
	mem_free(old);
}

void *
map_put(struct map *m, struct str key, void *value)
{
	uint64_t hash = str_hash(key);
	struct slot *s = find(m, key, hash);
	void *was = s->value;

	if (value == NULL)
		panic("map_put: no value");
	if (s->key == NULL) {
		if (m->used + 1 > m->size / 4 * 3) {
			rebuild(m);
			s = find(m, key, hash);
		}
		s->key = mem_dup(key);
		s->n = key.n;
		s->hash = hash;
		m->count++;
		m->used++;
	}
	s->value = value;
	return was;
}

void *
map_del(struct map *m, struct str key)
{
	struct slot *s = find(m, key, str_hash(key));
	void *was = s->value;

	if (s->key == NULL)
		return NULL;
	mem_free(s->key);
	s->key = gone;
	s->value = NULL;
	m->count--;
	return was;
}

bool
map_next(const struct map *m, size_t *at, struct str *key, void **value)
{
	while (*at < m->size) {
		const struct slot *s = &m->slots[(*at)++];

		if (s->key == NULL || s->key == gone)
			continue;
		*key = str_n(s->key, s->n);
		*value = s->value;
		return true;
	}
	return false;
}
