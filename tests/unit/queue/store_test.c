/* SPDX-License-Identifier: GPL-3.0-or-later */

/* store -- what may be a text, what is in it, and what goes when it is old. */

#include "tmpstore.h"

#include <sys/socket.h>
#include <sys/un.h>

#define MOST ((uint64_t)8 << 20)

static struct tmpstore t;
static const char *why;

/* Reads what T has of KEY into B, N octets at a time: 0, or an errno. */
static int
get(const char *key, uid_t owner, uint64_t most, size_t n, struct buf *b)
{
	struct store_text *s = store_open(t.path, str_c(key), owner, most, &why);
	ssize_t got = -1;
	char *p;
	int error;

	if (s == NULL)
		return errno;
	while ((p = buf_room(b, n)) != NULL && (got = store_read(s, p, n)) > 0)
		buf_grew(b, (size_t)got);
	error = got < 0 ? errno : 0;
	ck_assert(buf_ok(b));
	why = store_why(s);
	/* What was said first stays said. */
	store_close(s);
	return error;
}

static void
refused(const char *key, int error, const char *words)
{
	struct buf b;

	buf_init(&b, 64 << 20);
	ck_assert_int_eq(get(key, geteuid(), MOST, 65536, &b), error);
	ck_assert_msg(why != NULL && strcmp(why, words) == 0, "%s: %s", key, why);
	buf_free(&b);
}

static void
same(const char *key, struct str want)
{
	static const size_t sizes[] = { 1, 7, 65536, 16 << 20 };
	struct buf b;

	buf_init(&b, 64 << 20);
	for (size_t i = want.n > 100000 ? 2 : 0; i < ARRAY_LEN(sizes); i++) {
		buf_reset(&b);
		ck_assert_int_eq(get(key, geteuid(), MOST, sizes[i], &b), 0);
		ck_assert_uint_eq(b.n, want.n);
		ck_assert_int_eq(memcmp(b.p, want.p, want.n), 0);
	}
	buf_free(&b);
}

/* Lines that pack well, but as mail does. */
static void
fill(struct buf *b, size_t n)
{
	for (unsigned i = 0; b->n < n; i++)
		buf_addf(b, "line %u of the text, %08x\r\n", i, i * 2654435761u);
}

START_TEST(texts)
{
	struct buf text, packed;

	tmpstore_begin(&t);
	buf_init(&text, 16 << 20);
	buf_init(&packed, 16 << 20);
	tmpstore_put(&t, "plain.eml", STR(TEXT1));
	same("plain", STR(TEXT1));
	tmpstore_put(&t, "empty.eml", STR(""));
	same("empty", STR(""));
	tmpstore_pack(&packed, STR(TEXT1));
	tmpstore_put(&t, "packed.eml.gz", buf_str(&packed));
	same("packed", STR(TEXT1));
	/* Which of the two it is says the name, and the plain one counts. */
	tmpstore_put(&t, "plain.eml.gz", buf_str(&packed));
	same("plain", STR(TEXT1));
	tmpstore_put(&t, "name.eml", buf_str(&packed));
	same("name", buf_str(&packed));
	fill(&text, 3000000);
	buf_reset(&packed);
	tmpstore_pack(&packed, buf_str(&text));
	tmpstore_put(&t, "large.eml", buf_str(&text));
	same("large", buf_str(&text));
	tmpstore_put(&t, "large2.eml.gz", buf_str(&packed));
	same("large2", buf_str(&text));
	buf_free(&text);
	buf_free(&packed);
	tmpspool_end(&t.s);
}
END_TEST

