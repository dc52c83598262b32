/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_LISTENER_H
#define CONF_LISTENER_H

/* listener -- listeners, and what they have of their own; see conf/conf.h. */

#include "conf/types.h"

struct conf;

/* Where mail came in that programs of this host left in drop/. */
#define CONF_LISTEN_DROP "sendmail"

enum conf_service { SERVICE_SMTP, SERVICE_SUBMISSION, SERVICE_POP3, SERVICE_ADMIN };
enum conf_listen_tls {
	LISTEN_TLS_OFF,
	LISTEN_TLS_STARTTLS,
	LISTEN_TLS_REQUIRED,
	LISTEN_TLS_IMPLICIT
};

struct conf_listen {
	const char *name;
	struct conf_place place;
	int service;		/* enum conf_service */
	/* "*", addresses, interface names, "unix:/path", "fd:name" */
	struct conf_strs address;
	struct conf_ports port;
	int tls;		/* enum conf_listen_tls */
	const char *hostname;	/* "": the global one */
	bool no_mail;
	/* What is its own, or else the global value: see conf_at_listener(). */
	struct conf_nets connect;
	struct conf_nets blocked;
	struct conf_nets relay;
	struct conf_strs relay_certificates;
	bool auth_required;
	int sender_login;	/* enum conf_sender_login */
	struct conf_nets proxies;
	struct conf_nets xclient;
	struct conf_nets xforward;
	struct conf_nets etrn;
	struct conf_nets verify;
	struct conf_strs mechanisms;
	struct conf_strs without_tls;
	uint64_t connections_per_address;
	uint64_t message_size;
	uint64_t recipients;
	uint64_t errors;
	int64_t timeout;
	int64_t greet_delay;
	int early_talkers;	/* enum conf_early */
	int64_t tarpit_delay;
	int64_t login_delay;
	int64_t expire;
	bool no_delete;
};

/*
 * The configuration as it is for the sessions of L: what L says itself stands
 * in the place of the global value.  OUT borrows all from C, and is not freed.
 */
void conf_at_listener(const struct conf *c, const struct conf_listen *l, struct conf *out);

#endif
