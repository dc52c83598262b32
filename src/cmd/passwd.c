/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * passwd -- users and their passwords in the file of the file:// backend.
 *
 * The new file is written beside the old one, synced, and renamed over it:
 * whoever reads meanwhile sees the one or the other, whole.
 */

#include "cmd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "lib/name.h"
#include "lib/password.h"
#include "mailbox/maildir.h"

#define FILE_SIZE_MAX (64u << 20)
#define PASSWORD_MAX 512

static int
complain(const char *what, const char *why, int code)
{
	fprintf(stderr, "baridctl: %s: %s\n", what, why);
	return code;
}

static const char *
users_file(const struct conf *c)
{
	for (size_t i = 0; i < c->auth.backends.n; i++)
		if (strncmp(c->auth.backends.v[i], "file://", 7) == 0)
			return c->auth.backends.v[i] + 7;
	return NULL;
}

/* Reads one line from standard input, without showing it on a terminal. */
static bool
read_secret(const char *prompt, struct buf *b)
{
	struct termios was, quiet;
	bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &was) == 0;
	char c;

	if (tty) {
		fputs(prompt, stderr);
		quiet = was;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		buf_addc(b, c);
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
		fputc('\n', stderr);
	}
	return buf_ok(b) && b->n > 0 && !memchr(b->p, 0, b->n);
}

static bool
ask_password(struct buf *b)
{
	struct buf again;
	bool same = true;

	if (!read_secret("New password: ", b))
		return false;
	if (isatty(STDIN_FILENO)) {
		buf_init(&again, PASSWORD_MAX);
		same = read_secret("Once more: ", &again) &&
		    str_eq(buf_str(b), buf_str(&again));
		buf_wipe(&again);
		buf_free(&again);
	}
	return same;
}

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

/* The lines of OLD but NAME's, and then NAME with HASH unless that is NULL. */
static bool
new_content(struct str old, struct str name, const char *hash, struct buf *out)
{
	struct str line, who, rest;
	bool found = false;

	while (old.n > 0) {
		str_cut(old, '\n', &line, &old);
		str_cut(line, ':', &who, &rest);
		if (line.n > 0 && line.p[0] != '#' && str_ieq(str_trim(who), name)) {
			found = true;
			continue;
		}
		buf_add(out, line);
		buf_addc(out, '\n');
	}
	if (hash) {
		buf_add(out, name);
		buf_addc(out, ':');
		buf_adds(out, hash);
		buf_addc(out, '\n');
	}
	return found;
}

static int
replace_file(const char *path, struct str content)
{
	struct buf tmp;
	struct stat st = { .st_mode = 0600 };
	bool had = stat(path, &st) == 0;
	int result = -1;

	buf_init(&tmp, 4096);
	buf_addf(&tmp, "%s.tmp.%d", path, (int)getpid());
	int fd = open(buf_cstr(&tmp), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		goto out;
	/* The new file belongs to whom the old one did. */
	if (had && (fchmod(fd, st.st_mode & 07777) < 0 ||
	    (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)))
		goto out;
	for (size_t at = 0; at < content.n;) {
		ssize_t n = write(fd, content.p + at, content.n - at);
		if (n < 0)
			goto out;
		at += (size_t)n;
	}
	if (fsync(fd) == 0 && rename(buf_cstr(&tmp), path) == 0)
		result = 0;
out:
	if (fd >= 0) {
		int err = errno;
		if (result < 0)
			(void)unlink(buf_cstr(&tmp));
		close(fd);
		errno = err;
	}
	buf_free(&tmp);
	return result;
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

/* NAME holds nothing that JSON had to escape. */
static void
say_done(struct str name, const char *what, bool json)
{
	printf(json ? "{\"ok\":true,\"user\":\"" STR_FMT "\",\"change\":\"%s\"}\n" :
		      STR_FMT ": %s\n", STR_ARG(name), what);
}

static int
change(const char *path, struct str name, const char *hash, bool json)
{
	struct buf old, content;
	int code = EX_OK, lock = lock_file(path);

	if (lock < 0)
		return complain(path, strerror(errno), EX_CANTCREAT);
	buf_init(&old, FILE_SIZE_MAX);
	buf_init(&content, FILE_SIZE_MAX);
	if (read_file(path, &old) < 0) {
		code = complain(path, strerror(errno), EX_NOINPUT);
	} else {
		bool found = new_content(buf_str(&old), name, hash, &content);
		if (!hash && !found)
			code = complain(path, "there is no such user", EX_NOUSER);
		else if (!buf_ok(&content) || replace_file(path, buf_str(&content)) < 0)
			code = complain(path, strerror(errno), EX_CANTCREAT);
		else
			say_done(name, !hash ? "removed" : found ? "changed" : "added",
			    json);
	}
	buf_wipe(&content);
	buf_free(&content);
	buf_wipe(&old);
	buf_free(&old);
	close(lock);
	return code;
}

static int
set_password(const char *path, struct str name, bool json)
{
	struct buf password, hash;
	int code;

	buf_init(&password, PASSWORD_MAX);
	buf_init(&hash, PASSWORD_MAX);
	if (!ask_password(&password))
		code = complain("passwd", "no password was given, or two different ones",
		    EX_DATAERR);
	else if (password_hash(&hash, buf_cstr(&password)) < 0)
		code = complain("crypt", strerror(errno), EX_OSERR);
	else
		code = change(path, name, buf_cstr(&hash), json);
	buf_wipe(&password);
	buf_free(&password);
	buf_wipe(&hash);
	buf_free(&hash);
	return code;
}

int
cmd_passwd(const struct conf *c, bool delete, bool json, int argc, char **argv)
{
	const char *path = users_file(c);

	if (argc != 1)
		return complain("passwd", "usage: baridctl passwd [-d] NAME", EX_USAGE);
	if (!path)
		return complain("passwd", "auth.backends has no file:// backend", EX_CONFIG);
	struct str name = str_c(argv[0]);
	ptrdiff_t at = str_rfind(name, '@');
	if (!name_is_plain(name))
		return complain(argv[0], "a name is 1-64 letters, digits or . _ = + @ -, "
		    "and begins with neither . nor -", EX_DATAERR);
	/* Whoever logs in with a domain of ours is the one without it: this line would be dead. */
	if (!delete && at > 0 && conf_is_local(c, str_skip(name, (size_t)at + 1)))
		return complain(argv[0], "the user is the part before the @", EX_DATAERR);
	return delete ? change(path, name, NULL, json) : set_password(path, name, json);
}
