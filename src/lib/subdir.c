/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * subdir -- a directory of ours within another.
 *
 * Who makes it may be root, and who uses it is not: so it changes its owner
 * before anybody opens it, and only if it is new.
 */

#include "lib/subdir.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/sys.h"

/* False: it was made and cannot be given to OWNER. */
static bool
make_in(int base, const char *name, uid_t owner)
{
	return sys_mkdirat(base, name, 0700) < 0 || geteuid() != 0 ||
	    fchownat(base, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW) == 0;
}

int
subdir_open(const char *base, const char *name, bool make, uid_t owner)
{
	int root = sys_openat(AT_FDCWD, base, O_RDONLY | O_DIRECTORY, 0), dir = -1, e;

	if (root < 0)
		return -1;
	if (!make || make_in(root, name, owner))
		dir = sys_openat(root, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	e = errno;
	sys_close(root);
	errno = e;
	return dir;
}

/*
 * An ext4 makes a directory beside its parent, and a file beside its directory.  So
 * new files would be looked for among those that were removed next door a moment ago,
 * one by one where the file system has no journal: half of what a delivery costs.
 */
void
subdir_spread(int dir)
{
	int flags;

	if (ioctl(dir, FS_IOC_GETFLAGS, &flags) == 0 && (flags & FS_TOPDIR_FL) == 0) {
		flags |= FS_TOPDIR_FL;
		(void)ioctl(dir, FS_IOC_SETFLAGS, &flags);
	}
}
