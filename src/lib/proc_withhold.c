/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proc_withhold -- libraries that a forked child does not get.
 *
 * A fork copies the list of mappings, and an exit takes each of them down
 * again: five for a shared library, and with a dozen libraries that is a
 * good part of what a short session costs.  What only the parent calls need
 * not be there at all in its children; an intruder finds less in them, too.
 * Nor need the tables of symbols and relocations of the other libraries, once
 * everything is bound.
 *
 * Nothing is done where the mappings belong to a sanitizer as well, where a
 * library was put in from outside (nobody here knows what that one calls), or
 * where the kernel does not know how.
 */

#include "lib/proc.h"

#include <elf.h>
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

static void
withhold(const struct dl_phdr_info *info, const ElfW(Phdr) *h)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = info->dlpi_addr + h->p_vaddr;
	uintptr_t to = from + h->p_memsz;

	from = from / page * page;
	to = (to + page - 1) / page * page;
	(void)madvise((void *)from, to - from, MADV_DONTFORK);
}

static int
withhold_all(struct dl_phdr_info *info, size_t size UNUSED, void *names)
{
	if (!is_named(info->dlpi_name, names))
		return 0;
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD)
			withhold(info, &info->dlpi_phdr[i]);
	return 0;
}

/*
 * The linker of GNU puts tables, code, constants and variables into a segment
 * each.  Others put tables and constants into one, which is needed.
 */
static int
withhold_table(struct dl_phdr_info *info, size_t size UNUSED, void *arg UNUSED)
{
	static const ElfW(Word) usual[] = { PF_R, PF_R | PF_X, PF_R };
	const ElfW(Phdr) *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < info->dlpi_phnum && n < ARRAY_LEN(usual); i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type != PT_LOAD)
			continue;
		if (h->p_flags != usual[n++])
			return 0;
		if (!first)
			first = h;
	}
	if (n == ARRAY_LEN(usual))
		withhold(info, first);
	return 0;
}

static bool
is_ours_alone(void)
{
	return !BUILD_ASAN && getenv("LD_PRELOAD") == NULL;
}

void
proc_withhold(const char *const *names)
{
	/* It is only read there. */
	if (is_ours_alone())
		(void)dl_iterate_phdr(withhold_all, (void *)(uintptr_t)names);
}

void
proc_withhold_tables(void)
{
	if (is_ours_alone() && getenv("LD_BIND_NOW") != NULL)
		(void)dl_iterate_phdr(withhold_table, NULL);
}
