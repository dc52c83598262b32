/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * smtpd_attr -- the attributes of XCLIENT and XFORWARD.
 *
 * KEY=VALUE, the value in xtext, "[UNAVAILABLE]" where there is none and
 * "[TEMPUNAVAIL]" where it could not be had; an IPv6 address has "IPV6:"
 * before it.  Every value is checked for what it is said to be, since it will
 * stand in logs and traces; only a HELO may be anything printable, as clients
 * say anything there.
 */

#include "smtpd_attr.h"

#include "mail/text.h"

static const char *const names[ATTR_N] = {
	[ATTR_NAME] = "NAME", [ATTR_ADDR] = "ADDR", [ATTR_PORT] = "PORT",
	[ATTR_PROTO] = "PROTO", [ATTR_HELO] = "HELO", [ATTR_LOGIN] = "LOGIN",
	[ATTR_DESTADDR] = "DESTADDR", [ATTR_DESTPORT] = "DESTPORT",
	[ATTR_IDENT] = "IDENT", [ATTR_SOURCE] = "SOURCE",
};

static int
address_parse(struct str s, struct addr *a)
{
	bool six = str_istarts(s, STR("IPV6:"));

	if (six)
		s = str_skip(s, 5);
	if ((str_find(s, ':') >= 0) != six || str_find(s, '[') >= 0 ||
	    str_find(s, '%') >= 0)
		return -1;
	return addr_parse(s, 0, a);
}

static bool
is_one_of(struct str s, const char *one, const char *other)
{
	return str_ieq(s, str_c(one)) || str_ieq(s, str_c(other));
}

static bool
value_valid(enum attr which, struct str s)
{
	struct addr a;
	uint64_t n;

	if (s.n == 0 || s.n > ATTR_MAX || str_has_ctl(s) || str_has_8bit(s))
		return false;
	switch (which) {
	case ATTR_NAME:
		return helo_valid(s) && s.p[0] != '[';
	case ATTR_ADDR:
	case ATTR_DESTADDR:
		return address_parse(s, &a) == 0;
	case ATTR_PORT:
	case ATTR_DESTPORT:
		return str_u64(s, 65535, &n) == 0;
	case ATTR_PROTO:
		return is_one_of(s, "SMTP", "ESMTP");
	case ATTR_SOURCE:
		return is_one_of(s, "LOCAL", "REMOTE");
	case ATTR_IDENT:
	case ATTR_LOGIN:
		return str_find(s, ' ') < 0;
	case ATTR_HELO:
	case ATTR_N:
		break;
	}
	return true;
}

static bool
take_value(struct attrs *a, enum attr which, struct str xtext)
{
	char space[ATTR_MAX + 1];
	struct buf b;

	a->given |= ATTR_BIT(which);
	a->known &= ~ATTR_BIT(which);
	if (is_one_of(xtext, "[UNAVAILABLE]", "[TEMPUNAVAIL]"))
		return true;
	buf_init_in(&b, space, sizeof(space));
	if (xtext_decode(xtext, &b) < 0 || !buf_ok(&b) ||
	    !value_valid(which, buf_str(&b)))
		return false;
	a->known |= ATTR_BIT(which);
	memcpy(a->value[which], buf_cstr(&b), b.n + 1);
	return true;
}

static struct answer
take(struct attrs *a, unsigned allowed, const struct param *p)
{
	for (unsigned i = 0; i < ATTR_N; i++) {
		if ((allowed & ATTR_BIT(i)) == 0 ||
		    !str_ieq(p->key, str_c(names[i])))
			continue;
		if (!p->has_value || !take_value(a, (enum attr)i, p->value))
			return ANSWER(501, "5.5.4",
			    "An attribute has a value that it cannot have");
		return (struct answer){ .code = 0 };
	}
	return ANSWER(501, "5.5.4", "There is no such attribute");
}

struct answer
attrs_parse(struct attrs *a, unsigned allowed, struct str rest)
{
	struct answer answer = { .code = 0 };
	struct param p;
	int r = 0;

	if (rest.n == 0)
		return ANSWER(501, "5.5.4", "ATTRIBUTE=value, please");
	while (answer.code == 0 && (r = param_next(&rest, &p)) == 1)
		answer = take(a, allowed, &p);
	if (r < 0)
		return ANSWER(501, "5.5.4", "ATTRIBUTE=value, please");
	return answer;
}

const char *
attr_get(const struct attrs *a, enum attr which)
{
	return a != NULL && (a->known & ATTR_BIT(which)) != 0 ?
	    a->value[which] : NULL;
}

struct addr
attr_addr(const struct attrs *a, enum attr which, enum attr port)
{
	const char *text = attr_get(a, which), *number = attr_get(a, port);
	struct addr addr = { .len = 0 };
	uint64_t n;

	if (text == NULL || address_parse(str_c(text), &addr) < 0)
		return (struct addr){ .len = 0 };
	if (number != NULL && str_u64(str_c(number), 65535, &n) == 0)
		addr_set_port(&addr, (uint16_t)n);
	return addr;
}
