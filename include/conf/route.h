/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_ROUTE_H
#define CONF_ROUTE_H

/*
 * route -- the part of the configuration that says where mail goes, and from
 * which address.  What stands behind "meaning" in a struct is not written in
 * the file: conf_load() reads it out of the options before it.
 */

#include "conf/pattern.h"
#include "conf/types.h"
#include "lib/buf.h"

struct conf;

#define CONF_SERVERS_MAX 16	/* of an upstream: what one attempt can go through */

enum conf_client_tls { TLS_OFF, TLS_MAY, TLS_REQUIRED, TLS_VERIFIED, TLS_DANE };
enum conf_protocol { PROTOCOL_SMTP, PROTOCOL_LMTP };

#define CONF_OWN_SOURCES_MAX 16	/* addresses that a message may name itself */

#define CONF_PROXY_HTTP 1

/* A proxy in front of a server, or in the place of a source address. */
struct conf_proxy {
	int version;		/* SOCKS 4, 5; CONF_PROXY_HTTP; 0: none */
	const char *host;	/* a name or an address */
	uint16_t port;
	const char *user, *password;	/* without escapes */
	const char *wrong;	/* what is wrong with what HOST "" stands for; or "" */
};

struct conf_server {
	/* Host, address or "unix:/path"; others may have it, with another port. */
	const char *name;
	struct conf_place place;
	uint64_t port;
	const char *user;
	const char *password;
	const char *token;	/* where it is: "file:/path", "refresh:https://..."; "": none */
	const char *client_id, *client_secret, *refresh_token;	/* RFC 6749 2.3.1, 6 */
	const char *secrets;	/* a file of E-MailRelay's that has all this; "": none */
	const char *selector;	/* its lines for us; "": those without */
	struct conf_strs auth;	/* mechanisms that may be used; empty: all */
	int tls;		/* enum conf_client_tls */
	uint64_t weight;
	bool backup;
	int protocol;		/* enum conf_protocol */
	const char *tls_name;	/* "": HOST */
	const char *certificate, *key;	/* of our own, PEM files; "": none */
	const char *ehlo;	/* "": as the source address and the host have it */
	const char *socks;
	/* meaning */
	const char *host;	/* NAME as DNS knows it, an address without brackets */
	struct conf_proxy proxy;
};

struct conf_upstream {
	const char *name;
	struct conf_place place;
	struct conf_server *servers;
	size_t server_n;
};

enum conf_via_kind { VIA_MX, VIA_UPSTREAM, VIA_MAILDIR, VIA_PIPE, VIA_DISCARD, VIA_ERROR };

/* Where a route leads to. */
struct conf_via {
	enum conf_via_kind kind;
	const char *domain;			/* VIA_MX: whose; NULL: the recipient's */
	uint16_t port;				/* VIA_MX: of the hosts; 0: smtp-port */
	const struct conf_upstream *upstream;	/* VIA_UPSTREAM */
	const char *maildir;			/* VIA_MAILDIR: its path */
	struct conf_strs words;			/* VIA_PIPE: see conf/program.h */
	bool all;				/* VIA_PIPE: run once for all recipients */
	size_t command;				/* VIA_PIPE: its number, see conf/program.h */
	int code;				/* VIA_ERROR: a reply */
	const char *enhanced, *text;
};

struct conf_patterns {
	struct pattern *v;
	size_t n;
};

/* A piece of mail goes by the first route all of whose conditions hold. */
struct conf_route {
	const char *pattern;	/* of the recipient; others may have it */
	struct conf_place place;
	const char *via;
	struct conf_strs sender, user, listener;	/* empty: any */
	const char *source;	/* a pool or an address; "": no wish */
	const char *fallback;	/* an upstream; "": none */
	int tls;		/* enum conf_client_tls */
	const char *run_as;	/* whose program it is; "": conf.user */
	/* meaning */
	struct pattern to;
	struct conf_patterns senders, users;
	struct conf_via way;
	const struct conf_upstream *relay;	/* of FALLBACK */
};

/* Addresses are networks of all their bits. */
struct conf_source {
	struct conf_nets addresses;	/* by default; none: the system chooses */
	struct conf_nets mappable, unmappable;
};

struct conf_pool {
	const char *name;
	struct conf_place place;
	struct conf_nets addresses;
};

struct conf_source_name {
	const char *address;
	struct conf_place place;
	const char *hostname;
	const char *socks;	/* a proxy that has the address; "": none */
	/* meaning */
	struct ip_range net;
	struct conf_proxy proxy;
};

/*
 * Reads a via: "mx", the name of an upstream, "smtp:host:port",
 * "lmtp:host:port", either with "unix:/path" for the host, "maildir:/path",
 * "discard", "error:550 5.7.1 text".  An upstream that only stands here has TLS and is
 * in A.  NULL, or what is wrong with it, in A.  A program ("pipe:/path") is
 * always wrong here: none but a section of the configuration names one.
 */
const char *conf_via_read(const struct conf *c, const char *text, int tls,
    struct arena *a, struct conf_via *v) MUST_USE;
/*
 * The way that a message names itself, in the words of a via; a Maildir or a
 * socket of this host must be one of the configuration's.  With a USER it logs
 * in there, over TLS; only a server that stands nowhere else can have one.
 */
const char *conf_via_own(const struct conf *c, struct str text, struct str user,
    struct str password, struct arena *a, struct conf_via *v) MUST_USE;
/*
 * True if U is a section of C, or a route or recipient of C leads to its server, too.
 * One that only a message names may not be at this host.
 */
bool conf_upstream_known(const struct conf *c, const struct conf_upstream *u) MUST_USE;
/* The same of a PORT of MX hosts: the usual one, or one of a route or recipient. */
bool conf_mx_port_known(const struct conf *c, uint16_t port) MUST_USE;
/* A copy in A of U, which conf_via_read() made, with that login. */
const struct conf_upstream *conf_upstream_login(const struct conf_upstream *u,
    struct str user, struct str password, struct arena *a);

#endif
