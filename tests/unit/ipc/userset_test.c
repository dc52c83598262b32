/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The set of users: look-up, replacement under readers, garbage, rights. */

#include "ipc/userset.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/mem.h"
#include "unit.h"

static bool
has(const struct userset *u, const char *name, const char *want)
{
	char out[65];

	if (!userset_has(u, str_c(name), out))
		return want == NULL && out[0] == '\0';
	return want != NULL && strcmp(out, want) == 0;
}

START_TEST(look_up)
{
	const struct str names[] = { STR("bob"), STR("Alice"), STR("alice"),
		STR("zoe+tag"), STR("a@example.org"), STR("../etc"), STR(""),
		STR(".hidden"), STR("-x"), STR("with space"), STR("nul\0x") };
	struct userset *u = userset_new();

	ck_assert_ptr_nonnull(u);
	ck_assert_uint_eq(userset_count(u), 0);
	ck_assert(has(u, "bob", NULL));
	ck_assert_int_eq(userset_replace(u, names, ARRAY_LEN(names)), 0);
	ck_assert_uint_eq(userset_count(u), 4);
	ck_assert(has(u, "bob", "bob"));
	ck_assert(has(u, "BOB", "bob"));
	ck_assert(has(u, "alice", "Alice"));
	ck_assert(has(u, "aLICE", "Alice"));
	ck_assert(has(u, "zoe+tag", "zoe+tag"));
	ck_assert(has(u, "A@Example.org", "a@example.org"));
	ck_assert(has(u, "bo", NULL));
	ck_assert(has(u, "bobb", NULL));
	ck_assert(has(u, "", NULL));
	ck_assert(has(u, "../etc", NULL));
	ck_assert_int_eq(userset_replace(u, names, 1), 0);
	ck_assert(has(u, "bob", "bob"));
	ck_assert(has(u, "alice", NULL));
	ck_assert_int_eq(userset_replace(u, NULL, 0), 0);
	ck_assert(has(u, "bob", NULL));
	userset_free(u);
}
END_TEST

START_TEST(aliases)
{
	const struct str names[] = { STR("bob"), STR(":bob"), STR(":Team"),
		STR(":"), STR("::x"), STR(":../x") };
	struct userset *u = userset_new();

	ck_assert_ptr_nonnull(u);
	ck_assert_int_eq(userset_replace(u, names, ARRAY_LEN(names)), 0);
	ck_assert_uint_eq(userset_count(u), 1);
	ck_assert(has(u, "bob", "bob"));
	ck_assert(has(u, ":bob", NULL));
	ck_assert(has(u, "team", NULL));
	ck_assert(userset_has_alias(u, STR("bob")));
	ck_assert(userset_has_alias(u, STR("TEAM")));
	ck_assert(!userset_has_alias(u, STR(":team")));
	ck_assert(!userset_has_alias(u, STR("alice")));
	ck_assert(!userset_has_alias(u, STR("")));
	/* Whoever may have a mailbox: that makes nobody an alias. */
	userset_set_any(u, true);
	ck_assert(has(u, "team", "team"));
	ck_assert(!userset_has_alias(u, STR("carol")));
	userset_free(u);
}
END_TEST

START_TEST(members)
{
	struct userset *u = userset_new();
	char name[USERSET_MEMBER_SIZE], out[65];
	struct str names[] = { STR("alice"), { name, USERSET_MEMBER_SIZE - 1 } };

	userset_member(STR("dev"), STR("Carol@far.example"), name);
	ck_assert_int_eq(userset_replace(u, names, 2), 0);
	ck_assert_uint_eq(userset_count(u), 1);
	ck_assert(userset_has_member(u, STR("dev"), STR("carol@FAR.example")));
	ck_assert(!userset_has_member(u, STR("ops"), STR("carol@far.example")));
	ck_assert(!userset_has_member(u, STR("dev"), STR("dave@far.example")));
	/* It is no user's, and no alias's. */
	ck_assert(!userset_has(u, str_c(name), out));
	ck_assert(!userset_has(u, str_skip(str_c(name), 1), out));
	ck_assert(!userset_has_alias(u, str_skip(str_c(name), 1)));
	userset_free(u);
}
END_TEST

START_TEST(plain)
{
	struct userset *u = userset_new();

	ck_assert(!userset_plain(u));
	userset_set_plain(u, true);
	ck_assert(userset_plain(u));
	ck_assert(!userset_scram(u));
	userset_set_scram(u, true);
	userset_set_plain(u, false);
	ck_assert(!userset_plain(u));
	ck_assert(userset_scram(u));
	ck_assert(!userset_digests(u));
	userset_set_digests(u, 5);
	ck_assert(userset_digests(u) == 5 && !userset_plain(u));
	userset_free(u);
}
END_TEST

static struct userset_trust
trust(const char *range, const char *keyword)
{
	struct userset_trust t = { .keyword = "" };

	ck_assert_ptr_null(ip_range_parse(str_c(range), &t.range));
	memcpy(t.keyword, keyword, strlen(keyword));
	return t;
}

