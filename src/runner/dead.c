/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * dead -- what could not be reached is left alone for a while.
 *
 * Ten thousand messages for a host that does not answer shall cost one
 * time-out, not ten thousand: what comes while it is dead is put off for
 * the same reason, without an attempt.  The first time lasts a little less
 * than the first retry, which is then the one that finds out; each further
 * one in a row twice as long, up to ten minutes, or the longest retry where
 * that is less: from then on a host that came back is found after that time
 * at the latest, and one that did not costs a connection each time.
 */

#include "dead.h"

#define FIRST_MIN_MS 1000
#define LONGEST_MS 600000
/* A clear no is asked for again sooner: somebody may be mending it. */
#define PERM_MS 60000

void
dead_init(struct dead *d)
{
	*d = (struct dead){ 0 };
	cause_init(&d->cause);
}

void
dead_free(struct dead *d)
{
	cause_free(&d->cause);
}

bool
dead_is(const struct dead *d, int64_t now)
{
	return now < d->until;
}

static int64_t
longest(const struct conf_times *retry)
{
	int64_t ms = retry->n > 0 ? 0 : LONGEST_MS;

	for (size_t i = 0; i < retry->n; i++)
		if (retry->v[i] > ms)
			ms = retry->v[i];
	ms = ms / 10 * 8;
	return ms > LONGEST_MS ? LONGEST_MS :
	    ms < FIRST_MIN_MS  ? FIRST_MIN_MS :
				 ms;
}

static int64_t
how_long(const struct dead *d, const struct conf_times *retry)
{
	int64_t most = longest(retry);
	int64_t ms = retry->n > 0 ? retry->v[0] / 10 * 8 : most;

	if (ms < FIRST_MIN_MS)
		ms = FIRST_MIN_MS;
	for (unsigned i = 1; i < d->times && ms < most; i++)
		ms *= 2;
	return ms > most ? most : ms;
}

void
dead_set(struct dead *d, const struct result *why,
    const struct conf_times *retry, int64_t now)
{
	cause_set(&d->cause, why);
	d->times++;
	d->took = why->outcome == PERMFAIL ? PERM_MS : how_long(d, retry);
	d->until = now + d->took;
}

void
dead_clear(struct dead *d)
{
	d->until = d->took = 0;
	d->times = 0;
}

void
dead_try(struct dead *d)
{
	d->until = 0;
}

bool
dead_remembered(const struct dead *d, int64_t now)
{
	return d->times > 0 && now < d->until + d->took;
}
