/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_MSG_NAME_H
#define IPC_MSG_NAME_H

/*
 * msg_name -- whether a client has a name, and a name somebody behind it: a
 * session asks barid-check, as in ipc/msg.h.
 */

#include "ipc/msg.h"

/* The words of RFC 8601 2.7.3. */
enum iprev { IPREV_PASS, IPREV_FAIL, IPREV_TEMPERROR, IPREV_PERMERROR };
#define IPREV_N 4

/* What is the name of ADDRESS, and does that lead back to it? */
struct msg_iprev {
	struct str address;	/* "192.0.2.1", "2001:db8::1" */
};
void msg_iprev_put(struct buf *b, const struct msg_iprev *m);
bool msg_iprev_get(struct str packet, struct msg_iprev *m) MUST_USE;

/*
 * PASS: NAME does.  FAIL: NAME does not, nor does another.  PERMERROR: there is no
 * name.  TEMPERROR: DNS does not say.
 */
struct msg_iprev_result {
	enum iprev result;
	struct str name;	/* of a host, in lower case; or empty */
};
void msg_iprev_result_put(struct buf *b, const struct msg_iprev_result *m);
/* False also for a name that is none of a host. */
bool msg_iprev_result_get(struct str packet, struct msg_iprev_result *m) MUST_USE;

/*
 * Has DOMAIN, in ASCII, an address or a mail exchanger?  AT_ALL: has DNS such a
 * name, whatever of it (RFC 8020)?
 */
struct msg_exists {
	struct str domain;
	bool at_all;
};
void msg_exists_put(struct buf *b, const struct msg_exists *m);
bool msg_exists_get(struct str packet, struct msg_exists *m) MUST_USE;

enum exists { EXISTS_YES, EXISTS_NO, EXISTS_UNKNOWN };
#define EXISTS_N 3
struct msg_exists_result {
	enum exists result;
	bool null_mx;		/* it says that it takes no mail (RFC 7505) */
};
void msg_exists_result_put(struct buf *b, const struct msg_exists_result *m);
bool msg_exists_result_get(struct str packet, struct msg_exists_result *m) MUST_USE;

#endif
