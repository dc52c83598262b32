/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_CERT_H
#define NET_CERT_H

/* cert -- certificates, keys and trust anchors from files, for net/tls.c. */

#include "lib/buf.h"

struct stack_st_X509;
struct x509_st;
struct x509_store_st;
struct evp_pkey_st;
struct X509_VERIFY_PARAM_st;

struct cert {
	struct x509_st *leaf;
	struct stack_st_X509 *chain;	/* what stands behind the leaf */
	struct evp_pkey_st *key;
	const char *wrong;	/* where it fails: which of the two files is to blame */
};

/*
 * Reads a certificate with its chain, and its key (KEY NULL or "": from the
 * same file), and checks that they belong together.  False with the reason,
 * which names the file, in ERROR.  Never asks for a password.
 */
bool cert_load(struct cert *c, const char *certificate, const char *key,
    struct buf *error) MUST_USE;
/* The same without the key, which stays NULL. */
bool cert_load_public(struct cert *c, const char *certificate, struct buf *error) MUST_USE;
void cert_free(struct cert *c);
/* For OpenSSL: never asks at a terminal, and notes in *ARG, a bool, that a password is needed. */
int cert_no_password(char *p, int n, int writing, void *arg);
struct X509_name_st;
/* The common name in N, what is not a plain letter of ASCII as "?"; "" if there is none. */
void cert_common_name(const struct X509_name_st *n, char *cn, size_t size);
/* SHA-256 of the SubjectPublicKeyInfo of X: 32 octets. */
bool cert_key_id(const struct x509_st *x, unsigned char id[32]) MUST_USE;

/* Adds the anchors at CA (file or directory; "": the system's) to STORE. */
bool cert_anchors(struct x509_store_st *store, const char *ca, struct buf *error) MUST_USE;
/* The same of a directory, but read now: for who cannot do it later. */
bool cert_anchors_now(struct x509_store_st *store, const char *ca, struct buf *error) MUST_USE;

/*
 * Demands HOST, a name or an address, of a certificate: by the subjectAltName
 * alone (RFC 6125 6.4.4), "*" for one whole label.  Empty: nothing.
 */
bool cert_demand(struct X509_VERIFY_PARAM_st *param, struct str host) MUST_USE;

/* Adds RFC 5929 4's tls-server-end-point; nothing if its signature has no hash. */
void cert_end_point(const struct x509_st *c, struct buf *out);

/* Adds what OpenSSL complained of first, in words, and forgets all else. */
void cert_add_reason(struct buf *b);

#endif
