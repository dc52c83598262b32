/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file -- users and crypt(3) hashes in a file, "name:hash" on a line; or
 * "name:{PLAIN}password", for who must be able to prove it by a digest.
 *
 * Who does not exist costs the same time as who does, and so does who is
 * locked: a hash of the same kind is computed for nobody.  Read anew for each
 * question, so that a change counts at once.
 */

#include "auth.h"

#include <errno.h>
#include <unistd.h>

#include "lib/digest.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/password.h"
#include "mail/text.h"

#define FILE_SIZE_MAX (64u << 20)
/* What is computed when there is nobody: SHA-512 with its usual cost. */
#define NOBODY_HASH "$6$barid.nobody$"
/* Stands before a password that is no hash: what APOP needs. */
#define PLAIN_MARK "{PLAIN}"

/* True if crypt(3) would not even look at HASH: a locked account, or none. */
static bool
is_locked(struct str hash)
{
	return hash.n == 0 || hash.p[0] == '*' || hash.p[0] == '!';
}

/*
 * The hash of USER, names compared without case and the first one counting;
 * empty if there is none.  In *ANY a hash of somebody.
 */
static struct str
find_user(struct str text, struct str user, struct str *any)
{
	struct str line, name, rest, hash, found = { NULL, 0 };
	bool seen = false;

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || !str_cut(line, ':', &name, &rest) ||
		    name.n == 0)
			continue;
		str_cut(rest, ':', &hash, &rest);
		if (any->n == 0 && hash.n > 0 && hash.p[0] == '$')
			*any = hash;
		if (!seen && str_ieq(name, user)) {
			found = hash;
			seen = true;
		}
	}
	return found;
}

static int
read_all(int fd, struct buf *b)
{
	ssize_t n;

	for (;;) {
		char *room = buf_room(b, 65536);
		if (!room) {
			errno = EFBIG;
			return -1;
		}
		n = pread(fd, room, 65536, (off_t)b->n);
		if (n <= 0)
			return (int)n;
		buf_grew(b, (size_t)n);
	}
}

/* Whether the proof, in hexadecimal, is what SECRET makes of the challenge. */
static bool
digest_matches(struct str secret, const struct auth_question *q)
{
	unsigned char digest[MD5_SIZE];
	struct str challenge = str_c(q->challenge);
	struct buf hex;
	bool same;

	/* RFC 1939 7; RFC 2195 2. */
	if ((q->proof == AUTH_BY_APOP ? md5(challenge, secret, digest)
				      : hmac_md5(secret, challenge, digest)) < 0)
		return false;
	buf_init(&hex, 2 * MD5_SIZE + 1);
	hex_add(&hex, str_n((const char *)digest, sizeof(digest)));
	same = strlen(q->password) == hex.n && mem_same(q->password, hex.p, hex.n);
	buf_wipe(&hex);
	buf_free(&hex);
	return same;
}

/* Whether the question's proof is one of SECRET, a password as it is. */
static bool
secret_matches(struct str secret, const struct auth_question *q)
{
	switch (q->proof) {
	case AUTH_BY_PASSWORD:
		return strlen(q->password) == secret.n &&
		    mem_same(q->password, secret.p, secret.n);
	case AUTH_BY_APOP:
	case AUTH_BY_CRAM_MD5:
		return digest_matches(secret, q);
	case AUTH_BY_SCRAM:
	case AUTH_BY_TOKEN:
		break;
	}
	return false;
}

/*
 * A password that is stored as it is.  It costs what a hash costs, so that
 * the time does not tell who has which; what is no such password is one that
 * no digest can be held against.
 */
static bool
is_right(struct str found, struct str any, const struct auth_question *q)
{
	bool plain = str_starts(found, STR(PLAIN_MARK));
	bool locked = is_locked(found);
	bool hashed = !locked && !plain;
	char *hash = mem_dup(hashed ? found : any.n > 0 ? any : STR(NOBODY_HASH));
	bool same = password_matches(q->password, hash) && hashed &&
	    q->proof == AUTH_BY_PASSWORD;

	mem_wipe(hash, strlen(hash));
	mem_free(hash);
	found = plain ? str_skip(found, sizeof(PLAIN_MARK) - 1) : STR("");
	return found.n == 0 ? same : secret_matches(found, q);
}

enum auth_verdict
auth_file(const struct auth_backend *b, const struct auth_question *q)
{
	struct buf text;
	struct str any = { NULL, 0 };
	enum auth_verdict verdict = AUTH_NO;

	if (b->fd < 0)
		return auth_cannot(q, "it cannot be opened");
	buf_init(&text, FILE_SIZE_MAX);
	if (read_all(b->fd, &text) < 0) {
		log_error(NULL, "%s: %s", b->c.path, strerror(errno));
		verdict = AUTH_TEMPORARY;
	} else {
		struct str found = find_user(buf_str(&text), str_c(q->user), &any);
		verdict = is_right(found, any, q) ? AUTH_YES : AUTH_NO;
	}
	buf_wipe(&text);
	buf_free(&text);
	return verdict;
}
