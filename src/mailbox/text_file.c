/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * text_file -- files in which an administrator says where mail goes: aliases,
 * and the members of lists.
 *
 * Whoever can write one can have mail sent on, so that one which everybody can
 * write is not believed.
 */

#include "text_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define PIECE 65536

static const char *
why_not(const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return "it is no plain file";
	if ((st->st_mode & S_IWOTH) != 0)
		return "everybody can write it";
	return NULL;
}

const char *
text_file_open(const char *path, int *fd, struct stat *st)
{
	*fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return *fd < 0 || fstat(*fd, st) < 0 ? strerror(errno) : why_not(st);
}

const char *
text_file_read(int fd, struct buf *text)
{
	for (;;) {
		char *room = buf_room(text, PIECE);
		ssize_t n;

		if (room == NULL)
			return NULL;
		n = read(fd, room, PIECE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return strerror(errno);
		if (n == 0)
			return NULL;
		buf_grew(text, (size_t)n);
	}
}
