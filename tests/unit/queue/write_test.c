/* SPDX-License-Identifier: GPL-3.0-or-later */

/* write -- messages of all sizes: what is on disk before and after. */

#include "tmpspool.h"

#include <pthread.h>
#include <sys/wait.h>

static unsigned
files(const struct tmpspool *t, const char *place)
{
	DIR *d = opendir(tmpspool_path(t, place, ""));
	struct dirent *e;
	unsigned n = 0;

	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		n += e->d_name[0] != '.';
	closedir(d);
	return n;
}

START_TEST(every_size)
{
	static const size_t sizes[] = { 0, 1, 5000, 65535, 65536, 65537,
		131072, 200000, 3000001 };
	static const size_t pieces[] = { 1 << 30, 65536, 4096, 999 };
	struct tmpspool t;

	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char *p = tmpspool_lines(sizes[i]);

		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			struct str s = str_n(p, sizes[i]);
			struct queue_file f;
			struct queue_msg *m;
			struct buf b;

			m = queue_begin(t.q, tmpspool_env(&t), false);
			ck_assert_ptr_nonnull(m);
			for (; s.n > 0; s = str_skip(s, pieces[k]))
				ck_assert_int_eq(queue_write(m,
				    str_head(s, pieces[k])), 0);
			ck_assert_uint_eq(queue_size(m), sizes[i]);
			ck_assert(!tmpspool_has(&t, "new", t.env.id));
			ck_assert_int_eq(queue_commit(m), 0);
			ck_assert_uint_eq(files(&t, "tmp"), 0);
			tmpspool_load(&t, QUEUE_NEW, &f);
			ck_assert_uint_eq(f.size, sizes[i]);
			buf_init(&b, 8 << 20);
			tmpspool_slurp(tmpspool_path(&t, "new", t.env.id), &b);
			ck_assert_uint_eq(b.n, (size_t)f.text_at + sizes[i]);
			ck_assert(sizes[i] == 0 ||
			    memcmp(b.p + f.text_at, p, sizes[i]) == 0);
			buf_free(&b);
			queue_unload(&f);
			ck_assert_int_eq(queue_remove(t.q, QUEUE_NEW,
			    t.env.id), 0);
			arena_reset(&t.a);
		}
		free(p);
	}
	tmpspool_end(&t);
}
END_TEST

