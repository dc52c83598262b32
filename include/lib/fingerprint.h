/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_FINGERPRINT_H
#define LIB_FINGERPRINT_H

/* fingerprint -- a SHA-256 as people write it. */

#include "lib/str.h"

/* 64 digits and a zero. */
#define FINGERPRINT_SIZE 65

/*
 * Takes "sha256:" and 64 hexadecimal digits, in pairs with or without colons
 * between them and in any case, as openssl-x509(1) and Postfix show them.  HEX
 * gets the digits in lower case, without colons.  -1: it is none.
 */
int fingerprint_parse(struct str text, char hex[FINGERPRINT_SIZE]) MUST_USE;

#endif
