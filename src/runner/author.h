/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_AUTHOR_H
#define RUNNER_AUTHOR_H

/* author -- what the domain of an author asks for by DMARC. */

#include "mail/dmarc.h"
#include "runner.h"

/*
 * Calls FN, never from within, with what DOMAIN asks of mail that it did not
 * send, or a domain above it (RFC 9989 4.10); KNOWN is false if DNS did not say.
 */
void author_asks(struct runner *r, struct str domain,
    void (*fn)(void *arg, bool known, enum dmarc_policy p), void *arg);

#endif