/* What is there as a whole, in one call; and the beginning of its text. */
START_TEST(at_once)
{
	const struct envelope *e;
	struct queue_file f;
	struct tmpspool t;
	struct buf b;

	tmpspool_begin(&t);
	buf_init(&b, 100);
	e = tmpspool_env(&t);
	ck_assert_int_eq(queue_put(t.q, e, false, STR("A: b\r\n\r\ntext\r\n")), 0);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(queue_read(&f, 6, &b), 0);
	ck_str(buf_str(&b), STR("A: b\r\n"));
	ck_assert_int_eq(queue_read(&f, SIZE_MAX, &b), 0);
	ck_str(buf_str(&b), STR("A: b\r\nA: b\r\n\r\ntext\r\n"));
	queue_unload(&f);
	/* The name is taken: nothing else of it is left. */
	ck_assert_int_eq(queue_put(t.q, e, false, STR("x")), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_uint_eq(files(&t, "tmp"), 0);
	ck_assert_uint_eq(files(&t, "new"), 1);
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

START_TEST(mode_is_private)
{
	struct tmpspool t;
	struct stat st;

	umask(077);
	tmpspool_begin(&t);
	tmpspool_put(&t, STR(TEXT1), false);
	ck_assert_int_eq(stat(tmpspool_path(&t, "new", t.env.id), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	tmpspool_put(&t, STR(TEXT1), true);
	ck_assert(!tmpspool_has(&t, "new", t.env.id));
	ck_assert_int_eq(stat(tmpspool_path(&t, "drop", t.env.id), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	tmpspool_end(&t);
}
END_TEST

START_TEST(many_recipients)
{
	struct envelope_rcpt *r = calloc(30000, sizeof(*r));
	struct queue_file f;
	struct queue_msg *m;
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_env(&t);
	for (size_t i = 0; i < 30000; i++)
		r[i] = (struct envelope_rcpt){ .state = RCPT_QUEUED,
			.path = { STR("someone"), STR("some.example") } };
	t.env.rcpts = r;
	t.env.rcpt_n = 30000;
	m = queue_begin(t.q, &t.env, false);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(queue_write(m, STR(TEXT1)), 0);
	ck_assert_int_eq(queue_commit(m), 0);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_uint_eq(f.env.rcpt_n, 30000);
	ck_assert_int_eq(queue_mark(&f, 29999, RCPT_DONE), 0);
	queue_unload(&f);
	tmpspool_load(&t, QUEUE_NEW, &f);
	ck_assert_int_eq(f.env.rcpts[29999].state, RCPT_DONE);
	ck_assert_int_eq(f.env.rcpts[29998].state, RCPT_QUEUED);
	queue_unload(&f);
	/* The same buffer serves a small one after it. */
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_end(&t);
	free(r);
}
END_TEST

START_TEST(bad_envelope)
{
	struct tmpspool t;

	tmpspool_begin(&t);
	tmpspool_env(&t)->helo = STR("a\nb");
	ck_assert_ptr_null(queue_begin(t.q, &t.env, false));
	ck_assert_int_eq(errno, EINVAL);
	tmpspool_put(&t, STR(TEXT1), false);
	tmpspool_end(&t);
}
END_TEST

START_TEST(abort_leaves_nothing)
{
	struct tmpspool t;
	char *p = tmpspool_lines(200000);

	tmpspool_begin(&t);
	for (size_t n = 0; n <= 200000; n += 100000) {
		struct queue_msg *m = queue_begin(t.q, tmpspool_env(&t), false);

		ck_assert_ptr_nonnull(m);
		ck_assert_int_eq(queue_write(m, str_n(p, n)), 0);
		ck_assert_int_eq(files(&t, "tmp"), n >= 65536);
		/* Who knows the id does not know the name. */
		ck_assert(!tmpspool_has(&t, "tmp", t.env.id));
		queue_abort(m);
		ck_assert_uint_eq(files(&t, "tmp"), 0);
		ck_assert(!tmpspool_has(&t, "new", t.env.id));
	}
	queue_abort(NULL);
	tmpspool_end(&t);
	free(p);
}
END_TEST

/* A name that is taken is never written over. */
START_TEST(names_that_are_taken)
{
	struct tmpspool t;
	char *name;
	struct queue_msg *m;
	struct buf b;

	tmpspool_begin(&t);
	buf_init(&b, 10000);
	tmpspool_env(&t);
	tmpspool_file(tmpspool_path(&t, "new", t.env.id), STR("first"));
	m = queue_begin(t.q, &t.env, false);
	ck_assert_int_eq(queue_write(m, STR(TEXT1)), 0);
	ck_assert_int_eq(queue_commit(m), -1);
	ck_assert_int_eq(errno, EEXIST);
	tmpspool_slurp(tmpspool_path(&t, "new", t.env.id), &b);
	ck_str(buf_str(&b), STR("first"));
	ck_assert_uint_eq(files(&t, "tmp"), 0);
	tmpspool_env(&t);
	name = tmpspool_tmp(&t, "");
	tmpspool_file(tmpspool_path(&t, "tmp", name), STR("other"));
	m = queue_begin(t.q, &t.env, false);
	ck_assert_int_eq(queue_commit(m), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert(tmpspool_has(&t, "tmp", name));
	free(name);
	ck_assert(!tmpspool_has(&t, "new", t.env.id));
	buf_free(&b);
	tmpspool_end(&t);
}
END_TEST

/* Processes that were forked alike write under other names. */
START_TEST(names_are_secret)
{
	struct tmpspool t;
	char *mine, *again;
	int pipes[2];
	char theirs[64];
	ssize_t n;
	pid_t pid;

	tmpspool_begin(&t);
	tmpspool_env(&t);
	mine = tmpspool_tmp(&t, "");
	again = tmpspool_tmp(&t, "");
	ck_assert_str_eq(mine, again);
	ck_assert_uint_eq(strlen(mine), QUEUE_ID_LEN + 1 + 16);
	ck_assert_int_eq(pipe(pipes), 0);
	if ((pid = fork()) == 0) {
		free(again);
		again = tmpspool_tmp(&t, "");
		_exit(write(pipes[1], again, strlen(again) + 1) < 0);
	}
	ck_assert_int_gt(pid, 0);
	n = read(pipes[0], theirs, sizeof(theirs));
	ck_assert_int_eq(n, (ssize_t)strlen(mine) + 1);
	ck_assert_int_eq(strncmp(mine, theirs, QUEUE_ID_LEN), 0);
	ck_assert_str_ne(mine, theirs);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	close(pipes[0]);
	close(pipes[1]);
	free(mine);
	free(again);
	tmpspool_end(&t);
}
END_TEST

static void *
write_many(void *arg)
{
	struct tmpspool *shared = arg, t = *shared;
	intptr_t failed = 0;

	for (int i = 0; i < 50; i++) {
		struct queue_msg *m = queue_begin(t.q, tmpspool_env(&t), false);

		if (m == NULL || queue_write(m, str_c(t.env.id)) < 0 ||
		    queue_commit(m) < 0)
			failed++;
	}
	return (void *)failed;
}

static bool
check_one(void *arg, const char *id, int64_t mtime, uint64_t size)
{
	struct tmpspool *t = arg;
	struct queue_file f;
	char text[QUEUE_ID_SIZE];

	(void)mtime;
	(void)size;
	ck_assert_ptr_nonnull(id);
	memcpy(t->env.id, id, QUEUE_ID_SIZE);
	tmpspool_load(t, QUEUE_NEW, &f);
	ck_assert_int_eq(pread(f.fd, text, 19, f.text_at), 19);
	ck_assert_int_eq(memcmp(text, id, 19), 0);
	queue_unload(&f);
	t->rcpts[0].notify++;
	return true;
}

START_TEST(from_threads)
{
	struct tmpspool t;
	pthread_t threads[4];

	tmpspool_begin(&t);
	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, write_many, &t);
	for (size_t i = 0; i < 4; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
	}
	ck_assert_int_eq(queue_scan(t.q, QUEUE_NEW, check_one, &t), 0);
	ck_assert_uint_eq(t.rcpts[0].notify, 200);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/write", every_size, at_once, mode_is_private, many_recipients, bad_envelope,
    abort_leaves_nothing, names_that_are_taken, names_are_secret, from_threads)
