/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * stored -- a message whose envelope is in drop/ and whose text in the store.
 *
 * The text is made a message as that of a .eml is, and is in the spool from
 * then on: the store may lose it.  It must be a file of the user who has left
 * the envelope, lest anybody mail himself what others keep there; root may
 * name all.  A text that is not there yet may come; a store that fails is no
 * reason to give up mail.
 */

#include <errno.h>

#include "queue/store.h"

#include "spool.h"

struct stored {
	struct eml_source src;
	struct store_text *text;
};

static ssize_t
read_store(struct eml_source *s, char *p, size_t n)
{
	/* That is its first member. */
	struct stored *d = (struct stored *)(void *)s;

	return store_read(d->text, p, n);
}

/* What errno says of a text, where WHY is set. */
static enum taken
judge(int e)
{
	return e == ENOENT || e == EAGAIN ? TAKE_ABSENT : TAKE_BAD;
}

enum taken
stored_take(struct queue *q, uid_t uid, const struct envelope *env,
    struct arena *a, struct queue_msg **m, const char **why)
{
	const struct conf *c = q->settings;
	struct stored d = { .src = { read_store, uid } };
	struct envelope full = *env;
	enum taken r;

	*why = "it names a text of a store, and there is none";
	if (c == NULL || c->storage.path[0] == '\0')
		return TAKE_BAD;
	*why = "its key is none";
	if (!store_key_valid(env->key))
		return TAKE_BAD;
	d.text = store_open(c->storage.path, env->key,
	    uid == 0 ? STORE_ANYBODY : uid, c->limits.message_size, why);
	if (d.text == NULL && *why != NULL)
		return judge(errno);
	if (d.text == NULL) {
		*why = arena_printf(a, "the store %s fails: %s",
		    c->storage.path, strerror(errno));
		return TAKE_NO_STORE;
	}
	full.key = STR("");
	full.body = BODY_UNSAID;
	r = eml_take(q, &d.src, &full, a, m, why);
	if (r == TAKE_ERROR && store_why(d.text) != NULL) {
		*why = store_why(d.text);
		r = judge(errno);
	}
	store_close(d.text);
	return r;
}
