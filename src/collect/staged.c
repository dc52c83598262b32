/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * staged -- messages that are whole, durable, and not accepted yet.
 *
 * One stands in the directory of its mailbox as ID.MARK.  Once its mark is in
 * the file of those that were taken it is ours, and one rename accepts it; so it
 * is accepted once, whenever the process that fetched it dies: before the mark
 * was written it is removed and fetched again, after the rename it is not there.
 *
 * A run deletes at the server what it remembers, and may forget it then.  So none
 * begins as long as anything is staged.
 */

#include "collect.h"

#include <errno.h>

#include "lib/entries.h"
#include "lib/log.h"
#include "lib/sys.h"
#include "queue/stage.h"

void
staged_name(const char *id, const char *mark, char name[STAGED_NAME_SIZE])
{
	memcpy(name, id, QUEUE_ID_LEN);
	name[QUEUE_ID_LEN] = '.';
	memcpy(name + QUEUE_ID_LEN + 1, mark, SEEN_MARK_LEN + 1);
}

/* True if NAME is one of those; ID and MARK are its parts. */
static bool
is_staged(const char *name, char id[QUEUE_ID_SIZE], char mark[SEEN_MARK_LEN + 1])
{
	if (strlen(name) != STAGED_NAME_SIZE - 1 || name[QUEUE_ID_LEN] != '.' ||
	    !queue_id_valid(str_n(name, QUEUE_ID_LEN)))
		return false;
	memcpy(id, name, QUEUE_ID_LEN);
	id[QUEUE_ID_LEN] = '\0';
	memcpy(mark, name + QUEUE_ID_LEN + 1, SEEN_MARK_LEN + 1);
	return true;
}

static int
recover_one(struct queue *q, int dir, const struct seen *s, const char *name,
    void (*fn)(void *arg, const char *id), void *arg)
{
	char id[QUEUE_ID_SIZE], mark[SEEN_MARK_LEN + 1];
	const struct seen_entry *e;

	if (!is_staged(name, id, mark))
		return 0;
	/* One that was refused a day ago is as little ours as one that is not known. */
	e = seen_find(s, mark);
	if (e == NULL || e->kind != SEEN_TAKEN)
		return sys_unlinkat(dir, name);
	if (queue_unstage(q, dir, name, id) < 0)
		return -1;
	log_info(id, "fetched before a crash, and accepted now");
	fn(arg, id);
	return 0;
}

int
staged_recover(struct queue *q, int dir, void (*fn)(void *arg, const char *id), void *arg)
{
	const struct dirent *entry;
	struct entries l;
	struct seen *s;
	int e = 0;

	if (entries_open(&l, dir, ".") < 0)
		return -1;
	if ((s = seen_open(dir)) == NULL) {
		(void)!entries_close(&l);
		return -1;
	}
	while ((entry = entries_next(&l)) != NULL)
		if (recover_one(q, dir, s, entry->d_name, fn, arg) < 0)
			e = errno;
	seen_close(s);
	if (entries_close(&l) < 0)
		e = errno;
	errno = e;
	return e == 0 ? 0 : -1;
}

static void
on_accepted(void *arg, const char *id)
{
	const struct collector *k = arg;

	hint(k->runners, k->runner_n, k->score, id);
}

bool
staged_settle(struct collector *k)
{
	if (staged_recover(k->queue, k->dir, on_accepted, k) < 0)
		return false;
	k->seen = seen_open(k->dir);
	return k->seen != NULL;
}
