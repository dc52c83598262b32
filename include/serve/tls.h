/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SERVE_TLS_H
#define SERVE_TLS_H

/* tls -- the certificates and rules of TLS as a listener of the configuration has them. */

#include "conf/conf.h"
#include "net/tls.h"

/*
 * A context for the sessions of L, one of C's.  SIGNER (borrowed) has the private
 * keys; NULL: they are read here.  NULL with the reason in ERROR, and in *WRONG
 * the string of C that it is about, or NULL; *WRONG says nothing otherwise.
 */
struct tls_ctx *serve_tls(const struct conf *c, const struct conf_listen *l,
    const struct tls_signer *signer, const char **wrong, struct buf *error) MUST_USE;

#endif
