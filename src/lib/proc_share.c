/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proc_share -- pages that a fork leaves alone.
 *
 * A fork copies the entry of each page that the parent has written, and an
 * exit takes each of them back.  Most of these pages were written at the start
 * and are only read since: what the dynamic linker filled in (RELRO: 400 KB for
 * libcrypto alone), the variables of libraries, the heap with a configuration
 * and its certificates.  Here the same bytes take their place as pages of a
 * file in memory, privately: who writes to one has a copy of his own, and of
 * the others a child has only those that it looks at.
 *
 * The variables of the program itself are left: parent and children write them
 * all the time, and most of their room is for what children allocate.
 *
 * Nothing is done where a sanitizer or a count of coverage wants to know of
 * each page, or where the system has not got it; then it is only slower.
 */

#include "lib/proc.h"

#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "build.h"
#include "lib/sys.h"

/* What is larger is mostly zeros that nobody has written, and has no pages yet. */
#define DATA_MAX ((size_t)256 * 1024)

/* Linked only into a build that counts coverage. */
extern void __gcov_dump(void) __attribute__((weak));

static uintptr_t
page_size(void)
{
	return (uintptr_t)sysconf(_SC_PAGESIZE);
}

static uintptr_t
floor_page(uintptr_t p)
{
	return p / page_size() * page_size();
}

/* The same bytes from a file in memory; if that fails all is as before. */
static void
share(uintptr_t from, uintptr_t to, int protection)
{
	int fd = memfd_create("barid-share", MFD_CLOEXEC);
	void *p = (void *)from;

	if (fd < 0)
		return;
	/* Between these two nothing may be written there: one thread, and no signals of note. */
	if (sys_write_all(fd, p, to - from) == 0)
		(void)mmap(p, to - from, protection, MAP_PRIVATE | MAP_FIXED, fd, 0);
	(void)sys_close(fd);
}

/* Returns where it ends. */
static uintptr_t
share_relro(const struct dl_phdr_info *info, const ElfW(Phdr) *h)
{
	uintptr_t from = info->dlpi_addr + h->p_vaddr, to = from + h->p_memsz;

	/* As the linker rounds: what it protected, and no more. */
	from = floor_page(from);
	to = floor_page(to);
	if (from < to)
		share(from, to, PROT_READ);
	return to;
}

/* What is writable of the segment H of a library, which may begin with RELRO. */
static void
share_data(const struct dl_phdr_info *info, const ElfW(Phdr) *h, uintptr_t relro_end)
{
	uintptr_t from = info->dlpi_addr + h->p_vaddr, to = from + h->p_memsz;

	to = floor_page(to + page_size() - 1);
	from = floor_page(from);
	if (relro_end > from)
		from = relro_end;
	if (from < to && to - from <= DATA_MAX)
		share(from, to, PROT_READ | PROT_WRITE);
}

static int
share_one(struct dl_phdr_info *info, size_t size UNUSED, void *arg UNUSED)
{
	/* The program has no name. */
	bool is_library = info->dlpi_name[0] != '\0';
	uintptr_t relro_end = 0;

	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO)
			relro_end = share_relro(info, &info->dlpi_phdr[i]);
	for (size_t i = 0; i < info->dlpi_phnum && is_library; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type == PT_LOAD && (h->p_flags & PF_W))
			share_data(info, h, relro_end);
	}
	return 0;
}

/* What malloc() has by way of brk(). */
static bool
find_heap(uintptr_t *from, uintptr_t *to)
{
	FILE *f = fopen("/proc/self/maps", "re");
	uintptr_t end = (uintptr_t)sbrk(0);
	char line[256], *rest;
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		*from = strtoul(line, &rest, 16);
		*to = *rest == '-' ? strtoul(rest + 1, NULL, 16) : 0;
		found = strstr(line, " [heap]\n") && *from < end && end <= *to;
	}
	if (f)
		fclose(f);
	return found;
}

void
proc_share_pages(void)
{
	uintptr_t from, to;

	if (BUILD_ASAN || __gcov_dump)
		return;
	(void)dl_iterate_phdr(share_one, NULL);
	/* What the start left free on the heap need not be there at all. */
	(void)malloc_trim(0);
	if (find_heap(&from, &to))
		share(from, to, PROT_READ | PROT_WRITE);
}
