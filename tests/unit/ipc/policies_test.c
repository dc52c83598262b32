/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Policies that are kept: read back, replaced, broken, forgotten. */

#include "ipc/policies.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/clock.h"
#include "scratch.h"
#include "unit.h"

static char spool[SCRATCH_SIZE];
static int dir;

static void
setup(void)
{
	scratch_begin(spool);
	ck_assert_int_eq(policies_dir(spool, false, 0), -1);
	dir = policies_dir(spool, true, geteuid());
	ck_assert_int_ge(dir, 0);
	close(dir);
	dir = policies_dir(spool, true, geteuid());
	ck_assert_int_ge(dir, 0);
}

static void
end(void)
{
	close(dir);
	scratch_end(spool);
}

static int
put(const char *domain, const char *id, int64_t fetched, const char *text)
{
	struct policy_file f = { .fetched = fetched };
	int rc;

	buf_init(&f.text, POLICIES_TEXT_MAX + 100);
	buf_adds(&f.text, text);
	snprintf(f.id, sizeof(f.id), "%s", id);
	rc = policies_put(dir, str_c(domain), &f);
	buf_free(&f.text);
	return rc;
}

static void
expect(const char *domain, const char *id, int64_t fetched, const char *text)
{
	struct policy_file f;

	ck_assert_msg(policies_get(dir, str_c(domain), &f) == 0, "%s: %d", domain, errno);
	ck_assert_str_eq(f.id, id);
	ck_assert_int_eq(f.fetched, fetched);
	ck_assert_str_eq(buf_cstr(&f.text), text);
	buf_free(&f.text);
}

static int
error_of(const char *domain)
{
	struct policy_file f;
	int rc = policies_get(dir, str_c(domain), &f), e = errno;

	buf_free(&f.text);
	return rc == 0 ? 0 : e;
}

START_TEST(kept)
{
	setup();
	ck_assert_int_eq(error_of("a.test"), ENOENT);
	ck_assert_int_eq(put("a.test", "1", 1000, "version: STSv1\nmode: none\n"), 0);
	expect("a.test", "1", 1000, "version: STSv1\nmode: none\n");
	expect("A.TEST", "1", 1000, "version: STSv1\nmode: none\n");
	ck_assert_int_eq(put("A.test", "2x", 2000, ""), 0);
	expect("a.test", "2x", 2000, "");
	end();
}
END_TEST

struct seen {
	unsigned n;
	int64_t used;
};

static void
see(void *arg, const char *domain, int64_t used)
{
	struct seen *s = arg;

	ck_assert_str_eq(domain, "a.test");
	s->used = used;
	s->n++;
}

/* Only what is read for mail is in use. */
START_TEST(in_use)
{
	struct policy_file f = { .fetched = 1000, .id = "1", .used = 5000 };
	struct seen s = { 0 };
	struct stat st;

	setup();
	buf_init(&f.text, 100);
	ck_assert_int_eq(policies_put(dir, STR("a.test"), &f), 0);
	buf_free(&f.text);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(policies_look(dir, STR("a.test"), &f), 0);
		ck_assert_int_eq(f.used, 5000);
		buf_free(&f.text);
	}
	ck_assert_int_eq(policies_each(dir, see, &s), 0);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_int_eq(s.used, 5000);
	expect("a.test", "1", 1000, "");
	ck_assert_int_eq(fstatat(dir, "a.test", &st, 0), 0);
	ck_assert_int_ge(st.st_atime, clock_wall() - 100);
	ck_assert_int_eq(policies_look(dir, STR("b.test"), &f), -1);
	ck_assert_int_eq(errno, ENOENT);
	buf_free(&f.text);
	end();
	ck_assert_int_eq(policies_each(-1, see, &s), -1);
}
END_TEST

/* S-56: a name from the network is no way out of the directory. */
START_TEST(names)
{
	static const char *const bad[] = { "", ".", "..", ".tmp", "../x", "a/b", "a b", "a\n",
		"a%", "[127.0.0.1]", "\xc3\xa4" };
	char longest[300];

	setup();
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		ck_assert_int_eq(put(bad[i], "1", 1, ""), -1);
		ck_assert_int_eq(errno, EINVAL);
		ck_assert_int_eq(error_of(bad[i]), EINVAL);
	}
	memset(longest, 'a', sizeof(longest));
	longest[254] = '\0';
	ck_assert_int_eq(put(longest, "1", 1, ""), -1);
	longest[253] = '\0';
	ck_assert_int_eq(put(longest, "1", 1, "x"), 0);
	expect(longest, "1", 1, "x");
	/* Nor is an id that could break the line, or a text without end. */
	ck_assert_int_eq(put("a", "", 1, ""), -1);
	ck_assert_int_eq(put("a", "a b", 1, ""), -1);
	ck_assert_int_eq(put("a", "a\nb", 1, ""), -1);
	ck_assert_int_eq(put("a", "1", -1, ""), -1);
	end();
}
END_TEST

START_TEST(broken)
{
	static const char *const texts[] = { "", "\n", "sts1", "sts1 1 a", "sts2 1 a\n", "sts1 x a\n",
		"sts1 1\n", "sts1 1 \n", "sts1 1 a b\n", "sts1 99999999999999999999 a\n",
		"sts1 1 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n" };

	setup();
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int fd = openat(dir, "x", O_WRONLY | O_CREAT | O_TRUNC, 0600);

		ck_assert_int_eq(write(fd, texts[i], strlen(texts[i])), (ssize_t)strlen(texts[i]));
		close(fd);
		ck_assert_int_eq(error_of("x"), EBADMSG);
	}
	ck_assert_int_eq(unlinkat(dir, "x", 0), 0);
	ck_assert_int_eq(symlinkat("/etc/passwd", dir, "x"), 0);
	ck_assert_int_eq(error_of("x"), ELOOP);
	ck_assert_int_eq(put("x", "1", 1, "ours"), 0);
	expect("x", "1", 1, "ours");
	end();
}
END_TEST

START_TEST(trimmed)
{
	char name[32];

	setup();
	for (int i = 0; i < 50; i++) {
		struct timespec times[2] = { { .tv_sec = 100000 + (i * 7) % 50 }, { .tv_sec = 5 } };

		snprintf(name, sizeof(name), "d%d.test", (i * 7) % 50);
		ck_assert_int_eq(put(name, "1", i, ""), 0);
		ck_assert_int_eq(utimensat(dir, name, times, 0), 0);
	}
	ck_assert_int_eq(policies_trim(dir, 50), 0);
	ck_assert_int_eq(error_of("d1.test"), 0);
	/* It was used now: others go. */
	ck_assert_int_eq(policies_trim(dir, 20), 0);
	ck_assert_int_eq(error_of("d1.test"), 0);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%d.test", i);
		ck_assert_msg(error_of(name) == (i == 1 || i >= 33 ? 0 : ENOENT), "%s", name);
	}
	end();
}
END_TEST

UNIT_MAIN("policies", in_use, kept, names, broken, trimmed)
