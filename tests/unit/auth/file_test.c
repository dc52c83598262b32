/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file_test -- passwords and their hashes in a file, whatever stands in it. */

#include <crypt.h>
#include <dlfcn.h>

#include "asked.h"


static const char *const files[] = { "users" };

/* What is open now says of NAME and PASSWORD. */
static enum auth_verdict
ask_open(const struct auth_backend *b, const char *name, const char *password)
{
	const struct auth_question q = { .user = name, .password = password,
		.client = "192.0.2.1", .challenge = "" };

	return auth_file(b, &q);
}

/* The same of a file with this TEXT. */
static enum auth_verdict
ask(struct str text, const char *name, const char *password)
{
	(void)asked_write("users", text);
	struct auth_backend b = asked_file("users");
	enum auth_verdict v = ask_open(&b, name, password);

	close(b.fd);
	return v;
}

/* "barid" in every kind of crypt(3): DES, BSDi, MD5, SHA-1, SHA-256, SHA-512, bcrypt. */
#define MD5_BARID "$1$bar$RRl.p3gwzLj695k7rwMaY/"
#define SHA512_BARID "$6$rounds=1000$bar$4G64fdhYWtNM9sCw8o5hYasLYNJ3fFTWsfgs8fhybV7TwfM5eYaWPuZY" \
	"qs0ReKjy8Zc4odN/SXPnE6luRnZ9c1"

START_TEST(kinds)
{
	static const char *const hashes[] = { "baQjyGzv3Ox2E", "_J9..bariR.GD0Q.2d2s", MD5_BARID,
		"$sha1$1000$bar$UaR/8RpnUNnmeN96euogqg4D3YFs",
		"$5$rounds=1000$bar$hn8kU4t2qQD7Mo5cGUSBLnxnUsR6YOAWFgNPtjiM3SD", SHA512_BARID,
		"$2a$04$abcdefghijklmnopqrstuuKwcFTFZfHE8SJiGDCQWpopgqJFiCdOK",
		"$2b$04$abcdefghijklmnopqrstuuKwcFTFZfHE8SJiGDCQWpopgqJFiCdOK",
		"$2y$04$abcdefghijklmnopqrstuuKwcFTFZfHE8SJiGDCQWpopgqJFiCdOK" };
	struct buf text;

	asked_begin();
	buf_init(&text, 4096);
	for (size_t i = 0; i < ARRAY_LEN(hashes); i++) {
		buf_reset(&text);
		buf_addf(&text, "alice:%s\n", hashes[i]);
		ck_assert_msg(ask(buf_str(&text), "alice", "barid") == AUTH_YES, "%s", hashes[i]);
		ck_assert_int_eq(ask(buf_str(&text), "alice", "Barid"), AUTH_NO);
		ck_assert_int_eq(ask(buf_str(&text), "alice", hashes[i]), AUTH_NO);
	}
	/* What baridctl passwd writes; with a password of all there is. */
	buf_reset(&text);
	buf_adds(&text, "alice:");
	ck_assert_int_eq(password_hash(&text, " \u00e4:\t$#\x80 "), 0);
	ck_assert_int_eq(ask(buf_str(&text), "alice", " \u00e4:\t$#\x80 "), AUTH_YES);
	ck_assert_int_eq(ask(buf_str(&text), "alice", "\u00e4:\t$#\x80 "), AUTH_NO);
	buf_free(&text);
	asked_end(files, ARRAY_LEN(files));
}
END_TEST

#define A "alice:" MD5_BARID

