/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * certificate -- what a configuration says of clients' certificates.
 *
 * Only its form is looked at here; whom it lets in is decided in policy/.
 */

#include "lib/fingerprint.h"
#include "lib/name.h"
#include "private.h"

#define FORM                                                                               \
	"\"sha256:\" and 64 hexadecimal digits, as openssl x509 -fingerprint -sha256 " \
	"shows them"

static void
check_relay(const struct conf *c, const char *name, const char *const *item, struct buf *error)
{
	struct conf_place where = conf_where(c, item, conf_place_top(c));
	char hex[FINGERPRINT_SIZE];

	if (str_ieq(str_c(*item), STR("verified"))) {
		if (c->tls.client_ca[0] == '\0')
			conf_complain(error, where, "%s.relay-certificates: nothing is "
			    "\"verified\" without tls.client-ca", name);
	} else if (fingerprint_parse(str_c(*item), hex) < 0) {
		conf_complain(error, where, "%s.relay-certificates: \"%s\" is no fingerprint, "
		    "expected " FORM ", or \"verified\"", name, *item);
	}
}

static void
check_relays(
    const struct conf *c, const char *name, const struct conf_strs *list, struct buf *error)
{
	for (size_t i = 0; i < list->n; i++)
		check_relay(c, name, &list->v[i], error);
}

/* Of a listener: what it has not from access, which was looked at. */
static void
check_own_relays(const struct conf *c, const struct conf_listen *l, struct buf *error)
{
	struct buf name;

	if (conf_place_get(c, &l->relay_certificates) == NULL)
		return;
	buf_init(&name, 512);
	buf_addf(&name, "listen.%s", l->name);
	check_relays(c, buf_cstr(&name), &l->relay_certificates, error);
	buf_free(&name);
}

static void
check_login(const struct conf *c, const char *const *item, struct buf *error)
{
	struct conf_place where = conf_where(c, item, conf_place_top(c));
	struct str rest = str_c(*item), print = str_word(&rest), user = str_trim(rest);
	char hex[FINGERPRINT_SIZE];

	if (fingerprint_parse(print, hex) < 0)
		conf_complain(error, where, "auth.certificates: \"%s\" begins with no fingerprint, "
		    "expected " FORM ", and a user behind it", *item);
	else if (!name_is_plain(user))
		conf_complain(error, where, "auth.certificates: \"%s\" names no user, expected the "
		    "name of a mailbox behind the fingerprint", *item);
}

void
conf_certificate_check(const struct conf *c, struct buf *error)
{
	check_relays(c, "access", &c->access.relay_certificates, error);
	for (size_t i = 0; i < c->listen_n; i++)
		check_own_relays(c, &c->listens[i], error);
	for (size_t i = 0; i < c->auth.certificates.n; i++)
		check_login(c, &c->auth.certificates.v[i], error);
}
