/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_settings -- header fields that steer the delivery of their message.
 *
 * Only whom the configuration trusts to send anywhere may steer: who logged
 * in, a relay network, a program of this host.  What a stranger's header has
 * of such fields is part of the stranger's message and stays there.  A field
 * that is not understood refuses the message: guessing would send mail at
 * another time, or by another way, than its writer thinks.
 */

#include "smtpd.h"

#include "lib/clock.h"
#include "policy/recipient.h"
#include "queue/settings.h"

static bool
may_steer(const struct session *s)
{
	struct client_facts f = session_facts(s);

	return access_may_relay(s->conf, &f);
}

static bool
has_settings(struct str header)
{
	struct field f;

	while (field_seek(&header, &f))
		if (settings_field(f.name))
			return true;
	return false;
}

static bool
is_setting(void *arg UNUSED, const struct field *f)
{
	return settings_field(f->name);
}

struct answer
store_settings(struct session *s)
{
	struct settings settings;
	const char *why;

	if (!s->conf->extract_headers || !may_steer(s) ||
	    !has_settings(text_header(s)))
		return (struct answer){ .code = 0 };
	settings_init(&settings, s->conf, &s->txn_arena, clock_wall_us());
	why = settings_take_all(&settings, text_header(s));
	if (why == NULL)
		why = settings_apply(&settings, &s->txn.env);
	if (why != NULL)
		return (struct answer){ .code = 554, .enhanced = "5.6.0",
			.text = arena_str(&s->txn_arena, str_c(why)) };
	text_strip(s, is_setting);
	return (struct answer){ .code = 0 };
}
