/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_LIST_H
#define POLICY_LIST_H

/*
 * list -- whether a mailing list takes a message: a pure function, which the
 * session asks before it answers for the text, and the runner before the list
 * sends it on.
 */

#include "policy/recipient.h"

struct list_mail {
	struct path from;	/* of the envelope */
	struct str text;	/* whose whole header it has */
};

/*
 * What becomes of M at list L: 250, or a refusal.  MEMBER says of an address
 * whether it is one of L's members.
 */
struct rcpt_verdict list_verdict(const struct conf_list *l,
    const struct list_mail *m,
    bool (*member)(void *arg, const struct path *p), void *arg);

#endif
