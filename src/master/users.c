/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * users -- keeps the shared set of names in step with who may log in.
 *
 * The master alone opens the password file, takes the names out of it and
 * wipes what it read: no session child is ever forked with a hash in its
 * memory (CONFORMANCE P-04).
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mail/account.h"
#include "mail/scram_key.h"

#define USERS_FILE_MAX (64u << 20)
#define USERS_CHECK_MS 1000
/* Accounts below are the system's own; they get no mail by themselves. */
#define SYSTEM_UID_MIN 1000
#define SYSTEM_UID_MAX 60000

struct names {
	struct str *v;
	size_t n, size;
	bool wanted;	/* those of password files */
	bool plain;	/* somebody's password is no hash */
	bool keys;	/* somebody has keys of SCRAM */
	struct arena arena;
};

static void
names_add(struct names *names, struct str name)
{
	if (names->n == names->size) {
		names->size = names->size ? names->size * 2 : 64;
		names->v = mem_grow(names->v, names->size, sizeof(*names->v));
	}
	names->v[names->n++] = arena_str(&names->arena, name);
}

static bool
wants(const struct conf *c, const char *kind)
{
	for (size_t i = 0; i < c->recipients.mailboxes.n; i++)
		if (strcmp(c->recipients.mailboxes.v[i], kind) == 0)
			return true;
	return false;
}

const char *
users_file(const char *url)
{
	return strncmp(url, "file://", 7) == 0 ? url + 7 : NULL;
}

/* The newest change of any password file, in nanoseconds. */
static int64_t
files_mtime(const struct conf *c)
{
	int64_t newest = 0;
	struct stat st;

	for (size_t i = 0; i < c->auth.backends.n; i++) {
		const char *path = users_file(c->auth.backends.v[i]);
		if (!path || stat(path, &st) < 0)
			continue;
		int64_t t = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec +
		    (int64_t)st.st_ino;
		if (t > newest)
			newest = t;
	}
	return newest;
}

/* Lines of mail/account.h: who has app passwords alone is somebody, too. */
static void
names_from_text(struct names *names, struct str text)
{
	struct str line, password;
	struct account a;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		if (!account_parse(line, &a))
			continue;
		if (names->wanted)
			names_add(names, a.user);
		names->plain = names->plain || account_is_plain(a.secret, &password);
		names->keys = names->keys || scram_key_is(a.secret);
	}
}

static void
names_from_file(struct names *names, const char *path)
{
	struct stat st;
	ssize_t n;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		log_warn(NULL, "%s: cannot read the users: %s", path,
		    fd < 0 ? strerror(errno) : "not a plain file");
		if (fd >= 0)
			close(fd);
		return;
	}
	struct buf b;
	buf_init(&b, USERS_FILE_MAX);
	for (;;) {
		char *room = buf_room(&b, 65536);
		if (!room || (n = read(fd, room, 65536)) <= 0)
			break;
		buf_grew(&b, (size_t)n);
	}
	close(fd);
	names_from_text(names, buf_str(&b));
	buf_wipe(&b);
	buf_free(&b);
}

static void
names_from_system(struct names *names)
{
	struct passwd *pw;

	setpwent();
	while ((pw = getpwent()))
		if (pw->pw_uid >= SYSTEM_UID_MIN && pw->pw_uid < SYSTEM_UID_MAX)
			names_add(names, str_c(pw->pw_name));
	endpwent();
}

void
users_refresh(struct master *m, bool force)
{
	int64_t now = clock_ms();

	if (!force && now - m->users_checked_ms < USERS_CHECK_MS)
		return;
	m->users_checked_ms = now;
	int64_t mtime = files_mtime(m->conf);
	if (!force && mtime == m->users_mtime)
		return;
	m->users_mtime = mtime;

	struct names names = { 0 };
	arena_init(&names.arena, USERS_FILE_MAX);
	names.wanted = wants(m->conf, "file");
	for (size_t i = 0; i < m->conf->auth.backends.n; i++) {
		const char *url = m->conf->auth.backends.v[i], *path = users_file(url);
		if (path)
			names_from_file(&names, path);
		names.plain = names.plain || str_starts(str_c(url), STR("hardcoded://"));
	}
	if (wants(m->conf, "system"))
		names_from_system(&names);
	userset_set_any(m->users, wants(m->conf, "any"));
	userset_set_plain(m->users, names.plain);
	userset_set_scram(m->users, names.plain || names.keys);
	if (userset_replace(m->users, names.v, names.n) < 0)
		log_warn(NULL, "%zu users are too many: the old list stays", names.n);
	mem_free(names.v);
	arena_free(&names.arena);
}
