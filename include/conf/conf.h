/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_CONF_H
#define CONF_CONF_H

/*
 * conf -- the configuration, read once and then never written.
 *
 * barid.conf(5) is the language.  One table (conf/option.h) says of each
 * option its name, type, default, range and help; parser, check, `baridctl
 * config` and the manual's test read it.
 *
 * Everything in a struct conf lives in its arena: conf_free() gives all
 * back.  Times are milliseconds, sizes octets.  Lists are arrays with a
 * count.  Strings are C strings, never NULL: "" where nothing was set.
 */

#include "conf/account.h"
#include "conf/admin.h"
#include "conf/archive.h"
#include "conf/checks.h"
#include "conf/collect.h"
#include "conf/destination.h"
#include "conf/dkim.h"
#include "conf/dnsbl.h"
#include "conf/limits.h"
#include "conf/list.h"
#include "conf/listener.h"
#include "conf/names.h"
#include "conf/queue.h"
#include "conf/recipient.h"
#include "conf/rewrite.h"
#include "conf/route.h"
#include "conf/secrets.h"
#include "conf/srs.h"
#include "conf/storage.h"
#include "conf/tls.h"
#include "conf/vacation.h"
#include "lib/arena.h"
#include "lib/buf.h"

struct conf_set;	/* the room's own */

enum conf_address_level { ADDRESSES_STRICT, ADDRESSES_LOOSE };

struct conf_auth {
	struct conf_strs backends;
	struct conf_strs mechanisms;
	struct conf_strs without_tls;
	struct conf_strs certificates;	/* "sha256:... user" */
	int64_t failure_delay;	/* after a first wrong password */
	uint64_t failures_to_block;	/* 0: nobody is blocked */
	int64_t block_time;
	int64_t timeout;	/* of one backend */
	int64_t cache;		/* 0: none */
};

struct conf_access {
	struct conf_nets connect;
	struct conf_nets blocked;
	struct conf_nets relay;
	struct conf_strs relay_certificates;	/* "sha256:...", "verified" */
	bool auth_required;
	int sender_login;		/* enum conf_sender_login */
	struct conf_nets proxies;	/* that send a PROXY header */
	struct conf_nets xclient;	/* that may say for whom they speak, */
	struct conf_nets xforward;	/* and where a message came from */
	struct conf_nets etrn;		/* that may start the queue of a domain */
	struct conf_nets verify;	/* that VRFY and EXPN tell who is here */
};

struct conf_pop3 {
	int64_t login_delay;	/* 0: none */
	int64_t expire;		/* 0: never */
	bool no_delete;		/* what clients delete stays */
};

struct conf_log {
	struct conf_strs to;
	int format;		/* enum log_format */
	int level;		/* enum log_level */
};

struct conf {
	struct arena arena;
	const char *path;	/* of the main file */

	const char *hostname;
	struct conf_strs domains;
	const char *postmaster;
	const char *user;
	const char *spool;
	const char *mailboxes;
	const char *run;
	int addresses;		/* enum conf_address_level */

	struct conf_listen *listens;
	size_t listen_n;
	struct conf_tls tls;
	struct conf_auth auth;
	struct conf_access access;
	struct conf_limits limits;
	struct conf_pop3 pop3;
	struct conf_account *accounts;
	size_t account_n;
	struct conf_admin admin;
	struct conf_recipients recipients;
	struct conf_strs aliases;	/* paths */
	struct conf_recipient *rules;	/* in their order */
	size_t rule_n;
	struct conf_archive *archives;	/* in their order */
	size_t archive_n;
	struct conf_vacation *vacations;	/* in their order */
	size_t vacation_n;
	struct conf_list *lists;
	size_t list_n;
	struct conf_srs srs;
	struct conf_rewrite *rewrites;	/* in their order */
	size_t rewrite_n;
	struct conf_upstream *upstreams;
	size_t upstream_n;
	struct conf_route *routes;
	size_t route_n;
	struct conf_nets mx_ignore;
	struct conf_source source;
	struct conf_pool *pools;
	size_t pool_n;
	struct conf_source_name *source_names;
	size_t source_name_n;
	struct conf_queue queue;
	struct conf_destination *destinations;
	size_t destination_n;
	bool add_missing_headers;	/* in mail of other servers, too */
	bool extract_headers;	/* x-barid-* and x-mq-* are settings */
	struct conf_storage storage;
	struct conf_dsn dsn;
	struct conf_dkim *dkim;
	size_t dkim_n;
	struct conf_dnsbls dnsbl;
	struct conf_checks check;
	struct conf_greylist greylist;
	struct conf_collect *collects;
	size_t collect_n;
	struct conf_log log;
	struct conf_journal journal;
	struct conf_dns dns;
	struct conf_override *overrides;
	size_t override_n;
	int sandbox;		/* enum confine_mode */
	uint64_t smtp_port;	/* the port of MX hosts: 25, another in tests */
	const char *http_proxy;	/* that HTTPS is fetched by; "": none */
	struct conf_proxy http_way;	/* meaning */
	const char *sink;	/* "address:port" that stands for all hosts; "": none */

