/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * leader -- who has most against him, by name.
 *
 * Sessions write and nobody waits, so a name may be half of one and half of
 * another; its sum tells, and such a one is nobody's.  A session that was taken
 * over can put any name there: it is text, and no more than shown.
 */

#include "ipc/leader.h"

#include "lib/hash.h"

#define WORDS (LEADER_NAME_MAX / 8)

static uint64_t
sum_of(const char name[LEADER_NAME_MAX])
{
	return fnv1a(FNV1A_START, str_n(name, LEADER_NAME_MAX));
}

void
leader_note(struct leader *l, struct str name, int64_t until)
{
	char text[LEADER_NAME_MAX] = "";
	uint64_t word;

	if (until < atomic_load(&l->until) || str_has_ctl(name))
		return;
	name = str_head(name, sizeof(text));
	memcpy(text, name.p, name.n);
	atomic_store(&l->until, until);
	for (size_t i = 0; i < WORDS; i++) {
		memcpy(&word, text + 8 * i, 8);
		atomic_store_explicit(&l->words[i], word, memory_order_relaxed);
	}
	atomic_store(&l->sum, sum_of(text));
}

bool
leader_get(const struct leader *l, int64_t now, char out[LEADER_NAME_MAX + 1])
{
	uint64_t word;
	struct str name;

	if (atomic_load(&l->until) <= now)
		return false;
	for (size_t i = 0; i < WORDS; i++) {
		word = atomic_load_explicit(&l->words[i], memory_order_relaxed);
		memcpy(out + 8 * i, &word, 8);
	}
	out[LEADER_NAME_MAX] = '\0';
	name = str_c(out);
	return name.n > 0 && sum_of(out) == atomic_load(&l->sum) && !str_has_ctl(name);
}
