/* SPDX-License-Identifier: GPL-3.0-or-later */

/* entries -- what is in a directory, one by one. */

#include "lib/entries.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "lib/sys.h"

int
entries_open(struct entries *l, int dir, const char *path)
{
	int e;

	*l = (struct entries){ .fd = sys_openat(dir, path,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0) };
	if (l->fd < 0)
		return -1;
	if ((l->d = fdopendir(l->fd)) != NULL)
		return 0;
	e = errno;
	sys_close(l->fd);
	errno = e;
	return -1;
}

const struct dirent *
entries_next(struct entries *l)
{
	const struct dirent *e;
	int before = errno;

	do {
		errno = 0;
		e = readdir(l->d);
	} while (e != NULL && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	if (e == NULL && errno != 0)
		l->error = errno;
	errno = before;
	return e;
}

int
entries_close(struct entries *l)
{
	int e = l->error != 0 ? l->error : errno;

	closedir(l->d);
	errno = e;
	return l->error != 0 ? -1 : 0;
}
