/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_CHECKS_H
#define CONF_CHECKS_H

/*
 * checks -- the sections about checks of mail that comes in; see conf/conf.h.
 *
 * Each title has a struct of its own.  Where there is no such section it is all
 * zero, so that ENABLED says whether a check is made.
 */

#include "conf/types.h"

/* What a result does: it is written down, and mail is refused, or is to come again. */
enum conf_check_action { CHECK_NOTE, CHECK_REJECT, CHECK_DEFER };

/* RFC 7208; each on_* is an enum conf_check_action. */
struct conf_check_spf {
	const char *title;
	struct conf_place place;
	bool enabled;
	int on_fail;
	int on_softfail;
	int on_none;
	int on_permerror;
	int on_temperror;
	int on_helo_fail;
	const char *explanation;	/* a macro-string (RFC 7208 7); "": none */
	struct conf_nets exempt;
	int64_t timeout;
};

/* RFC 6376. */
struct conf_check_dkim {
	const char *title;
	struct conf_place place;
	bool enabled;
	int on_fail;		/* no signature is good, and one is bad */
	int64_t timeout;
};

/* RFC 9989. */
struct conf_check_dmarc {
	const char *title;
	struct conf_place place;
	bool enabled;
	bool enforce;
	bool defer;		/* mail whose author's domain cannot be asked now */
	const char *quarantine;	/* a header line for mail that is to be set apart, or "" */
	struct conf_nets exempt;
	/* RFC 9990: what is told to domains that ask for it. */
	bool reports;
	const char *report_from;	/* an address; if there are reports, it is one */
	const char *report_org;		/* who reports, in words; "": the domain of that address */
	const char *report_contact;	/* more words on that, or "" */
	int64_t report_after;		/* the end of the day, in milliseconds */
	uint64_t report_rows;		/* that a day has at most */
};

/* RFC 8617. */
struct conf_check_arc {
	const char *title;
	struct conf_place place;
	bool enabled;
	struct conf_strs trusted;	/* sealers who are believed what they had found */
};

/* RFC 8601 2.7.3: the name of a client's address, and the address of that name. */
struct conf_check_iprev {
	const char *title;
	struct conf_place place;
	bool enabled;
	int on_none;		/* it has no name */
	int on_fail;		/* that does not lead back */
	int on_temperror;
	struct conf_nets exempt;
};

/* What a client calls itself. */
struct conf_check_helo {
	const char *title;
	struct conf_place place;
	bool enabled;
	int on_ours;		/* as we are called, or a domain of ours */
	int on_short;		/* no name with a dot, and no address */
	int on_unknown;		/* no such name in DNS */
	struct conf_nets exempt;
};

/* The domain of MAIL FROM. */
struct conf_check_sender {
	const char *title;
	struct conf_place place;
	bool enabled;
	int on_ours;		/* one of ours, from somebody who may not send as that */
	int on_unknown;		/* nobody there takes an answer */
	struct conf_nets exempt;
};

/* Of whom: of whom something speaks against (check/greylist.h); of all. */
enum conf_greylist_when { GREYLIST_SUSPICIOUS, GREYLIST_ALWAYS };

/* RFC 6647. */
struct conf_greylist {
	bool enabled;
	int when;		/* enum conf_greylist_when */
	int64_t delay, window, keep;
	uint64_t allow_after;
	struct conf_nets exempt;
};

/* Whose mail gets Authentication-Results: a bit of each word. */
enum { CONF_RESULTS_LOCAL = 1, CONF_RESULTS_NONLOCAL = 2 };

/* Which server is asked about the text of a message, and in which protocol. */
enum scan_server { SCAN_SPAMD, SCAN_RSPAMD, SCAN_CLAMD };
/* What a finding does: it is written down; mail is refused; the text is that of the server. */
enum scan_action { SCAN_NOTE, SCAN_REJECT, SCAN_EDIT };
/* And what it does that nobody can say. */
enum scan_on_error { SCAN_ACCEPT, SCAN_DEFER };

/* Spam, and viruses. */
struct conf_check_scan {
	const char *title;
	struct conf_place place;
	bool enabled;
	const char *server;
	int action;		/* enum scan_action */
	int on_error;		/* enum scan_on_error */
	uint64_t max_size;	/* a longer message is not looked at; 0: all are */
	int64_t timeout;
	const char *user;	/* whom spamd asks for; or "" */
	uint64_t reject_score;	/* from which on mail is refused; 0: the server decides */
	bool relayed;		/* mail of who may send anywhere is looked at, too */
	struct conf_nets exempt;
	/* meaning */
	enum scan_server kind;
	const char *host;	/* a host, an address, or "unix:/path" */
	uint16_t port;
};

struct conf_checks {
	struct conf_check_spf spf;
	struct conf_check_dkim dkim;
	struct conf_check_dmarc dmarc;
	struct conf_check_arc arc;
	struct conf_check_iprev iprev;
	struct conf_check_helo helo;
	struct conf_check_sender sender;
	struct conf_check_scan spam, virus;
	bool any;			/* one of them is enabled */
	struct conf_strs results;	/* words, as in the file */
	unsigned results_for;		/* CONF_RESULTS_* */
	const char *authserv;		/* who says so: RFC 8601 2.5 */
};

#endif
