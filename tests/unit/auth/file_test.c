/* SPDX-License-Identifier: GPL-3.0-or-later */

/* file_test -- passwords and their hashes in a file, whatever stands in it. */

#include <crypt.h>
#include <dlfcn.h>

#include "asked.h"
#include "mail/account.h"
#include "mail/text.h"



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

/* "barid" in every kind of crypt(3): DES, BSDi, MD5, SHA-1, SHA-256, SHA-512, bcrypt, yescrypt. */
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
		"$2y$04$abcdefghijklmnopqrstuuKwcFTFZfHE8SJiGDCQWpopgqJFiCdOK",
		"$y$j75$k2XAnEHBqQ1Ct2aMXFKNa/$/B5GOKEyMlkR5JrrRJiI80dXxsNJYqfeicVBNur3Bf2" };
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
	asked_end();
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
	asked_end();
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
	asked_end();
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
	asked_end();
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
	asked_end();
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
			t[i].challenge ? AUTH_BY_APOP : AUTH_BY_PASSWORD,
			HMAC_MD5, NULL,
			"", "", "", NULL };

		ck_assert_msg(auth_file(&b, &q) == t[i].want, "%zu", i);
	}
	close(b.fd);
	asked_end();
}
END_TEST

/* A note with room, for who proves by SCRAM. */
static void
note_begin(struct auth_note *note)
{
	*note = (struct auth_note){ 0 };
	buf_init(&note->said, 4096);
}

/* "barid" with the salt 0..3 and 4096 rounds. */
static const char *
key_of(const char *password)
{
	static struct buf b;
	struct scram_key k;

	buf_free(&b);
	buf_init(&b, 500);
	ck_assert_int_eq(scram_key_make(&k, str_c(password), STR("\0\1\2\3"), 4096), 0);
	scram_key_add(&b, &k);
	return buf_cstr(&b);
}

/* What "users" says of ALICE, and in NOTE. */
static enum auth_verdict
ask_hash(const char *user, const char *password, const char *challenge, enum auth_proof proof,
    enum hmac_hash hash, struct auth_note *note)
{
	static const unsigned char nobody[AUTH_NOBODY_SIZE] = "secret";
	struct auth_backend b = asked_file("users");
	const struct auth_question q = { .user = user, .password = password, .client = "192.0.2.1",
		.challenge = challenge, .proof = proof, .hash = hash, .note = note, .nobody = nobody };
	enum auth_verdict v;

	buf_free(&note->said);
	note_begin(note);
	v = auth_ask(&b, 1, &q);
	close(b.fd);
	return v;
}

static enum auth_verdict
ask_with(const char *user, const char *password, const char *challenge, enum auth_proof proof,
    struct auth_note *note)
{
	return ask_hash(user, password, challenge, proof, HMAC_MD5, note);
}

static void
app_is(struct auth_note *note, const char *password, const char *app)
{
	enum auth_verdict v = ask_with("alice", password, "", AUTH_BY_PASSWORD, note);

	ck_assert_msg(v == (app ? AUTH_YES : AUTH_NO), "%s", password);
	ck_assert_str_eq(note->app, app ? app : "");
}

START_TEST(app_passwords)
{
	struct auth_note note;
	struct buf text;

	asked_begin();
	note_begin(&note);
	buf_init(&text, 8192);
	buf_addf(&text, "alice/desk:%s\n", key_of("desk pw"));
	buf_addf(&text, "alice/phone:%s\n", key_of("phone pw"));
	buf_addf(&text, "alice/phone:%s\n", key_of("second of that name"));
	buf_adds(&text, "alice:" MD5_BARID "\nalice/old:" SHA512_BARID "\n"
	    "alice/plain:{PLAIN}as it: is\nbob/only:{PLAIN}x\n");
	(void)asked_write("users", buf_str(&text));
	app_is(&note, "barid", "");
	app_is(&note, "desk pw", "desk");
	app_is(&note, "phone pw", "phone");
	app_is(&note, "second of that name", NULL);
	app_is(&note, "as it: is", "plain");
	app_is(&note, "as it", NULL);
	app_is(&note, "x", NULL);
	ck_assert_int_eq(ask_with("bob", "x", "", AUTH_BY_PASSWORD, &note), AUTH_YES);
	ck_assert_str_eq(note.app, "only");
	ck_assert_int_eq(ask_with("alice/desk", "desk pw", "", AUTH_BY_PASSWORD, &note), AUTH_NO);
	/* "!" locks all; "*" the user's own alone. */
	buf_adds(&text, "");
	struct buf locked;
	buf_init(&locked, 8192);
	buf_addf(&locked, "alice/desk:%s\nalice:!x\n", key_of("desk pw"));
	(void)asked_write("users", buf_str(&locked));
	app_is(&note, "desk pw", NULL);
	buf_reset(&locked);
	buf_addf(&locked, "alice/desk:%s\nalice:*\n", key_of("desk pw"));
	(void)asked_write("users", buf_str(&locked));
	app_is(&note, "desk pw", "desk");
	/* More than are looked at: the user's own line still counts. */
	buf_reset(&locked);
	for (int i = 0; i < 70; i++)
		buf_addf(&locked, "alice/%d:x\n", i);
	buf_adds(&locked, "alice:" MD5_BARID "\n");
	(void)asked_write("users", buf_str(&locked));
	app_is(&note, "barid", "");
	buf_free(&locked);
	buf_free(&text);
	buf_free(&note.said);
	asked_end();
}
END_TEST

