/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * tls_sign -- keys for OpenSSL whose private parts are in another process.
 *
 * To OpenSSL such a key is one of a provider of our own, built into the
 * process.  It holds the public part, an EVP_PKEY of the default provider that
 * answers whatever is asked of it, and knows one operation: to sign what a
 * handshake has to be signed, whole and at once, which asks the signer.  It
 * gives no private part to another provider, since it has none; OpenSSL finds
 * by that refusal that only this one can sign.  Decryption does not exist.
 */

#include "tls_sign.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <strings.h>

#include "cert.h"
#include "lib/mem.h"
#include "net/tls_key.h"
#include "scheme.h"

#define PROVIDER "barid-sign"
#define ONLY_OURS "provider=" PROVIDER
#define THEIRS "provider=default"
/* A parameter that only tls_sign_key() gives. */
#define PARAM_SIGNER PROVIDER "-signer"

/* How the private part is to be had. */
struct how {
	const struct tls_signer *signer;
	unsigned char id[TLS_KEY_ID];
};

struct key {
	const char *type;	/* OpenSSL's name for this kind */
	EVP_PKEY *public;	/* NULL: nothing was put in yet */
	struct how how;		/* without a signer: a public key alone */
};

/* ---- keys --------------------------------------------------------------------- */

static void *
new_key(const char *type)
{
	struct key *k = mem_alloc(sizeof(*k));

	k->type = type;
	return k;
}

static void *
new_ec(void *provider UNUSED)
{
	return new_key("EC");
}

static void *
new_rsa(void *provider UNUSED)
{
	return new_key("RSA");
}

static void *
new_rsa_pss(void *provider UNUSED)
{
	return new_key("RSA-PSS");
}

static void *
new_ed25519(void *provider UNUSED)
{
	return new_key("ED25519");
}

static void *
new_ed448(void *provider UNUSED)
{
	return new_key("ED448");
}

static void
key_free(void *p)
{
	struct key *k = p;

	if (!k)
		return;
	EVP_PKEY_free(k->public);
	mem_free(k);
}

static int
key_has(const void *p, int selection)
{
	const struct key *k = p;

	if (!k->public)
		return 0;
	return !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || k->how.signer != NULL;
}

static int
key_match(const void *a, const void *b, int selection UNUSED)
{
	const struct key *x = a, *y = b;

	return x->public && y->public && EVP_PKEY_eq(x->public, y->public) == 1;
}

/* The public part out of PARAMS, and who signs with the private one. */
static int
key_import(void *p, int selection UNUSED, const OSSL_PARAM params[])
{
	const OSSL_PARAM *how = OSSL_PARAM_locate_const(params, PARAM_SIGNER);
	EVP_PKEY_CTX *ctx;
	struct key *k = p;
	OSSL_PARAM *copy;
	int ok;

	if (k->public)
		return 0;
	/* OpenSSL's argument is not const, though it only reads. */
	copy = OSSL_PARAM_dup(params);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, k->type, THEIRS);
	ok = copy && ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
	    EVP_PKEY_fromdata(ctx, &k->public, EVP_PKEY_PUBLIC_KEY, copy) > 0;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(copy);
	if (ok && how && how->data_size == sizeof(k->how))
		memcpy(&k->how, how->data, sizeof(k->how));
	return ok;
}

static const OSSL_PARAM *
key_import_types(int selection UNUSED)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_octet_string(PARAM_SIGNER, NULL, 0), OSSL_PARAM_END
	};

	return types;
}

static int
key_export(void *p, int selection, OSSL_CALLBACK *callback, void *arg)
{
	const struct key *k = p;
	OSSL_PARAM *params = NULL;
	int ok;

	if (!k->public || (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY))
		return 0;
	ok = EVP_PKEY_todata(k->public, EVP_PKEY_PUBLIC_KEY, &params) > 0 && callback(params, arg);
	OSSL_PARAM_free(params);
	return ok;
}

