/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * users -- accounts of this host whose names fit a pattern.
 *
 * The hash is the one of shadow(5), which only root may read, and an account
 * or a password that has expired is none.  A pattern with a wildcard never
 * means an account of root.  Who does not exist, does not fit or is locked
 * costs a hash like everybody else.  Accounts whose passwords another service
 * knows (LDAP, Kerberos) are for PAM.
 */

#include "auth.h"

#include <errno.h>
#include <fnmatch.h>
#include <pwd.h>
#include <shadow.h>
#include <string.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/password.h"

/* What is computed when there is nobody: SHA-512 with its usual cost. */
#define NOBODY_HASH "$6$barid.nobody$"
#define DAY_S 86400
/* Lines of these files are no longer. */
#define ENTRY_MAX 65536

/* Whether a pattern means the account PW. */
static bool
is_meant(const struct conf_strs *patterns, const struct passwd *pw)
{
	for (size_t i = 0; i < patterns->n; i++) {
		if (strcmp(patterns->v[i], pw->pw_name) == 0)
			return true;
		if (pw->pw_uid != 0 && fnmatch(patterns->v[i], pw->pw_name, 0) == 0)
			return true;
	}
	return false;
}

/* shadow(5): -1 is "never", and an empty field too. */
static bool
has_expired(const struct spwd *s, int64_t today)
{
	if (s->sp_expire > 0 && today >= s->sp_expire)
		return true;
	/* A password that must be changed cannot be changed here. */
	if (s->sp_lstchg == 0)
		return true;
	return s->sp_lstchg > 0 && s->sp_max >= 0 && s->sp_max < 99999 &&
	    today > (int64_t)s->sp_lstchg + s->sp_max;
}

/*
 * The hash of Q's user, or NULL: nobody, or nobody who may.  False: it cannot
 * be found out, and the note says why.
 */
static bool
find_hash(const struct auth_backend *b, const struct auth_question *q, char *room,
    struct spwd *entry, const char **hash)
{
	struct spwd *shadow = NULL;
	struct passwd pw, *found = NULL;
	int r = getpwnam_r(q->user, &pw, room, ENTRY_MAX, &found);

	*hash = NULL;
	if (r != 0 && r != ENOENT) {
		(void)auth_cannot(q, "accounts cannot be looked up: %s", strerror(r));
		return false;
	}
	if (!found || !is_meant(&b->c.list, &pw))
		return true;
	if (strcmp(pw.pw_passwd, "x") != 0) {
		*hash = pw.pw_passwd;
		return true;
	}
	r = getspnam_r(q->user, entry, room + ENTRY_MAX, ENTRY_MAX, &shadow);
	/* Another service of nsswitch.conf(5) that knows nobody hides that nobody could look. */
	if (!shadow && (r == 0 || r == ENOENT))
		r = euidaccess(SHADOW, R_OK) < 0 ? errno : 0;
	if (r != 0) {
		(void)auth_cannot(q, "hashes cannot be read: %s", strerror(r));
		return false;
	}
	if (shadow && !has_expired(shadow, clock_wall() / DAY_S))
		*hash = shadow->sp_pwdp;
	return true;
}

enum auth_verdict
auth_users(const struct auth_backend *b, const struct auth_question *q)
{
	char *room = mem_alloc((size_t)2 * ENTRY_MAX);
	enum auth_verdict verdict = AUTH_TEMPORARY;
	struct spwd entry;
	const char *hash;

	if (find_hash(b, q, room, &entry, &hash)) {
		/* An empty field lets anybody in elsewhere; not here. */
		bool has = hash && hash[0] != '\0' && hash[0] != '*' && hash[0] != '!';
		bool same = password_matches(q->password, has ? hash : NOBODY_HASH);

		verdict = has && same ? AUTH_YES : AUTH_NO;
	}
	mem_wipe(room, (size_t)2 * ENTRY_MAX);
	mem_free(room);
	return verdict;
}
