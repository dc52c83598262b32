/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * sender -- who may send as whom.
 *
 * Which addresses are somebody's own is asked as for mail to them, so that
 * details, domains and whatever leads to a mailbox need no rule of their own.
 */

#include "policy/sender.h"

#include "lib/idn.h"
#include "mail/header.h"
#include "policy/recipient.h"

/* Of a header field with addresses. */
#define FIELD_ROOM (1u << 20)
/* Of what an address stands for. */
#define TARGET_ROOM (1u << 20)

static bool
given(const struct conf_account *a, struct str user, const struct path *p)
{
	if (!pattern_fits(&a->user, user, STR("")))
		return false;
	for (size_t i = 0; i < a->addresses.n; i++)
		if (pattern_fits(&a->addresses.v[i], p->local, p->domain))
			return true;
	return false;
}

bool
sender_is_own(const struct conf *c, const struct userset *users, struct str user,
    const struct path *p, struct conf_place *where)
{
	struct arena a;
	const struct mail_facts f = { .from = *p, .user = user, .arena = &a };
	struct target t;

	*where = CONF_NOWHERE;
	if (path_is_null(p))
		return true;
	for (size_t i = 0; i < c->account_n; i++)
		if (given(&c->accounts[i], user, p)) {
			*where = c->accounts[i].place;
			return true;
		}
	arena_init(&a, TARGET_ROOM);
	t = target_of(c, users, &f, p);
	*where = t.place;
	arena_free(&a);
	return t.kind == TARGET_MAILBOX && str_ieq(str_c(t.mailbox), user);
}

/* ---- From ------------------------------------------------------------------------- */

struct claim {
	const struct conf *conf;
	const struct userset *users;
	struct str user;
	struct arena *arena;
	bool foreign;	/* an address is not his */
};

/* The domain as the envelope would have it. */
static bool
plain_domain(struct arena *a, struct path *p)
{
	struct buf b;
	bool ok;

	if (!str_has_8bit(p->domain))
		return true;
	buf_init(&b, 1000);
	ok = idn_add(&b, p->domain) == NULL && buf_ok(&b);
	if (ok)
		p->domain = arena_str(a, buf_str(&b));
	buf_free(&b);
	return ok;
}

static bool
is_his(void *arg, struct str addr)
{
	struct claim *k = arg;
	struct conf_place where;
	struct path p;

	k->foreign = path_parse_addr(addr, PATH_BARE | PATH_UTF8, k->arena, &p) != NULL ||
	    !plain_domain(k->arena, &p) ||
	    !sender_is_own(k->conf, k->users, k->user, &p, &where);
	return !k->foreign;
}

const char *
sender_in_header(const struct conf *c, const struct userset *users, struct str user,
    struct str header)
{
	struct claim k = { .conf = c, .users = users, .user = user };
	struct str rest = header;
	struct arena a;
	struct field f;
	unsigned fields = 0;
	bool read = true;

	arena_init(&a, FIELD_ROOM);
	k.arena = &a;
	while (read && field_seek(&rest, &f))
		if (str_ieq(f.name, STR("From"))) {
			fields++;
			read = f.value.n < FIELD_ROOM / 4 && !address_list_lacks(f.value) &&
			    address_list(f.value, is_his, &k);
		}
	arena_free(&a);
	if (k.foreign)
		return "The address in From is not of the user who is logged in";
	if (!read)
		return "The address in From cannot be read";
	return fields > 1 ? "There is more than one From" : NULL;
}
