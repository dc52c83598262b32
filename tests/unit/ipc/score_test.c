/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The scoreboard: slots, counts by address, hostile sessions, attachment. */

#include "ipc/score.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

START_TEST(slots)
{
	struct score *s = score_new(3);
	struct score_slot *a, *b, *c;

	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(score_live(s), 0);
	a = score_take(s, 2, 100, "192.0.2.1");
	b = score_take(s, 0, 100, "192.0.2.1");
	c = score_take(s, 1, 0,
	    "a client's name that is longer than the forty-eight octets of its place");
	ck_assert(a && b && c && a != b && b != c && a != c);
	ck_assert_ptr_null(score_take(s, 0, 5, "x"));
	ck_assert_uint_eq(score_live(s), 3);
	ck_assert_uint_eq(score_live_from(s, 100), 2);
	ck_assert_uint_eq(score_live_from(s, 0), 1);
	ck_assert_uint_eq(score_live_from(s, 7), 0);
	ck_assert_int_eq(a->state, SCORE_CONNECT);
	ck_assert_int_eq(a->service, 2);
	ck_assert_str_eq(a->client, "192.0.2.1");
	ck_assert_uint_eq(strlen(c->client), 47);
	score_started(s, a, 1001);
	score_started(s, b, 1002);
	atomic_store(score_pid(s, c), 1003);
	ck_assert_ptr_eq(score_find(s, 1001), a);
	ck_assert_ptr_eq(score_find(s, 1002), b);
	ck_assert_ptr_eq(score_find(s, 1003), c);
	ck_assert_ptr_null(score_find(s, 1004));
	ck_assert_ptr_null(score_find(s, 0));
	score_give(s, b);
	ck_assert_ptr_null(score_find(s, 1002));
	ck_assert_uint_eq(score_live(s), 2);
	ck_assert_uint_eq(score_live_from(s, 100), 1);
	ck_assert_ptr_eq(score_take(s, 0, 100, "x"), b);
	ck_assert_int_eq(b->pid, 0);
	ck_assert_int_eq(b->messages, 0);
	ck_assert_ptr_eq(score_at(s, 2), score_at(s, 0) + 2);
	ck_assert_ptr_null(score_at(s, 3));
	score_free(s);
}
END_TEST

START_TEST(logins)
{
	struct score *s = score_new(2);
	char name[32];

	ck_assert_int_eq(score_since_login(s, STR("alice"), 1000), -1);
	score_logged_in(s, STR("alice"), 1000);
	ck_assert_int_eq(score_since_login(s, STR("ALICE"), 1500), 500);
	ck_assert_int_eq(score_since_login(s, STR("bob"), 1500), -1);
	score_logged_in(s, STR("alice"), 2000);
	ck_assert_int_eq(score_since_login(s, STR("alice"), 2000), 0);
	/* There is room for a number of users; who came last is known. */
	for (int i = 0; i < 20000; i++) {
		(void)!snprintf(name, sizeof(name), "user%d", i);
		score_logged_in(s, str_c(name), 3000 + i);
		ck_assert_int_eq(score_since_login(s, str_c(name), 3000 + i), 0);
	}
	score_free(s);
}
END_TEST

/* Behind a proxy a session says who its client is; elsewhere it cannot. */
START_TEST(spoken_for)
{
	struct score *s = score_new(5);
	struct score_slot *a = score_take(s, 0, 0, "10.9.9.9");
	struct score_slot *b = score_take(s, 0, 0, "10.9.9.9");
	struct score_slot *c = score_take(s, 0, 77, "192.0.2.1");
	struct score_slot copy;

	ck_assert_uint_eq(score_speak_for(s, a, 100, "198.51.100.7"), 0);
	ck_assert_uint_eq(score_speak_for(s, b, 100, "198.51.100.7"), 1);
	score_look_at(s, a, &copy);
	ck_assert_str_eq(copy.client, "198.51.100.7");
	ck_assert_uint_eq(copy.address, 100);
	ck_assert_uint_eq(score_live_from(s, 77), 1);
	(void)score_speak_for(s, c, 100, "198.51.100.7");
	score_look_at(s, c, &copy);
	ck_assert_str_eq(copy.client, "192.0.2.1");
	ck_assert_uint_eq(copy.address, 77);
	score_give(s, b);
	score_give(s, c);
	ck_assert_uint_eq(score_speak_for(s, a, 100, "x"), 0);
	ck_assert_uint_eq(score_live(s), 1);
	score_free(s);
}
END_TEST

