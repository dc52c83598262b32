/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pop3d_apop -- APOP (RFC 1939 7): a digest proves a password that is not said.
 *
 * It needs the password itself on our side, and MD5 is weak: so it has to be
 * wanted by auth.mechanisms, and somebody's password has to be stored as it
 * is, before a banner has the time stamp.  Without TLS there is none unless
 * auth.without-tls names it too; one that went in the clear is not used after
 * STLS.
 */

#include "pop3d.h"

#include "lib/clock.h"
#include "lib/random.h"
#include "policy/login.h"

static bool
is_wanted(const struct pop3_session *s)
{
	return login_is_wanted(s->env->conf, STR("APOP")) && s->env->users &&
	    userset_plain(s->env->users);
}

void
pop3_stamp(struct pop3_session *s)
{
	uint64_t random;
	struct buf b;

	s->stamp = NULL;
	if (!is_wanted(s) || !pop3_may(s, "APOP"))
		return;
	random_bytes(&random, sizeof(random));
	buf_init_in(&b, s->stamp_text, sizeof(s->stamp_text));
	buf_addf(&b, "<%llx.%lld@%s>", (unsigned long long)random, (long long)clock_wall_us(),
	    s->env->hostname);
	if (buf_ok(&b))
		s->stamp = s->stamp_text;
}

/* RFC 1939 7: 32 digits, hexadecimal, lower case. */
static bool
is_digest(struct str s)
{
	if (s.n != 32)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') && !(s.p[i] >= 'a' && s.p[i] <= 'f'))
			return false;
	return true;
}

struct pop3_response
pop3_apop(struct pop3_session *s, const struct command *c)
{
	struct str rest = c->arg, name = str_word(&rest), digest = str_word(&rest);

	if (!s->stamp)
		return pop3_err(s, "APOP is not offered here");
	if (rest.n > 0 || !is_digest(digest))
		return pop3_err(s, "APOP needs a name and a digest");
	return pop3_login(s, "APOP", name, digest, str_c(s->stamp));
}
