/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_EXPLAIN_H
#define CMD_EXPLAIN_H

/* explain -- what the files of `baridctl explain` share. */

#include "check/dkim.h"
#include "check/dnsbl_terms.h"
#include "check/spf.h"
#include "ipc/msg_name.h"
#include "net/dns.h"
#include "policy/route.h"
#include "report/steps.h"
#include "report/view.h"

#include "ctl.h"

struct lookup;

/* An explanation that is being made. */
struct explain {
	const struct conf *conf;
	struct steps steps;
	unsigned depth;
	struct lookup *dns;
	bool running;		/* a barid answers */
	struct mail_facts facts;
	const struct conf_listen *listen;	/* where it comes in, if that was said */
	struct path said;	/* whom the client says it is from, if that is rewritten */
	const char *wrong;	/* with the message's own way, or NULL */
	struct aliases *aliases;	/* once they were asked for */
	struct arena *lists;		/* of what is read while they are walked */
};

struct target;

/* Adds a step at the depth that it is at. */
#define explain_say(x, name, place, ...) \
	steps_add(&(x)->steps, (x)->depth, name, place, __VA_ARGS__)

/* explain_rcpt.c: what P, and the sender, become as the mail comes in. */
void explain_remap(struct explain *x, struct path *p);
/* All about mail for P; AT_LAST: it was forwarded to P. */
void explain_rcpt(struct explain *x, const struct path *p, bool at_last);
/* explain_sender.c: how much may be handed in for P. */
void explain_sender(struct explain *x, const struct path *p);
/*
 * explain_lists.c: who is an alias goes into USERS, beside USER, who has a
 * mailbox ("" is nobody); and whom P, which T says that others stand for,
 * leads to.
 */
void explain_users(struct explain *x, struct userset *users, struct str user);
void explain_lists(struct explain *x, const struct userset *users,
    const struct path *p);
void explain_lists_free(struct explain *x);
/* True if the mailbox of T is that of an account with a .forward, as far as we may see. */
bool explain_forward(struct explain *x, const struct target *t);
/* The Maildir that the account of T has at home, in A; NULL: it has none. */
const char *explain_home(const struct explain *x, const struct target *t,
    struct arena *a);
/* explain_message.c: of message ID, and each of its recipients; an exit code. */
int explain_message(struct explain *x, const char *id);

/* explain_sign.c: which keys sign mail of ours whose From has AUTHOR; and which F. */
void explain_sign(struct explain *x, const struct path *author);
void explain_sign_message(struct explain *x, const struct queue_file *f, struct arena *a);

/* explain_checks.c: what checks make of the client of T, and of what it sends to P. */
int explain_checks(struct explain *x, const struct ctl *t, const struct path *p);

/* dkim_verify.c: the file at PATH ("-" is standard input) as it is on its way; false: errno. */
bool message_read(const char *path, struct buf *text) MUST_USE;
/* WHAT of its signatures, all but the keys. */
struct dkim_check *message_check(struct str text, unsigned what) MUST_USE;

/*
 * dnsbl.c: what each list says of T goes into S, and beside what is there into FOUND,
 * one entry for each list, of which V is the verdict; true: some list did not answer.
 */
bool dnsbl_explain(const struct conf *c, struct lookup *dns, const struct addr *client,
    const struct dnsbl_terms *t, struct dnsbl_entry *found, struct steps *s, unsigned depth,
    struct dnsbl_verdict *v);

struct found;

/* explain_limits.c: how much of it; the hosts are those of MX, and the servers of U, or NULL. */
void explain_limits(struct explain *x, const char *name,
    const struct found *mx, const struct conf_upstream *u);

/* explain_hosts.c: where it goes then; F gets the MX hosts. */
void explain_mx(struct explain *x, const char *domain, int tls, struct found *f);
void explain_upstream(struct explain *x, const struct conf_upstream *u);
/* What the runners remember of a destination. */
void explain_memory(struct explain *x, const char *kind, struct str name);

/* lookup.c: names, one question after the other. */

#define LOOKUP_HOSTS 16
#define LOOKUP_ADDRS 16

struct found_host {
	char name[256];
	unsigned preference;
	enum dns_status status;
	char reason[160];
	struct addr addr[LOOKUP_ADDRS];
	size_t addr_n;
	bool secure;
	char canonical[256];	/* what its aliases lead to; "": it has none */
	enum dns_status tlsa;	/* where it was asked for */
	bool tlsa_asked, tlsa_secure;
	const struct dns_tlsa *tlsas;	/* they live as long as the lookup */
	size_t tlsa_n;
};

struct found {
	enum dns_status status;	/* of the MX records */
	char reason[160];
	bool secure, overridden, null_mx;
	bool implicit;		/* there are none: the domain itself */
	struct found_host host[LOOKUP_HOSTS];
	size_t host_n, all_n;	/* of so many in all */
};

#define LOOKUP_RECORDS 16
/* As many as an answer is looked at for: the one that is wanted may be the last. */
#define LOOKUP_TEXTS 512

/* Records of one name and kind; they live as long as the lookup. */
struct found_records {
	enum dns_status status;
	char reason[160];
	bool secure;
	struct str text[LOOKUP_TEXTS];	/* of TXT */
	struct dns_srv srv[LOOKUP_RECORDS];
	size_t n;
};

struct lookup *lookup_new(const struct conf *c) MUST_USE;
void lookup_free(struct lookup *l);	/* NULL is fine */
/* The MX hosts of DOMAIN with their addresses, and TLSA records for PORT if TLSA. */
void lookup_mx(struct lookup *l, const char *domain, bool tlsa, uint16_t port, struct found *f);
/* The addresses of one host, whose name F has. */
void lookup_host(struct lookup *l, struct found_host *f);
/* True if DOMAIN says that it has an MTA-STS policy (RFC 8461 3.1). */
bool lookup_sts(struct lookup *l, const char *domain);
/* The same, of IPv4 alone, and from DNS alone: for names that are questions. */
void lookup_addr4(struct lookup *l, struct found_host *f);
void lookup_txt(struct lookup *l, const char *name, struct found_records *f);
void lookup_srv(struct lookup *l, const char *name, struct found_records *f);
/* The names of what NAME, an address turned around, stands for; as texts of F. */
void lookup_ptr(struct lookup *l, const char *name, struct found_records *f);
/* Whether DOMAIN has an address or a mail exchanger, and says that it takes no mail. */
struct msg_exists_result lookup_exists(struct lookup *l, const char *domain);
/* The verdict of SPF on C; F is what DNS said so far, and grows. */
void lookup_spf(struct lookup *l, const struct spf_client *c, struct spf_facts *f,
    struct spf_verdict *v);
/* The keys that C wants. */
void lookup_keys(struct lookup *l, struct dkim_check *c);
/* The TLSA records of F's name for PORT, into F. */
void lookup_tlsa(struct lookup *l, struct found_host *f, uint16_t port);
/* True if an answer can be known to be secure. */
bool lookup_is_trusted(const struct lookup *l);

#endif