/* The proof of who knows PASSWORD and was told PARAMS ("s=...,i=..."). */
static const char *
proof_of(const char *password, struct str params, char challenge[200])
{
	static struct buf proof;
	unsigned char salted[SHA256_SIZE], client[SHA256_SIZE], stored[SHA256_SIZE], sig[SHA256_SIZE];
	struct buf salt;
	uint32_t count = 0;

	snprintf(challenge, 200, "n=x,r=a,r=ab,%.*s,c=biws,r=ab", (int)params.n, params.p);
	buf_init(&salt, 64);
	ck_assert_int_eq(scram_params_get(str_c(challenge), &salt, &count), 0);
	ck_assert_int_eq(pbkdf2_sha256(str_c(password), buf_str(&salt), count, salted), 0);
	ck_assert_int_eq(hmac_sha256(str_n((char *)salted, 32), STR("Client Key"), client), 0);
	ck_assert_int_eq(sha256(str_n((char *)client, 32), stored), 0);
	ck_assert_int_eq(hmac_sha256(str_n((char *)stored, 32), str_c(challenge), sig), 0);
	for (size_t i = 0; i < sizeof(client); i++)
		client[i] ^= sig[i];
	buf_free(&proof);
	buf_init(&proof, 100);
	base64_add(&proof, str_n((char *)client, 32));
	buf_free(&salt);
	return buf_cstr(&proof);
}

/* USER asks for parameters, and proves PASSWORD with these. */
static enum auth_verdict
scram_login(const char *user, const char *password, struct auth_note *note)
{
	char challenge[200];
	const char *proof;

	ck_assert_int_eq(ask_with(user, "", "", AUTH_BY_SCRAM, note), AUTH_MORE);
	proof = proof_of(password, buf_str(&note->said), challenge);
	return ask_with(user, proof, challenge, AUTH_BY_SCRAM, note);
}

START_TEST(scram)
{
	struct auth_note note;
	struct buf text, first;

	asked_begin();
	note_begin(&note);
	buf_init(&text, 8192);
	buf_init(&first, 200);
	buf_addf(&text, "alice:%s\n", key_of("barid"));
	buf_addf(&text, "alice/phone:%s\n", key_of("phone pw"));
	buf_adds(&text, "carol:{PLAIN}carols\nhash:" MD5_BARID "\nbroken:{SCRAM-SHA-256}4096,x\n");
	(void)asked_write("users", buf_str(&text));
	ck_assert_int_eq(ask_with("ALICE", "", "", AUTH_BY_SCRAM, &note), AUTH_MORE);
	ck_str(buf_str(&note.said), STR("s=AAECAw==,i=4096"));
	ck_assert_int_eq(scram_login("alice", "barid", &note), AUTH_YES);
	ck_assert_str_eq(note.app, "");
	ck_assert_uint_eq(note.said.n, 44);
	ck_assert_int_eq(scram_login("alice", "phone pw", &note), AUTH_YES);
	ck_assert_str_eq(note.app, "phone");
	ck_assert_int_eq(scram_login("alice", "wrong", &note), AUTH_NO);
	ck_assert_uint_eq(note.said.n, 0);
	ck_assert_int_eq(scram_login("carol", "carols", &note), AUTH_YES);
	ck_assert_int_eq(scram_login("carol", "barid", &note), AUTH_NO);
	ck_assert_int_eq(scram_login("hash", "barid", &note), AUTH_NO);
	ck_assert_int_eq(scram_login("broken", "barid", &note), AUTH_NO);
	ck_assert_int_eq(scram_login("nobody", "", &note), AUTH_NO);
	/* CONFORMANCE S-38: who is nobody has parameters, always the same ones and its own. */
	ck_assert_int_eq(ask_with("nobody", "", "", AUTH_BY_SCRAM, &note), AUTH_MORE);
	buf_add(&first, buf_str(&note.said));
	ck_assert_int_eq(ask_with("Nobody", "", "", AUTH_BY_SCRAM, &note), AUTH_MORE);
	ck_str(buf_str(&note.said), buf_str(&first));
	ck_assert(str_ends(buf_str(&first), STR(",i=4096")));
	ck_assert_int_eq(ask_with("somebody", "", "", AUTH_BY_SCRAM, &note), AUTH_MORE);
	ck_assert(!str_eq(buf_str(&note.said), buf_str(&first)));
	/* The keys serve those who say the password, too. */
	app_is(&note, "barid", "");
	app_is(&note, "phone pw", "phone");
	buf_free(&text);
	buf_free(&first);
	buf_free(&note.said);
	asked_end();
}
END_TEST

