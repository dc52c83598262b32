/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * program -- the programs that are installed beside this one.
 *
 * An installation may be moved as a whole, so that the way to its sbin leads
 * over the helpers, which are found by where this program is.
 */

#include "cmd.h"

#include <unistd.h>

#include "lib/proc.h"

const char *
cmd_program(const char *name)
{
	struct buf beside;
	const char *path;

	buf_init(&beside, 4096);
	buf_addf(&beside, "../../sbin/%s", name);
	path = proc_helper(buf_cstr(&beside));
	if (access(path, X_OK) < 0)
		path = proc_helper(name);
	buf_free(&beside);
	return path;
}
