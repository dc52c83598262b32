/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef POLICY_QUOTA_H
#define POLICY_QUOTA_H

/* quota -- how much mail an account may send elsewhere in a time: pure functions. */

#include "conf/conf.h"
#include "ipc/quotas.h"
#include "mail/path.h"

/* The first section that fits USER and has a quota; NULL: none has. */
const struct conf_account *quota_of(const struct conf *c, struct str user);
/* True if any section has one. */
bool quota_is_used(const struct conf *c);
/* What A's section means in numbers. */
struct quota_limit quota_limit(const struct conf_account *a);
/* Where mail for USER is read: itself if it is an address, else at a domain of ours. */
void quota_add_owner(const struct conf *c, struct str user, struct buf *b);
/*
 * Adds the message to the owner, without the fields that any message has: that
 * so much is used, or (U->bitten) that more was refused.
 */
void quota_notice_add(const struct conf *c, const struct conf_account *a,
    const struct quota_use *u, struct str user, struct buf *b);

#endif
