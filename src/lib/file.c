/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * file -- files that are read and replaced whole.
 *
 * Into the buffer at once: of what may be a secret no copy stays elsewhere.
 */

#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/sys.h"

#define PIECE 65536
#define PATH_OCTETS 4352

int
file_read(int fd, struct buf *b)
{
	ssize_t n = 1;

	while (n > 0) {
		size_t left = b->max - b->n;
		/* One octet more than there is room for is looked for, too. */
		size_t want = left < PIECE ? left : PIECE;
		char *room = want > 0 ? buf_room(b, want) : NULL;
		char over;

		if (want == 0) {
			n = sys_pread(fd, &over, 1, (off_t)b->n);
			if (n > 0)
				errno = EFBIG;
			return n == 0 ? 0 : -1;
		}
		if (room == NULL) {
			errno = EFBIG;
			return -1;
		}
		n = sys_pread(fd, room, want, (off_t)b->n);
		if (n > 0)
			buf_grew(b, (size_t)n);
	}
	return n < 0 ? -1 : 0;
}

/* The directory in which PATH stands. */
static int
open_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char room[PATH_OCTETS];
	struct buf b;

	if (slash == NULL)
		return sys_openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	buf_init_in(&b, room, sizeof(room));
	buf_add(&b, str_n(path, (size_t)(slash - path) + 1));
	if (!buf_ok(&b)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return sys_openat(AT_FDCWD, buf_cstr(&b), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
}

static int
write_new(int dir, const char *name, struct str content, mode_t mode, uid_t owner, gid_t group)
{
	int fd, r, e;

	/* One of a process that died. */
	(void)!sys_unlinkat(dir, name);
	fd = sys_openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	r = geteuid() == 0 ? fchown(fd, owner, group) : 0;
	if (r == 0)
		r = fchmod(fd, mode & 07777);
	if (r == 0)
		r = sys_write_all(fd, content.p, content.n);
	if (r == 0)
		r = sys_fsync(fd);
	e = errno;
	sys_close(fd);
	errno = e;
	return r;
}

int
file_replace(const char *path, struct str content, mode_t mode, uid_t owner, gid_t group)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	int dir = open_dir_of(path), r, e;
	char room[NAME_MAX + 1];
	struct buf b;

	if (dir < 0)
		return -1;
	buf_init_in(&b, room, sizeof(room));
	buf_addf(&b, ".%s.barid", name);
	errno = ENAMETOOLONG;
	r = buf_ok(&b) ? write_new(dir, buf_cstr(&b), content, mode, owner, group) : -1;
	if (r == 0)
		r = sys_renameat(dir, buf_cstr(&b), dir, name);
	e = errno;
	if (r < 0 && buf_ok(&b))
		(void)!sys_unlinkat(dir, buf_cstr(&b));
	errno = e;
	if (r == 0)
		r = sys_fsync(dir);
	e = errno;
	sys_close(dir);
	errno = e;
	return r;
}
