/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * F-12: MTA-STS: what is taken for a policy says the same when it is read again.
 *
 * Parsers: mail/sts.c.
 */

#include "fuzz.h"

#include "mail/sts.h"

static void
again(const struct sts_policy *p, struct arena *a)
{
	struct sts_policy q;
	struct buf b;

	buf_init(&b, STS_NORMAL_MAX);
	sts_policy_add(&b, p);
	check(buf_ok(&b));
	check(sts_policy_parse(buf_str(&b), a, &q) == NULL);
	check(p->mode == q.mode && p->max_age == q.max_age && p->mx_n == q.mx_n);
	for (size_t i = 0; i < q.mx_n; i++)
		check(str_eq(p->mx[i], q.mx[i]));
	buf_free(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = str_n((const char *)data, n), id;
	struct sts_policy p;
	struct arena a;

	arena_init(&a, 1 << 22);
	id = sts_record_id(&text, 1);
	check(id.n <= STS_ID_MAX && !str_has_ctl(id));
	if (sts_policy_parse(text, &a, &p) == NULL) {
		check(p.max_age >= 0 && p.max_age <= STS_AGE_MAX);
		check((p.mode == STS_NONE) == (p.mx_n == 0) && p.mx_n <= STS_MX_MAX);
		for (size_t i = 0; i < p.mx_n; i++)
			check(p.mx[i].n > 0 && !str_has_ctl(p.mx[i]) &&
			    !str_has_8bit(p.mx[i]));
		(void)sts_policy_has(&p, text);
		again(&p, &a);
	}
	arena_free(&a);
	return 0;
}
