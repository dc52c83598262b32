/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * confine_files -- Landlock: which files a process sees.
 *
 * The kernel looks at it when a path is opened, made, renamed or removed, also
 * below a descriptor that is open; what is open already stays usable.  There
 * is no library for it, and headers are older than kernels: the few numbers
 * are written down here (landlock(7)).
 */

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/log.h"

#ifndef SYS_landlock_create_ruleset
/* The same on every machine. */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define CREATE_VERSION 1
#define RULE_PATH_BENEATH 1
/* Renaming from one directory to another is possible from here on. */
#define VERSION_MIN 2

enum {
	FS_WRITE_FILE = 1 << 1,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_REMOVE_FILE = 1 << 5,
	FS_MAKE_DIR = 1 << 7,
	FS_MAKE_REG = 1 << 8,
	FS_REFER = 1 << 13,
	FS_TRUNCATE = 1 << 14,
	/* By version: 2, 3, 5. */
	FS_ALL_2 = (1 << 14) - 1,
	FS_ALL_3 = (1 << 15) - 1,
	FS_ALL_5 = (1 << 16) - 1,
	NET_ALL = 3,	/* 4: binding and connecting by TCP */
	SCOPE_ALL = 3	/* 6: abstract sockets and signals of others */
};

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_attr {
	uint64_t allowed;
	int32_t dir;
} __attribute__((packed));

static int
new_ruleset(uint64_t *fs, bool tcp)
{
	struct ruleset_attr a = { 0 };
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_VERSION);

	if (version >= 0 && version < VERSION_MIN)
		errno = EOPNOTSUPP;
	if (version < VERSION_MIN)
		return -1;
	a.fs = version >= 5 ? FS_ALL_5 : version >= 3 ? FS_ALL_3 : FS_ALL_2;
	a.net = version >= 4 && !tcp ? NET_ALL : 0;
	a.scoped = version >= 6 ? SCOPE_ALL : 0;
	*fs = a.fs;
	/* An older kernel takes no longer one; what is behind is zero. */
	return (int)syscall(SYS_landlock_create_ruleset, &a,
	    version >= 6     ? sizeof(a)
		: version >= 4 ? 2 * sizeof(uint64_t)
			       : sizeof(uint64_t),
	    0);
}

static uint64_t
rights(unsigned may)
{
	uint64_t fs = 0;

	if (may & CONFINE_READ)
		fs |= FS_READ_FILE | FS_READ_DIR;
	if (may & CONFINE_KNOW)
		fs |= FS_READ_FILE;
	if (may & CONFINE_FILL)
		fs |= FS_WRITE_FILE | FS_TRUNCATE | FS_MAKE_REG |
		    FS_MAKE_DIR | FS_REMOVE_FILE | FS_REFER;
	if (may & CONFINE_TAKE)
		fs |= FS_MAKE_REG | FS_REFER;
	return fs;
}

static int
rules_of(const struct confine_dir *dirs, size_t n, bool tcp)
{
	uint64_t fs;
	int rules;

	if (confine_is_lenient()) {
		errno = ENOSYS;
		return -1;
	}
	rules = new_ruleset(&fs, tcp);
	for (size_t i = 0; i < n && rules >= 0; i++) {
		struct path_attr p = { rights(dirs[i].may) & fs, dirs[i].fd };

		if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &p, 0) < 0) {
			int e = errno;

			close(rules);
			errno = e;
			return -1;
		}
	}
	return rules;
}

int
confine_rules(const struct confine_dir *dirs, size_t n)
{
	return rules_of(dirs, n, false);
}

int
confine_rules_tcp(const struct confine_dir *dirs, size_t n)
{
	return rules_of(dirs, n, true);
}

void
confine_files(int rules)
{
	if (rules >= 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
		fatal(EX_OSERR, "cannot confine this process: Landlock: %s",
		    strerror(errno));
}