/* A session that was taken over writes what it likes into the mapping. */
START_TEST(hostile)
{
	struct score *s = score_new(10), *reader;
	struct score_slot *mine = score_take(s, 0, 1, "a");
	struct score_slot *other = score_take(s, 0, 2, "b"), copy;
	int live = 0;

	score_started(s, mine, 501);
	score_started(s, other, 502);
	memset(score_at(s, 0), 0xff, 10 * sizeof(struct score_slot));
	mine->pid = 1;
	for (size_t i = 0; score_look(s, i, &copy); i++) {
		ck_assert(copy.pid == 0 || copy.pid == 501 || copy.pid == 502);
		live += copy.pid > 0;
		if (copy.pid > 0)
			ck_assert_str_eq(copy.client,
			    copy.pid == 501 ? "a" : "b");
		ck_assert_uint_eq(strlen(copy.user), sizeof(copy.user) - 1);
	}
	ck_assert_int_eq(live, 2);
	score_look_at(s, other, &copy);
	ck_assert_uint_eq(copy.address, 2);
	ck_assert_str_eq(copy.client, "b");
	/* Who is not the master sees what is there, and it ends. */
	reader = score_attach(dup(score_fd(s)));
	ck_assert(score_look(reader, 0, &copy));
	ck_assert_uint_eq(strlen(copy.client), sizeof(copy.client) - 1);
	score_free(reader);
	ck_assert_ptr_eq(score_find(s, 501), mine);
	ck_assert_ptr_eq(score_find(s, 502), other);
	ck_assert_uint_eq(score_live_from(s, 1), 1);
	score_give(s, mine);
	ck_assert_uint_eq(score_live_from(s, 1), 0);
	ck_assert_uint_eq(score_live_from(s, 2), 1);
	ck_assert_uint_eq(score_live(s), 1);
	for (int i = 0; i < 9; i++)
		ck_assert_ptr_nonnull(score_take(s, 0, 3, "c"));
	ck_assert_ptr_null(score_take(s, 0, 3, "c"));
	ck_assert_int_eq(ftruncate(score_fd(s), 0), -1);
	score_free(s);
}
END_TEST

/* Random taking and giving, held against plain counting. */
START_TEST(many)
{
	enum { N = 500, ADDRESSES = 60 };
	static struct score_slot *held[N];
	static uint64_t address[N];
	size_t counts[ADDRESSES] = { 0 }, live = 0;
	struct score *s = score_new(N);
	pid_t pids[N] = { 0 }, next = 2;
	unsigned r = 12345;

	for (int round = 0; round < 40000; round++) {
		size_t i = (r = r * 1103515245 + 12345) / 65536 % N;
		/* Keys that share their low bits, as networks do. */
		uint64_t key = (uint64_t)(r / 7 % ADDRESSES) << 32;

		if (held[i]) {
			ck_assert_ptr_eq(score_find(s, pids[i]), held[i]);
			score_give(s, held[i]);
			held[i] = NULL;
			counts[address[i] >> 32]--;
			live--;
		} else {
			held[i] = score_take(s, 0, key, "x");
			ck_assert_ptr_nonnull(held[i]);
			score_started(s, held[i], pids[i] = next++);
			address[i] = key;
			counts[key >> 32]++;
			live++;
		}
		key = address[i];
		ck_assert_uint_eq(score_live_from(s, key), counts[key >> 32]);
		ck_assert_uint_eq(score_live(s), live);
	}
	score_free(s);
}
END_TEST

START_TEST(attach)
{
	struct score *s = score_new(5), *t, *u;
	struct score_slot copy, *a = score_take(s, 0, 11, "a"), *b;
	int other = memfd_create("other", 0);
	char head[16] = { 0 };

	score_started(s, a, 77);
	b = score_take(s, 0, 12, "b");
	score_started(s, b, 78);
	score_add(s, COUNT_DELIVERED, 3);
	t = score_attach(dup(score_fd(s)));
	ck_assert_ptr_nonnull(t);
	ck_assert_uint_eq(score_get(t, COUNT_DELIVERED), 3);
	ck_assert_uint_eq(score_live(t), 2);
	ck_assert_uint_eq(score_live_from(t, 12), 1);
	ck_assert_int_eq(score_at(t, 0)->pid, a->pid);
	ck_assert(score_look(t, 0, &copy));
	ck_assert_int_eq(copy.pid, a->pid);
	ck_assert_str_eq(copy.client, a->client);
	/* Those that were never taken are not looked at: they have no memory yet. */
	ck_assert(score_look(t, 1, &copy) && score_look(s, 1, &copy));
	ck_assert(!score_look(t, 2, &copy) && !score_look(s, 2, &copy));
	ck_assert_uint_eq(score_slots(t), 5);
	score_add(t, COUNT_RUNNER_ACTIVE, 2);
	score_add(t, COUNT_RUNNER_ACTIVE, -1);
	ck_assert_uint_eq(score_get(s, COUNT_RUNNER_ACTIVE), 1);

	/* With the book: finds what was taken, and takes no slot twice. */
	u = score_attach(dup(score_fd(s)));
	ck_assert_int_eq(score_attach_book(u, -1), -1);
	ck_assert_int_eq(score_attach_book(u, other), -1);
	ck_assert_int_eq(score_attach_book(u, dup(score_book_fd(s))), 0);
	ck_assert_ptr_nonnull(score_find(u, 78));
	score_give(u, score_find(u, 78));
	ck_assert_uint_eq(score_live(u), 1);
	ck_assert_uint_eq(score_live(s), 1);
	ck_assert_ptr_null(score_find(s, 78));
	ck_assert_int_eq(b->pid, 0);
	for (int i = 0; i < 4; i++)
		ck_assert_ptr_ne(score_take(u, 0, 1, "x"), score_find(u, 77));
	ck_assert_ptr_null(score_take(s, 0, 1, "x"));
	ck_assert_uint_eq(score_live_from(s, 1), 4);
	ck_assert_int_eq(ftruncate(score_book_fd(s), 0), -1);

	ck_assert_ptr_null(score_attach(-1));
	ck_assert_ptr_null(score_attach(other));
	ck_assert_int_eq(write(other, head, sizeof(head)), (ssize_t)sizeof(head));
	ck_assert_ptr_null(score_attach(other));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(score_new(0));
	ck_assert_ptr_null(score_new((size_t)-1));
	score_free(s);
	score_free(t);
	score_free(u);
	score_free(NULL);
	close(other);
}
END_TEST

