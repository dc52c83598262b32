/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_TMPBOX_H
#define TESTS_TMPBOX_H

/* tmpbox -- a directory of mailboxes, and deliveries into them. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/buf.h"
#include "mailbox/maildir.h"

#include "scratch.h"
#include "unit.h"

struct tmpbox {
	char dir[SCRATCH_SIZE];
	int base;
};

static inline void
tmpbox_begin(struct tmpbox *t)
{
	scratch_begin(t->dir);
	t->base = scratch_open(t->dir);
}

static inline void
tmpbox_end(struct tmpbox *t)
{
	close(t->base);
	scratch_end(t->dir);
}

static inline const char *
tmpbox_path(const struct tmpbox *t, const char *name)
{
	static char path[512];

	ck_assert_int_lt(snprintf(path, sizeof(path), "%s/%s", t->dir, name),
	    (int)sizeof(path));
	return path;
}

static inline void
tmpbox_file(const struct tmpbox *t, const char *name, struct str s)
{
	int fd = open(tmpbox_path(t, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_msg(fd >= 0, "%s: %s", name, strerror(errno));
	ck_assert_int_eq(write(fd, s.p, s.n), (ssize_t)s.n);
	close(fd);
}

/* Makes an empty mailbox. */
static inline void
tmpbox_make(const struct tmpbox *t, const char *name)
{
	struct maildir m;

	ck_assert_int_eq(maildir_open(&m, t->base, name), 0);
	maildir_close(&m);
}

/* The number of names in a directory, and one of them in NAME. */
static inline unsigned
tmpbox_count(const struct tmpbox *t, const char *dir, char name[256])
{
	DIR *d = opendir(tmpbox_path(t, dir));
	struct dirent *e;
	unsigned n = 0;

	ck_assert_msg(d != NULL, "%s: %s", dir, strerror(errno));
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		n++;
		if (name != NULL)
			memcpy(name, e->d_name, sizeof(e->d_name));
	}
	closedir(d);
	return n;
}

/* Delivers TEXT to BOX with PREFIX; what maildir_deliver() says. */
static inline int
tmpbox_deliver(const struct tmpbox *t, const char *box, size_t rcpt,
    struct str text, struct str prefix)
{
	struct maildir_delivery d = { .base = t->base, .mailbox = box,
		.id = "0651F0C3D2A1BF00042", .rcpt = rcpt,
		.arrival = 1763683200, .hostname = "mail.example",
		.at = 3, .size = text.n, .prefix = prefix };
	FILE *f = tmpfile();
	int r, e;

	fwrite("xyz", 1, 3, f);
	fwrite(text.p, 1, text.n, f);
	fputs("attempt: behind the text", f);
	fflush(f);
	d.fd = fileno(f);
	r = maildir_deliver(&d);
	e = errno;
	fclose(f);
	errno = e;
	return r;
}

#endif
