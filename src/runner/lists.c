/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * lists -- the files of aliases, as this runner knows them.
 *
 * They are looked at every other second, by the pool, and read anew when one
 * has changed.  One that cannot be read leaves what was known in force: a
 * mistake in a file is no reason to return mail.  The master tells sessions
 * who is an alias; one that is not known here yet waits.
 */

#include "lists.h"

#include "homes.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "mailbox/aliases.h"
#include "runner.h"

#define CHECK_MS 2000

struct lists {
	struct runner *r;
	struct aliases *now;	/* NULL: they could not be read yet */
	struct aliases *fresh;	/* what the pool has read, or NULL */
	struct buf complaints;
	int64_t checked_ms;
	bool busy;
};

/* The first runner says it; the others have read the same. */
static void
complain(struct lists *l)
{
	if (l->r->number == 0)
		log_lines(LOG_LEVEL_WARNING, "aliases: ",
		    buf_str(&l->complaints));
	buf_reset(&l->complaints);
}

static void
work(void *arg)
{
	struct lists *l = arg;

	if (l->now == NULL || aliases_changed(l->now))
		l->fresh = aliases_load(&l->r->conf->aliases, true,
		    &l->complaints);
}

static void
done(void *arg)
{
	struct lists *l = arg;

	l->busy = false;
	if (l->fresh != NULL) {
		aliases_free(l->now);
		l->now = l->fresh;
		l->fresh = NULL;
	}
	complain(l);
}

void
lists_open(struct runner *r)
{
	struct lists *l;

	if (r->conf->aliases.n == 0)
		return;
	l = r->lists = mem_alloc(sizeof(*l));
	l->r = r;
	l->checked_ms = clock_ms();
	buf_init(&l->complaints, 65536);
	work(l);
	done(l);
}

void
lists_tick(struct runner *r)
{
	struct lists *l = r->lists;

	if (l == NULL || l->busy || clock_ms() - l->checked_ms < CHECK_MS)
		return;
	l->checked_ms = clock_ms();
	l->busy = true;
	loop_pool_run(r->disk, work, done, l);
}

void
lists_close(struct runner *r)
{
	struct lists *l = r->lists;

	if (l == NULL)
		return;
	aliases_free(l->now);
	aliases_free(l->fresh);
	buf_free(&l->complaints);
	mem_free(l);
	r->lists = NULL;
}

/* ---- for expand() ------------------------------------------------------- */

static const struct alias_list *
find_alias(void *arg, const struct path *p, const char **why)
{
	const struct runner *r = arg;
	const struct lists *l = r->lists;

	*why = "the files of aliases cannot be read";
	if (l == NULL || l->now == NULL)
		return NULL;
	*why = "the alias is not known here yet";
	return aliases_of(l->now, str_c(l->r->conf->recipients.subaddress), p);
}

static const struct alias_list *
find_include(void *arg, struct str path, const char **why)
{
	const struct lists *l = ((const struct runner *)arg)->lists;

	*why = "the files of aliases cannot be read";
	if (l == NULL || l->now == NULL)
		return NULL;
	return aliases_include(l->now, path, why);
}

static enum expand_home
find_home(void *arg, const char *mailbox, const struct alias_list **list,
    const char **why)
{
	return homes_find(arg, mailbox, list, why);
}

struct expand_lists
lists_of(struct runner *r)
{
	return (struct expand_lists){ find_alias, find_include,
		r->homes != NULL ? find_home : NULL, r };
}
