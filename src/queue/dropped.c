/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dropped -- of which file in drop/ a message was made, and whether it is there.
 *
 * An import makes the message and then removes the file.  Who is killed in between
 * leaves both, and for the next import the message is what says that this file is
 * taken.  But a message may be another runner's, who has delivered it by then: so
 * it does not go before the file has gone.  Nobody but the import removes that:
 * its name and id are what the envelope says, which a session may have written, and
 * the file may be another message that was promised to somebody.
 */

#include "queue/dropped.h"

#include <errno.h>
#include <limits.h>

#include "lib/hash.h"
#include "lib/sys.h"
#include "mail/text.h"

#include "spool.h"

/* Of what is no file of sendmail's, and has a name of its own: that, as xtext. */
#define NAME_KEY "dropped-as"

bool
dropped_is_eml(struct str name)
{
	return str_iends(name, STR(".eml"));
}

void
dropped_id(const struct stat *st, char id[QUEUE_ID_SIZE])
{
	uint64_t us = (uint64_t)st->st_ctim.tv_sec * 1000000 +
	    (uint64_t)st->st_ctim.tv_nsec / 1000;
	uint64_t ino = st->st_ino;

	spool_hex(id, 13, us);
	spool_hex(id + 13, 6, crc32c(0, &ino, sizeof(ino)) >> 8);
	id[QUEUE_ID_LEN] = '\0';
}

void
dropped_note(struct envelope *e, struct arena *a, struct str name)
{
	struct buf b;

	buf_init(&b, 3 * NAME_MAX);
	xtext_add(&b, name);
	e->extras = arena_alloc(a, sizeof(*e->extras));
	e->extras[0] = (struct envelope_extra){ STR(NAME_KEY),
		arena_str(a, buf_str(&b)) };
	e->extra_n = 1;
	buf_free(&b);
}

void
queue_dropped_as(const struct envelope *e, struct buf *name)
{
	if (!str_eq(e->listener, STR(CONF_LISTEN_DROP)))
		return;
	for (size_t i = 0; i < e->extra_n; i++) {
		if (!str_eq(e->extras[i].key, STR(NAME_KEY)))
			continue;
		if (xtext_decode(e->extras[i].value, name) < 0 || !buf_ok(name))
			buf_reset(name);
		return;
	}
	buf_adds(name, e->id);
}

/* True if NAME is one that the import would take for ID, if it is what ST says. */
static bool
is_of(const char *name, const char *id, const struct stat *st)
{
	char of[QUEUE_ID_SIZE];

	if (!dropped_is_eml(str_c(name)))
		return str_eq(str_c(name), str_c(id));
	/* By now another one may have that name. */
	dropped_id(st, of);
	return memcmp(of, id, sizeof(of)) == 0;
}

int
queue_remove_dropped(struct queue *q, enum queue_place place, const char *id,
    const char *name)
{
	struct stat st;

	if (name == NULL || strchr(name, '/') != NULL)
		return queue_remove(q, place, id);
	if (sys_fstatat(q->dirs[QUEUE_DROP], name, &st) < 0) {
		if (errno != ENOENT)
			return -1;
	} else if (is_of(name, id, &st)) {
		errno = EAGAIN;
		return -1;
	}
	return queue_remove(q, place, id);
}
