/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * passwd -- `baridctl passwd`: users and their passwords in the file of the
 * file:// backend, and when each was last used.
 *
 * A user's own password is asked for.  An app password is made here, and shown
 * once: 80 random bits, which nobody has to remember.
 */

#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "ipc/logins.h"
#include "lib/mem.h"
#include "lib/name.h"
#include "lib/random.h"
#include "policy/login.h"
#include "users.h"

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

static bool
ask_password(struct buf *b)
{
	struct buf again;
	bool same = true;

	if (!cmd_read_secret("New password: ", b))
		return false;
	if (isatty(STDIN_FILENO)) {
		buf_init(&again, PASSWORD_MAX);
		same = cmd_read_secret("Once more: ", &again) &&
		    str_eq(buf_str(b), buf_str(&again));
		buf_wipe(&again);
		buf_free(&again);
	}
	return same;
}

/* ---- changes ---------------------------------------------------------------------- */

/* Names hold nothing that JSON had to escape.  SHOWN: the password that was made, or NULL. */
static void
say_done(const struct users_change *c, const char *what, const char *shown, bool json)
{
	struct buf b;

	buf_init(&b, 1000);
	buf_addf(&b, json ? "{\"ok\":true,\"user\":\"" STR_FMT "\"" : STR_FMT,
	    STR_ARG(c->user));
	if (c->app.n > 0)
		buf_addf(&b, json ? ",\"app\":\"" STR_FMT "\"" : "/" STR_FMT,
		    STR_ARG(c->app));
	buf_addf(&b, json ? ",\"change\":\"%s\"" : ": %s", what);
	if (shown)
		buf_addf(&b, json ? ",\"password\":\"%s\"" :
		    ", the password is\n%s", shown);
	if (json)
		buf_addc(&b, '}');
	puts(buf_cstr(&b));
	buf_wipe(&b);
	buf_free(&b);
}

static int
change(const char *path, const struct users_change *c, const char *shown, bool json)
{
	switch (users_change(path, c)) {
	case USERS_ADDED:
		say_done(c, "added", shown, json);
		return EX_OK;
	case USERS_CHANGED:
		say_done(c, "changed", shown, json);
		return EX_OK;
	case USERS_REMOVED:
		say_done(c, "removed", NULL, json);
		return EX_OK;
	case USERS_UNKNOWN:
		return complain(path, c->app.n > 0 && !c->password ?
		    "there is no such app password" : "there is no such user", EX_NOUSER);
	case USERS_FAILED:
		break;
	}
	return complain(path, strerror(errno), EX_CANTCREAT);
}

/* RFC 4013: what SASLprep would change is not there in ASCII. */
static bool
fits_scram(struct str password)
{
	return !str_has_8bit(password) && !str_has_ctl(password);
}

/* How PASSWORD is stored. */
static enum users_form
form_to_be(const struct ctl *t, struct str password)
{
	if (t->plain)
		return USERS_PLAIN;
	if (t->cram_md5)
		return USERS_CRAM_MD5;
	return t->scram || (fits_scram(password) &&
			       login_is_wanted(t->conf, STR("SCRAM-SHA-256"))) ?
	    USERS_SCRAM : USERS_HASH;
}

/* A line of the file is read without the space around it. */
static bool
fits_line(struct str password)
{
	return str_eq(str_trim(password), password) && !str_has_ctl(password);
}

static int
set_password(const struct ctl *t, const char *path, struct users_change *c)
{
	struct buf password;
	int code;

	buf_init(&password, PASSWORD_MAX);
	if (!ask_password(&password)) {
		code = complain("passwd", "no password was given, or two different ones",
		    EX_DATAERR);
	} else if (t->scram && !fits_scram(buf_str(&password))) {
		code = complain("passwd", "a password for SCRAM is of ASCII characters",
		    EX_DATAERR);
	} else if (t->plain && !fits_line(buf_str(&password))) {
		code = complain("passwd", "a password that is stored as it is has no space "
		    "around it", EX_DATAERR);
	} else {
		c->password = buf_cstr(&password);
		c->form = form_to_be(t, buf_str(&password));
		code = change(path, c, NULL, t->json);
	}
	buf_wipe(&password);
	buf_free(&password);
	return code;
}

/* Four times four letters and digits that look like no others. */
static void
make_password(struct buf *b)
{
	static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";

	for (int i = 0; i < 16; i++) {
		if (i > 0 && i % 4 == 0)
			buf_addc(b, '-');
		buf_addc(b, letters[random_below(sizeof(letters) - 1)]);
	}
}

static int
add_app(const struct ctl *t, const char *path, struct users_change *c)
{
	struct buf password;
	int code;

	buf_init(&password, PASSWORD_MAX);
	make_password(&password);
	c->password = buf_cstr(&password);
	c->form = t->plain ? USERS_PLAIN : t->cram_md5 ? USERS_CRAM_MD5 : USERS_SCRAM;
	/* Who has a password elsewhere may have another for a program here. */
	c->must_exist = t->conf->auth.backends.n == 1;
	code = change(path, c, buf_cstr(&password), t->json);
	buf_wipe(&password);
	buf_free(&password);
	return code;
}

