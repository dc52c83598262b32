/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * short_memory -- loaded before the C library: a process whose n-th
 * allocation fails, or all of them from now on.
 *
 * The file that SHORT_MEMORY names is shared with the test: two numbers, n (0:
 * none fails, -1: all) and whether one has failed.  Counted is what the
 * program asks for itself: libConfuse, and the C library where it looks a
 * user up, do not look whether they have been given anything.
 */

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static volatile int *shared;
static int count;
static uintptr_t from, to;	/* where the program's code lies */

/* The first object is the program. */
static int
find_program(struct dl_phdr_info *o, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	for (int i = 0; i < o->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &o->dlpi_phdr[i];

		if (p->p_type == PT_LOAD && (p->p_flags & PF_X) != 0) {
			from = o->dlpi_addr + p->p_vaddr;
			to = from + p->p_memsz;
		}
	}
	return 1;
}

static void __attribute__((constructor))
share(void)
{
	const char *path = getenv("SHORT_MEMORY");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p;

	if (fd < 0)
		return;
	p = mmap(NULL, 2 * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	dl_iterate_phdr(find_program, NULL);
	if (p != MAP_FAILED)
		shared = p;
	close(fd);
}

static int
is_out(const void *caller)
{
	if (shared == NULL || shared[0] == 0 || (uintptr_t)caller < from ||
	    (uintptr_t)caller >= to)
		return 0;
	if (shared[0] > 0 &&
	    __atomic_add_fetch(&count, 1, __ATOMIC_RELAXED) != shared[0])
		return 0;
	shared[1] = 1;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t n)
{
	return is_out(__builtin_return_address(0)) ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return is_out(__builtin_return_address(0)) ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return is_out(__builtin_return_address(0)) ? NULL : __libc_realloc(p, n);
}

void *
reallocarray(void *p, size_t n, size_t size)
{
	size_t all;

	if (__builtin_mul_overflow(n, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return is_out(__builtin_return_address(0)) ? NULL :
	    __libc_realloc(p, all);
}