static int
key_get_params(void *p, OSSL_PARAM params[])
{
	const struct key *k = p;

	return k->public && EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *
key_gettable(void *provider UNUSED)
{
	static const OSSL_PARAM names[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_MANDATORY_DIGEST, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
		OSSL_PARAM_END
	};

	return names;
}

static const char *
ec_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

static const char *
rsa_operation(int operation)
{
	return operation == OSSL_OP_SIGNATURE ? "RSA" : NULL;
}

/* ---- signatures ------------------------------------------------------------------ */

struct signing {
	const struct key *key;
	char digest[32];
	bool pss;
};

static void *
signing_new(void *provider UNUSED, const char *properties UNUSED)
{
	return mem_alloc(sizeof(struct signing));
}

static void
signing_free(void *p)
{
	mem_free(p);
}

static int
signing_set(void *p, const OSSL_PARAM params[])
{
	const OSSL_PARAM *mode;
	struct signing *s = p;
	int number = 0;

	/* The salt is as long as the digest, which is all that TLS has. */
	if (!params || !(mode = OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE)))
		return 1;
	if (mode->data_type == OSSL_PARAM_UTF8_STRING)
		s->pss = strcmp(mode->data, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0;
	else if (OSSL_PARAM_get_int(mode, &number))
		s->pss = number == RSA_PKCS1_PSS_PADDING;
	return 1;
}

static const OSSL_PARAM *
signing_settable(void *p UNUSED, void *provider UNUSED)
{
	static const OSSL_PARAM names[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
		OSSL_PARAM_END
	};

	return names;
}

/* OpenSSL tries out by this which schemes a key has: nobody is asked for that. */
static int
signing_init(void *p, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct str name = digest ? str_c(digest) : STR("");
	struct signing *s = p;

	*s = (struct signing){ .key = key };
	if (!key || name.n >= sizeof(s->digest))
		return 0;
	memcpy(s->digest, name.p, name.n);
	return signing_set(p, params) && (scheme_for(s->key->type, s->digest, true) ||
		scheme_for(s->key->type, s->digest, false));
}

static int
signing_sign(void *p, unsigned char *out, size_t *n, size_t room, const unsigned char *content,
    size_t content_n)
{
	const struct signing *s = p;
	const struct scheme *scheme = scheme_for(s->key->type, s->digest, s->pss);
	const struct tls_signer *signer = s->key->how.signer;
	int most = EVP_PKEY_get_size(s->key->public);
	struct buf b;
	bool ok;

	if (!scheme || !signer || most <= 0)
		return 0;
	if (!out) {
		*n = (size_t)most;
		return 1;
	}
	buf_init(&b, (size_t)most);
	ok = signer->sign(signer->arg, str_n((const char *)s->key->how.id, TLS_KEY_ID),
		 scheme->code, str_n((const char *)content, content_n), &b) && b.n <= room;
	if (ok) {
		memcpy(out, b.p, b.n);
		*n = b.n;
	}
	buf_free(&b);
	return ok;
}

/* ---- the provider ------------------------------------------------------------------- */

/* What OpenSSL calls through such a table has another type there. */
#define FN(f) ((void (*)(void))(f))

#define KEYS(name, create, ...)                                                              \
	static const OSSL_DISPATCH name[] = {                                                \
		{ OSSL_FUNC_KEYMGMT_NEW, FN(create) },                                       \
		{ OSSL_FUNC_KEYMGMT_FREE, FN(key_free) },                                    \
		{ OSSL_FUNC_KEYMGMT_HAS, FN(key_has) },                                      \
		{ OSSL_FUNC_KEYMGMT_MATCH, FN(key_match) },                                  \
		{ OSSL_FUNC_KEYMGMT_IMPORT, FN(key_import) },                                \
		{ OSSL_FUNC_KEYMGMT_IMPORT_TYPES, FN(key_import_types) },                    \
		{ OSSL_FUNC_KEYMGMT_EXPORT, FN(key_export) },                                \
		{ OSSL_FUNC_KEYMGMT_EXPORT_TYPES, FN(key_import_types) },                    \
		{ OSSL_FUNC_KEYMGMT_GET_PARAMS, FN(key_get_params) },                        \
		{ OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, FN(key_gettable) }, __VA_ARGS__ { 0, NULL } \
	}

KEYS(ec_keys, new_ec, { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, FN(ec_operation) }, );
KEYS(rsa_keys, new_rsa, { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, FN(rsa_operation) }, );
KEYS(rsa_pss_keys, new_rsa_pss, { OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, FN(rsa_operation) }, );
KEYS(ed25519_keys, new_ed25519, );
KEYS(ed448_keys, new_ed448, );

static const OSSL_DISPATCH signatures[] = {
	{ OSSL_FUNC_SIGNATURE_NEWCTX, FN(signing_new) },
	{ OSSL_FUNC_SIGNATURE_FREECTX, FN(signing_free) },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN_INIT, FN(signing_init) },
	{ OSSL_FUNC_SIGNATURE_DIGEST_SIGN, FN(signing_sign) },
	{ OSSL_FUNC_SIGNATURE_SET_CTX_PARAMS, FN(signing_set) },
	{ OSSL_FUNC_SIGNATURE_SETTABLE_CTX_PARAMS, FN(signing_settable) },
	{ 0, NULL },
};

