/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file -- users and crypt(3) hashes in a file, "name:hash" on a line.
 *
 * Who does not exist costs the same time as who does: a hash of the same
 * kind is computed for nobody.
 */

#include "auth.h"

#include <errno.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/password.h"

#define FILE_SIZE_MAX (64u << 20)
/* What is computed when there is nobody: SHA-512 with its usual cost. */
#define NOBODY_HASH "$6$barid.nobody$"

/* The hash of USER, names compared without case; empty if there is none. */
static struct str
find_user(struct str text, struct str user, struct str *any)
{
	struct str line, name, rest, hash, found = { NULL, 0 };

	while (text.n > 0) {
		str_cut(text, '\n', &line, &text);
		line = str_trim(line);
		if (line.n == 0 || line.p[0] == '#' || !str_cut(line, ':', &name, &rest))
			continue;
		str_cut(rest, ':', &hash, &rest);
		if (any->n == 0 && hash.n > 0 && hash.p[0] == '$')
			*any = hash;
		if (found.n == 0 && str_ieq(name, user))
			found = hash;
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

enum auth_verdict
auth_file(const struct auth_backend *b, const struct auth_question *q)
{
	struct buf text;
	struct str any = { NULL, 0 };
	enum auth_verdict verdict = AUTH_NO;

	if (b->fd < 0)
		return AUTH_TEMPORARY;
	buf_init(&text, FILE_SIZE_MAX);
	if (read_all(b->fd, &text) < 0) {
		log_error(NULL, "%s: %s", b->path, strerror(errno));
		verdict = AUTH_TEMPORARY;
	} else {
		struct str found = find_user(buf_str(&text), str_c(q->user), &any);
		char *hash = mem_dup(found.n > 0 ? found : any.n > 0 ? any : STR(NOBODY_HASH));
		bool same = password_matches(q->password, hash);
		if (same && found.n > 0)
			verdict = AUTH_YES;
		mem_wipe(hash, strlen(hash));
		mem_free(hash);
	}
	buf_wipe(&text);
	buf_free(&text);
	return verdict;
}
