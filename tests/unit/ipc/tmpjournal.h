/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_TMPJOURNAL_H
#define TESTS_TMPJOURNAL_H

/* tmpjournal -- a spool directory with a journal, and its files as text. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/journal.h"

#include "scratch.h"
#include "unit.h"

#define ID "0651F0C3D2A1BF00042"
#define DAY_MS INT64_C(86400000)

struct tmpjournal {
	char dir[SCRATCH_SIZE];
	struct buf text;	/* of the last tmpjournal_text() */
};

static inline void
tmpjournal_begin(struct tmpjournal *t)
{
	scratch_begin(t->dir);
	buf_init(&t->text, 4 << 20);
}

static inline void
tmpjournal_end(struct tmpjournal *t)
{
	buf_free(&t->text);
	scratch_end(t->dir);
}

static inline const char *
tmpjournal_path(const struct tmpjournal *t, const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/journal/%s", t->dir, name);
	return path;
}

/* The name of the only file that ENDS so; "" if there is none. */
static inline const char *
tmpjournal_file(const struct tmpjournal *t, const char *ends)
{
	static char found[256];
	struct dirent *e;
	DIR *d = opendir(tmpjournal_path(t, ""));

	found[0] = '\0';
	while (d != NULL && (e = readdir(d)) != NULL)
		if (str_ends(str_c(e->d_name), str_c(ends)))
			snprintf(found, sizeof(found), "%s", e->d_name);
	if (d != NULL)
		closedir(d);
	return found;
}

static inline const char *
tmpjournal_text(struct tmpjournal *t, const char *name)
{
	FILE *f = fopen(tmpjournal_path(t, name), "r");
	int c;

	buf_reset(&t->text);
	while (f != NULL && (c = fgetc(f)) != EOF)
		buf_addc(&t->text, (char)c);
	if (f != NULL)
		fclose(f);
	return buf_cstr(&t->text);
}

static inline void
tmpjournal_put(struct tmpjournal *t, const char *name, const char *text)
{
	FILE *f = fopen(tmpjournal_path(t, name), "a");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static inline void
tmpjournal_say(struct journal *j, enum journal_event event)
{
	struct journal_line l = { .event = event, .id = ID, .rcpts = 1 };

	journal_add(j, &l);
}

#endif