/* ---- the list --------------------------------------------------------------------- */

struct list {
	struct str user;	/* empty: all */
	const struct logins *logins;	/* NULL: not known */
	bool json;
	size_t n;
};

static const char *
form_of(struct str secret)
{
	static const char *const states[HMAC_HASHES] = { "cram-md5", "cram-sha1", "cram-sha256",
		"cram-sha512" };
	struct hmac_state state;
	struct str password;

	if (secret.n == 0 || secret.p[0] == '*')
		return "none";
	if (secret.p[0] == '!')
		return "locked";
	if (account_is_plain(secret, &password))
		return "plain";
	if (account_is_state(secret, &state)) {
		mem_wipe(state.octets, sizeof(state.octets));
		return states[state.hash];
	}
	return scram_key_is(secret) ? "scram" : "hash";
}

static void
list_one(void *arg, const struct account *a)
{
	struct list *l = arg;
	int64_t last = 0;
	struct tm tm;
	char when[32] = "never";
	time_t at;

	if (l->user.n > 0 && !str_ieq(l->user, a->user))
		return;
	if (l->logins)
		last = logins_last(l->logins, a->user, a->app);
	at = (time_t)last;
	if (l->json) {
		printf("%s{\"user\":\"" STR_FMT "\",\"app\":\"" STR_FMT
		    "\",\"stored\":\"%s\",\"last_used\":", l->n > 0 ? ",\n " : "",
		    STR_ARG(a->user), STR_ARG(a->app), form_of(a->secret));
		printf(last > 0 ? "%lld}" : "null}", (long long)last);
	} else {
		if (!l->logins)
			memcpy(when, "unknown", 8);
		else if (last > 0 && localtime_r(&at, &tm))
			(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
		printf("%-24.*s %-24.*s %-11s %s\n", STR_ARG(a->user),
		    STR_ARG(a->app.n > 0 ? a->app : STR("-")), form_of(a->secret), when);
	}
	l->n++;
}

static int
list(const struct ctl *t, const char *path, const char *user)
{
	int dir = open(t->conf->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	struct logins *logins = dir >= 0 ? logins_look(dir) : NULL;
	struct list l = { .user = str_c(user), .logins = logins, .json = t->json };

	if (dir >= 0)
		close(dir);
	if (t->json)
		putchar('[');
	else
		printf("%-24s %-24s %-8s LAST USED\n", "USER", "APP", "STORED");
	rc = users_each(path, list_one, &l);
	if (t->json)
		puts("]");
	logins_free(logins);
	if (rc < 0)
		return complain(path, strerror(errno), EX_NOINPUT);
	return user && l.n == 0 ? complain(user, "there is no such user", EX_NOUSER) : EX_OK;
}

/* ---- the command ------------------------------------------------------------------ */

static int
usage(void)
{
	return complain("passwd",
	    "usage: baridctl passwd [-d | --scram | --plain | --cram-md5] NAME\n"
	    "       baridctl passwd --app APP [--plain | --cram-md5] NAME\n"
	    "       baridctl passwd --revoke APP NAME\n"
	    "       baridctl passwd --list [NAME]", EX_USAGE);
}

/* Of the four things that may be done, one. */
static bool
is_sound(const struct ctl *t, int argc)
{
	int what = t->delete + (t->app != NULL) + (t->revoke != NULL) + t->list;

	if (what > 1 || t->scram + t->plain + t->cram_md5 > 1 || (t->scram && what > 0))
		return false;
	if ((t->plain || t->cram_md5) && (t->delete || t->revoke || t->list))
		return false;
	return argc == 1 || (argc == 0 && t->list);
}

int
ctl_passwd(struct ctl *t, int argc, char **argv)
{
	const char *path = users_file(t->conf);
	struct users_change c = { .all = t->delete };

	if (!is_sound(t, argc))
		return usage();
	if (!path)
		return complain("passwd", "auth.backends has no file:// backend", EX_CONFIG);
	if (t->list)
		return list(t, path, argc > 0 ? argv[0] : NULL);
	c.user = str_c(argv[0]);
	c.app = str_c(t->app ? t->app : t->revoke);
	if (!name_is_plain(c.user))
		return complain(argv[0], "a name is 1-64 letters, digits or . _ = + @ -, "
		    "and begins with neither . nor -", EX_DATAERR);
	if ((t->app || t->revoke) && !account_app_valid(c.app))
		return complain(t->app ? t->app : t->revoke, "the name of an app password is 1-64 "
		    "octets, without : / \" or \\", EX_DATAERR);
	/* Whoever logs in with a domain of ours is the one without it: this line would be dead. */
	if (!t->delete && login_account(t->conf, c.user).n < c.user.n)
		return complain(argv[0], "the user is the part before the @", EX_DATAERR);
	if (t->app)
		return add_app(t, path, &c);
	return t->delete || t->revoke ? change(path, &c, NULL, t->json) :
					set_password(t, path, &c);
}
