/* SPDX-License-Identifier: GPL-3.0-or-later */

/* sys -- the calls of the spool on a real file system, and their errors. */

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "child.h"
#include "lib/sys.h"
#include "scratch.h"

struct place {
	char name[SCRATCH_SIZE];
	int dir;
};

static void
place_open(struct place *p)
{
	scratch_begin(p->name);
	p->dir = scratch_open(p->name);
}

static void
place_close(struct place *p)
{
	ck_assert_int_eq(sys_close(p->dir), 0);
	ck_assert_int_eq(rmdir(p->name), 0);
}

static int
make(const struct place *p, const char *name, const char *text)
{
	int fd = sys_openat(p->dir, name, O_RDWR | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sys_write_all(fd, text, strlen(text)), 0);
	return fd;
}

static off_t
size_of(int fd)
{
	struct stat st;

	ck_assert_int_eq(sys_fstat(fd, &st), 0);
	return st.st_size;
}

START_TEST(files)
{
	struct timespec times[2] = { { 1000, 0 }, { 2000, 5 } };
	struct place p;
	struct stat st;
	char text[8] = "";
	int fd;

	place_open(&p);
	fd = make(&p, "a", "hello");
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(sys_pread(fd, text, 3, 1), 3);
	ck_assert_str_eq(text, "ell");
	ck_assert_int_eq(sys_pwrite_all(fd, "J", 1, 0), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	ck_assert_int_eq(sys_read(fd, text, sizeof(text)), 5);
	ck_assert_mem_eq(text, "Jello", 5);
	ck_assert_int_eq(sys_read(fd, text, sizeof(text)), 0);
	ck_assert_int_eq(sys_fsync(fd), 0);
	ck_assert_int_eq(sys_fdatasync(fd), 0);
	ck_assert_int_eq(sys_fsync(p.dir), 0);
	ck_assert_int_eq(sys_syncfs(p.dir), 0);
	ck_assert_int_eq(sys_ftruncate(fd, 2), 0);
	ck_assert_int_eq(sys_futimens(fd, times), 0);
	ck_assert_int_eq(sys_fstatat(p.dir, "a", &st), 0);
	ck_assert_int_eq(st.st_size, 2);
	ck_assert_int_eq(st.st_mtim.tv_sec, 2000);
	ck_assert_int_eq(sys_close(fd), 0);
	ck_assert_int_eq(sys_unlinkat(p.dir, "a"), 0);
	place_close(&p);
}
END_TEST

START_TEST(names)
{
	struct place p;
	struct stat st;

	place_open(&p);
	sys_close(make(&p, "a", "aaa"));
	sys_close(make(&p, "b", "b"));
	ck_assert_int_eq(sys_rename_new(p.dir, "a", p.dir, "b"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(sys_linkat(p.dir, "a", p.dir, "b"), -1);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(sys_rename_new(p.dir, "a", p.dir, "c"), 0);
	ck_assert_int_eq(sys_fstatat(p.dir, "a", &st), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(sys_linkat(p.dir, "c", p.dir, "d"), 0);
	ck_assert_int_eq(sys_fstatat(p.dir, "d", &st), 0);
	ck_assert_int_eq(st.st_nlink, 2);
	ck_assert_int_eq(sys_renameat(p.dir, "c", p.dir, "b"), 0);
	ck_assert_int_eq(sys_fstatat(p.dir, "b", &st), 0);
	ck_assert_int_eq(st.st_size, 3);
	ck_assert_int_eq(sys_mkdirat(p.dir, "sub", 0700), 0);
	ck_assert_int_eq(sys_mkdirat(p.dir, "sub", 0700), -1);
	ck_assert_int_eq(errno, EEXIST);
	/* A name is removed, never what is behind a link. */
	ck_assert_int_eq(symlinkat("b", p.dir, "link"), 0);
	ck_assert_int_eq(sys_fstatat(p.dir, "link", &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(sys_unlinkat(p.dir, "link"), 0);
	ck_assert_int_eq(sys_unlinkat(p.dir, "sub"), -1);
	ck_assert_int_eq(sys_unlinkat(p.dir, "b"), 0);
	ck_assert_int_eq(sys_unlinkat(p.dir, "d"), 0);
	ck_assert_int_eq(sys_unlinkat(p.dir, "d"), -1);
	ck_assert_int_eq(errno, ENOENT);
	ck_assert_int_eq(unlinkat(p.dir, "sub", AT_REMOVEDIR), 0);
	place_close(&p);
}
END_TEST

START_TEST(many_parts)
{
	enum { PARTS = 3000 };
	static struct iovec iov[PARTS];
	static char text[PARTS];
	struct place p;
	char c;
	int fd;

	place_open(&p);
	fd = make(&p, "a", "");
	for (size_t i = 0; i < PARTS; i++) {
		text[i] = (char)('a' + i % 26);
		iov[i].iov_base = text + i;
		/* Empty ones among them, also at the end. */
		iov[i].iov_len = i % 3 == 2 ? 0 : 1;
	}
	ck_assert_int_eq(sys_writev_all(fd, iov, PARTS), 0);
	ck_assert_int_eq(size_of(fd), PARTS / 3 * 2);
	for (off_t i = 0; i < PARTS / 3 * 2; i++) {
		ck_assert_int_eq(sys_pread(fd, &c, 1, i), 1);
		ck_assert_int_eq(c, text[i / 2 * 3 + i % 2]);
	}
	ck_assert_int_eq(sys_writev_all(fd, iov, 0), 0);
	ck_assert_int_eq(sys_write_all(fd, "", 0), 0);
	ck_assert_int_eq(sys_pwrite_all(fd, "", 0, 0), 0);
	sys_close(fd);
	ck_assert_int_eq(sys_unlinkat(p.dir, "a"), 0);
	place_close(&p);
}
END_TEST

START_TEST(copies_a_range)
{
	struct place p;
	char text[16] = "";
	off_t at = 2;
	int from, to;

	place_open(&p);
	from = make(&p, "a", "0123456789");
	to = make(&p, "b", ">");
	ck_assert_int_eq(sys_copy_range(from, &at, to, 5), 5);
	ck_assert_int_eq(at, 7);
	ck_assert_int_eq(lseek(from, 0, SEEK_SET), 0);
	ck_assert_int_eq(sys_copy_range(from, NULL, to, 3), 3);
	ck_assert_int_eq(sys_pread(to, text, 15, 0), 9);
	ck_assert_str_eq(text, ">23456012");
	sys_close(from);
	sys_close(to);
	ck_assert_int_eq(sys_unlinkat(p.dir, "a"), 0);
	ck_assert_int_eq(sys_unlinkat(p.dir, "b"), 0);
	place_close(&p);
}
END_TEST

START_TEST(bad_descriptor)
{
	char c = 'x';
	struct iovec iov = { &c, 1 };
	struct stat st;
	off_t at = 0;

	errno = 0;
	ck_assert_int_eq(sys_close(-1), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(sys_read(-1, &c, 1), -1);
	ck_assert_int_eq(sys_pread(-1, &c, 1, 0), -1);
	ck_assert_int_eq(sys_write_all(-1, &c, 1), -1);
	ck_assert_int_eq(sys_writev_all(-1, &iov, 1), -1);
	ck_assert_int_eq(sys_pwrite_all(-1, &c, 1, 0), -1);
	ck_assert_int_eq(sys_fsync(-1), -1);
	ck_assert_int_eq(sys_syncfs(-1), -1);
	ck_assert_int_eq(sys_fdatasync(-1), -1);
	ck_assert_int_eq(sys_ftruncate(-1, 0), -1);
	ck_assert_int_eq(sys_sync_range(-1, true), -1);
	ck_assert_int_eq(sys_flock(-1), -1);
	ck_assert_int_eq(sys_lock(-1, F_RDLCK), -1);
	ck_assert_int_eq(sys_fstat(-1, &st), -1);
	ck_assert_int_eq(sys_futimens(-1, NULL), -1);
	ck_assert_int_eq(sys_copy_range(-1, &at, -1, 1), -1);
	ck_assert_int_eq(sys_openat(-1, "x", O_RDONLY, 0), -1);
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(sys_openat(AT_FDCWD, "/nonexistent/x", O_RDONLY, 0),
	    -1);
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

/* Each is of the open file, and knows nothing of the other. */
START_TEST(locks)
{
	struct place p;
	int a, b, c;

	place_open(&p);
	a = make(&p, "a", "a");
	b = sys_openat(p.dir, "a", O_RDWR, 0);
	ck_assert_int_eq(sys_flock(a), 0);
	ck_assert_int_eq(sys_flock(b), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(sys_lock(b, F_RDLCK), 0);
	ck_assert_int_eq(sys_lock(a, F_RDLCK), 0);
	ck_assert_int_eq(sys_lock(a, F_WRLCK), -1);
	ck_assert_int_eq(errno, EAGAIN);
	c = dup(b);
	sys_close(b);
	ck_assert_int_eq(sys_lock(a, F_WRLCK), -1);
	sys_close(c);
	ck_assert_int_eq(sys_lock(a, F_WRLCK), 0);
	ck_assert_int_eq(sys_sync_range(a, false), 0);
	ck_assert_int_eq(sys_sync_range(a, true), 0);
	sys_close(a);
	ck_assert_int_eq(sys_unlinkat(p.dir, "a"), 0);
	place_close(&p);
}
END_TEST

START_TEST(full_disk)
{
	int fd = sys_openat(AT_FDCWD, "/dev/full", O_WRONLY, 0);
	struct iovec iov[2];
	char text[4] = "abc";

	iov[0] = (struct iovec){ text, 2 };
	iov[1] = (struct iovec){ text, 2 };
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(sys_write_all(fd, text, 3), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(sys_pwrite_all(fd, text, 3, 0), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_int_eq(sys_writev_all(fd, iov, 2), -1);
	ck_assert_int_eq(errno, ENOSPC);
	sys_close(fd);
}
END_TEST

/* A write that is cut short is continued, and then the error shows. */
static void
write_past_a_limit(void)
{
	const struct rlimit limit = { 5000, 5000 };
	static char text[3000];
	struct iovec iov[3];
	struct place p;
	int fd;

	place_open(&p);
	fd = make(&p, "a", "");
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 3; i++)
		iov[i] = (struct iovec){ text, sizeof(text) };
	ck_assert_int_eq(sys_writev_all(fd, iov, 3), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(size_of(fd), 5000);
	ck_assert_int_eq(sys_ftruncate(fd, 0), 0);
	ck_assert_int_eq(sys_pwrite_all(fd, text, 3000, 3000), -1);
	ck_assert_int_eq(errno, EFBIG);
	ck_assert_int_eq(size_of(fd), 5000);
	ck_assert_int_eq(sys_unlinkat(p.dir, "a"), 0);
	place_close(&p);
	_exit(7);
}

START_TEST(short_write)
{
	ck_assert_int_eq(child_run(write_past_a_limit, -1), 7);
}
END_TEST

static void
ignore(int signo)
{
	(void)signo;
}

/* A pipe that the other side fills and empties between its signals. */
START_TEST(interrupted)
{
	struct sigaction sa;
	static char text[300000];
	size_t got = 0;
	int to[2], from[2], status;
	pid_t pid;
	char c;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = ignore;
	sigaction(SIGUSR1, &sa, NULL);
	ck_assert_int_eq(pipe(to), 0);
	ck_assert_int_eq(pipe(from), 0);
	pid = fork();
	if (pid == 0) {
		close(to[1]);
		for (int i = 0; i < 200; i++)
			kill(getppid(), SIGUSR1);
		if (write(from[1], "x", 1) != 1)
			_exit(1);
		for (ssize_t n = 1; n > 0 && got < sizeof(text);) {
			n = read(to[0], text, 3000);
			kill(getppid(), SIGUSR1);
			got += n > 0 ? (size_t)n : 0;
		}
		_exit(got == sizeof(text) ? 0 : 2);
	}
	close(to[0]);
	ck_assert_int_eq(sys_read(from[0], &c, 1), 1);
	ck_assert_int_eq(sys_write_all(to[1], text, sizeof(text)), 0);
	while (waitpid(pid, &status, 0) < 0)
		ck_assert_int_eq(errno, EINTR);
	ck_assert_int_eq(status, 0);
	close(to[1]);
	close(from[0]);
	close(from[1]);
}
END_TEST

UNIT_MAIN("lib/sys_real", files, names, many_parts, copies_a_range,
    bad_descriptor, locks, full_disk, short_write, interrupted)
