/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check_auth -- the files, programs and services that auth.backends and admin.auth
 * name, held against this host.  Nothing is read of them, and no server is asked.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "conf/backend.h"

/* A program that is none now may be one later; but who wrote it meant one. */
static void
check_program(struct check *k, const char *option, struct conf_place where, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		check_blame(k, where, option, errno,
		    "cannot run %s: %s, expected a program", path, strerror(errno));
	else if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0)
		check_blame(k, where, option, 0,
		    "%s is not executable, expected a program", path);
}

static void
check_users_file(struct check *k, const char *option, struct conf_place where, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		check_blame(k, where, option, errno,
		    "cannot open %s: %s, expected a file of user:hash lines such as "
		    "\"baridctl passwd\" makes", path, strerror(errno));
	else if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		check_blame(k, where, option, 0,
		    "%s is no plain file, expected one of user:hash lines", path);
	if (fd >= 0)
		close(fd);
}

/* Without a file of its own a service is what PAM calls "other": rarely what was meant. */
static void
check_service(struct check *k, const char *option, struct conf_place where, const char *url)
{
	static const char *const system[] = { "/etc/pam.d", "/usr/lib/pam.d" };
	struct conf_backend b;
	struct buf error, path;
	struct arena a;
	bool found = false;

	arena_init(&a, 1 << 20);
	buf_init(&error, 4096);
	if (conf_backend_parse(&a, str_c(url), &b, &error)) {
		for (size_t i = 0; i < (b.confdir ? 1 : ARRAY_LEN(system)); i++) {
			buf_init(&path, 4096);
			buf_addf(&path, "%s/%s", b.confdir ? b.confdir : system[i], b.service);
			found = found || access(buf_cstr(&path), F_OK) == 0;
			buf_free(&path);
		}
		if (!found)
			check_blame(k, where, option, CHECK_UNKNOWN,
			    "there is no file %s/%s, expected one; "
			    "without it PAM asks its service \"other\"",
			    b.confdir ? b.confdir : system[0], b.service);
	}
	buf_free(&error);
	arena_free(&a);
}

static void
check_list(struct check *k, const char *option, const struct conf_strs *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct conf_place where = conf_where(k->conf, &list->v[i], CONF_NOWHERE);
		const char *url = list->v[i], *path = users_file(url);

		if (strncmp(url, "exec://", 7) == 0)
			check_program(k, option, where, url + 7);
		else if (strncmp(url, "pam://", 6) == 0 && k->note)
			check_service(k, option, where, url);
		else if (strncmp(url, "users://", 8) == 0 && k->note && !proc_is_root())
			check_blame(k, where, option, CHECK_UNKNOWN,
			    "only root can read the hashes of accounts, expected barid to be "
			    "started by root");
		else if (path)
			check_users_file(k, option, where, path);
	}
}

void
check_users(struct check *k)
{
	check_list(k, "auth.backends", &k->conf->auth.backends);
	check_list(k, "admin.auth", &k->conf->admin.auth);
}
