/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * quotas -- how much mail each account has sent in a time.
 *
 *	head	magic
 *	slots	QUOTAS_SLOTS times {claim, state, name}
 *
 * All of a window is one number, which is changed at once: when it ends, how
 * much was used, and what was said of it.  A slot belongs to a name from the
 * time that it is claimed until its window is over and another needs it; two
 * sessions that claim for one name at the same moment may get one each, of
 * which the first counts from then on.
 */

#include "ipc/quotas.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hash.h"
#include "lib/mem.h"

#define MAGIC UINT64_C(0x6261726964717401)
#define NEAR 16
#define HEAD ((size_t)4096)
#define TOTAL (HEAD + QUOTAS_SLOTS * sizeof(struct slot))

/* Of a state: the end in seconds, 26 bits of use, and two of what was said. */
#define STATE_WARNED UINT64_C(1)
#define STATE_BITTEN UINT64_C(2)
#define USE_SHIFT 2
#define USE_MASK ((UINT64_C(1) << 26) - 1)
#define END_SHIFT 28

/* So far apart are the clocks of two who count at the same moment, at most. */
#define SKEW_S 60

enum { CLAIM_FREE, CLAIM_WRITING, CLAIM_TAKEN };

struct slot {
	_Atomic uint32_t claim;
	_Atomic uint64_t state;
	char name[QUOTAS_NAME_MAX + 1];
};

struct quotas {
	char *base;
};

static struct slot *
slots_of(const struct quotas *q)
{
	return (struct slot *)(void *)(q->base + HEAD);
}

static int64_t
end_of(uint64_t state)
{
	return (int64_t)(state >> END_SHIFT);
}

static uint64_t
use_of(uint64_t state)
{
	return state >> USE_SHIFT & USE_MASK;
}

/*
 * True if STATE says nothing of NOW: its window is over, or ends later than one
 * of PER seconds could.  That one was begun by a clock that was wrong, and would
 * last until that time has really come.
 */
static bool
is_over(uint64_t state, int64_t now, int64_t per)
{
	return end_of(state) <= now || end_of(state) - now > per + SKEW_S;
}

/* ---- the file ----------------------------------------------------------------- */

/*
 * Whoever may write the directory could put another file there: one of
 * somebody else's, or with a second name, is not ours to write.
 */
static bool
is_ours(int fd, unsigned uid)
{
	struct stat st;

	errno = EPERM;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    (st.st_uid == uid || st.st_uid == geteuid());
}

/* Makes FD such a file if it is none yet. */
static int
fill(int fd, unsigned uid, unsigned gid)
{
	uint64_t magic = 0;
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size == (off_t)TOTAL &&
	    pread(fd, &magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) && magic == MAGIC)
		return 0;
	magic = MAGIC;
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)TOTAL) < 0 ||
	    pwrite(fd, &magic, sizeof(magic), 0) != (ssize_t)sizeof(magic))
		return -1;
	return geteuid() == 0 ? fchown(fd, uid, gid) : 0;
}

