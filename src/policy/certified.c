/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * certified -- what a client's certificate lets it do.
 *
 * TLS has shown that the client has the key.  A fingerprint in the
 * configuration, of the certificate or of its key, means that one and no
 * other, so that who signed it and until when it is valid do not matter; it
 * may be self-signed.  "verified" means whatever tls.client-ca signed.
 */

#include "policy/certified.h"

bool
certified_is_asked(const struct conf *c, const struct conf_listen *l)
{
	/* Pages know nobody by his certificate; a relay is of no use to who fetches mail. */
	if (l->service == SERVICE_ADMIN)
		return false;
	return c->auth.certificates.n > 0 ||
	    (l->service != SERVICE_POP3 &&
		(c->tls.client_ca[0] != '\0' || l->relay_certificates.n > 0));
}

static bool
is_print(struct str text, const char *print)
{
	char hex[FINGERPRINT_SIZE];

	return print[0] != '\0' && fingerprint_parse(text, hex) == 0 && strcmp(hex, print) == 0;
}

bool
certified_relays(const struct conf *c, const struct tls_client *t)
{
	const struct conf_strs *list = &c->access.relay_certificates;

	for (size_t i = 0; t != NULL && i < list->n; i++) {
		struct str item = str_c(list->v[i]);

		if (is_print(item, t->fingerprint) || is_print(item, t->key) ||
		    (t->verified && str_ieq(item, STR("verified"))))
			return true;
	}
	return false;
}

static const char *
user_of(const struct conf_strs *list, const char *print)
{
	for (size_t i = 0; i < list->n; i++) {
		struct str rest = str_c(list->v[i]);

		if (!is_print(str_word(&rest), print))
			continue;
		/* The user is the end of the string. */
		rest = str_trim(rest);
		return rest.n > 0 ? rest.p : NULL;
	}
	return NULL;
}

const char *
certified_user(const struct conf *c, const struct tls_client *t)
{
	const char *user;

	if (t == NULL)
		return NULL;
	user = user_of(&c->auth.certificates, t->fingerprint);
	return user != NULL ? user : user_of(&c->auth.certificates, t->key);
}