/* Links, pipes, sockets, directories, and files of others. */
START_TEST(hostile_files)
{
	static const char plain[] = "its text is not a plain file with one name";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct buf b;
	int fd;

	tmpstore_begin(&t);
	buf_init(&b, 1 << 20);
	refused("none", ENOENT, "its text is not in the store");
	tmpstore_put(&t, "real.eml", STR(TEXT1));
	ck_assert_int_eq(symlink("real.eml", tmpstore_path(&t, "link.eml")), 0);
	refused("link", EBADMSG, plain);
	ck_assert_int_eq(symlink("nowhere", tmpstore_path(&t, "dangling.eml")), 0);
	refused("dangling", EBADMSG, plain);
	ck_assert_int_eq(mkfifo(tmpstore_path(&t, "fifo.eml"), 0600), 0);
	refused("fifo", EBADMSG, plain);
	ck_assert_int_eq(mkdir(tmpstore_path(&t, "dir.eml"), 0700), 0);
	refused("dir", EBADMSG, plain);
	ck_assert_uint_lt(strlen(tmpstore_path(&t, "socket.eml")), sizeof(un.sun_path));
	memcpy(un.sun_path, tmpstore_path(&t, "socket.eml"), strlen(tmpstore_path(&t, "socket.eml")));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	refused("socket", EBADMSG, plain);
	{
		char to[400];

		memcpy(to, tmpstore_path(&t, "two.eml"), sizeof(to));
		tmpstore_put(&t, "one.eml", STR(TEXT1));
		ck_assert_int_eq(link(tmpstore_path(&t, "one.eml"), to), 0);
	}
	refused("one", EBADMSG, plain);
	/* Of another user; and root's envelopes may name all. */
	ck_assert_int_eq(get("real", geteuid() + 1, MOST, 4096, &b), EBADMSG);
	ck_assert_str_eq(why, "its text belongs to somebody else");
	ck_assert_int_eq(get("real", STORE_ANYBODY, MOST, 4096, &b), 0);
	if (geteuid() != 0) {
		ck_assert_int_eq(chmod(tmpstore_path(&t, "real.eml"), 0), 0);
		refused("real", EBADMSG, "its text may not be read");
	}
	/* A store that is none is nothing against the text. */
	snprintf(t.path, sizeof(t.path), "%s/nowhere", t.s.dir);
	ck_assert_int_eq(get("real", geteuid(), MOST, 4096, &b), ENOENT);
	ck_assert_ptr_null(why);
	buf_free(&b);
	tmpspool_end(&t.s);
}
END_TEST

/* What is too large, however it is packed. */
START_TEST(too_large)
{
	struct buf text, packed, b;

	tmpstore_begin(&t);
	buf_init(&text, 16 << 20);
	buf_init(&packed, 16 << 20);
	buf_init(&b, 16 << 20);
	fill(&text, MOST - 100);
	while (text.n < MOST)
		buf_addc(&text, 'x');
	tmpstore_put(&t, "fits.eml", buf_str(&text));
	same("fits", buf_str(&text));
	tmpstore_pack(&packed, buf_str(&text));
	tmpstore_put(&t, "fits2.eml.gz", buf_str(&packed));
	same("fits2", buf_str(&text));
	buf_addc(&text, 'x');
	tmpstore_put(&t, "more.eml", buf_str(&text));
	refused("more", EBADMSG, "its text is larger than limits.message-size");
	buf_reset(&packed);
	tmpstore_pack(&packed, buf_str(&text));
	tmpstore_put(&t, "more2.eml.gz", buf_str(&packed));
	refused("more2", EBADMSG, "its text is larger than limits.message-size");
	/* A bomb is known for one long before that. */
	memset(text.p, 0, text.n);
	buf_reset(&packed);
	tmpstore_pack(&packed, str_n(text.p, MOST));
	ck_assert_uint_lt(packed.n, MOST / 900);
	tmpstore_put(&t, "bomb.eml.gz", buf_str(&packed));
	ck_assert_int_eq(get("bomb", geteuid(), MOST, 65536, &b), EBADMSG);
	ck_assert_str_eq(why, "its text unpacks to more than is believable");
	ck_assert_uint_lt(b.n, STORE_RATIO_FROM + 2 * 65536 + packed.n * STORE_RATIO_MAX);
	buf_free(&text);
	buf_free(&packed);
	buf_free(&b);
	tmpspool_end(&t.s);
}
END_TEST

/* Cut at every octet, with each octet changed, and with more behind it. */
START_TEST(broken_gzip)
{
	struct buf packed, b;

	tmpstore_begin(&t);
	buf_init(&packed, 4096);
	buf_init(&b, 1 << 20);
	tmpstore_pack(&packed, STR(TEXT1));
	for (size_t n = 0; n < packed.n; n++) {
		tmpstore_put(&t, "cut.eml.gz", str_n(packed.p, n));
		refused("cut", EBADMSG, "its text is gzip that is cut short");
	}
	/* The header has a time and a system, which say nothing. */
	for (size_t n = 0; n < packed.n; n++) {
		int error;

		packed.p[n] ^= 0x55;
		tmpstore_put(&t, "changed.eml.gz", buf_str(&packed));
		buf_reset(&b);
		error = get("changed", geteuid(), MOST, 4096, &b);
		if (error == 0)
			ck_str(buf_str(&b), STR(TEXT1));
		else
			ck_assert_int_eq(error, EBADMSG);
		ck_assert(error != 0 || (n >= 4 && n < 10));
		packed.p[n] ^= 0x55;
	}
	buf_addc(&packed, '\0');
	tmpstore_put(&t, "more.eml.gz", buf_str(&packed));
	refused("more", EBADMSG, "something stands behind the gzip of its text");
	packed.n--;
	tmpstore_pack(&packed, STR("more"));
	tmpstore_put(&t, "two.eml.gz", buf_str(&packed));
	refused("two", EBADMSG, "something stands behind the gzip of its text");
	buf_free(&packed);
	buf_free(&b);
	tmpspool_end(&t.s);
}
END_TEST

