/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_DOOR_H
#define MASTER_DOOR_H

/* door -- what accept.c and behind.c share: who is let in. */

#include "master.h"

/*
 * behind.c, in a session: who the client is of a proxy that is listed.  True:
 * ENV has it, or the client speaks for himself.  False: there is none to
 * serve, which is said.
 */
bool behind_look(const struct master *m, int fd, struct session_env *env);
/* True if sessions of PEER say themselves for whom they speak. */
bool behind_trusted(const struct conf_listen *l, const struct addr *peer);

/*
 * accept.c: why PEER may not come in at a listener with the rules of L, or
 * NULL; what is counted comes behind it.
 */
const char *shut_out(const struct master *m, const struct conf_listen *l,
    const struct addr *peer);
/* To a client that is not served. */
void refuse(struct score *score, const struct conf_listen *l, const char *hostname, int fd,
    const char *why);

#endif
