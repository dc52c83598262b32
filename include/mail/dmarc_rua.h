/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_DMARC_RUA_H
#define MAIL_DMARC_RUA_H

/* dmarc_rua -- where a record of DMARC wants its reports (RFC 9989 4.7, "rua"). */

#include "mail/path.h"

/* Addresses that are written to for one domain. */
#define DMARC_RUA_MAX 5

/*
 * The addresses of LIST, in A: those of mailto: alone, in their order, the first
 * DMARC_RUA_MAX.  What is none is left out.  How many.
 */
size_t dmarc_rua_parse(struct str list, struct arena *a, struct path v[DMARC_RUA_MAX]);

#endif
