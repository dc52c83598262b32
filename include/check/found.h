/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_FOUND_H
#define CHECK_FOUND_H

/* found -- what checks had found of a message, read again; check/result.h writes it. */

#include "mail/header.h"

/* True if METHOD had the result VALUE in JSON, which the envelope has. */
bool found_result(struct str json, const char *method, const char *value);
/*
 * The field in HEADER, which we took in, where AUTHSERV says what was found; false:
 * there is none.
 */
bool found_field(struct str header, const char *authserv, struct field *f) MUST_USE;

#endif
