/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Where one sync is enough; that it is, tests/fault/powercut.py shows. */

#include "mailbox/maildir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

/* Nothing is known of these for certain. */
START_TEST(others)
{
	static const char *const places[] = { "/proc", "/dev/shm", "/sys" };

	ck_assert_uint_eq(maildir_journal(-1), 0);
	for (size_t i = 0; i < 3; i++) {
		int fd = open(places[i], O_RDONLY);

		if (fd < 0)
			continue;
		ck_assert_uint_eq(maildir_journal(fd), 0);
		close(fd);
	}
}
END_TEST

/* It is this device or none. */
START_TEST(device)
{
	int fd = open("/var/tmp", O_RDONLY);
	struct stat st;
	dev_t got = maildir_journal(fd);

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert(got == 0 || got == st.st_dev);
	close(fd);
}
END_TEST

UNIT_MAIN("mailbox/ordered", others, device)
