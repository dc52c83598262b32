/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * proc_discard -- libraries that were needed for the start alone.
 *
 * A fork copies the list of mappings, and an exit takes each of them down
 * again: five for a shared library, and with a dozen libraries that is a
 * good part of what a short session costs.  What is called no more is taken
 * out of this process for good, and so is in none of its children; an intruder
 * finds less there, too.  (To keep it from children only, MADV_DONTFORK, costs
 * the more at each fork: its place in the copied list is cut out again.)
 * Nor are the tables of symbols and relocations of the other libraries needed,
 * once everything is bound.
 *
 * Nothing is done where the mappings belong to a sanitizer as well, or where a
 * library was put in from outside: nobody here knows what that one calls.
 */

#include "lib/proc.h"

#include <elf.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "build.h"

/* More than a dozen libraries have; what is above stays. */
#define PIECES_MAX 128

struct piece {
	void *from;
	size_t n;
};

struct pieces {
	const char *const *names;
	size_t n;
	struct piece v[PIECES_MAX];
};

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
add(struct pieces *pieces, const struct dl_phdr_info *info, const ElfW(Phdr) *h)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = info->dlpi_addr + h->p_vaddr;
	uintptr_t to = from + h->p_memsz;

	from = from / page * page;
	to = (to + page - 1) / page * page;
	if (pieces->n < PIECES_MAX)
		pieces->v[pieces->n++] = (struct piece){ (void *)from, to - from };
}

static void
add_all(struct pieces *pieces, const struct dl_phdr_info *info)
{
	for (size_t i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD)
			add(pieces, info, &info->dlpi_phdr[i]);
}

/*
 * The linker of GNU puts tables, code, constants and variables into a segment
 * each.  Others put tables and constants into one, which is needed.
 */
static void
add_tables(struct pieces *pieces, const struct dl_phdr_info *info)
{
	static const ElfW(Word) usual[] = { PF_R, PF_R | PF_X, PF_R };
	const ElfW(Phdr) *first = NULL;
	size_t n = 0;

	for (size_t i = 0; i < info->dlpi_phnum && n < ARRAY_LEN(usual); i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];

		if (h->p_type != PT_LOAD)
			continue;
		if (h->p_flags != usual[n++])
			return;
		if (!first)
			first = h;
	}
	if (n == ARRAY_LEN(usual))
		add(pieces, info, first);
}

static int
look_at(struct dl_phdr_info *info, size_t size UNUSED, void *arg)
{
	struct pieces *pieces = arg;

	if (is_named(info->dlpi_name, pieces->names))
		add_all(pieces, info);
	else
		add_tables(pieces, info);
	return 0;
}

void
proc_discard(const char *const *names)
{
	struct pieces pieces = { .names = names };

	/* Who puts a library in has it call what he likes; and what is bound late
	 * is looked up in all tables. */
	if (BUILD_ASAN || getenv("LD_PRELOAD") != NULL || getenv("LD_BIND_NOW") == NULL)
		return;
	/* The list itself, and names in it, stand in what goes. */
	(void)dl_iterate_phdr(look_at, &pieces);
	for (size_t i = 0; i < pieces.n; i++)
		(void)munmap(pieces.v[i].from, pieces.v[i].n);
}
