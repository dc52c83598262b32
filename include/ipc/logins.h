/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_LOGINS_H
#define IPC_LOGINS_H

/*
 * logins -- when each password was last used: the file "logins" of the spool,
 * which barid-auth writes and `baridctl passwd --list` reads.
 *
 * It has a fixed size, and no names: who reads it must know whom to look for.
 * It also keeps a secret of barid-auth's that has to outlive it.  Losing the
 * file is no harm but that this is not known any more.
 */

#include "lib/str.h"

#define LOGINS_FILE "logins"
#define LOGINS_SECRET_SIZE 32

struct logins;

/*
 * Opens the file in the directory DIR, and makes it (for UID and GID, if we
 * are root) where it is not there, or is no such file.  NULL: errno.
 */
struct logins *logins_open(int dir, unsigned uid, unsigned gid) MUST_USE;
/* The same to look only. */
struct logins *logins_look(int dir) MUST_USE;
void logins_free(struct logins *l);	/* NULL is fine */
/* The secret, LOGINS_SECRET_SIZE octets. */
const unsigned char *logins_secret(const struct logins *l);
/* USER has logged in with the app password APP (empty: the own one) at NOW, in seconds. */
void logins_note(struct logins *l, struct str user, struct str app, int64_t now);
/* When that was last; 0: not known. */
int64_t logins_last(const struct logins *l, struct str user, struct str app);

#endif
