/* SPDX-License-Identifier: GPL-3.0-or-later */

/* id -- queue ids: their form, their order, and that none comes twice. */

#include "tmpspool.h"

#include <pthread.h>
#include <sys/wait.h>

#include "queue/id.h"

#define MANY 5000

START_TEST(form_and_order)
{
	char last[QUEUE_ID_SIZE] = "", id[QUEUE_ID_SIZE];

	for (int i = 0; i < MANY; i++) {
		queue_id_new(id);
		ck_assert(queue_id_valid(str_c(id)));
		ck_assert_int_lt(strcmp(last, id), 0);
		memcpy(last, id, sizeof(last));
	}
}
END_TEST

START_TEST(time_part_is_the_time)
{
	char id[QUEUE_ID_SIZE];
	int64_t before = clock_wall_us(), got;

	queue_id_new(id);
	id[13] = '\0';
	got = strtoll(id, NULL, 16);
	ck_assert_int_ge(got, before);
	ck_assert_int_lt(got, before + 60000000);
}
END_TEST

START_TEST(child_has_its_own)
{
	char mine[QUEUE_ID_SIZE], other[QUEUE_ID_SIZE] = "";
	int p[2], status;
	pid_t pid;

	queue_id_new(mine);
	ck_assert_int_eq(pipe(p), 0);
	if ((pid = fork()) == 0) {
		queue_id_new(other);
		_exit(write(p[1], other, sizeof(other)) != sizeof(other));
	}
	ck_assert_int_eq(read(p[0], other, sizeof(other)), sizeof(other));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	queue_id_new(mine);
	ck_assert_str_ne(mine + 13, other + 13);
	close(p[0]);
	close(p[1]);
}
END_TEST

static char drawn[4][MANY][QUEUE_ID_SIZE];

static void *
draw(void *arg)
{
	char (*to)[QUEUE_ID_SIZE] = arg;

	for (int i = 0; i < MANY; i++)
		queue_id_new(to[i]);
	return NULL;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

START_TEST(threads_share_no_id)
{
	pthread_t t[4];
	char (*all)[QUEUE_ID_SIZE] = drawn[0];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, draw, drawn[i]),
		    0);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	qsort(all, (size_t)4 * MANY, QUEUE_ID_SIZE, by_name);
	for (int i = 1; i < 4 * MANY; i++)
		ck_assert_str_ne(all[i - 1], all[i]);
}
END_TEST

START_TEST(valid)
{
	static const struct {
		const char *id;
		bool valid;
	} rows[] = {
		{ "0123456789ABCDEF012", true },
		{ "0000000000000000000", true },
		{ "", false },
		{ "0123456789ABCDEF01", false },
		{ "0123456789ABCDEF0123", false },
		{ "0123456789abcdef012", false },
		{ "0123456789ABCDEF01G", false },
		{ "../3456789ABCDEF012", false },
		{ "0123456789ABCDEF01/", false },
		{ "0123456789ABCDEF01\n", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(queue_id_valid(str_c(rows[i].id)) ==
		    rows[i].valid, "%s", rows[i].id);
	ck_assert(!queue_id_valid(str_n("0123456789ABCDEF\0" "12", 19)));
}
END_TEST

START_TEST(numbers)
{
	char id[QUEUE_ID_SIZE], again[QUEUE_ID_SIZE];
	struct queue_number a = queue_number(STR("0000000000001FFFFFE")), b;

	ck_assert_uint_eq(a.time, 1);
	ck_assert_uint_eq(a.process, 0xfffffe);
	queue_id_new(id);
	b = queue_number(str_c(id));
	ck_assert(queue_number_eq(b, b) && !queue_number_eq(a, b));
	queue_number_id(b, again);
	ck_assert_str_eq(id, again);
	b.process ^= 1;
	ck_assert(!queue_number_eq(b, queue_number(str_c(id))));
	ck_assert_uint_ne(queue_number_hash(b), queue_number_hash(queue_number(str_c(id))));
}
END_TEST

UNIT_MAIN("queue/id", form_and_order, time_part_is_the_time, child_has_its_own,
    threads_share_no_id, valid, numbers)
