/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_TLS_KEY_H
#define NET_TLS_KEY_H

/*
 * tls_key -- a server's private key, and the one thing that is done with it.
 *
 * Who has the key signs what a TLS server signs in a handshake, in its exact
 * form, and nothing else: whoever may ask gets no signature that means
 * something elsewhere, and nothing is ever decrypted.
 */

#include <stdio.h>

#include "lib/buf.h"

struct tls_key;

/* SHA-256 of the certificate's SubjectPublicKeyInfo: by it a key is called. */
#define TLS_KEY_ID 32

/*
 * From PEM files; KEY "": it is in CERTIFICATE.  They must belong together.
 * NULL with the reason, which names the file, in ERROR.
 */
struct tls_key *tls_key_load(const char *certificate, const char *key, struct buf *error) MUST_USE;
/*
 * The same by way of a file: put behind what is there, with its certificate,
 * and taken from where F stands.  False, NULL: errno or not a key; at the end
 * of F ERROR is as it was.
 */
bool tls_key_put(const struct tls_key *k, FILE *f) MUST_USE;
struct tls_key *tls_key_get(FILE *f, struct buf *error) MUST_USE;
void tls_key_free(struct tls_key *k);	/* NULL is fine */
bool tls_key_is(const struct tls_key *k, struct str id) MUST_USE;
/*
 * Adds the signature of CONTENT by the scheme that has the number CODE (RFC
 * 8446 4.2.3).  CONTENT is either what a server signs in a CertificateVerify
 * (RFC 8446 4.4.3), or both randoms and the ephemeral key of a
 * ServerKeyExchange (RFC 5246 7.4.3, RFC 8422 5.4).  False: it is neither, the
 * key is of another kind, or OpenSSL failed; SIGNATURE is as it was.
 */
bool tls_key_sign(const struct tls_key *k, uint64_t code, struct str content,
    struct buf *signature) MUST_USE;

#endif
