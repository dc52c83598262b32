/* SPDX-License-Identifier: GPL-3.0-or-later */

/* quotas_test -- windows, what is said once in each, and what is left after a restart. */

#include "ipc/quotas.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scratch.h"
#include "unit.h"

static char dir_name[SCRATCH_SIZE];
static int dir = -1;

static struct quotas *
begin(void)
{
	scratch_begin(dir_name);
	dir = scratch_open(dir_name);
	return quotas_open(dir, geteuid(), getegid());
}

static void
end(struct quotas *q)
{
	quotas_free(q);
	(void)unlinkat(dir, QUOTAS_FILE, 0);
	close(dir);
	ck_assert_int_eq(rmdir(dir_name), 0);
}

START_TEST(windows)
{
	const struct quota_limit l = { .most = 4, .per = 100, .warning = 3 };
	struct quotas *q = begin();
	struct quota_use u;

	ck_assert(!quotas_find(q, STR("alice"), 1000, &u));
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, 1000, &u), QUOTA_FREE);
	ck_assert_int_eq(quotas_take(q, STR("ALICE"), &l, 1050, &u), QUOTA_FREE);
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, 1050, &u), QUOTA_NEAR);
	ck_assert(u.used == 3 && u.until == 1100 && !u.bitten);
	ck_assert_str_eq(u.name, "alice");
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, 1060, &u), QUOTA_FREE);
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, 1060, &u), QUOTA_BITES);
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, 1099, &u), QUOTA_SPENT);
	ck_assert(u.used == 4 && u.bitten);
	/* Another's is another's. */
	ck_assert_int_eq(quotas_take(q, STR("bob"), &l, 1099, &u), QUOTA_FREE);
	/* What is over begins anew, and so does what is cleared. */
	ck_assert(!quotas_find(q, STR("alice"), 1100, &u));
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, 1100, &u), QUOTA_FREE);
	ck_assert(u.used == 1 && u.until == 1200 && !u.bitten);
	ck_assert(quotas_clear(q, STR("Alice"), 1101));
	ck_assert(!quotas_clear(q, STR("alice"), 1101));
	ck_assert(!quotas_clear(q, STR("carol"), 1101));
	ck_assert(!quotas_find(q, STR("alice"), 1101, &u));
	end(q);
}
END_TEST

/* It was 2100 for a moment: who sent something then is not shut out until it is. */
START_TEST(clock_was_wrong)
{
	const int64_t now = 1800000000, wrong = 4102444800;
	const struct quota_limit l = { .most = 1, .per = 100 };
	struct quotas *q = begin();
	char name[32];
	struct quota_use u;

	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, wrong, &u), QUOTA_FREE);
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, wrong, &u), QUOTA_BITES);
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, now, &u), QUOTA_FREE);
	ck_assert(u.used == 1 && u.until == now + 100 && !u.bitten);
	/* Nor is it anew for who looked at the clock a moment before. */
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, now - 2, &u), QUOTA_BITES);
	/* And all slots can be had again. */
	for (int i = 0; i < 2 * QUOTAS_SLOTS; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		ck_assert_int_eq(quotas_take(q, str_c(name), &l, wrong, &u), QUOTA_FREE);
	}
	ck_assert_int_eq(quotas_take(q, STR("bob"), &l, now, &u), QUOTA_FREE);
	ck_assert_int_eq(quotas_take(q, STR("bob"), &l, now, &u), QUOTA_BITES);
	end(q);
}
END_TEST

START_TEST(kept)
{
	const struct quota_limit l = { .most = 2, .per = 100 };
	struct quotas *q = begin(), *again;
	struct quota_use u;
	size_t n = 0;
	struct stat st;

	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, 1000, &u), QUOTA_FREE);
	again = quotas_open(dir, geteuid(), getegid());
	ck_assert_int_eq(quotas_take(again, STR("alice"), &l, 1000, &u), QUOTA_FREE);
	ck_assert_int_eq(quotas_take(q, STR("alice"), &l, 1000, &u), QUOTA_BITES);
	for (size_t i = 0; i < QUOTAS_SLOTS; i++)
		n += quotas_at(again, i, 1000, &u);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(fstatat(dir, QUOTAS_FILE, &st, 0), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	quotas_free(again);
	end(q);
}
END_TEST