/* Each runner counts for itself; one that was killed leaves nothing. */
START_TEST(cells)
{
	struct score *s = score_new(1), *first, *last;

	first = score_attach(dup(score_fd(s)));
	last = score_attach(dup(score_fd(s)));
	score_own(first, 0);
	score_own(last, SCORE_CELLS - 1);
	score_add(first, COUNT_RUNNER_QUEUED, 5);
	score_add(first, COUNT_RUNNER_ACTIVE, 2);
	score_add(last, COUNT_RUNNER_QUEUED, 30);
	score_add(last, COUNT_RUNNER_QUEUED, -1);
	score_add(last, COUNT_DELIVERED, 1);
	ck_assert_uint_eq(score_get(s, COUNT_RUNNER_QUEUED), 34);
	ck_assert_uint_eq(score_get(s, COUNT_RUNNER_ACTIVE), 2);
	/* The last is killed; another begins in its place. */
	score_clear(s, SCORE_CELLS - 1);
	ck_assert_uint_eq(score_get(s, COUNT_RUNNER_QUEUED), 5);
	score_free(last);
	last = score_attach(dup(score_fd(s)));
	score_own(last, SCORE_CELLS - 1);
	score_add(last, COUNT_RUNNER_QUEUED, 3);
	ck_assert_uint_eq(score_get(first, COUNT_RUNNER_QUEUED), 8);
	/* The first is, and nobody has seen it. */
	score_free(first);
	first = score_attach(dup(score_fd(s)));
	score_own(first, 0);
	ck_assert_uint_eq(score_get(s, COUNT_RUNNER_QUEUED), 3);
	ck_assert_uint_eq(score_get(s, COUNT_RUNNER_ACTIVE), 0);
	ck_assert_uint_eq(score_get(s, COUNT_DELIVERED), 1);
	score_free(first);
	score_free(last);
	score_free(s);
}
END_TEST

