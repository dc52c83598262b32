/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * slow_disk -- loaded before the C library: a flush lasts until the test
 * says so.
 *
 * The file that SLOW_DISK names is shared with the test: its first octet is
 * not 0 while the disk is slow, its second counts those who wait for it.  Its
 * path is compiled in: barid executes itself without our environment.
 */

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile unsigned char *disk;

int fsync(int fd);
int fdatasync(int fd);
int syncfs(int fd);

static void __attribute__((constructor))
share(void)
{
	int fd = open(SLOW_DISK, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, 2, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p != MAP_FAILED)
		disk = p;
	close(fd);
}

static int
slowly(long call, int fd)
{
	if (disk != NULL && disk[0] != 0) {
		(void)__atomic_add_fetch(&disk[1], 1, __ATOMIC_SEQ_CST);
		while (disk[0] != 0)
			(void)poll(NULL, 0, 5);
		(void)__atomic_sub_fetch(&disk[1], 1, __ATOMIC_SEQ_CST);
	}
	return (int)syscall(call, fd);
}

int
fsync(int fd)
{
	return slowly(SYS_fsync, fd);
}

int
fdatasync(int fd)
{
	return slowly(SYS_fdatasync, fd);
}

int
syncfs(int fd)
{
	return slowly(SYS_syncfs, fd);
}