static const char *
trusted_as(const struct userset *u, const char *address)
{
	static char keyword[65];
	struct ip_range r;

	ck_assert_ptr_null(ip_range_parse(str_c(address), &r));
	return userset_trusts(u, r.family, r.first, keyword) ? keyword : "";
}

/* FEATURES A2: the smallest range counts, whatever the order. */
START_TEST(trusts)
{
	const struct userset_trust all[] = { trust("0.0.0.0/0", "world"), trust("10.0.0.0/8", "ten"),
		trust("10.1.2.3", "one"), trust("10.1.0.0/16", "lan"),
		trust("10.0.255.0-10.1.0.10", "across"), trust("2001:db8::/32", "six"),
		trust("2001:db8:1::/48", "site") };
	struct userset_trust many[USERSET_TRUSTS_MAX + 1];
	struct userset *u = userset_new();

	ck_assert_str_eq(trusted_as(u, "10.1.2.3"), "");
	userset_set_trusts(u, all, ARRAY_LEN(all));
	ck_assert_str_eq(trusted_as(u, "10.1.2.3"), "");
	ck_assert_int_eq(userset_replace(u, NULL, 0), 0);
	ck_assert_str_eq(trusted_as(u, "10.1.2.3"), "one");
	ck_assert_str_eq(trusted_as(u, "10.1.2.4"), "lan");
	ck_assert_str_eq(trusted_as(u, "10.1.0.10"), "across");
	ck_assert_str_eq(trusted_as(u, "10.1.0.11"), "lan");
	ck_assert_str_eq(trusted_as(u, "10.2.0.0"), "ten");
	ck_assert_str_eq(trusted_as(u, "192.0.2.1"), "world");
	ck_assert_str_eq(trusted_as(u, "2001:db8:1::9"), "site");
	ck_assert_str_eq(trusted_as(u, "2001:db8:2::9"), "six");
	ck_assert_str_eq(trusted_as(u, "2001:db9::9"), "");
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		many[i] = trust("192.0.2.1", "many");
	userset_set_trusts(u, many, ARRAY_LEN(many));
	ck_assert_int_eq(userset_replace(u, NULL, 0), 0);
	ck_assert_str_eq(trusted_as(u, "192.0.2.1"), "many");
	userset_trust_none(u);
	ck_assert_str_eq(trusted_as(u, "192.0.2.1"), "");
	ck_assert_str_eq(trusted_as(u, "192.0.2.2"), "");
	userset_set_trusts(u, NULL, 0);
	ck_assert_int_eq(userset_replace(u, NULL, 0), 0);
	ck_assert_str_eq(trusted_as(u, "192.0.2.1"), "");
	userset_free(u);
}
END_TEST

START_TEST(any)
{
	const struct str names[] = { STR("Alice") };
	char longest[66];
	struct userset *u = userset_new();

	ck_assert_int_eq(userset_replace(u, names, 1), 0);
	userset_set_any(u, true);
	ck_assert(has(u, "alice", "Alice"));
	ck_assert(has(u, "Some.One-9_=+@x", "some.one-9_=+@x"));
	ck_assert(has(u, ".", NULL));
	ck_assert(has(u, "..", NULL));
	ck_assert(has(u, "-f", NULL));
	ck_assert(has(u, "a/b", NULL));
	ck_assert(has(u, "a b", NULL));
	ck_assert(has(u, "\xc3\xa9", NULL));
	ck_assert(has(u, "", NULL));
	memset(longest, 'a', sizeof(longest));
	longest[64] = '\0';
	ck_assert(has(u, longest, longest));
	longest[64] = 'a';
	longest[65] = '\0';
	ck_assert(has(u, longest, NULL));
	userset_set_any(u, false);
	ck_assert(has(u, "someone", NULL));
	userset_free(u);
}
END_TEST

/* N names of 64 letters that differ in their ends. */
static struct str *
many(size_t n)
{
	struct str *names = mem_array(n, sizeof(*names));

	for (size_t i = 0; i < n; i++) {
		struct buf b;

		buf_init(&b, 64);
		buf_addf(&b, "%064zu", n - i);
		names[i] = str_n(mem_dup(buf_str(&b)), 64);
		buf_free(&b);
	}
	return names;
}

