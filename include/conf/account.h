/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_ACCOUNT_H
#define CONF_ACCOUNT_H

/* account -- what users have who log in; see conf/conf.h. */

#include "conf/route.h"

enum conf_sender_login { SENDER_ANY, SENDER_ENVELOPE, SENDER_FROM };

struct conf_account {
	const char *pattern;	/* of names of users */
	struct conf_place place;
	struct conf_strs senders;	/* addresses that they may use besides their own */
	uint64_t quota;		/* recipients elsewhere in quota_per; 0: any number */
	int64_t quota_per;
	uint64_t quota_warning;	/* per cent of it that its owner is told of; 0: never */
	bool quota_reject;	/* refused for good, rather than for now */
	uint64_t mailbox_quota;		/* octets in the mailbox; 0: any number */
	uint64_t mailbox_messages;	/* the same of messages */
	uint64_t mailbox_warning;	/* per cent of both that the owner is told of; 0: never */
	bool mailbox_reject;	/* refused for good, rather than for now */
	/* meaning */
	struct pattern user;
	struct conf_patterns addresses;
};

#endif
