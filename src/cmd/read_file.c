/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * read_file -- a file that a command is about, in memory, up to the cap of the
 * buffer that it is given.
 */

#include "ctl.h"

#include <errno.h>

bool
ctl_read_file(const char *path, struct buf *text)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	char piece[65536];
	size_t n;
	bool ok;

	if (f == NULL)
		return false;
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(text, str_n(piece, n));
	ok = ferror(f) == 0;
	if (f != stdin)
		(void)fclose(f);
	if (ok && !buf_ok(text)) {
		errno = EFBIG;
		return false;
	}
	return ok;
}
