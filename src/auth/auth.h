/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef AUTH_AUTH_H
#define AUTH_AUTH_H

/*
 * auth -- the private interface of the room: a backend is an URL, opened
 * while the process may, and asked later.
 */

#include "conf/conf.h"
#include "ipc/msg.h"

struct auth_question {
	const char *user;	/* checked: no control characters, at most 255 octets */
	const char *password;	/* not empty, no NUL */
	const char *client;	/* address, for PAM_RHOST */
	/* NULL; or PASSWORD is the digest of this and the true one (APOP). */
	const char *challenge;
};

enum auth_kind { AUTH_FILE, AUTH_PAM };

struct auth_backend {
	enum auth_kind kind;
	const char *url;
	const char *path;	/* AUTH_FILE */
	int fd;			/* AUTH_FILE: opened before privileges are dropped, or -1 */
	char service[64];	/* AUTH_PAM */
	const char *confdir;	/* AUTH_PAM: NULL for /etc/pam.d */
};

/* Reads URL; false if it is of a kind that is not known. */
bool auth_backend_init(struct auth_backend *b, const char *url);

/* Users "name:hash" in a file, hashes of crypt(3); or "name:{PLAIN}password". */
enum auth_verdict auth_file(const struct auth_backend *b, const struct auth_question *q);
/* A PAM service: authentication and account. */
enum auth_verdict auth_pam(const struct auth_backend *b, const struct auth_question *q);

/*
 * Asks every backend until one says yes.  Not sure (AUTH_TEMPORARY) only if
 * none said yes and one could not say.
 */
enum auth_verdict auth_ask(const struct auth_backend *b, size_t n, const struct auth_question *q);

#endif
