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

struct conf_checks {
	struct conf_check_spf spf;
};

#endif
