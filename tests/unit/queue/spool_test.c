/* SPDX-License-Identifier: GPL-3.0-or-later */

/* spool -- opening: what is made, what is refused, the lock, the space. */

#include "tmpspool.h"

#include <sys/wait.h>

static const char *const dirs[] = { "tmp", "new", "cur", "hold", "dead",
	"drop", "bad", "orders" };

static struct queue *
open_again(struct tmpspool *t, unsigned flags, struct buf *error)
{
	buf_reset(error);
	return queue_open(t->dir, flags, geteuid(), getegid(), error);
}

START_TEST(makes_what_is_missing)
{
	struct tmpspool t;
	struct stat st;

	umask(077);
	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		bool drop = strcmp(dirs[i], "drop") == 0 && geteuid() == 0;

		ck_assert_int_eq(lstat(tmpspool_path(&t, dirs[i], ""), &st), 0);
		ck_assert(S_ISDIR(st.st_mode));
		ck_assert_uint_eq(st.st_mode & 07777, drop ? 02730 : 0700);
	}
	ck_assert(str_starts(str_c(queue_drop_path(t.q)), str_c(t.dir)));
	ck_assert(str_ends(str_c(queue_drop_path(t.q)), STR("/drop")));
	tmpspool_end(&t);
}
END_TEST

START_TEST(refuses)
{
	struct tmpspool t;
	struct buf error;
	struct queue *q;

	buf_init(&error, 1000);
	tmpspool_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		char path[256];

		memcpy(path, tmpspool_path(&t, dirs[i], ""), sizeof(path));
		path[strlen(path) - 1] = '\0';
		/* Missing, and not to be made. */
		ck_assert_int_eq(rmdir(path), 0);
		ck_assert_ptr_null(open_again(&t, 0, &error));
		ck_assert(strstr(buf_cstr(&error), dirs[i]) != NULL);
		/* A link, also to a directory that is fine. */
		ck_assert_int_eq(symlink(t.dir, path), 0);
		ck_assert_ptr_null(open_again(&t, QUEUE_CREATE, &error));
		ck_assert_int_eq(unlink(path), 0);
		/* A file. */
		tmpspool_file(path, STR(""));
		ck_assert_ptr_null(open_again(&t, QUEUE_CREATE, &error));
		ck_assert_int_eq(unlink(path), 0);
		/* Others can write it. */
		ck_assert_int_eq(mkdir(path, 0700), 0);
		ck_assert_int_eq(chmod(path, 0702), 0);
		ck_assert_ptr_null(open_again(&t, 0, &error));
		ck_assert_int_eq(errno, EPERM);
		ck_assert(strstr(buf_cstr(&error), "by others") != NULL);
		ck_assert_int_eq(chmod(path, 0700), 0);
		/* It belongs to somebody else. */
		if (geteuid() == 0) {
			ck_assert_int_eq(chown(path, 1234, -1), 0);
			ck_assert_ptr_null(open_again(&t, 0, &error));
			ck_assert_int_eq(chown(path, 0, -1), 0);
		}
		q = open_again(&t, 0, &error);
		ck_assert_ptr_nonnull(q);
		queue_close(q);
	}
	ck_assert_ptr_null(queue_open("/nonexistent/spool", QUEUE_CREATE, 0, 0,
	    &error));
	ck_assert_int_eq(errno, ENOENT);
	tmpspool_end(&t);
	buf_free(&error);
}
END_TEST

