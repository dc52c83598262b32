/* SPDX-License-Identifier: GPL-3.0-or-later */

/* stored -- an envelope in drop/ and its text in the store become a message, or wait, or are kept as bad. */

#include "tmpstore.h"

#include "conf/conf.h"

static struct tmpstore t;
static struct conf *conf;

static void
begin(const char *more)
{
	struct buf text, error;

	tmpstore_begin(&t);
	buf_init(&text, 4096);
	buf_init(&error, 4096);
	buf_addf(&text, "extract-headers = true\nlimits { message-size = 64KB }\nstorage { address = \"dir:%s\" }\n%s",
	    t.path, more);
	conf = conf_parse("test.conf", buf_str(&text), &error);
	ck_assert_msg(conf != NULL, "%s", buf_cstr(&error));
	buf_free(&text);
	buf_free(&error);
	queue_believe_settings(t.s.q, conf);
	queue_remap_by(t.s.q, conf);
}

static void
end(void)
{
	tmpspool_end(&t.s);
	conf_free(conf);
}

static void
took(void *arg, const char *id)
{
	(void)arg;
	memcpy(t.s.env.id, id, QUEUE_ID_SIZE);
}

/* In drop/ with an envelope of sendmail's form. */
static void
drop(const char *key, struct str text)
{
	struct queue_msg *m;

	tmpspool_env(&t.s);
	t.s.env.key = str_c(key);
	t.s.env.body = BODY_8BITMIME;
	m = queue_begin(t.s.q, &t.s.env, true);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(queue_write(m, text), 0);
	ck_assert_int_eq(queue_commit(m), 0);
}

static void
drop_eml(const char *text)
{
	const char *path = tmpspool_path(&t.s, "drop", "a.eml");

	tmpspool_file(path, str_c(text));
	tmpstore_age(path);
}

/* What the store says of it; "": it is still in drop/; NULL: it is in bad/. */
static const char *
outcome(void)
{
	static char text[200000];
	struct queue_file f;
	int n = queue_import(t.s.q, took, NULL);

	ck_assert_int_ge(n, 0);
	if (n == 0)
		return tmpspool_has(&t.s, "drop", t.s.env.id) || tmpspool_has(&t.s, "drop", "a.eml") ? "" : NULL;
	ck_assert(!tmpspool_has(&t.s, "drop", t.s.env.id) && !tmpspool_has(&t.s, "drop", "a.eml"));
	tmpspool_load(&t.s, QUEUE_NEW, &f);
	ck_assert_uint_lt(f.size, sizeof(text));
	ck_assert_int_eq(pread(f.fd, text, f.size, f.text_at), (ssize_t)f.size);
	text[f.size] = '\0';
	ck_str(f.env.key, STR(""));
	ck_assert_int_eq(f.env.body, BODY_UNSAID);
	queue_unload(&f);
	return text;
}

#define STORED "From: a@b.example\nBcc: x@y.example\nReturn-Path: <q@r.example>\nx-mq-key: other\nx-mq-ip: nonsense\nSubject: s\n\n.\nbody"
#define SENT "From: a@b.example\r\nSubject: s\r\n\r\n.\r\nbody\r\n"
#define HEAD "From: s@t.example\nTo: a@b.example\nSubject: not sent\n"

/* K17: both forms, plain and as gzip; the text is cleaned as that of a .eml, and says nothing of the envelope. */
START_TEST(taken)
{
	struct queue_file f;
	struct buf b;

	begin("");
	buf_init(&b, 4096);
	tmpstore_pack(&b, STR(STORED));
	tmpstore_put(&t, "one.eml", STR(STORED));
	tmpstore_put(&t, "two.eml.gz", buf_str(&b));
	for (int i = 0; i < 2; i++) {
		drop(i == 0 ? "one" : "two", STR(""));
		ck_assert_str_eq(outcome(), SENT);
		tmpspool_load(&t.s, QUEUE_NEW, &f);
		ck_assert_uint_eq(f.env.rcpt_n, 3);
		ck_str(f.env.from.local, STR("sender"));
		queue_unload(&f);
		drop_eml(i == 0 ? HEAD "X-Barid-Key: one\nx-mq-priority: 3\n\n\n" : HEAD "x-mq-key: two\n");
		ck_assert_str_eq(outcome(), SENT);
		tmpspool_load(&t.s, QUEUE_NEW, &f);
		ck_assert_uint_eq(f.env.rcpt_n, 1);
		ck_str(f.env.from.local, STR("s"));
		ck_assert_int_eq(f.env.priority, i == 0 ? 3 : 0);
		queue_unload(&f);
	}
	/* The text stays where it is: others may name it. */
	ck_assert_int_eq(access(tmpstore_path(&t, "one.eml"), F_OK), 0);
	buf_free(&b);
	end();
}
END_TEST

