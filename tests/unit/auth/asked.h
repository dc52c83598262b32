/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_ASKED_H
#define TESTS_ASKED_H

/* asked -- password files and PAM services in a scratch directory, to be asked. */

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "auth/auth.h"
#include "lib/log.h"
#include "lib/password.h"
#include "scratch.h"
#include "unit.h"

static char asked_dir[SCRATCH_SIZE];

static void
asked_begin(void)
{
	scratch_begin(asked_dir);
	/* What a backend complains about is expected here. */
	log_setup(LOG_LEVEL_ERROR, LOG_TEXT);
	ck_assert_int_eq(log_to("file:/dev/null"), 0);
}

static void
asked_end(void)
{
	scratch_end(asked_dir);
	log_reset();
}

static const char *
asked_write(const char *name, struct str text)
{
	static char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", asked_dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0700);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text.p, text.n), (ssize_t)text.n);
	close(fd);
	return path;
}

/* A backend for the file of that NAME, opened as barid-auth opens it. */
static UNUSED struct auth_backend
asked_file(const char *name)
{
	char path[256];
	struct auth_backend b = { .c = { .kind = BACKEND_FILE, .path = "a test's file" } };

	snprintf(path, sizeof(path), "%s/%s", asked_dir, name);
	b.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return b;
}

#endif