/* RFC 2195 2: of who has the password as it is. */
START_TEST(cram_md5)
{
	static const char challenge[] = "<1896.697170952@postoffice.reston.mci.net>";
	struct auth_note note;

	asked_begin();
	note_begin(&note);
	(void)asked_write("users", STR("tim:{PLAIN}tanstaaftanstaaf\nalice:" MD5_BARID "\n"));
	ck_assert_int_eq(ask_with("tim", "b913a602c7eda7a495b4e6e7334d3890", challenge,
	    AUTH_BY_CRAM, &note), AUTH_YES);
	ck_assert_int_eq(ask_with("tim", "b913a602c7eda7a495b4e6e7334d3891", challenge,
	    AUTH_BY_CRAM, &note), AUTH_NO);
	ck_assert_int_eq(ask_with("tim", "b913a602c7eda7a495b4e6e7334d3890", "<1@x>",
	    AUTH_BY_CRAM, &note), AUTH_NO);
	ck_assert_int_eq(ask_with("alice", "b913a602c7eda7a495b4e6e7334d3890", challenge,
	    AUTH_BY_CRAM, &note), AUTH_NO);
	ck_assert_int_eq(ask_with("tim", "tanstaaftanstaaf", "", AUTH_BY_TOKEN, &note), AUTH_NO);
	buf_free(&note.said);
	asked_end();
}
END_TEST

/* FEATURES A5, A6: the other hashes; a state is good for its own alone, and for the password. */
START_TEST(crams)
{
	static const char challenge[] = "<1@mail.test>";
	struct auth_note note;
	struct buf text;

	asked_begin();
	note_begin(&note);
	buf_init(&text, 8192);
	buf_adds(&text, "plain:{PLAIN}secret\n");
	for (int i = 0; i < HMAC_HASHES; i++) {
		struct hmac_state state;

		if (hmac_state_make(&state, (enum hmac_hash)i, STR("secret")) < 0)
			continue;
		buf_addf(&text, "state%d:", i);
		account_add_state(&text, &state);
		buf_adds(&text, "\n");
	}
	(void)asked_write("users", buf_str(&text));
	for (int i = 0; i < HMAC_HASHES; i++)
		for (int k = 0; k < HMAC_HASHES; k++) {
			enum hmac_hash hash = (enum hmac_hash)k;
			unsigned char mac[HMAC_SIZE_MAX];
			char user[] = { 's', 't', 'a', 't', 'e', (char)('0' + i), '\0' };
			struct buf proof;

			buf_init(&proof, 200);
			ck_assert_int_eq(hmac(hash, STR("secret"), str_c(challenge), mac), 0);
			hex_add(&proof, str_n((const char *)mac, hmac_size(hash)));
			ck_assert_int_eq(ask_hash(user, buf_cstr(&proof), challenge, AUTH_BY_CRAM,
			    hash, &note), i == k && i != HMAC_SHA512 ? AUTH_YES : AUTH_NO);
			ck_assert_int_eq(ask_hash("plain", buf_cstr(&proof), challenge, AUTH_BY_CRAM,
			    hash, &note), AUTH_YES);
			ck_assert_int_eq(ask_hash("plain", buf_cstr(&proof), "<2@mail.test>",
			    AUTH_BY_CRAM, hash, &note), AUTH_NO);
			buf_free(&proof);
		}
	ck_assert_int_eq(ask_with("state2", "secret", "", AUTH_BY_PASSWORD, &note), AUTH_YES);
	ck_assert_int_eq(ask_with("state2", "Secret", "", AUTH_BY_PASSWORD, &note), AUTH_NO);
	buf_free(&text);
	buf_free(&note.said);
	asked_end();
}
END_TEST

UNIT_MAIN("auth/file", app_passwords, scram, cram_md5, crams, plain_ones, kinds, lines, unreadable, large, times)
