/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TLS_SIGN_H
#define NET_TLS_SIGN_H

/* tls_sign -- a key for OpenSSL whose private part is in another process. */

#include "net/tls.h"

struct evp_pkey_st;
struct x509_st;

/*
 * Stands for the private key of LEAF: what is to be signed with it goes to
 * SIGNER, which is borrowed.  NULL: OpenSSL's error queue says why.
 */
struct evp_pkey_st *tls_sign_key(struct x509_st *leaf, const struct tls_signer *signer) MUST_USE;

#endif