START_TEST(lines)
{
	static const struct {
		const char *text;
		const char *name;
		enum auth_verdict verdict;
	} t[] = {
		{ A, "alice", AUTH_YES },
		{ A "\n", "ALICE", AUTH_YES },
		{ "Alice:" MD5_BARID, "alice", AUTH_YES },
		{ A "\r\n", "alice", AUTH_YES },
		{ "  " A "  \n", "alice", AUTH_YES },
		{ A ":more:fields::\n", "alice", AUTH_YES },
		{ "# users\n\n\n" A, "alice", AUTH_YES },
		{ "bob:x\n" A "\ncarol:y", "alice", AUTH_YES },
		{ "alice@example.org:" MD5_BARID, "alice@example.org", AUTH_YES },
		{ A, "alic", AUTH_NO },
		{ A, "alicex", AUTH_NO },
		{ A, "alice:", AUTH_NO },
		{ A, "", AUTH_NO },
		{ ":" MD5_BARID, "", AUTH_NO },
		{ "#" A, "alice", AUTH_NO },
		{ "#" A, "#alice", AUTH_NO },
		{ "alice", "alice", AUTH_NO },
		{ "", "alice", AUTH_NO },
		{ "\n\n", "alice", AUTH_NO },
		/* The first line of a name counts, as for who has a mailbox. */
		{ "alice:x\n" A, "alice", AUTH_NO },
		{ "alice:\n" A, "alice", AUTH_NO },
		{ A "\nalice:x", "alice", AUTH_YES },
		/* Locked, or never given a password. */
		{ "alice:", "alice", AUTH_NO },
		{ "alice::", "alice", AUTH_NO },
		{ "alice:*", "alice", AUTH_NO },
		{ "alice:*0", "alice", AUTH_NO },
		{ "alice:*1", "alice", AUTH_NO },
		{ "alice:!", "alice", AUTH_NO },
		{ "alice:!" MD5_BARID, "alice", AUTH_NO },
		{ "alice:*" MD5_BARID, "alice", AUTH_NO },
		{ "alice:x", "alice", AUTH_NO },
		{ "alice:barid", "alice", AUTH_NO },
		{ "alice:$1$", "alice", AUTH_NO },
		{ "alice:$99$bar$x", "alice", AUTH_NO },
		{ "alice:" MD5_BARID "x", "alice", AUTH_NO },
		{ "alice:$1$bar$RRl.p3gwzLj695k7rwMaY", "alice", AUTH_NO },
		/* Another one's password is nobody's. */
		{ "bob:" MD5_BARID "\nalice:!", "alice", AUTH_NO },
		{ "bob:" MD5_BARID, "alice", AUTH_NO },
	};

	asked_begin();
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		ck_assert_msg(ask(str_c(t[i].text), t[i].name, "barid") == t[i].verdict,
		    "%zu: %s of %s", i, t[i].name, t[i].text);
	ck_assert_int_eq(ask(STR("a\0b\nalice:" MD5_BARID "\n\0\0"), "alice", "barid"), AUTH_YES);
	ck_assert_int_eq(ask(STR("\xff\xfe:x\n" A), "\xff\xfe", "x"), AUTH_NO);
	asked_end(files, ARRAY_LEN(files));
}
END_TEST

/* A backend that cannot be read does not know; it says neither yes nor no. */
START_TEST(unreadable)
{
	struct auth_backend b = asked_file("nothing");

	asked_begin();
	ck_assert_int_eq(b.fd, -1);
	ck_assert_int_eq(ask_open(&b, "alice", "barid"), AUTH_TEMPORARY);
	b.fd = open(asked_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(ask_open(&b, "alice", "barid"), AUTH_TEMPORARY);
	close(b.fd);
	/* 64 MiB are read, and no more. */
	(void)asked_write("users", STR(A "\n"));
	b = asked_file("users");
	char path[128];
	snprintf(path, sizeof(path), "%s/users", asked_dir);
	ck_assert_int_eq(truncate(path, 65 << 20), 0);
	ck_assert_int_eq(ask_open(&b, "alice", "barid"), AUTH_TEMPORARY);
	ck_assert_int_eq(truncate(path, 30 << 20), 0);
	ck_assert_int_eq(ask_open(&b, "alice", "barid"), AUTH_YES);
	close(b.fd);
	asked_end(files, ARRAY_LEN(files));
}
END_TEST

START_TEST(large)
{
	struct buf text;

	asked_begin();
	buf_init(&text, 64u << 20);
	for (unsigned i = 0; i < 200000; i++)
		buf_addf(&text, "user%u:" MD5_BARID "\n", i);
	buf_adds(&text, "alice:" SHA512_BARID "\n");
	ck_assert_int_eq(ask(buf_str(&text), "alice", "barid"), AUTH_YES);
	ck_assert_int_eq(ask(buf_str(&text), "user199999", "barid"), AUTH_YES);
	ck_assert_int_eq(ask(buf_str(&text), "user200000", "barid"), AUTH_NO);
	buf_free(&text);
	asked_end(files, ARRAY_LEN(files));
}
END_TEST

/* What was hashed last, by which setting, and how often: see crypt_r() below. */
static unsigned hashed;
static char setting_of[64];

/* Stands before the library's, and calls it. */
char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
	union {
		void *symbol;
		char *(*call)(const char *, const char *, struct crypt_data *);
	} real = { .symbol = dlsym(RTLD_NEXT, "crypt_r") };
	size_t n = strnlen(setting, sizeof(setting_of) - 1);

	hashed++;
	memcpy(setting_of, setting, n);
	setting_of[n] = '\0';
	return real.call(phrase, setting, data);
}

