/* SPDX-License-Identifier: GPL-3.0-or-later */

/* cache_test -- what was a yes is one for the same question, for a while, with the same file. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/cache.h"
#include "lib/clock.h"
#include "unit.h"

static struct msg_auth
question(void)
{
	return (struct msg_auth){ .service = STR("pop3"), .mechanism = STR("PLAIN"),
		.user = STR("alice"), .password = STR("barid"), .client = STR("192.0.2.1"),
		.listener = STR("pop3s"), .tls = STR("TLSv1.3") };
}

START_TEST(same_question)
{
	struct cache *c = cache_new(60000);
	unsigned char key[CACHE_KEY_SIZE], other[CACHE_KEY_SIZE];
	struct cache_entry e = { .place = 3, .app = "phone" }, got;
	struct msg_auth m = question();

	ck_assert(cache_key(c, &m, key));
	ck_assert(!cache_get(c, key, &got));
	cache_put(c, key, &e);
	ck_assert(cache_key(c, &m, other));
	ck_assert(cache_get(c, other, &got));
	ck_assert_uint_eq(got.place, 3);
	ck_assert_str_eq(got.app, "phone");
	/* Whatever is different makes it another question. */
	struct str *fields[] = { &m.service, &m.mechanism, &m.user, &m.password, &m.client,
		&m.listener, &m.tls, &m.challenge };
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		m = question();
		*fields[i] = STR("else");
		ck_assert(cache_key(c, &m, other));
		ck_assert(!cache_get(c, other, &got));
	}
	/* Where one part ends and the next begins counts. */
	m = question();
	m.user = STR("alicebar");
	m.password = STR("id");
	ck_assert(cache_key(c, &m, other));
	ck_assert(!cache_get(c, other, &got));
	cache_free(c);
}
END_TEST

START_TEST(other_process)
{
	struct cache *a = cache_new(60000), *b = cache_new(60000);
	unsigned char x[CACHE_KEY_SIZE], y[CACHE_KEY_SIZE];
	struct msg_auth m = question();

	ck_assert(cache_key(a, &m, x) && cache_key(b, &m, y));
	ck_assert_int_ne(memcmp(x, y, sizeof(x)), 0);
	cache_free(a);
	cache_free(b);
}
END_TEST

START_TEST(over)
{
	struct cache *c = cache_new(20), *none = cache_new(0);
	unsigned char key[CACHE_KEY_SIZE];
	struct cache_entry e = { .place = 0 };
	struct msg_auth m = question();
	int64_t end;

	ck_assert(!cache_key(none, &m, key));
	ck_assert(cache_key(c, &m, key));
	end = clock_ms() + 20;
	cache_put(c, key, &e);
	while (clock_ms() <= end)
		usleep(1000);
	ck_assert(!cache_get(c, key, &e));
	cache_free(c);
	cache_free(none);
}
END_TEST

START_TEST(bounded)
{
	struct cache *c = cache_new(60000);
	unsigned char key[CACHE_KEY_SIZE];
	struct cache_entry e = { .place = 0 };
	struct msg_auth m = question();
	char name[20];
	size_t kept = 0;

	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 5000; i++) {
			snprintf(name, sizeof(name), "user%d", i);
			m.user = str_c(name);
			ck_assert(cache_key(c, &m, key));
			if (round == 0)
				cache_put(c, key, &e);
			else
				kept += cache_get(c, key, &e);
		}
	ck_assert_uint_gt(kept, 500);
	ck_assert_uint_le(kept, 1024);
	cache_free(c);
}
END_TEST

START_TEST(files)
{
	char path[] = "/tmp/barid-cache-XXXXXX";
	struct cache_entry e = { .place = 0 };
	struct cache_version v;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	cache_version(&e.version, fd);
	cache_version(&v, fd);
	ck_assert(cache_is_current(&e, &v));
	ck_assert_int_eq(write(fd, "x", 1), 1);
	cache_version(&v, fd);
	ck_assert(!cache_is_current(&e, &v));
	/* What is not there is no version, not even of itself. */
	cache_version(&e.version, -1);
	cache_version(&v, -1);
	ck_assert(!cache_is_current(&e, &v));
	close(fd);
	unlink(path);
}
END_TEST

UNIT_MAIN("auth/cache", same_question, other_process, over, bounded, files)
