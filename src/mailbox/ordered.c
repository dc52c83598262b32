/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * ordered -- on which file systems one sync stands for all that came before.
 *
 * A journal for the whole file system that is written in order has, when it has
 * the last change, all earlier ones as well: that is so with ext4, where it has a
 * journal, and with XFS.  btrfs logs the file that is synced and not the others.
 * What is not known for certain is none: then each file has a sync of its own,
 * which is slower and right everywhere.
 */

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "lib/sys.h"
#include "mailbox.h"

#define NAME_MAX_OCTETS 256

/* The first octet of the file at PATH; '\0': it cannot be read. */
static char
first_octet(const char *path)
{
	int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
	char c = '\0';

	if (fd < 0)
		return '\0';
	if (sys_read(fd, &c, 1) != 1)
		c = '\0';
	sys_close(fd);
	return c;
}

/* What the kernel says of the ext4 on DEV: the process of its journal, or "<none>". */
static bool
has_journal(dev_t dev)
{
	char link[NAME_MAX_OCTETS];
	struct buf path;
	ssize_t n;
	char c = '\0';

	buf_init(&path, 2 * NAME_MAX_OCTETS);
	buf_addf(&path, "/sys/dev/block/%u:%u", major(dev), minor(dev));
	n = readlink(buf_cstr(&path), link, sizeof(link));
	if (n > 0 && n < (ssize_t)sizeof(link)) {
		struct str name = str_n(link, (size_t)n);

		buf_reset(&path);
		buf_adds(&path, "/sys/fs/ext4/");
		buf_add(&path, str_skip(name, (size_t)(str_rfind(name, '/') + 1)));
		buf_adds(&path, "/journal_task");
		c = first_octet(buf_cstr(&path));
	}
	buf_free(&path);
	return c >= '0' && c <= '9';
}

dev_t
maildir_journal(int base)
{
	struct statfs fs;
	struct stat st;

	if (fstatfs(base, &fs) < 0 || sys_fstat(base, &st) < 0)
		return 0;
	if (fs.f_type == XFS_SUPER_MAGIC ||
	    (fs.f_type == EXT4_SUPER_MAGIC && has_journal(st.st_dev)))
		return st.st_dev;
	return 0;
}