/* What is no such file is made one; what has another name, too, is left alone. */
START_TEST(not_ours)
{
	struct quotas *q = begin();
	int fd;

	quotas_free(q);
	fd = openat(dir, QUOTAS_FILE, O_WRONLY | O_TRUNC);
	ck_assert_int_eq(write(fd, "x", 1), 1);
	close(fd);
	q = quotas_open(dir, geteuid(), getegid());
	ck_assert_ptr_nonnull(q);
	quotas_free(q);
	ck_assert_int_eq(linkat(dir, QUOTAS_FILE, dir, "other", 0), 0);
	ck_assert_ptr_null(quotas_open(dir, geteuid(), getegid()));
	ck_assert_int_eq(unlinkat(dir, "other", 0), 0);
	ck_assert_int_eq(unlinkat(dir, QUOTAS_FILE, 0), 0);
	ck_assert_int_eq(symlinkat("other", dir, QUOTAS_FILE), 0);
	ck_assert_ptr_null(quotas_open(dir, geteuid(), getegid()));
	ck_assert_int_eq(faccessat(dir, "other", F_OK, 0), -1);
	end(NULL);
}
END_TEST

/* Four processes take together what there is, and not one more. */
START_TEST(together)
{
	const struct quota_limit l = { .most = 10000, .per = 100, .warning = 5000 };
	struct quotas *q = begin();
	int near = 0, status;
	struct quota_use u;

	for (int k = 0; k < 4; k++)
		if (fork() == 0) {
			int said = 0;

			for (int i = 0; i < 3000; i++)
				said += quotas_take(q, STR("alice"), &l, 1000, &u) == QUOTA_NEAR ? 1 : 0;
			_exit(said);
		}
	for (int k = 0; k < 4; k++) {
		ck_assert_int_gt(wait(&status), 0);
		near += WEXITSTATUS(status);
	}
	ck_assert_int_eq(near, 1);
	ck_assert(quotas_find(q, STR("alice"), 1000, &u));
	ck_assert(u.used == 10000 && u.bitten);
	end(q);
}
END_TEST

/* Names of servers of LDAP and of tokens are up to 255 octets long. */
START_TEST(long_names)
{
	static const size_t lengths[] = { QUOTAS_NAME_MAX, QUOTAS_NAME_MAX + 1, 255 };
	const struct quota_limit l = { .most = 1, .per = 100 };
	struct quotas *q = begin();
	char name[256], shown[QUOTAS_NAME_MAX + 1];
	struct quota_use u;

	memset(name, 'a', sizeof(name));
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct str s = str_n(name, lengths[i]);

		ck_assert_int_eq(quotas_take(q, s, &l, 1000, &u), QUOTA_FREE);
		name[0] = 'A';
		ck_assert_int_eq(quotas_take(q, s, &l, 1000, &u), QUOTA_BITES);
		name[0] = 'a';
		ck_assert(quotas_find(q, s, 1000, &u) && u.used == 1 && u.bitten);
		memcpy(shown, u.name, sizeof(shown));
		ck_assert(strncmp(shown, name, 47) == 0);
		/* Another's is another's, however much it is like it. */
		name[lengths[i] - 1] = 'b';
		ck_assert_int_eq(quotas_take(q, s, &l, 1000, &u), QUOTA_FREE);
		ck_assert(quotas_clear(q, s, 1000) && !quotas_clear(q, s, 1000));
		name[lengths[i] - 1] = 'a';
		/* What is shown is a name for it. */
		ck_assert(quotas_clear(q, str_c(shown), 1000) && !quotas_find(q, s, 1000, &u));
	}
	end(q);
}
END_TEST

/* CONFORMANCE S-66: there is room for so many, and who finds none is not counted. */
START_TEST(full)
{
	const struct quota_limit l = { .most = 1, .per = 100 };
	struct quotas *q = begin();
	char name[32];
	struct quota_use u;

	for (int i = 0; i < 2 * QUOTAS_SLOTS; i++) {
		snprintf(name, sizeof(name), "user%d", i);
		ck_assert_int_eq(quotas_take(q, str_c(name), &l, 1000, &u), QUOTA_FREE);
	}
	/* All of it is free again once it is over. */
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "later%d", i);
		ck_assert_int_eq(quotas_take(q, str_c(name), &l, 1100, &u), QUOTA_FREE);
		ck_assert_int_eq(quotas_take(q, str_c(name), &l, 1100, &u), QUOTA_BITES);
	}
	end(q);
}
END_TEST

UNIT_MAIN("ipc/quotas", windows, clock_was_wrong, kept, not_ours, together, long_names,
    full)
