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
check_relay(const struct conf *c, const char *const *item, struct buf *error)
{
	struct conf_place where = conf_where(c, item, conf_place_top(c));
	char hex[FINGERPRINT_SIZE];

	if (str_ieq(str_c(*item), STR("verified"))) {
		if (c->tls.client_ca[0] == '\0')
			conf_complain(error, where, "access.relay-certificates: nothing is "
			    "\"verified\" without tls.client-ca");
	} else if (fingerprint_parse(str_c(*item), hex) < 0) {
		conf_complain(error, where, "access.relay-certificates: \"%s\" is no fingerprint, "
		    "expected " FORM ", or \"verified\"", *item);
	}
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
	for (size_t i = 0; i < c->access.relay_certificates.n; i++)
		check_relay(c, &c->access.relay_certificates.v[i], error);
	for (size_t i = 0; i < c->auth.certificates.n; i++)
		check_login(c, &c->auth.certificates.v[i], error);
}
