/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * file -- users and crypt(3) hashes in a file, "name:hash" on a line.
 *
 * Who does not exist costs the same time as who does, and so does who is
 * locked: a hash of the same kind is computed for nobody.  Read anew for each
 * question, so that a change counts at once.
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
		bool locked = is_locked(found);
		char *hash = mem_dup(!locked ? found : any.n > 0 ? any : STR(NOBODY_HASH));
		bool same = password_matches(q->password, hash);
		if (same && !locked)
			verdict = AUTH_YES;
		mem_wipe(hash, strlen(hash));
		mem_free(hash);
	}
	buf_wipe(&text);
	buf_free(&text);
	return verdict;
}
