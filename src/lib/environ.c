/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * environ -- the environment of a process whose children are not to have it.
 *
 * The kernel shows the octets where the environment once was to whoever may
 * look at the process (/proc/PID/environ), so what is moved away is wiped
 * there.  What stays keeps its place: other libraries have pointers to it.
 */

#include "lib/environ.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"

extern char **environ;

/* What was put aside, "NAME=value" and a NUL each; pages of its own. */
static struct {
	char *p;
	size_t n, size;
} aside;

/*
 * What stays: how programs are found and loaded, time and language, what
 * started us and how, where certificates are; what checks and tests a program.
 */
static bool
stays(const char *entry)
{
	static const char *const names[] = { "PATH=", "TZ=", "TZDIR=", "LANG=", "LC_",
		"LD_", "LISTEN_", "NOTIFY_SOCKET=", "WATCHDOG_", "BARID_CONF=", "BARID_LIBEXEC=",
		"SSL_CERT_", "OPENSSL_", "RES_OPTIONS=", "LOCALDOMAIN=", "ASAN_OPTIONS=",
		"LSAN_OPTIONS=", "UBSAN_OPTIONS=", "GCOV_",
		"MALLOC_", "GLIBC_TUNABLES=", "QUEUE_RESERVE=",
		"QUEUE_TRAYS=",
		"FAKETIME", "DONT_FAKE_", "NO_FAKE_", "PAM_WRAPPER" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_starts(str_c(entry), str_c(names[i])))
			return true;
	return false;
}

static void
make_room(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	aside.size = (n + page) / page * page;
	aside.p = mmap(NULL, aside.size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (aside.p == MAP_FAILED)
		fatal(EX_OSERR, "no memory for the environment: %s", strerror(errno));
}

void
environ_hide(void)
{
	char **to = environ;
	size_t n = 0;

	if (environ == NULL || aside.p != NULL)
		return;
	for (char **e = environ; *e != NULL; e++)
		n += stays(*e) ? 0 : strlen(*e) + 1;
	make_room(n);
	for (char **e = environ; *e != NULL; e++) {
		size_t size = strlen(*e) + 1;

		if (stays(*e)) {
			*to++ = *e;
			continue;
		}
		memcpy(aside.p + aside.n, *e, size);
		aside.n += size;
		mem_wipe(*e, size);
	}
	*to = NULL;
}

void
environ_withhold(void)
{
	if (aside.p != NULL)
		(void)madvise(aside.p, aside.size, MADV_DONTFORK);
}

const char *
environ_get(const char *name)
{
	size_t n = strlen(name);

	for (size_t at = 0; at < aside.n; at += strlen(aside.p + at) + 1)
		if (strncmp(aside.p + at, name, n) == 0 && aside.p[at + n] == '=')
			return aside.p + at + n + 1;
	return secure_getenv(name);
}
