/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proc_fork -- a fork that costs little.
 *
 * A fork copies the entry of each page that the parent has written, and an
 * exit takes each of them back.  Most of these pages hold what the dynamic
 * linker filled in once and made read-only (RELRO): 400 KB for libcrypto
 * alone.  proc_share_relro() puts the same bytes there as pages of a file in
 * memory, which a fork leaves alone until a child looks at them.
 *
 * proc_fork_sibling() is the system call: it runs no handlers and takes no
 * locks.  There is one thread, so that nobody can hold one, and what the library
 * would write to say so are four pages more for each child to copy.
 *
 * Nothing else is done where a sanitizer or a count of coverage wants to know of
 * each fork, or where the system has not got it; then it is only slower.
 */

#include "lib/proc.h"

#include <link.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "build.h"
#include "lib/sys.h"

/* Linked only into a build that counts coverage. */
extern void __gcov_dump(void) __attribute__((weak));

static bool
is_watched(void)
{
	return BUILD_ASAN || __gcov_dump != NULL;
}

pid_t
proc_fork_sibling(_Atomic pid_t *shown, _Atomic pid_t *own)
{
	/* The third is where the parent's copy goes; the machines differ in the last two. */
#if PROC_SIBLING_ARG == 1
	return (pid_t)syscall(SYS_clone, 0, PROC_SIBLING_FLAGS, shown, own, own);
#else
	return (pid_t)syscall(SYS_clone, PROC_SIBLING_FLAGS, 0, shown, own, own);
#endif
}

/* The same bytes from a file in memory; if that fails all is as before. */
static void
share(void *p, size_t n)
{
	int fd = memfd_create("barid-relro", MFD_CLOEXEC);

	if (fd < 0)
		return;
	if (sys_write_all(fd, p, n) == 0)
		(void)mmap(p, n, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0);
	(void)sys_close(fd);
}

static int
share_one(struct dl_phdr_info *info, size_t size UNUSED, void *arg)
{
	const uintptr_t page = *(const uintptr_t *)arg;

	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + h->p_vaddr;
		uintptr_t to = from + h->p_memsz;

		/* As the linker rounds: what it protected, and no more. */
		from = from / page * page;
		to = to / page * page;
		if (h->p_type == PT_GNU_RELRO && from < to)
			share((void *)from, to - from);
	}
	return 0;
}

void
proc_share_relro(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	if (is_watched())
		return;
	(void)dl_iterate_phdr(share_one, &page);
	/* What the start left free on the heap need not be copied either. */
	(void)malloc_trim(0);
}
