/* SPDX-License-Identifier: GPL-3.0-or-later */

/* FEATURES T6: published -- the records that are those of a key, and those that are not. */

#include "unit.h"

#include "check/published.h"
#include "mail/dkim_record.h"
#include "net/dkim_key.h"

static void
add_record(struct buf *b, const char *type, const struct dkim_key *key)
{
	struct buf octets;

	buf_init(&octets, DKIM_RECORD_MAX);
	ck_assert_int_eq(dkim_key_public(key, &octets), 0);
	dkim_record_add(b, type, buf_str(&octets));
	buf_free(&octets);
}

START_TEST(records)
{
	struct dkim_key *key = dkim_key_new(0), *other = dkim_key_new(0);
	struct buf own, tests, wrong, kind, revoked, late;
	bool testing;

	buf_init(&own, 2 * DKIM_RECORD_MAX);
	buf_init(&tests, DKIM_RECORD_MAX);
	buf_init(&wrong, DKIM_RECORD_MAX);
	buf_init(&kind, DKIM_RECORD_MAX);
	buf_init(&revoked, DKIM_RECORD_MAX);
	buf_init(&late, DKIM_RECORD_MAX);
	add_record(&own, "ed25519", key);
	buf_addf(&tests, "%s; t=y", buf_cstr(&own));
	add_record(&wrong, "ed25519", other);
	add_record(&kind, "rsa", key);
	buf_adds(&revoked, "v=DKIM1; k=ed25519; p=");
	buf_addf(&late, "%s; v=DKIM1", buf_cstr(&own) + strlen("v=DKIM1; "));
	const struct {
		struct str texts[2];
		size_t n;
		const char *why;
		bool testing;
	} cases[] = {
		{ { buf_str(&own) }, 1, NULL, false },
		{ { buf_str(&tests) }, 1, NULL, true },
		{ { STR("") }, 0, "there is no record", false },
		{ { buf_str(&own), buf_str(&own) }, 2, "there are several records, expected one", false },
		{ { buf_str(&wrong) }, 1, "the record is that of another key", false },
		{ { buf_str(&late) }, 1, "v=DKIM1 does not stand first in it", false },
		{ { buf_str(&kind) }, 1, "the record is for a key of another kind", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		testing = !cases[i].testing;
		ck_assert_pstr_eq(published_why_not(cases[i].texts, cases[i].n, key, &testing), cases[i].why);
		ck_assert_int_eq(testing, cases[i].testing);
	}
	ck_assert_ptr_nonnull(published_why_not(&(struct str){ revoked.p, revoked.n }, 1, key, &testing));
	for (size_t n = own.n; n <= DKIM_RECORD_MAX; n++)
		buf_addc(&own, ' ');
	ck_assert_str_eq(published_why_not(&(struct str){ own.p, own.n }, 1, key, &testing), "the record is too long");
	buf_free(&late);
	buf_free(&own);
	buf_free(&tests);
	buf_free(&wrong);
	buf_free(&kind);
	buf_free(&revoked);
	dkim_key_free(key);
	dkim_key_free(other);
}
END_TEST

UNIT_MAIN("check/published", records)
