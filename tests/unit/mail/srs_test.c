/* SPDX-License-Identifier: GPL-3.0-or-later */

/* srs -- addresses of forwarded mail, there and back, and forged ones. */

#include "mail/srs.h"
#include "unit.h"

#define DAY 86400
/* Day 20778 since 1970: "JK". */
#define NOW ((int64_t)20778 * DAY + 4000)

static const char *const secrets[] = { "topsecret", "older" };
static const struct srs srs = { .secrets = secrets, .secret_n = 2,
	.domain = { "srs.test", 8 }, .days = 21 };

static struct arena arena;

static struct path
address(const char *text)
{
	struct path p;

	ck_assert_ptr_null(path_parse_addr(str_c(text), 0, &arena, &p));
	return p;
}

static const char *
forward(const struct srs *s, const char *from)
{
	struct path p = address(from), made;

	if (srs_forward(s, &p, NOW, &arena, &made) < 0)
		return NULL;
	return arena_cstr(&arena, path_str(&arena, &made));
}

/* What LOCAL stands for, DAYS from now; or why for nothing. */
static const char *
back(const char *local, int64_t days)
{
	static const char *const why[] = { "none", "fine", "forged", "expired" };
	enum srs_verdict v;
	struct path p;

	v = srs_reverse(&srs, str_c(local), NOW + days * DAY, &arena, &p);
	return v == SRS_FINE ? arena_cstr(&arena, path_str(&arena, &p)) : why[v];
}

/* What postsrsd 1.10 made of the same. */
START_TEST(as_others_make_them)
{
	arena_init(&arena, 1u << 20);
	ck_assert_str_eq(forward(&srs, "alice@far.example"),
	    "SRS0=+/5A=JK=far.example=alice@srs.test");
	ck_assert_str_eq(forward(&srs, "SRS0=ABCD=EF=x.example=bob@other.test"),
	    "SRS1=9enu=other.test==ABCD=EF=x.example=bob@srs.test");
	ck_assert_str_eq(
	    forward(&srs, "SRS1=ABCD=x.example==HHHH=TT=orig=bob@other.test"),
	    "SRS1=q5bS=x.example==HHHH=TT=orig=bob@srs.test");
	arena_free(&arena);
}
END_TEST

START_TEST(there_and_back)
{
	arena_init(&arena, 1u << 20);
	ck_assert_str_eq(back("SRS0=+/5A=JK=far.example=alice", 0),
	    "alice@far.example");
	/* Whoever folds it, and with whichever sign. */
	ck_assert_str_eq(back("srs0+" "+/5a=jk=far.example=alice", 0),
	    "alice@far.example");
	ck_assert_str_eq(back("SRS1=9enu=other.test==ABCD=EF=x.example=bob", 0),
	    "SRS0=ABCD=EF=x.example=bob@other.test");
	ck_assert_str_eq(back("SRS0=+/5A=JK=far.example=alice", 21),
	    "alice@far.example");
	ck_assert_str_eq(back("SRS0=+/5A=JK=far.example=alice", 22), "expired");
	/* A clock that is a day behind. */
	ck_assert_str_eq(back("SRS0=+/5A=JK=far.example=alice", -1),
	    "alice@far.example");
	ck_assert_str_eq(back("SRS0=+/5A=JK=far.example=alice", -2), "expired");
	arena_free(&arena);
}
END_TEST

START_TEST(another_secret)
{
	static const char *const newer[] = { "newest", "topsecret" };
	struct srs s = srs;
	struct path p;

	arena_init(&arena, 1u << 20);
	s.secrets = newer;
	ck_assert_str_ne(forward(&s, "alice@far.example"),
	    forward(&srs, "alice@far.example"));
	ck_assert_int_eq(srs_reverse(&s, STR("SRS0=+/5A=JK=far.example=alice"),
	    NOW, &arena, &p), SRS_FINE);
	s.secret_n = 1;
	ck_assert_int_eq(srs_reverse(&s, STR("SRS0=+/5A=JK=far.example=alice"),
	    NOW, &arena, &p), SRS_FORGED);
	s.secret_n = 0;
	ck_assert_ptr_null(forward(&s, "alice@far.example"));
	arena_free(&arena);
}
END_TEST

START_TEST(none_and_forged)
{
	static const struct {
		const char *local, *want;
	} rows[] = {
		{ "alice", "none" }, { "", "none" }, { "SRS", "none" },
		{ "SRS0", "none" }, { "SRS2=x", "none" }, { "SRS0x", "none" },
		{ "SRS0=", "forged" }, { "SRS0====", "forged" },
		{ "SRS0=+/5B=JK=far.example=alice", "forged" },
		{ "SRS0=+/5A=JL=far.example=alice", "forged" },
		{ "SRS0=+/5A=JK=far.example=bob", "forged" },
		{ "SRS0=+/5A=JK=near.example=alice", "forged" },
		{ "SRS0=+/5=JK=far.example=alice", "forged" },
		{ "SRS0==JK=far.example=alice", "forged" },
		{ "SRS1=9enu=other.test", "forged" },
		{ "SRS1=9env=other.test==ABCD=EF=x.example=bob", "forged" },
	};

	arena_init(&arena, 1u << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ck_assert_str_eq(back(rows[i].local, 0), rows[i].want);
		ck_assert(srs_looks_so(str_c(rows[i].local)) ==
		    (strcmp(rows[i].want, "none") != 0));
	}
	arena_free(&arena);
}
END_TEST

START_TEST(no_room)
{
	arena_init(&arena, 1u << 20);
	ck_assert_ptr_nonnull(forward(&srs,
	    "a234567890123456789012345678901@far.example"));
	ck_assert_ptr_null(forward(&srs,
	    "a23456789012345678901234567890123456789012345@far.example"));
	ck_assert_ptr_null(forward(&srs, "alice@[192.0.2.1]"));
	ck_assert_ptr_null(forward(&srs, "SRS1=ABCD=x.example@other.test"));
	arena_free(&arena);
}
END_TEST

UNIT_MAIN("mail/srs", as_others_make_them, there_and_back, another_secret,
    none_and_forged, no_room)
