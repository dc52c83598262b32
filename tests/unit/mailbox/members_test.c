/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The file of the members of a mailing list. */

#include "mailbox/members.h"

#include <stdio.h>
#include <sys/stat.h>

#include "tmpbox.h"

static struct tmpbox box;
static struct buf complaints;

static struct members *
load(const char *text, mode_t mode)
{
	const char *path = tmpbox_path(&box, "members");
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
	ck_assert_int_eq(chmod(path, mode), 0);
	buf_free(&complaints);
	buf_init(&complaints, 65536);
	return members_load(path, &complaints);
}

static bool
has(const struct members *m, const char *local, const char *domain)
{
	struct path p = { str_c(local), str_c(domain) };

	return members_have(m, &p);
}

START_TEST(lines)
{
	struct members *m;

	tmpbox_begin(&box);
	m = load("# all of us\n\nalice@x.org\n \tBob@X.org\tNO-MAIL # soon\r\n"
	    "carol@x.org disabled\no'x@x.org\nlast@x.org", 0640);
	ck_assert_ptr_nonnull(m);
	ck_str(buf_str(&complaints), STR(""));
	ck_assert_uint_eq(members_count(m), 4);
	ck_assert(has(m, "ALICE", "x.ORG") && has(m, "bob", "x.org"));
	ck_assert(has(m, "O'X", "x.org") && has(m, "last", "x.org"));
	ck_assert(!has(m, "carol", "x.org") && !has(m, "alice", "y.org"));
	ck_assert(!members_at(m, 0)->no_mail && members_at(m, 1)->no_mail);
	members_free(m);
	tmpbox_end(&box);
}
END_TEST

START_TEST(mistakes)
{
	struct members *m;

	tmpbox_begin(&box);
	m = load("alice\na@x.org what\nb@x.org\nB@x.ORG\n@\na@b@c\n", 0644);
	ck_assert_uint_eq(members_count(m), 1);
	for (const char *const *w = (const char *const[]){
		 "members:1: \"alice\" is no address", "members:2: \"what\" is unknown",
		 "members:4: the address stands there already",
		 "members:5: \"@\" is no address", "members:6: ", NULL }; *w != NULL; w++)
		ck_assert_msg(strstr(buf_cstr(&complaints), *w) != NULL, "%s: %s", *w,
		    buf_cstr(&complaints));
	members_free(m);
	tmpbox_end(&box);
}
END_TEST

START_TEST(unreadable)
{
	tmpbox_begin(&box);
	ck_assert_ptr_null(load("alice@x.org\n", 0646));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&complaints), "everybody can write it"));
	buf_reset(&complaints);
	ck_assert_ptr_null(members_load(tmpbox_path(&box, "none"), &complaints));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&complaints), "No such file"));
	buf_reset(&complaints);
	ck_assert_ptr_null(members_load("/dev/null", &complaints));
	ck_assert_ptr_nonnull(strstr(buf_cstr(&complaints), "no plain file"));
	members_free(NULL);
	tmpbox_end(&box);
}
END_TEST

START_TEST(many)
{
	struct members *m;
	struct buf b;

	tmpbox_begin(&box);
	buf_init(&b, MEMBERS_OCTETS_MAX);
	for (unsigned i = 0; i < 50000; i++)
		buf_addf(&b, "member-%u@list.example.org\n", i);
	m = load(buf_cstr(&b), 0600);
	ck_assert_uint_eq(members_count(m), 50000);
	ck_assert(has(m, "member-49999", "list.example.org"));
	ck_assert(!has(m, "member-50000", "list.example.org"));
	members_free(m);
	buf_free(&b);
	tmpbox_end(&box);
}
END_TEST

int
main(void)
{
	return unit_run("mailbox/members", UNIT_CASE("members", lines, mistakes,
	    unreadable, many));
}
