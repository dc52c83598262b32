/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * users -- the file of the file:// backend, as `baridctl passwd` changes it.
 *
 * The new file is written beside the old one, synced, and renamed over it:
 * whoever reads meanwhile sees the one or the other, whole.  A user's lines
 * stay together, and lines that are none are kept.
 */

#include "users.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/file.h"
#include "lib/hmac_state.h"
#include "lib/mem.h"
#include "lib/password.h"
#include "lib/random.h"

#define FILE_SIZE_MAX (64u << 20)

static int
read_file(const char *path, struct buf *b)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	for (;;) {
		char *room = buf_room(b, 65536);
		if (!room || (n = read(fd, room, 65536)) <= 0)
			break;
		buf_grew(b, (size_t)n);
	}
	close(fd);
	return n < 0 || !buf_ok(b) ? -1 : 0;
}

static int
replace_file(const char *path, struct str content)
{
	struct stat st = { .st_mode = 0600, .st_uid = (uid_t)-1, .st_gid = (gid_t)-1 };
	char real[PATH_MAX];
	/* A link to it stays one. */
	const char *file = realpath(path, real) != NULL ? real : path;

	/* The new file belongs to whom the old one did. */
	(void)!stat(file, &st);
	return file_replace(file, content, st.st_mode, st.st_uid, st.st_gid);
}

/* One writer at a time: two that read the same file would lose a change. */
static int
lock_file(const char *path)
{
	struct buf name;

	buf_init(&name, 4096);
	buf_addf(&name, "%s.lock", path);
	int fd = open(buf_cstr(&name), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	buf_free(&name);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	if (fd >= 0 && fcntl(fd, F_SETLKW, &l) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- what is stored ----------------------------------------------------------- */

/*
 * The parameters that USER's keys have already, so that SCRAM can be by each
 * of them; else new ones.
 */
static void
parameters_of(struct str text, struct str user, struct scram_key *k)
{
	struct account a;
	struct str line;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		if (account_parse(line, &a) && str_ieq(a.user, user) &&
		    scram_key_parse(a.secret, k))
			return;
	}
	*k = (struct scram_key){ .count = USERS_SCRAM_COUNT, .salt_n = 16 };
	random_bytes(k->salt, k->salt_n);
}

static int
add_secret(const struct users_change *c, struct str old, struct buf *b)
{
	struct hmac_state state;
	struct scram_key params, key;
	int rc = 0;

	switch (c->form) {
	case USERS_HASH:
		return password_hash(b, c->password);
	case USERS_PLAIN:
		buf_addf(b, "{PLAIN}%s", c->password);
		return 0;
	case USERS_CRAM_MD5:
		rc = hmac_state_make(&state, HMAC_MD5, str_c(c->password));
		if (rc == 0)
			account_add_state(b, &state);
		mem_wipe(&state, sizeof(state));
		errno = ENOSYS;
		return rc;
	case USERS_SCRAM:
		break;
	}
	parameters_of(old, c->user, &params);
	rc = scram_key_make(&key, str_c(c->password),
	    str_n((const char *)params.salt, params.salt_n), params.count);
	if (rc == 0)
		scram_key_add(b, &key);
	mem_wipe(&key, sizeof(key));
	errno = ENOSYS;
	return rc;
}

/* ---- the new file -------------------------------------------------------------- */

struct edit {
	const struct users_change *change;
	struct str secret;	/* empty: the line goes */
	struct buf *out;
	bool of_user;		/* the line before was one of the user's */
	bool found, written;
};

static void
put(struct edit *e)
{
	const struct users_change *c = e->change;

	if (e->written || e->secret.n == 0)
		return;
	e->written = true;
	buf_add(e->out, c->user);
	if (c->app.n > 0) {
		buf_addc(e->out, '/');
		buf_add(e->out, c->app);
	}
	buf_addc(e->out, ':');
	buf_add(e->out, e->secret);
	buf_addc(e->out, '\n');
}

/* True if A is what is changed, or one of all. */
static bool
is_meant(const struct users_change *c, const struct account *a)
{
	return str_ieq(a->user, c->user) && (c->all || str_ieq(a->app, c->app));
}

static void
edit_line(struct edit *e, struct str line)
{
	const struct users_change *c = e->change;
	struct account a;
	bool of_user = account_parse(line, &a) && str_ieq(a.user, c->user);

	/* Another of the user's goes behind the last of them. */
	if (e->of_user && !of_user)
		put(e);
	e->of_user = of_user;
	if (of_user && is_meant(c, &a)) {
		e->found = true;
		put(e);
		return;
	}
	buf_add(e->out, line);
	buf_addc(e->out, '\n');
}

static void
edit(struct edit *e, struct str old)
{
	struct str line;

	while (old.n > 0) {
		str_cut(old, '\n', &line, &old);
		edit_line(e, line);
	}
	put(e);
}

static bool
has_user(struct str text, struct str user)
{
	struct account a;
	struct str line;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		if (account_parse(line, &a) && str_ieq(a.user, user))
			return true;
	}
	return false;
}

static enum users_outcome
write_change(const char *path, const struct users_change *c, struct str old)
{
	struct buf secret, out;
	struct edit e = { .change = c, .out = &out };
	enum users_outcome o = USERS_FAILED;

	if ((c->app.n > 0 || !c->password) && c->must_exist && !has_user(old, c->user))
		return USERS_UNKNOWN;
	buf_init(&secret, 2048);
	buf_init(&out, FILE_SIZE_MAX);
	if (!c->password || add_secret(c, old, &secret) == 0) {
		e.secret = buf_str(&secret);
		edit(&e, old);
		errno = EFBIG;
		if (!c->password && !e.found)
			o = USERS_UNKNOWN;
		else if (buf_ok(&secret) && buf_ok(&out) &&
		    replace_file(path, buf_str(&out)) == 0)
			o = !c->password ? USERS_REMOVED : e.found ? USERS_CHANGED : USERS_ADDED;
	}
	buf_wipe(&secret);
	buf_free(&secret);
	buf_wipe(&out);
	buf_free(&out);
	return o;
}

enum users_outcome
users_change(const char *path, const struct users_change *c)
{
	int lock = lock_file(path), err;
	enum users_outcome o = USERS_FAILED;
	struct buf old;

	if (lock < 0)
		return USERS_FAILED;
	buf_init(&old, FILE_SIZE_MAX);
	if (read_file(path, &old) == 0)
		o = write_change(path, c, buf_str(&old));
	err = errno;
	buf_wipe(&old);
	buf_free(&old);
	close(lock);
	errno = err;
	return o;
}

int
users_each(const char *path, void (*each)(void *arg, const struct account *a), void *arg)
{
	struct account a;
	struct buf text;
	struct str line, rest;
	int rc;

	buf_init(&text, FILE_SIZE_MAX);
	rc = read_file(path, &text);
	for (rest = buf_str(&text); rc == 0 && rest.n > 0;) {
		str_cut(rest, '\n', &line, &rest);
		if (account_parse(line, &a))
			each(arg, &a);
	}
	buf_wipe(&text);
	buf_free(&text);
	return rc;
}
