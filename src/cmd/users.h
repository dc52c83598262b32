/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_USERS_H
#define CMD_USERS_H

/* users -- the file of the file:// backend, as `baridctl passwd` changes it. */

#include "lib/buf.h"
#include "mail/account.h"
#include "mail/scram_key.h"

/* Iterations of new keys; all of a file should have as many. */
#define USERS_SCRAM_COUNT 32768

enum users_form { USERS_HASH, USERS_SCRAM, USERS_PLAIN, USERS_CRAM_MD5 };

struct users_change {
	struct str user;
	struct str app;		/* empty: the user's own password */
	bool all;		/* with no PASSWORD: the own and all app passwords */
	const char *password;	/* NULL: it is removed */
	enum users_form form;
	bool must_exist;	/* an app password is for who is in the file */
};

enum users_outcome {
	USERS_ADDED,
	USERS_CHANGED,
	USERS_REMOVED,
	USERS_UNKNOWN,		/* there is none such to be removed, or to add to */
	USERS_FAILED		/* errno */
};

/* Changes the file at PATH, which need not be there; one at a time does. */
enum users_outcome users_change(const char *path, const struct users_change *c);
/* Calls EACH for all passwords, in their order.  -1: errno. */
int users_each(const char *path, void (*each)(void *arg, const struct account *a), void *arg);

#endif
