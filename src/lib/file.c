/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * file -- files that are read whole.
 *
 * Into the buffer at once: of what may be a secret no copy stays elsewhere.
 */

#include "lib/file.h"

#include <errno.h>

#include "lib/sys.h"

#define PIECE 65536

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