/*
 * CONFORMANCE S-38: the time does not say who exists, nor who is locked; for
 * each the same work is done, once.
 */
START_TEST(times)
{
	struct str text = STR("alice:$6$rounds=60000$bar$x\nlocked:!$6$rounds=60000$bar$x\n"
	    "empty:\nstar:*\n");
	static const char *const names[] = { "alice", "nobody", "locked", "empty", "star" };

	asked_begin();
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		hashed = 0;
		ck_assert_int_eq(ask(text, names[i], "wrong"), AUTH_NO);
		ck_assert_uint_eq(hashed, 1);
		ck_assert(strncmp(setting_of, "$6$rounds=60000$", 16) == 0);
	}
	asked_end(files, ARRAY_LEN(files));
}
END_TEST

/* A password as it is: said, or proved by a digest (the example of RFC 1939 7). */
START_TEST(plain_ones)
{
	static const char stamp[] = "<1896.697170952@dbc.mtview.ca.us>";
	static const struct {
		const char *user, *password, *challenge;
		enum auth_verdict want;
	} t[] = {
		{ "mrose", "tanstaaf", NULL, AUTH_YES },
		{ "mrose", "tanstaa", NULL, AUTH_NO },
		{ "mrose", "{PLAIN}tanstaaf", NULL, AUTH_NO },
		{ "mrose", "c4c9334bac560ecc979e58001b3e22fb", NULL, AUTH_NO },
		{ "mrose", "c4c9334bac560ecc979e58001b3e22fb", stamp, AUTH_YES },
		{ "mrose", "c4c9334bac560ecc979e58001b3e22fb", "<1@x>", AUTH_NO },
		{ "mrose", "c4c9334bac560ecc979e58001b3e22fa", stamp, AUTH_NO },
		{ "mrose", "tanstaaf", stamp, AUTH_NO },
		/* Of who has a hash, or nothing, or is nobody, no digest is right. */
		{ "alice", "barid", NULL, AUTH_YES }, { "alice", "barid", stamp, AUTH_NO },
		{ "none", "d41d8cd98f00b204e9800998ecf8427e", "", AUTH_NO },
		{ "none", "{PLAIN}", NULL, AUTH_NO },
		{ "eve", "c4c9334bac560ecc979e58001b3e22fb", stamp, AUTH_NO },
	};

	asked_begin();
	(void)asked_write("users", STR("mrose:{PLAIN}tanstaaf\nalice:" MD5_BARID "\nnone:{PLAIN}\n"));
	struct auth_backend b = asked_file("users");
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		const struct auth_question q = { t[i].user, t[i].password, "192.0.2.1",
			t[i].challenge ? t[i].challenge : "",
			t[i].challenge ? AUTH_BY_APOP : AUTH_BY_PASSWORD, NULL,
			"", "", "" };

		ck_assert_msg(auth_file(&b, &q) == t[i].want, "%zu", i);
	}
	close(b.fd);
	asked_end(files, ARRAY_LEN(files));
}
END_TEST

UNIT_MAIN("auth/file", plain_ones, kinds, lines, unreadable, large, times)
