/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The table of an audit: found again, whatever the ids; recipients in and out. */

#include "../../../src/report/audit_table.h"

#include <stdio.h>

#include "unit.h"

static struct str
id_of(uint64_t time, unsigned process)
{
	static char id[QUEUE_ID_SIZE];

	snprintf(id, sizeof(id), "%013llX%06X", (unsigned long long)time,
	    process);
	return str_c(id);
}

START_TEST(found)
{
	struct audit_table *t = audit_table_new();
	char id[QUEUE_ID_SIZE];

	for (uint32_t i = 0; i < 50000; i++) {
		struct audit_entry *e = audit_table_get(t,
		    id_of(UINT64_C(0x651F0C3D2A1BF) + i / 3, i % 3));

		ck_assert_int_eq(e->place, AUDIT_NOWHERE);
		e->place = (uint8_t)(i % 5);
	}
	ck_assert_uint_eq(audit_table_count(t), 50000);
	for (uint32_t i = 0; i < 50000; i++)
		ck_assert_int_eq(audit_table_get(t,
		    id_of(UINT64_C(0x651F0C3D2A1BF) + i / 3, i % 3))->place,
		    i % 5);
	ck_assert_uint_eq(audit_table_count(t), 50000);
	queue_number_id(audit_table_at(t, 49999)->id, id);
	ck_str(str_c(id), id_of(UINT64_C(0x651F0C3D2A1BF) + 16666, 1));
	ck_assert_int_eq(audit_id_time(id_of(77, 5)), 77);
	audit_table_reset(t);
	ck_assert_uint_eq(audit_table_count(t), 0);
	(void)audit_table_get(t, id_of(1, 0xffffff));
	queue_number_id(audit_table_at(t, 0)->id, id);
	ck_assert_str_eq(id, "0000000000001FFFFFF");
	audit_table_free(t);
	audit_table_free(NULL);
}
END_TEST

START_TEST(recipients)
{
	struct audit_table *t = audit_table_new();
	struct audit_entry *e = audit_table_get(t, id_of(5, 5));

	audit_entry_grow(e, 3);
	*audit_entry_rcpt(e, 2) = 7;
	audit_entry_grow(e, 2);
	ck_assert_uint_eq(e->rcpt_n, 3);
	audit_entry_grow(e, AUDIT_FEW);
	*audit_entry_rcpt(e, AUDIT_FEW - 1) = 8;
	audit_entry_grow(e, 1000);
	*audit_entry_rcpt(e, 999) = 9;
	audit_entry_grow(e, 65536);
	for (uint32_t i = 0; i < 65536; i++)
		ck_assert_int_eq(*audit_entry_rcpt(e, i), i == 2 ? 7 :
		    i == AUDIT_FEW - 1 ? 8 : i == 999 ? 9 : 0);
	audit_table_free(t);
}
END_TEST

/* The shares of several passes are about equal, and the same in each. */
START_TEST(shares)
{
	unsigned n[8] = { 0 };

	for (uint32_t i = 0; i < 80000; i++)
		n[audit_id_hash(id_of(UINT64_C(0x651F0C3D2A1BF) + i, 0x42)) %
		    8]++;
	for (int i = 0; i < 8; i++)
		ck_assert_msg(n[i] > 8000 && n[i] < 12000, "%u", n[i]);
}
END_TEST

UNIT_MAIN("report/audit_table", found, recipients, shares)
