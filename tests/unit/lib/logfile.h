/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_UNIT_LIB_LOGFILE_H
#define TESTS_UNIT_LIB_LOGFILE_H

/* logfile -- a log in a file of its own, and its lines read back. */

#include <stdio.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/log.h"
#include "unit.h"

static char path[80], target[90];

/* A fresh file as the only target. */
static inline void
to_file(void)
{
	int fd;

	memcpy(path, "/tmp/barid-log.XXXXXX", 22);
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	snprintf(target, sizeof(target), "file:%s", path);
	log_reset();
	ck_assert_int_eq(log_to(target), 0);
	log_setup(LOG_LEVEL_INFO, LOG_TEXT);
	log_component("smtpd");
}

/* All that was written; removes the file. */
static inline struct buf
written(void)
{
	struct buf b;
	FILE *f = fopen(path, "r");
	int c;

	ck_assert_ptr_nonnull(f);
	buf_init(&b, 10000000);
	while ((c = getc(f)) != EOF)
		buf_addc(&b, (char)c);
	fclose(f);
	unlink(path);
	log_reset();
	return b;
}

/* Takes the next line; checks the stamp and the host; gives the rest. */
static inline struct str
next_text(struct str *s)
{
	struct str line, stamp, host;

	ck_assert(str_cut(*s, '\n', &line, s));
	ck_assert(str_cut(line, ' ', &stamp, &line));
	ck_assert_uint_eq(stamp.n, strlen("2026-11-20T12:00:00.123456+00:00"));
	ck_assert(str_ends(stamp, STR("+00:00")));
	ck_assert_int_eq(stamp.p[10], 'T');
	ck_assert_int_eq(stamp.p[19], '.');
	ck_assert(str_cut(line, ' ', &host, &line));
	ck_assert_uint_gt(host.n, 0);
	ck_assert_int_eq(str_find(host, '.'), -1);
	return line;
}

static inline void
ck_line(struct str *s, const char *component, const char *text)
{
	struct buf want;

	buf_init(&want, 10000);
	buf_addf(&want, "%s[%d]: %s", component, (int)getpid(), text);
	ck_str(next_text(s), buf_str(&want));
	buf_free(&want);
}

#endif
