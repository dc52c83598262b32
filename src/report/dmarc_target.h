/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_DMARC_TARGET_H
#define REPORT_DMARC_TARGET_H

/* dmarc_target -- where a domain wants its reports, as DNS has it now. */

#include "check/dmarc.h"
#include "conf/conf.h"
#include "mail/dmarc_rua.h"

struct dmarc_asker;

/* A resolver of its own; NULL: errno. */
struct dmarc_asker *dmarc_asker_new(const struct conf *c) MUST_USE;
void dmarc_asker_free(struct dmarc_asker *k);

enum dmarc_wish {
	DMARC_WANTED,		/* by those in TARGETS */
	DMARC_UNWANTED,
	DMARC_NOT_KNOWN_NOW	/* DNS has no answer */
};

struct dmarc_targets {
	struct dmarc record;
	struct path v[DMARC_RUA_MAX];
	size_t n;
	const char *why;	/* nobody wants them */
};

/*
 * Who wants reports about DOMAIN, whose record is asked for anew (RFC 9990 4).
 * PATIENT: what has no answer makes it DMARC_NOT_KNOWN_NOW; else it counts as no.
 * Views last until the next call.
 */
enum dmarc_wish dmarc_target(struct dmarc_asker *k, struct str domain, bool patient,
    struct dmarc_targets *t);

#endif