	struct conf_set *sets;	/* where options were set; of the room itself */
	size_t set_n;
};

/*
 * Reads the file at PATH and checks it whole.  The configuration, or NULL
 * with the complaint in ERROR: one or more lines "FILE:LINE: what is wrong,
 * what was expected".
 */
struct conf *conf_load(const char *path, struct buf *error) MUST_USE;
/*
 * The same, and leaves in *KEPT (-1 with NULL) what was read: a sealed memory
 * file, closed on exec, that has passwords.  conf_load_kept() makes the same
 * configuration of it, whatever has become of files, environment and host; TABLES:
 * with its tables of addresses, which conf_tables_keep() (conf/table.h) puts there.
 */
struct conf *conf_load_and_keep(const char *path, int *kept, struct buf *error) MUST_USE;
struct conf *conf_load_kept(int fd, bool tables, struct buf *error) MUST_USE;
/*
 * For a helper: what the master keeps and gave it as standard input, which is
 * /dev/null then; the file at PATH for one that was started by hand.
 */
struct conf *conf_inherit(const char *path, bool tables, struct buf *error) MUST_USE;
/* conf_load() for text that is called NAME; include() is refused if that is no absolute path. */
struct conf *conf_parse(const char *name, struct str text, struct buf *error) MUST_USE;
/* All defaults. */
struct conf *conf_default(void) MUST_USE;
void conf_free(struct conf *c);		/* NULL is fine */
/* Sets the log up as C says: true if at least one target could be opened. */
bool conf_open_log(const struct conf *c);
/* The file that is read where none is given: $BARID_CONF, else SYSCONFDIR/barid/barid.conf. */
const char *conf_default_path(void);

/*
 * Calls FN with each option in effect, in the table's order: its full name
 * ("listen.smtp.port"), its value in the file's own spelling, and where it
 * was set.  Passwords come as "********".
 */
void conf_each(const struct conf *c,
    void (*fn)(void *arg, const char *name, const char *value, struct conf_place place),
    void *arg);

/*
 * Where FIELD was set, an address inside of C or of an element of a list of
 * strings or times; OTHERWISE if it has its default.
 */
struct conf_place conf_where(const struct conf *c, const void *field, struct conf_place otherwise);
/*
 * Adds a line "FILE:LINE: ..." to OUT for what C says without effect, though it
 * may be meant for another time or host.
 */
void conf_doubts(const struct conf *c, struct buf *out);

/* What has its default was set nowhere. */
#define CONF_NOWHERE ((struct conf_place){ "", 0 })
/*
 * Adds a line to ERROR about the option NAME: "FILE:LINE: NAME: ...", or
 * "FILE: NAME (default): ..." if WHERE is nowhere.
 */
void conf_blame(const struct conf *c, struct conf_place where, const char *name,
    struct buf *error, const char *fmt, ...) PRINTF(5, 6);

/* True if the address (4 or 16 octets; v4-mapped is v4) is in NETS. */
bool conf_nets_have(const struct conf_nets *nets, int family, const void *addr);
/* True if DOMAIN is one of ours (conf.domains), without case. */
bool conf_is_local(const struct conf *c, struct str domain);
const struct conf_upstream *conf_upstream(const struct conf *c, const char *name);
const struct conf_pool *conf_pool(const struct conf *c, const char *name);
const struct conf_list *conf_list(const struct conf *c, const char *name);

#endif