START_TEST(too_many)
{
	/* As many as there is room for. */
	size_t n = USERSET_OCTETS_MAX / (5 + 2 * 64);
	struct str *names = many(n + 1);
	struct userset *u = userset_new();

	ck_assert_uint_eq(userset_octets(names[0]), 5 + 2 * 64);
	ck_assert_int_eq(userset_replace(u, names, n), 0);
	for (size_t i = 0; i < n; i += 997)
		ck_assert(has(u, names[i].p, names[i].p));
	/* Refused as a whole: the old names stay. */
	ck_assert_int_eq(userset_replace(u, names, n + 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	ck_assert_uint_eq(userset_count(u), n);
	ck_assert(has(u, names[n - 1].p, names[n - 1].p));
	ck_assert(has(u, names[n].p, NULL));
	for (size_t i = 0; i <= n; i++)
		mem_free((char *)(uintptr_t)names[i].p);
	mem_free(names);
	userset_free(u);
}
END_TEST

/* Readers in other processes while the names change all the time. */
START_TEST(while_changing)
{
	struct str one[500], two[700];
	struct userset *u = userset_new();
	pid_t pids[2];
	int status;

	for (size_t i = 0; i < 700; i++) {
		struct buf b;

		buf_init(&b, 64);
		buf_addf(&b, "%c%zu", i % 2 ? 'x' : 'c', i);
		two[i] = str_c(mem_dup(buf_str(&b)));
		if (i < 500)
			one[i] = two[i];
		buf_free(&b);
	}
	ck_assert_int_eq(userset_replace(u, one, 500), 0);
	for (int p = 0; p < 2; p++) {
		pids[p] = fork();
		if (pids[p] != 0)
			continue;
		for (int i = 0; i < 60000; i++) {
			char out[65];
			struct str name = one[i % 500];

			if (!userset_has(u, name, out) ||
			    !str_eq(str_c(out), name) || userset_has(u, STR("d7"), out))
				_exit(1);
		}
		_exit(0);
	}
	for (int i = 0; i < 300; i++)
		ck_assert_int_eq(i % 2 ? userset_replace(u, one, 500) :
					 userset_replace(u, two, 700),
		    0);
	for (int p = 0; p < 2; p++) {
		ck_assert_int_eq(waitpid(pids[p], &status, 0), pids[p]);
		ck_assert_int_eq(status, 0);
	}
	for (size_t i = 0; i < 700; i++)
		mem_free((char *)(uintptr_t)two[i].p);
	userset_free(u);
}
END_TEST

/* Whatever stands in the mapping, a reader stays within it and ends. */
START_TEST(garbage)
{
	struct userset *u = userset_new(), *r;
	size_t bytes = 4096 + 2 * ((size_t)64 << 20);
	int fd = memfd_create("garbage", MFD_CLOEXEC);
	unsigned char *raw;
	unsigned seed = 1;
	char out[65];

	ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
	raw = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(raw, MAP_FAILED);
	/* A head as it should be. */
	ck_assert_int_eq(pread(userset_fd(u), raw, 4096, 0), 4096);
	r = userset_attach(fd);
	ck_assert_ptr_nonnull(r);
	for (int round = 0; round < 400; round++) {
		for (size_t i = 0; i < 3000; i++)
			raw[4096 + i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
		if (round % 4 == 0)
			memset(raw + 4096, 0xff, 3000);
		if (round % 4 == 1)
			memset(raw + 4096, 0, 3), raw[4098] = 1;
		if (round % 4 == 2) {
			/* Offsets at the very end of the area. */
			uint32_t v[3] = { 2, (64u << 20) - 1, (64u << 20) - 1 };

			memcpy(raw + 4096, v, sizeof(v));
			raw[4096 + (64 << 20) - 1] = (unsigned char)round;
		}
		(void)userset_has(r, STR("alice"), out);
		(void)userset_has(r, STR("zzzzz"), out);
		(void)userset_count(r);
	}
	munmap(raw, bytes);
	userset_free(u);
	userset_free(r);
}
END_TEST

START_TEST(rights)
{
	const struct str names[] = { STR("bob") };
	struct userset *u = userset_new(), *r;
	int other = memfd_create("other", 0), status;
	pid_t pid;

	ck_assert_int_eq(userset_replace(u, names, 1), 0);
	/* A helper's descriptor: to look through, not to write through. */
	ck_assert_ptr_eq(
	    mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, userset_fd(u), 0),
	    MAP_FAILED);
	ck_assert_int_eq(write(userset_fd(u), "x", 1), -1);
	ck_assert_int_eq(ftruncate(userset_fd(u), 0), -1);
	r = userset_attach(dup(userset_fd(u)));
	ck_assert_ptr_nonnull(r);
	ck_assert(has(r, "Bob", "bob"));
	ck_assert_int_eq(userset_replace(u, NULL, 0), 0);
	ck_assert(has(r, "bob", NULL));

	/* A forked child has no writable mapping, and trying is a bug. */
	pid = fork();
	if (pid == 0) {
		close(2);
		userset_set_any(u, true);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status));

	ck_assert_ptr_null(userset_attach(-1));
	ck_assert_ptr_null(userset_attach(other));
	ck_assert_int_eq(errno, EINVAL);
	userset_free(u);
	userset_free(r);
	userset_free(NULL);
	close(other);
}
END_TEST

UNIT_MAIN("userset", plain, trusts, aliases, members, look_up, any, too_many, while_changing, garbage, rights)