START_TEST(root_sets_owners)
{
	struct tmpspool t;
	struct buf error;
	struct stat st;
	char dir[80];

	if (geteuid() != 0)
		return;
	buf_init(&error, 1000);
	tmpspool_begin(&t);
	queue_close(t.q);
	memcpy(dir, t.dir, sizeof(t.dir));
	memcpy(dir + strlen(dir), "/sub", 5);
	t.q = queue_open(dir, QUEUE_CREATE, 1234, 2345, &error);
	ck_assert_msg(t.q != NULL, "%s", buf_cstr(&error));
	ck_assert_int_eq(stat(tmpspool_path(&t, "sub", "drop"), &st), 0);
	ck_assert_uint_eq(st.st_uid, 1234);
	ck_assert_uint_eq(st.st_gid, 2345);
	ck_assert_uint_eq(st.st_mode & 07777, 02730);
	ck_assert_int_eq(stat(tmpspool_path(&t, "sub", "new"), &st), 0);
	ck_assert_uint_eq(st.st_uid, 1234);
	ck_assert_int_eq(stat(tmpspool_path(&t, "sub", ""), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0711);
	tmpspool_end(&t);
	buf_free(&error);
}
END_TEST

/* What sendmail does as a member of the group: it sees drop/ and no more. */
static int
drop_as_user(struct tmpspool *t, const char *dir, gid_t group)
{
	struct buf error;
	struct queue *q;
	struct queue_msg *m;

	if (setregid(group, group) < 0 || setreuid(3456, 3456) < 0)
		return 1;
	umask(077);
	buf_init(&error, 1000);
	q = queue_open(dir, QUEUE_DROP_ONLY, 0, 0, &error);
	if (q == NULL)
		return 2;
	m = queue_begin(q, tmpspool_env(t), true);
	if (m == NULL || queue_write(m, STR(TEXT1)) < 0 ||
	    queue_commit(m) < 0 || queue_space(q, 1000) < 0)
		return 3;
	/* And nothing else. */
	m = queue_begin(q, tmpspool_env(t), false);
	if (queue_commit(m) == 0 || open(dir, O_RDONLY) >= 0)
		return 4;
	queue_close(q);
	buf_free(&error);
	return 0;
}

START_TEST(drop_group)
{
	struct tmpspool t;
	struct buf error;
	struct stat st;
	char dir[80], id[QUEUE_ID_SIZE];
	int status;
	pid_t pid;

	if (geteuid() != 0)
		return;
	buf_init(&error, 1000);
	tmpspool_begin(&t);
	queue_close(t.q);
	ck_assert_int_eq(chmod(t.dir, 0711), 0);
	memcpy(dir, t.dir, sizeof(t.dir));
	memcpy(dir + strlen(dir), "/sub", 5);
	t.q = queue_open(dir, QUEUE_CREATE, 1234, 2345, &error);
	ck_assert_ptr_nonnull(t.q);
	memcpy(id, tmpspool_env(&t)->id, sizeof(id));
	for (int in_group = 0; in_group < 2; in_group++) {
		if ((pid = fork()) == 0)
			_exit(drop_as_user(&t, dir, in_group ? 2345 : 7));
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(WEXITSTATUS(status), in_group ? 0 : 3);
	}
	/* The owner of the spool can read and remove it. */
	if ((pid = fork()) == 0) {
		if (setregid(1234, 1234) < 0 || setreuid(1234, 1234) < 0)
			_exit(1);
		_exit(queue_import(t.q, NULL, NULL) == 1 ? 0 : 2);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(stat(tmpspool_path(&t, "sub/new", ""), &st), 0);
	tmpspool_end(&t);
	buf_free(&error);
}
END_TEST

START_TEST(lock_is_exclusive)
{
	struct tmpspool t;
	struct queue *other;
	struct buf error;
	int status;
	pid_t pid;

	buf_init(&error, 1000);
	tmpspool_begin(&t);
	other = open_again(&t, 0, &error);
	ck_assert_int_eq(queue_lock(t.q), 0);
	ck_assert_int_eq(queue_lock(t.q), 0);
	/* Another process is kept out while this one lives. */
	if ((pid = fork()) == 0)
		_exit(queue_lock(other) < 0 && errno == EWOULDBLOCK ? 0 : 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	/* And a child of ours keeps nobody out: its parent may have been killed. */
	if ((pid = fork()) == 0) {
		pause();
		_exit(0);
	}
	queue_close(t.q);
	pid_t next = fork();
	if (next == 0)
		_exit(queue_lock(other) == 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(next, &status, 0), next);
	ck_assert_int_eq(status, 0);
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(queue_lock(other), 0);
	t.q = other;
	tmpspool_end(&t);
	buf_free(&error);
}
END_TEST

START_TEST(runners_have_locks)
{
	struct tmpspool t;
	struct queue *other;
	struct buf error;
	int status, fds[2];
	pid_t first, next;
	char c;

	buf_init(&error, 1000);
	tmpspool_begin(&t);
	other = open_again(&t, 0, &error);
	ck_assert_int_eq(pipe(fds), 0);
	/* Beside the master's, and beside one another. */
	ck_assert_int_eq(queue_lock(t.q), 0);
	if ((first = fork()) == 0) {
		if (queue_lock_runner(other, 1, false) < 0 ||
		    write(fds[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	if ((next = fork()) == 0)
		_exit(queue_lock_runner(other, 0, false) == 0 ? 0 : 1);
	ck_assert_int_eq(waitpid(next, &status, 0), next);
	ck_assert_int_eq(status, 0);
	/* Not twice; but it can be waited for. */
	if ((next = fork()) == 0) {
		if (queue_lock_runner(other, 1, false) == 0 ||
		    (errno != EWOULDBLOCK && errno != EAGAIN) ||
		    write(fds[1], "y", 1) != 1)
			_exit(1);
		_exit(queue_lock_runner(other, 1, true) == 0 ? 0 : 2);
	}
	ck_assert_int_eq(read(fds[0], &c, 1), 1);
	kill(first, SIGKILL);
	ck_assert_int_eq(waitpid(first, &status, 0), first);
	ck_assert_int_eq(waitpid(next, &status, 0), next);
	ck_assert_int_eq(status, 0);
	close(fds[0]);
	close(fds[1]);
	queue_close(other);
	tmpspool_end(&t);
	buf_free(&error);
}
END_TEST

START_TEST(space)
{
	struct tmpspool t;

	unsetenv("QUEUE_RESERVE");
	tmpspool_begin(&t);
	ck_assert_int_eq(queue_space(t.q, UINT64_MAX), -1);
	ck_assert_int_eq(errno, ENOSPC);
	queue_close(t.q);
	setenv("QUEUE_RESERVE", "1", 1);
	t.q = queue_open(t.dir, 0, geteuid(), getegid(), NULL);
	ck_assert_int_eq(queue_space(t.q, 1), 0);
	ck_assert_int_eq(queue_space(t.q, (uint64_t)1 << 62), -1);
	queue_close(t.q);
	setenv("QUEUE_RESERVE", "9223372036854775807", 1);
	t.q = queue_open(t.dir, 0, geteuid(), getegid(), NULL);
	ck_assert_int_eq(queue_space(t.q, 1), -1);
	tmpspool_end(&t);
}
END_TEST

UNIT_MAIN("queue/spool", makes_what_is_missing, refuses, root_sets_owners,
    drop_group, lock_is_exclusive, runners_have_locks, space)