/* Who takes and ends before the fork leaves nothing behind. */
START_TEST(forgotten)
{
	struct score *s = score_new(4), *u = score_attach(dup(score_fd(s)));
	struct score_slot *mine = score_take(s, 0, 1, "a");
	pid_t pid;

	ck_assert_int_eq(score_attach_book(u, dup(score_book_fd(s))), 0);
	pid = fork();
	if (pid == 0) {
		/* Without this it would take in our name. */
		struct score *own = score_attach(dup(score_fd(s)));

		if (score_attach_book(own, dup(score_book_fd(s))) < 0 ||
		    !score_take(own, 0, 2, "b"))
			_exit(1);
		score_started(own, score_take(own, 0, 3, "c"), 4711);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_uint_eq(score_live(s), 3);
	score_forget(s, pid);
	ck_assert_uint_eq(score_live(s), 2);
	ck_assert_uint_eq(score_live_from(s, 2), 0);
	ck_assert_uint_eq(score_live_from(u, 3), 1);
	ck_assert_ptr_nonnull(score_find(s, 4711));
	score_forget(s, 4711);
	ck_assert_uint_eq(score_live(u), 2);
	score_give(s, mine);
	score_free(u);
	score_free(s);
}
END_TEST

/* Who answers for the master sees what the book has, and cannot change it for others. */
START_TEST(only_looks)
{
	struct score *s = score_new(4);
	struct score_slot *a = score_take(s, 0, 1, "a"), copy;
	int status, fd = score_book_fd(s);
	char line[512];
	pid_t pid;

	score_started(s, a, 4711);
	a->pid = 1;
	pid = fork();
	if (pid == 0) {
		FILE *maps = fopen("/proc/self/maps", "r");
		bool shared = false;

		score_only_look(s);
		while (fgets(line, sizeof(line), maps) != NULL)
			shared = shared || (strstr(line, "barid-book") && strstr(line, "s "));
		_exit(shared || fcntl(fd, F_GETFD) >= 0		  ? 1 :
			score_live(s) != 1 || !score_look(s, 0, &copy) ? 2 :
			copy.pid != 4711				  ? 3 :
									    0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	score_give(s, a);
	ck_assert_uint_eq(score_live(s), 0);
	score_free(s);
}
END_TEST

/* Who says that it has ended counts until that is so. */
START_TEST(ended)
{
	struct score *s = score_new(4);
	struct score_slot *a = score_take(s, 0, 1, "a"), *b = score_take(s, 0, 1, "b");

	/* Nobody is in it yet. */
	atomic_store(&b->state, SCORE_ENDED);
	ck_assert(!score_any_ended(s));
	score_started(s, a, 100);
	ck_assert(!score_any_ended(s));
	score_started(s, b, 101);
	ck_assert(score_any_ended(s));
	ck_assert_uint_eq(score_live(s), 2);
	ck_assert_uint_eq(score_live_from(s, 1), 2);
	ck_assert_uint_eq(score_speak_for(s, a, 1, "a"), 0);
	ck_assert_str_eq(score_state_name(b->state), "ended");
	score_give(s, b);
	ck_assert(!score_any_ended(s));
	score_give(s, a);
	score_free(s);
}
END_TEST

/* Two that take at once never get the same. */
START_TEST(at_once)
{
	enum { N = 400, ROUNDS = 300 };
	struct score *s = score_new(N);
	int book = score_book_fd(s);
	pid_t pids[3];

	for (size_t p = 0; p < ARRAY_LEN(pids); p++) {
		pids[p] = fork();
		if (pids[p] != 0)
			continue;
		struct score *own = score_attach(dup(score_fd(s)));
		if (score_attach_book(own, dup(book)) < 0)
			_exit(1);
		for (pid_t round = 1; round <= ROUNDS; round++) {
			struct score_slot *slot = score_take(own, 0, p + 1, "x");
			pid_t name = (pid_t)(p + 1) * 100000 + round;

			if (!slot)
				_exit(2);
			score_started(own, slot, name);
			if (score_find(own, name) != slot || slot->pid != name)
				_exit(3);
			if (round % 3 != 0)
				score_give(own, slot);
		}
		_exit(0);
	}
	for (size_t p = 0; p < ARRAY_LEN(pids); p++) {
		int status;

		ck_assert_int_eq(waitpid(pids[p], &status, 0), pids[p]);
		ck_assert_int_eq(status, 0);
		ck_assert_uint_eq(score_live_from(s, p + 1), ROUNDS / 3);
	}
	ck_assert_uint_eq(score_live(s), ARRAY_LEN(pids) * ROUNDS / 3);
	score_free(s);
}
END_TEST

START_TEST(across_fork)
{
	struct score *s = score_new(2);
	struct score_slot *a = score_take(s, 0, 1, "a");
	pid_t pid = fork();

	if (pid == 0) {
		a->state = SCORE_DATA;
		a->messages++;
		score_add(s, COUNT_MESSAGES_IN, 1);
		_exit(0);
	}
	score_started(s, a, pid);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert_int_eq(a->state, SCORE_DATA);
	ck_assert_int_eq(a->messages, 1);
	ck_assert_uint_eq(score_get(s, COUNT_MESSAGES_IN), 1);
	score_free(s);
}
END_TEST

START_TEST(names)
{
	for (int i = 0; i < COUNT_N; i++) {
		ck_assert_str_ne(score_counter_name((enum score_counter)i), "unknown");
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(score_counter_name((enum score_counter)i),
			    score_counter_name((enum score_counter)j));
	}
	for (int i = SCORE_FREE; i <= SCORE_UPDATE; i++)
		ck_assert_str_ne(score_state_name(i), "unknown");
	ck_assert_str_eq(score_state_name(-1), "unknown");
	ck_assert_str_eq(score_state_name(1000), "unknown");
	ck_assert_str_eq(score_counter_name(COUNT_N), "unknown");
}
END_TEST

UNIT_MAIN("score", slots, logins, spoken_for, hostile, many, attach, cells, forgotten, only_looks,
    ended, at_once, across_fork, names)
