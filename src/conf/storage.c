/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * storage -- the store of texts: what its address means, and what is wrong
 * with it.
 *
 * What is too old is removed from there.  So it may be no directory of ours,
 * nor have one in it: a wrong word would cost mail.
 */

#include "conf/storage.h"

#include "private.h"

/* MailerQ writes the first two with the slashes of a URL. */
static const char *
path_of(const char *address)
{
	static const char *const kinds[] = { "dir://", "directory://", "dir:",
		"directory:" };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct str kind = str_c(kinds[i]);

		if (str_starts(str_c(address), kind))
			return address + kind.n;
	}
	return "";
}

void
conf_storage_finish(struct conf *c)
{
	c->storage.path = path_of(c->storage.address);
}

/* True if the path B is A, or is below it. */
static bool
holds(const char *a, const char *b)
{
	struct str above = str_c(a), below = str_c(b);

	while (above.n > 1 && above.p[above.n - 1] == '/')
		above.n--;
	return str_starts(below, above) && (below.n == above.n ||
	    above.n == 1 || below.p[above.n] == '/');
}

static void
complain(const struct conf *c, struct buf *error, const char *why,
    const char *other)
{
	conf_complain(error, conf_where(c, &c->storage.address,
	    conf_place_top(c)), "storage.address: \"%s\" %s%s",
	    c->storage.address, why, other);
}

void
conf_storage_check(const struct conf *c, struct buf *error)
{
	const struct conf_storage *s = &c->storage;
	const char *const ours[] = { c->spool, c->mailboxes, c->run };
	struct str path = str_c(s->path);

	if (s->address[0] == '\0')
		return;
	if (!conf_name_is_path(path) || str_find(path, '?') >= 0) {
		complain(c, error, "is no store, expected \"dir:/path\"", "");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (holds(s->path, ours[i]) || holds(ours[i], s->path))
			complain(c, error, "is no directory of its own, beside ",
			    ours[i]);
}
