/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A file that is replaced, as the one of passwords is, while calls fail and
 * processes die: it is the old one or the new one, whole, and nothing else stays.
 */

#include "lib/file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "enumerate.h"
#include "lib/entries.h"

#define OLD "alice:old\n"
#define NEW "alice:new\nbob:new\n"
#define MODE 0640

static void
path_of(const char *dir, char path[static SCRATCH_SIZE + 8])
{
	(void)snprintf(path, SCRATCH_SIZE + 8, "%s/users", dir);
}

static void
setup(const char *dir)
{
	char path[SCRATCH_SIZE + 8];
	int fd;

	path_of(dir, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	must(fd >= 0 && write(fd, OLD, strlen(OLD)) == (ssize_t)strlen(OLD));
	must(fchmod(fd, MODE) == 0);
	close(fd);
}

static int
run(const char *dir, struct told *told UNUSED)
{
	char path[SCRATCH_SIZE + 8];

	path_of(dir, path);
	return file_replace(path, STR(NEW), MODE, (uid_t)-1, (gid_t)-1);
}

/* True if the file has TEXT, its mode, and stands ALONE. */
static bool
is_there(const char *dir, const char *text, bool alone)
{
	char path[SCRATCH_SIZE + 8], got[100];
	struct entries l;
	struct stat st;
	unsigned n = 0;
	ssize_t r;
	int fd;

	path_of(dir, path);
	fd = open(path, O_RDONLY);
	must(fd >= 0 && fstat(fd, &st) == 0);
	must((st.st_mode & 07777) == MODE);
	r = read(fd, got, sizeof(got));
	close(fd);
	must(entries_open(&l, AT_FDCWD, dir) == 0);
	while (entries_next(&l) != NULL)
		n++;
	must(entries_close(&l) == 0);
	must(n == 1 || !alone);
	return r == (ssize_t)strlen(text) && memcmp(got, text, strlen(text)) == 0;
}

static void
check(const char *dir, const struct told *told, const struct variant *v)
{
	bool is_new = is_there(dir, NEW, is_single(v));

	must(is_new || is_there(dir, OLD, false));
	must(is_new || told->result != 0);
	/* Only the flush of the directory comes behind it. */
	must(!is_new || told->result != -1 || told->sync_failed);
	fault_disarm();
	must(run(dir, NULL) == 0);
	must(is_there(dir, NEW, true));
}

FAULT_TEST(replaced, setup, run, check)

UNIT_MAIN("fault/file", replaced)