struct quotas *
quotas_open(int dir, unsigned uid, unsigned gid)
{
	int fd = openat(dir, QUOTAS_FILE,
	    O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	void *base = MAP_FAILED;
	struct quotas *q;
	int err;

	if (fd >= 0 && is_ours(fd, uid) && fill(fd, uid, gid) == 0)
		base = mmap(NULL, TOTAL, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	err = errno;
	if (fd >= 0)
		close(fd);
	errno = err;
	if (base == MAP_FAILED)
		return NULL;
	q = mem_alloc(sizeof(*q));
	q->base = base;
	return q;
}

void
quotas_free(struct quotas *q)
{
	if (q == NULL)
		return;
	(void)munmap(q->base, TOTAL);
	mem_free(q);
}

/* ---- slots ------------------------------------------------------------------------ */

#define DIGITS 16

struct str
quotas_name(struct str name, char room[QUOTAS_NAME_MAX + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t hash = fnv1a_lower(FNV1A_START, name);
	size_t n = QUOTAS_NAME_MAX - DIGITS - 1;

	if (name.n <= QUOTAS_NAME_MAX)
		return name;
	/* Whole characters of UTF-8. */
	while (n > 0 && (name.p[n] & 0xc0) == 0x80)
		n--;
	memcpy(room, name.p, n);
	room[n++] = '~';
	for (size_t i = 0; i < DIGITS; i++)
		room[n++] = digits[hash >> 4 * (DIGITS - 1 - i) & 15];
	return str_n(room, n);
}

static struct str
name_of(const struct slot *s)
{
	return str_n(s->name, strnlen(s->name, QUOTAS_NAME_MAX));
}

/*
 * FNV-1a without case: the same in every process, since the file outlives
 * them.  Nobody chooses a name here: each has logged in.
 */
static uint64_t
place_of(struct str name)
{
	return fnv1a_lower(FNV1A_START, name);
}

static struct slot *
near(const struct quotas *q, struct str name, size_t i)
{
	return &slots_of(q)[(place_of(name) + i) % QUOTAS_SLOTS];
}

/* The slot of NAME, or NULL. */
static struct slot *
find(const struct quotas *q, struct str name)
{
	char room[QUOTAS_NAME_MAX + 1];

	name = quotas_name(name, room);
	for (size_t i = 0; i < NEAR; i++) {
		struct slot *s = near(q, name, i);

		if (atomic_load(&s->claim) == CLAIM_TAKEN && str_ieq(name_of(s), name))
			return s;
	}
	return NULL;
}

/* One that is free, or whose window is over, for NAME; NULL: there is none. */
static struct slot *
claim(const struct quotas *q, struct str name, int64_t now)
{
	char room[QUOTAS_NAME_MAX + 1];

	name = quotas_name(name, room);
	for (size_t i = 0; i < NEAR; i++) {
		struct slot *s = near(q, name, i);
		uint32_t was = atomic_load(&s->claim);

		if (was == CLAIM_WRITING ||
		    (was == CLAIM_TAKEN &&
			!is_over(atomic_load(&s->state), now, QUOTAS_PER_MAX)))
			continue;
		if (!atomic_compare_exchange_strong(&s->claim, &was, CLAIM_WRITING))
			continue;
		memset(s->name, 0, sizeof(s->name));
		memcpy(s->name, name.p, name.n);
		atomic_store(&s->state, 0);
		atomic_store(&s->claim, CLAIM_TAKEN);
		return s;
	}
	return NULL;
}

static void
say(const struct slot *s, uint64_t state, struct quota_use *use)
{
	struct str name = name_of(s);

	*use = (struct quota_use){ .used = use_of(state), .until = end_of(state),
		.bitten = (state & STATE_BITTEN) != 0 };
	memcpy(use->name, name.p, name.n);
}

/* What one more makes of STATE. */
static uint64_t
count(uint64_t state, const struct quota_limit *l, int64_t now, enum quota_verdict *v)
{
	if (is_over(state, now, l->per))
		state = (uint64_t)(now + l->per) << END_SHIFT;
	if (use_of(state) >= l->most) {
		*v = state & STATE_BITTEN ? QUOTA_SPENT : QUOTA_BITES;
		return state | STATE_BITTEN;
	}
	state += UINT64_C(1) << USE_SHIFT;
	*v = QUOTA_FREE;
	if (l->warning == 0 || use_of(state) < l->warning || (state & STATE_WARNED))
		return state;
	*v = QUOTA_NEAR;
	return state | STATE_WARNED;
}

enum quota_verdict
quotas_take(struct quotas *q, struct str name, const struct quota_limit *l, int64_t now,
    struct quota_use *use)
{
	struct slot *s = find(q, name);
	enum quota_verdict v = QUOTA_FREE;
	uint64_t was, next;

	*use = (struct quota_use){ .used = 0 };
	if (s == NULL)
		s = claim(q, name, now);
	if (s == NULL)
		return QUOTA_FREE;
	was = atomic_load(&s->state);
	do
		next = count(was, l, now, &v);
	while (!atomic_compare_exchange_weak(&s->state, &was, next));
	say(s, next, use);
	return v;
}

bool
quotas_at(struct quotas *q, size_t i, int64_t now, struct quota_use *use)
{
	const struct slot *s = &slots_of(q)[i];
	uint64_t state = atomic_load(&s->state);

	if (atomic_load(&s->claim) != CLAIM_TAKEN || end_of(state) <= now)
		return false;
	say(s, state, use);
	return true;
}

bool
quotas_find(struct quotas *q, struct str name, int64_t now, struct quota_use *use)
{
	const struct slot *s = find(q, name);

	return s != NULL && quotas_at(q, (size_t)(s - slots_of(q)), now, use);
}

bool
quotas_clear(struct quotas *q, struct str name, int64_t now)
{
	struct slot *s = find(q, name);

	return s != NULL && end_of(atomic_exchange(&s->state, 0)) > now;
}