/* Addresses become others as in other mail, and the wish not to need TLS is heard. */
START_TEST(as_other_mail)
{
	struct queue_file f;

	begin("rewrite \"a@b.example\" { to = \"new@b.example\" }\n");
	tmpstore_put(&t, "one.eml", STR("From: a@b.example\nTLS-Required: No\n\nx\n"));
	drop_eml(HEAD "x-mq-key: one\n\n");
	ck_assert_str_eq(outcome(), "From: new@b.example\r\nTLS-Required: No\r\n\r\nx\r\n");
	tmpspool_load(&t.s, QUEUE_NEW, &f);
	ck_str(f.env.rcpts[0].path.local, STR("new"));
	ck_assert_int_eq(f.env.tls_wish, TLS_WISH_NONE);
	queue_unload(&f);
	end();
}
END_TEST

/* What is not there yet waits, and is taken when it comes; after an hour it is bad. */
START_TEST(waiting)
{
	begin("");
	drop("late", STR(""));
	ck_assert_str_eq(outcome(), "");
	ck_assert_str_eq(outcome(), "");
	tmpspool_file(tmpstore_path(&t, "late.eml"), STR(STORED));
	/* It may be written to still. */
	ck_assert_str_eq(outcome(), "");
	tmpstore_age(tmpstore_path(&t, "late.eml"));
	ck_assert_str_eq(outcome(), SENT);
	drop("never", STR(""));
	tmpstore_age(tmpspool_path(&t.s, "drop", t.s.env.id));
	ck_assert_ptr_null(outcome());
	end();
}
END_TEST

/* A store that fails is waited for without end. */
START_TEST(no_store)
{
	char away[100];

	begin("");
	tmpstore_put(&t, "one.eml", STR(STORED));
	snprintf(away, sizeof(away), "%s.away", t.path);
	ck_assert_int_eq(rename(t.path, away), 0);
	drop("one", STR(""));
	tmpstore_age(tmpspool_path(&t.s, "drop", t.s.env.id));
	ck_assert_str_eq(outcome(), "");
	ck_assert_int_eq(rename(away, t.path), 0);
	ck_assert_str_eq(outcome(), SENT);
	end();
}
END_TEST

START_TEST(bad)
{
	struct buf b;

	begin("");
	buf_init(&b, 1 << 20);
	tmpstore_put(&t, "one.eml", STR(STORED));
	/* A text beside the key, in either form. */
	drop("one", STR(TEXT1));
	ck_assert_ptr_null(outcome());
	drop_eml(HEAD "x-mq-key: one\n\ntext\n");
	ck_assert_ptr_null(outcome());
	/* No key: it is a name in the store, and nothing else. */
	drop("../new/x", STR(""));
	ck_assert_ptr_null(outcome());
	drop_eml(HEAD "x-mq-key: ../one\n\n");
	ck_assert_ptr_null(outcome());
	drop_eml(HEAD "x-mq-key: one\nx-mq-key: one\n\n");
	ck_assert_ptr_null(outcome());
	/* Texts that are none. */
	ck_assert_int_eq(symlink("one.eml", tmpstore_path(&t, "link.eml")), 0);
	drop("link", STR(""));
	ck_assert_ptr_null(outcome());
	tmpstore_put(&t, "broken.eml.gz", STR("x"));
	drop("broken", STR(""));
	ck_assert_ptr_null(outcome());
	tmpstore_put(&t, "header.eml", STR("no header\n"));
	drop("header", STR(""));
	ck_assert_ptr_null(outcome());
	while (b.n <= 65536)
		buf_adds(&b, "a: b\n");
	tmpstore_put(&t, "large.eml", buf_str(&b));
	drop("large", STR(""));
	ck_assert_ptr_null(outcome());
	ck_assert_int_eq(access(tmpstore_path(&t, "one.eml"), F_OK), 0);
	buf_free(&b);
	end();
}
END_TEST

/* Where settings are not believed, no key is: nothing is sent in the place of the text. */
START_TEST(not_believed)
{
	begin("");
	tmpstore_put(&t, "one.eml", STR(STORED));
	queue_believe_settings(t.s.q, NULL);
	drop("one", STR(""));
	ck_assert_ptr_null(outcome());
	end();
}
END_TEST

UNIT_MAIN("queue/stored", taken, as_other_mail, waiting, no_store, bad, not_believed)
