/* SPDX-License-Identifier: GPL-3.0-or-later */

/* map -- against a plain array that does the same, and what is special. */

#include <stdio.h>

#include "lib/map.h"
#include "unit.h"

static int values[100000];

static struct str
key_of(size_t i, char *room)
{
	/* Some with a NUL inside, one empty. */
	int n = i == 0 ? 0 : snprintf(room, 32, "%zu%c%zu", i, 0, i % 7);

	return str_n(room, (size_t)n);
}

START_TEST(basics)
{
	struct map *m = map_new();
	char key[] = "key";
	int a, b;
	size_t at = 0;
	struct str k;
	void *v;

	ck_assert_uint_eq(map_count(m), 0);
	ck_assert_ptr_null(map_get(m, STR("key")));
	ck_assert_ptr_null(map_del(m, STR("key")));
	ck_assert(!map_next(m, &at, &k, &v));
	ck_assert_ptr_null(map_put(m, str_c(key), &a));
	/* The key was copied. */
	key[0] = 'x';
	ck_assert_ptr_eq(map_get(m, STR("key")), &a);
	ck_assert_ptr_null(map_get(m, STR("Key")));
	ck_assert_ptr_null(map_get(m, STR("ke")));
	ck_assert_ptr_eq(map_put(m, STR("key"), &b), &a);
	ck_assert_uint_eq(map_count(m), 1);
	ck_assert_ptr_null(map_put(m, STR(""), &a));
	ck_assert_ptr_null(map_put(m, STR("\0"), &b));
	ck_assert_ptr_eq(map_get(m, (struct str){ NULL, 0 }), &a);
	ck_assert_ptr_eq(map_get(m, STR("\0")), &b);
	ck_assert_ptr_eq(map_del(m, STR("")), &a);
	ck_assert_ptr_null(map_get(m, STR("")));
	ck_assert_ptr_null(map_del(m, STR("")));
	ck_assert_uint_eq(map_count(m), 2);
	map_free(m);
	map_free(NULL);
}
END_TEST

START_TEST(grows)
{
	struct map *m = map_new();
	char room[32];

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		ck_assert_ptr_null(map_put(m, key_of(i, room), &values[i]));
	ck_assert_uint_eq(map_count(m), ARRAY_LEN(values));
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		ck_assert_ptr_eq(map_get(m, key_of(i, room)), &values[i]);
	for (size_t i = 0; i < ARRAY_LEN(values); i += 2)
		ck_assert_ptr_eq(map_del(m, key_of(i, room)), &values[i]);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		ck_assert_ptr_eq(map_get(m, key_of(i, room)),
		    i % 2 ? &values[i] : NULL);
	map_free(m);
}
END_TEST

START_TEST(same_as_an_array)
{
	enum { KEYS = 200 };
	struct map *m = map_new();
	int *model[KEYS] = { NULL };
	char room[32];
	uint32_t x = 12345;
	size_t count = 0;

	for (int step = 0; step < 200000; step++) {
		size_t k;

		x = x * 1664525 + 1013904223;
		k = x >> 8 & 0xffff;
		k %= KEYS;
		if (x >> 31) {
			ck_assert_ptr_eq(map_put(m, key_of(k, room),
			    &values[step % 1000]), model[k]);
			count += model[k] == NULL;
			model[k] = &values[step % 1000];
		} else {
			ck_assert_ptr_eq(map_del(m, key_of(k, room)),
			    model[k]);
			count -= model[k] != NULL;
			model[k] = NULL;
		}
		ck_assert_uint_eq(map_count(m), count);
	}
	for (size_t k = 0; k < KEYS; k++)
		ck_assert_ptr_eq(map_get(m, key_of(k, room)), model[k]);
	map_free(m);
}
END_TEST

START_TEST(visits_while_deleting)
{
	enum { KEYS = 1000 };
	struct map *m = map_new();
	char room[32];
	bool seen[KEYS] = { false };
	size_t at = 0, visits = 0;
	struct str key;
	void *v;

	for (size_t i = 0; i < KEYS; i++)
		map_put(m, key_of(i, room), &values[i]);
	while (map_next(m, &at, &key, &v)) {
		size_t i = (size_t)((int *)v - values);

		ck_str(key, key_of(i, room));
		ck_assert(!seen[i]);
		seen[i] = true;
		visits++;
		if (i % 3 != 0)
			ck_assert_ptr_eq(map_del(m, key_of(i, room)), v);
	}
	ck_assert_uint_eq(visits, KEYS);
	ck_assert_uint_eq(map_count(m), (KEYS + 2) / 3);
	at = visits = 0;
	while (map_next(m, &at, &key, &v))
		visits++;
	ck_assert_uint_eq(visits, map_count(m));
	map_free(m);
}
END_TEST

/* Keys that come and go must not fill the table with marks. */
START_TEST(churns)
{
	struct map *m = map_new();
	char room[32];

	for (size_t i = 1; i < 1000000; i++) {
		map_put(m, key_of(i, room), &values[0]);
		ck_assert_ptr_eq(map_del(m, key_of(i, room)), &values[0]);
	}
	ck_assert_uint_eq(map_count(m), 0);
	ck_assert_ptr_null(map_get(m, STR("nothing")));
	map_free(m);
}
END_TEST

UNIT_MAIN("lib/map", basics, grows, same_as_an_array, visits_while_deleting,
    churns)
