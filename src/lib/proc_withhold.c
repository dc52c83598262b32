/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proc_withhold -- libraries that a forked child does not get.
 *
 * A fork copies the list of mappings, and an exit takes each of them down
 * again: five for a shared library, and with a dozen libraries that is a
 * good part of what a short session costs.  What only the parent calls need
 * not be there at all in its children; an intruder finds less in them, too.
 *
 * Nothing is done where the mappings belong to a sanitizer as well, where a
 * library was put in from outside (nobody here knows what that one calls), or
 * where the kernel does not know how.
 */

#include "lib/proc.h"

#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "build.h"

static bool
is_named(const char *path, const char *const *names)
{
	const char *slash = strrchr(path, '/');
	struct str file = str_c(slash ? slash + 1 : path);

	for (; *names; names++)
		if (str_starts(file, str_c(*names)))
			return true;
	return false;
}

static int
withhold_one(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	if (!is_named(info->dlpi_name, arg))
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t from = info->dlpi_addr + h->p_vaddr;
		uintptr_t to = from + h->p_memsz;

		from = from / page * page;
		to = (to + page - 1) / page * page;
		if (h->p_type == PT_LOAD)
			(void)madvise((void *)from, to - from, MADV_DONTFORK);
	}
	return 0;
}

void
proc_withhold(const char *const *names)
{
	/* It is only read there. */
	if (!BUILD_ASAN && getenv("LD_PRELOAD") == NULL)
		(void)dl_iterate_phdr(withhold_one, (void *)(uintptr_t)names);
}
