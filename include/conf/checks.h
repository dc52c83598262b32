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
};

/* RFC 8617. */
struct conf_check_arc {
	const char *title;
	struct conf_place place;
	bool enabled;
	struct conf_strs trusted;	/* sealers who are believed what they had found */
};

/* Whose mail gets Authentication-Results: a bit of each word. */
enum { CONF_RESULTS_LOCAL = 1, CONF_RESULTS_NONLOCAL = 2 };

struct conf_checks {
	struct conf_check_spf spf;
	struct conf_check_dkim dkim;
	struct conf_check_dmarc dmarc;
	struct conf_check_arc arc;
	bool any;			/* one of them is enabled */
	struct conf_strs results;	/* words, as in the file */
	unsigned results_for;		/* CONF_RESULTS_* */
	const char *authserv;		/* who says so: RFC 8601 2.5 */
};

#endif
