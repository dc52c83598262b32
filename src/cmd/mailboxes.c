/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mailboxes -- `baridctl mailboxes`: how much is in them, and of what limit.
 *
 * All is counted, whatever the files maildirsize say, and nothing is written.
 */

#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/entries.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "mailbox/usage.h"

#define NAMES_MAX 1000000

static int
count(int base, const char *mailbox, struct usage *u)
{
	int box = openat(base, mailbox,
	    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r, e;

	if (box < 0)
		return -1;
	r = usage_count(box, u);
	e = errno;
	close(box);
	errno = e;
	return r;
}

static int
open_base(const struct conf *c)
{
	return open(c->mailboxes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int
cmd_mailbox_usage(const struct conf *c, const char *mailbox, struct usage *u)
{
	int base = open_base(c), r, e;

	if (base < 0)
		return -1;
	r = name_is_plain(str_c(mailbox)) ? count(base, mailbox, u) : -1;
	e = errno;
	close(base);
	errno = e;
	return r;
}

static void
print(const struct ctl *t, const char *name, const struct usage *u)
{
	struct usage_limit l = usage_limit_of(usage_rule(t->conf, name));

	if (t->json) {
		printf("{\"mailbox\":\"%s\",\"octets\":%llu,\"messages\":%llu,"
		    "\"octets_max\":%llu,\"messages_max\":%llu}", name,
		    (unsigned long long)u->octets,
		    (unsigned long long)u->messages,
		    (unsigned long long)l.octets,
		    (unsigned long long)l.messages);
		return;
	}
	printf("%-32s %15llu %10llu", name, (unsigned long long)u->octets,
	    (unsigned long long)u->messages);
	if (usage_limit_is_none(&l))
		puts("     -");
	else
		printf(" %4llu%%\n", (unsigned long long)usage_part(&l, u));
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct names {
	char **v;
	size_t n, max;
};

/* The names of all mailboxes, in order.  -1: errno; what is in N is to be freed in any case. */
static int
names_read(struct names *n, int base)
{
	const struct dirent *e;
	struct entries l;

	*n = (struct names){ .n = 0 };
	if (entries_open(&l, base, ".") < 0)
		return -1;
	while (n->n < NAMES_MAX && (e = entries_next(&l)) != NULL) {
		if (!name_is_plain(str_c(e->d_name)))
			continue;
		if (n->n == n->max) {
			n->max = n->max > 0 ? 2 * n->max : 64;
			n->v = mem_grow(n->v, n->max, sizeof(*n->v));
		}
		n->v[n->n++] = mem_dup(str_c(e->d_name));
	}
	if (n->n > 0)
		qsort(n->v, n->n, sizeof(*n->v), by_name);
	return entries_close(&l);
}

static void
names_free(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		mem_free(n->v[i]);
	mem_free(n->v);
}

static int
unreadable(const struct ctl *t)
{
	fprintf(stderr, "baridctl: %s: %s\n", t->conf->mailboxes, strerror(errno));
	return EX_NOPERM;
}

static int
list(const struct ctl *t, int base, char *const *v, size_t n)
{
	int code = EX_OK;
	size_t shown = 0;

	if (t->json)
		putchar('[');
	else
		printf("%-32s %15s %10s %5s\n", "MAILBOX", "OCTETS", "MESSAGES",
		    "FULL");
	for (size_t i = 0; i < n; i++) {
		struct usage u;

		if (count(base, v[i], &u) < 0) {
			if (errno == ENOTDIR || errno == ELOOP)
				continue;
			fprintf(stderr, "baridctl: %s/%s: %s\n", t->conf->mailboxes,
			    v[i], strerror(errno));
			code = EX_NOINPUT;
			continue;
		}
		if (t->json && shown++ > 0)
			fputs(",\n ", stdout);
		print(t, v[i], &u);
	}
	if (t->json)
		puts("]");
	return code;
}

int
ctl_mailboxes(struct ctl *t, int argc, char **argv)
{
	struct names all;
	int base, code;

	if (argc > 1 || (argc == 1 && !name_is_plain(str_c(argv[0]))))
		return ctl_usage();
	base = open_base(t->conf);
	if (base < 0)
		return unreadable(t);
	if (argc > 0) {
		code = list(t, base, argv, 1);
	} else {
		code = names_read(&all, base) < 0 ? unreadable(t) :
		    list(t, base, all.v, all.n);
		names_free(&all);
	}
	close(base);
	return code;
}