/* Who is still writing is waited for; who removes what was opened takes nothing away. */
START_TEST(changing)
{
	struct store_text *s;
	char p[100];

	tmpstore_begin(&t);
	tmpspool_file(tmpstore_path(&t, "young.eml"), STR(TEXT1));
	refused("young", EAGAIN, "its text is being written");
	for (int i = 0; i < 3; i++) {
		const char *path = tmpstore_path(&t, "a.eml");

		tmpstore_put(&t, "a.eml", STR(TEXT1));
		s = store_open(t.path, STR("a"), geteuid(), MOST, &why);
		ck_assert_ptr_nonnull(s);
		ck_assert_int_eq(store_read(s, p, 5), 5);
		if (i == 0) {
			ck_assert_int_eq(unlink(path), 0);
		} else {
			ck_assert_int_eq(truncate(path, i == 1 ? 9 : 1000), 0);
		}
		while (store_read(s, p, sizeof(p)) > 0)
			;
		if (i == 0) {
			ck_assert_ptr_null(store_why(s));
		} else {
			ck_assert_int_eq(errno, EAGAIN);
			ck_assert_str_eq(store_why(s), "its text is being written");
		}
		store_close(s);
	}
	store_close(NULL);
	tmpspool_end(&t.s);
}
END_TEST

static bool
is_there(const char *name)
{
	struct stat st;

	return lstat(tmpstore_path(&t, name), &st) == 0;
}

START_TEST(sweeping)
{
	static const char *const stay[] = { "a.txt", "a.eml.tmp", ".eml", ".a.eml", "-a.eml", "a b.eml", "a.EML", "README",
		"a.eml.gz.1", ".eml.gz" };

	tmpstore_begin(&t);
	for (size_t i = 0; i < ARRAY_LEN(stay); i++)
		tmpstore_put(&t, stay[i], STR("x"));
	ck_assert_int_eq(symlink("a.txt", tmpstore_path(&t, "link.eml")), 0);
	ck_assert_int_eq(mkdir(tmpstore_path(&t, "dir.eml"), 0700), 0);
	tmpstore_age(tmpstore_path(&t, "dir.eml"));
	tmpspool_file(tmpstore_path(&t, "young.eml"), STR("x"));
	tmpstore_put(&t, "one.eml", STR("x"));
	tmpstore_put(&t, "two.eml.gz", STR("x"));
	tmpstore_put(&t, "three.eml", STR("x"));
	ck_assert_int_eq(store_sweep(t.path, 1700000000, 100), 0);
	ck_assert_int_eq(store_sweep(t.path, 1700000001, 2), 2);
	ck_assert_int_eq(store_sweep(t.path, 1700000001, 2), 1);
	ck_assert_int_eq(store_sweep(t.path, 1700000001, 2), 0);
	ck_assert(!is_there("one.eml") && !is_there("two.eml.gz") && !is_there("three.eml"));
	for (size_t i = 0; i < ARRAY_LEN(stay); i++)
		ck_assert_msg(is_there(stay[i]), "%s", stay[i]);
	ck_assert(is_there("link.eml") && is_there("dir.eml") && is_there("young.eml"));
	/* The path may be a link; what is there may not be removable. */
	snprintf(t.path, sizeof(t.path), "%s/nowhere", t.s.dir);
	ck_assert_int_eq(store_sweep(t.path, 1700000001, 2), -1);
	ck_assert_int_eq(errno, ENOENT);
	tmpspool_end(&t.s);
}
END_TEST

UNIT_MAIN("queue/store", texts, hostile_files, too_large, broken_gzip, changing, sweeping)