/* By the names that the default provider has for them: else keys would not be compared. */
static const OSSL_ALGORITHM *
query(void *provider UNUSED, int operation, int *no_cache)
{
	static const OSSL_ALGORITHM keys[] = {
		{ "EC:id-ecPublicKey:1.2.840.10045.2.1", ONLY_OURS, ec_keys, NULL },
		{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", ONLY_OURS, rsa_keys, NULL },
		{ "RSA-PSS:RSASSA-PSS:1.2.840.113549.1.1.10", ONLY_OURS, rsa_pss_keys, NULL },
		{ "ED25519:1.3.101.112", ONLY_OURS, ed25519_keys, NULL },
		{ "ED448:1.3.101.113", ONLY_OURS, ed448_keys, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	static const OSSL_ALGORITHM signing[] = {
		{ "ECDSA", ONLY_OURS, signatures, NULL },
		{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", ONLY_OURS, signatures, NULL },
		{ "ED25519:1.3.101.112", ONLY_OURS, signatures, NULL },
		{ "ED448:1.3.101.113", ONLY_OURS, signatures, NULL },
		{ NULL, NULL, NULL, NULL },
	};

	*no_cache = 0;
	return operation == OSSL_OP_KEYMGMT ? keys :
	    operation == OSSL_OP_SIGNATURE  ? signing :
					      NULL;
}

static int
init(const OSSL_CORE_HANDLE *handle UNUSED, const OSSL_DISPATCH *in UNUSED,
    const OSSL_DISPATCH **out, void **provider)
{
	static const OSSL_DISPATCH calls[] = { { OSSL_FUNC_PROVIDER_QUERY_OPERATION, FN(query) },
		{ 0, NULL } };
	static char nothing;

	*out = calls;
	*provider = &nothing;
	return 1;
}

/*
 * Of providers that know the same names the first that was asked for one has
 * it.  So the default one is asked for each before ours is there: a key that
 * is read from a file, here or elsewhere in the process, stays its own.
 */
static void
prefer_default(void)
{
	static const char *const keys[] = { "EC", "RSA", "RSA-PSS", "ED25519", "ED448" };
	static const char *const signing[] = { "ECDSA", "RSA", "ED25519", "ED448" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		EVP_KEYMGMT_free(EVP_KEYMGMT_fetch(NULL, keys[i], NULL));
	for (size_t i = 0; i < ARRAY_LEN(signing); i++)
		EVP_SIGNATURE_free(EVP_SIGNATURE_fetch(NULL, signing[i], NULL));
}

/* Once for the process, and as long as it lives. */
static bool
provide(void)
{
	static OSSL_PROVIDER *theirs, *ours;

	/* The first that is loaded by name ends what goes without saying. */
	if (!theirs && !(theirs = OSSL_PROVIDER_load(NULL, "default")))
		return false;
	if (ours)
		return true;
	prefer_default();
	if (OSSL_PROVIDER_add_builtin(NULL, PROVIDER, init) == 1)
		ours = OSSL_PROVIDER_load(NULL, PROVIDER);
	return ours != NULL;
}

/* PUBLIC's parts, and HOW behind them; NULL: no memory. */
static OSSL_PARAM *
merged(EVP_PKEY *public, struct how *how)
{
	OSSL_PARAM ours[] = { OSSL_PARAM_construct_octet_string(PARAM_SIGNER, how, sizeof(*how)),
		OSSL_PARAM_construct_end() };
	OSSL_PARAM *theirs = NULL, *both = NULL;

	if (EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &theirs) > 0)
		both = OSSL_PARAM_merge(theirs, ours);
	if (both) {
		/* It only points into both. */
		OSSL_PARAM *copy = OSSL_PARAM_dup(both);

		OSSL_PARAM_free(both);
		both = copy;
	}
	OSSL_PARAM_free(theirs);
	return both;
}

EVP_PKEY *
tls_sign_key(X509 *leaf, const struct tls_signer *signer)
{
	EVP_PKEY *public = X509_get0_pubkey(leaf), *key = NULL;
	struct how how = { .signer = signer };
	EVP_PKEY_CTX *ctx = NULL;
	OSSL_PARAM *params = NULL;

	if (!public || !cert_key_id(leaf, how.id) || !provide())
		return NULL;
	params = merged(public, &how);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, EVP_PKEY_get0_type_name(public), ONLY_OURS);
	if (!params || !ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) <= 0)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}
