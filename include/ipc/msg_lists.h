/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_LISTS_H
#define IPC_MSG_LISTS_H

/*
 * msg_lists -- what lists in DNS have of a client, or of domains that it names: a
 * session asks barid-check, as in ipc/msg.h.
 */

#include "ipc/msg.h"

#define MSG_LISTS_MAX 32

struct msg_lists {
	struct {
		uint64_t of;		/* enum conf_dnsbl_of */
		struct str what;	/* "192.0.2.1", "bad.example.org" */
	} v[MSG_LISTS_MAX];
	size_t n;
};
void msg_lists_put(struct buf *b, const struct msg_lists *m);
/* False also for a string that is neither an address nor a name. */
bool msg_lists_get(struct str packet, struct msg_lists *m) MUST_USE;

/* Entries of an answer: one for each section of the configuration. */
#define MSG_LISTS_ENTRIES_MAX 64

struct msg_lists_entry {
	struct str zone;
	uint64_t of;
	struct str listed;	/* what the zone has: something asked for, or what is above it */
	uint64_t answer;	/* an address of IPv4, in host order */
	struct str text;	/* of its TXT record: foreign */
};

struct msg_lists_result {
	struct msg_lists_entry v[MSG_LISTS_ENTRIES_MAX];
	size_t n;
};
void msg_lists_result_put(struct buf *b, const struct msg_lists_result *m);
/* False also for what may not stand in a log. */
bool msg_lists_result_get(struct str packet, struct msg_lists_result *m) MUST_USE;

#endif
