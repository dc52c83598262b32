/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * share -- what the runners have in common.
 *
 * A fixed table of cells under 64-bit hashes of the keys: the seed is
 * random, so nobody who chooses a key can choose its cell.  Eight cells make
 * a set, and a key is in one of its set.  When all eight are taken, the one
 * goes that was used longest ago and has no connection; of hosts that are
 * forgotten so the rate begins anew.  That bounds everything, whatever the
 * number of destinations.
 *
 * In a cell each runner writes its own count of connections; the sum is what
 * there is.  Two that take the last one at once both see one too many and
 * both step back: there may be too few for a moment, never too many.
 *
 * The rate is one number, the time at which the next message may go, and is
 * moved by compare and exchange.  A tenth of the N messages may go at once,
 * the others evenly, so that no span of PER has more than N of them.
 *
 * Who is refused says that it waits.  For a while after that, who has its
 * part of the connections takes no more of them, and who sent the last
 * message lets the other send the next.
 */

#include "ipc/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"

#define MAGIC UINT64_C(0x6261726964736801)
#define SETS 1024
#define WAYS 8
/* How long somebody who was refused is believed to wait. */
#define WAIT_MS 2000

struct cell {
	_Alignas(64) _Atomic int64_t free_at;	/* us, of the rate */
	_Atomic int64_t wait_until;	/* ms: somebody waits for a connection */
	_Atomic int64_t used;		/* a count of uses of the table */
	_Atomic uint64_t waiting;	/* runners that wait to send, by bit */
	_Atomic uint32_t last;		/* the runner that sent the last message */
	_Atomic uint32_t waiter;	/* the runner that waits for a connection */
	_Atomic uint16_t conns[SHARE_RUNNERS_MAX];
};

struct set {
	_Alignas(64) _Atomic uint64_t key[WAYS];	/* 0: free */
	struct cell cells[WAYS];
};

struct board {
	uint64_t magic;
	uint64_t seed;
	_Atomic int64_t uses;
	struct cell all;
	struct set sets[SETS];
};

struct share {
	int fd;
	struct board *board;
};

/* ---- the mapping ------------------------------------------------------------ */

static struct share *
map(int fd)
{
	void *p = mmap(NULL, sizeof(struct board), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	struct share *s;

	if (p == MAP_FAILED)
		return NULL;
	/* A session is forked from the master, and has no business here. */
	(void)madvise(p, sizeof(struct board), MADV_DONTFORK);
	s = mem_alloc(sizeof(*s));
	s->fd = fd;
	s->board = p;
	return s;
}

struct share *
share_new(void)
{
	int fd = memfd_create("barid-share", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct share *s = NULL;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)sizeof(struct board)) == 0 &&
	    fcntl(fd, F_ADD_SEALS,
		F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		s = map(fd);
	if (s == NULL) {
		int error = errno;

		close(fd);
		errno = error;
		return NULL;
	}
	random_bytes(&s->board->seed, sizeof(s->board->seed));
	s->board->magic = MAGIC;
	return s;
}

int
share_fd(const struct share *s)
{
	return s->fd;
}

struct share *
share_attach(int fd)
{
	uint64_t magic = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size != (off_t)sizeof(struct board) ||
	    pread(fd, &magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
	    magic != MAGIC) {
		errno = EINVAL;
		return NULL;
	}
	return map(fd);
}

void
share_free(struct share *s)
{
	if (s == NULL)
		return;
	munmap(s->board, sizeof(struct board));
	close(s->fd);
	mem_free(s);
}

static void
forget_cell(struct cell *c, unsigned i)
{
	atomic_store(&c->conns[i], 0);
	atomic_fetch_and(&c->waiting, ~(UINT64_C(1) << i));
}

void
share_forget(struct share *s, unsigned i)
{
	if (i >= SHARE_RUNNERS_MAX)
		panic("share: there is no runner %u", i);
	forget_cell(&s->board->all, i);
	for (size_t n = 0; n < SETS; n++)
		for (size_t k = 0; k < WAYS; k++)
			if (atomic_load(&s->board->sets[n].key[k]) != 0)
				forget_cell(&s->board->sets[n].cells[k], i);
}

/* ---- cells ------------------------------------------------------------------ */

static uint64_t
hash(uint64_t seed, struct str key)
{
	uint64_t h = seed;

	for (size_t i = 0; i < key.n; i++) {
		h = (h ^ (unsigned char)key.p[i]) *
		    UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	h = (h ^ seed >> 1) * UINT64_C(0xd6e8feb86659fd93);
	h ^= h >> 32;
	return h != 0 ? h : 1;
}

static uint64_t
sum(const struct cell *c, unsigned count)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < count; i++)
		n += atomic_load(&c->conns[i]);
	return n;
}

static struct cell *
cell_at(struct share *s, struct share_place p)
{
	if (p.at == UINT32_MAX)
		return &s->board->all;
	if (p.at >= SETS * WAYS)
		panic("share: no such place");
	return &s->board->sets[p.at / WAYS].cells[p.at % WAYS];
}

/* The place in SET that KEY has, or gets: a free one, or the oldest unused. */
static unsigned
choose(struct set *set, uint64_t key, unsigned count)
{
	unsigned best = WAYS;

	for (unsigned k = 0; k < WAYS; k++)
		if (atomic_load(&set->key[k]) == key)
			return k;
	for (unsigned k = 0; k < WAYS; k++) {
		if (atomic_load(&set->key[k]) == 0)
			return k;
		if (sum(&set->cells[k], count) == 0 &&
		    (best == WAYS ||
			atomic_load(&set->cells[k].used) <
			    atomic_load(&set->cells[best].used)))
			best = k;
	}
	/* All are at work: the key shares one, which only makes it slower. */
	return best == WAYS ? (unsigned)(key >> 61) : best;
}

/* Whoever had the cell is forgotten. */
static void
claim(struct set *set, unsigned k, uint64_t key)
{
	uint64_t had = atomic_load(&set->key[k]);
	struct cell *c = &set->cells[k];

	if (had == key || !atomic_compare_exchange_strong(&set->key[k], &had, key))
		return;
	atomic_store(&c->free_at, 0);
	atomic_store(&c->waiting, 0);
	atomic_store(&c->wait_until, 0);
}

static struct share_place
place_of(struct share_user u, struct str key)
{
	struct board *b = u.share->board;
	struct share_place p = SHARE_ALL;
	struct set *set;
	uint64_t h;
	unsigned k;

	if (key.n == 0)
		return p;
	h = hash(b->seed, key);
	set = &b->sets[h % SETS];
	k = choose(set, h, u.count);
	/* Not while somebody has connections there: it is only lent then. */
	if (sum(&set->cells[k], u.count) == 0)
		claim(set, k, h);
	atomic_store(&set->cells[k].used, atomic_fetch_add(&b->uses, 1) + 1);
	p.at = (uint32_t)(h % SETS * WAYS + k);
	return p;
}

/* ---- connections ------------------------------------------------------------ */

static bool
is_waited_for(struct share_user u, const struct cell *c, int64_t now)
{
	int64_t until = atomic_load(&c->wait_until);

	return now < until && until - now <= WAIT_MS &&
	    atomic_load(&c->waiter) != u.i;
}

bool
share_take(struct share_user u, struct str key, uint64_t most, int64_t now,
    struct share_place *place)
{
	struct cell *c;
	uint64_t mine;

	*place = place_of(u, key);
	c = cell_at(u.share, *place);
	mine = atomic_fetch_add(&c->conns[u.i], 1);
	if (mine < UINT16_MAX - 1U && sum(c, u.count) <= most &&
	    !(is_waited_for(u, c, now) && mine >= most / u.count)) {
		if (atomic_load(&c->waiter) == u.i)
			atomic_store(&c->wait_until, 0);
		return true;
	}
	atomic_fetch_sub(&c->conns[u.i], 1);
	if (mine < (most + u.count - 1) / u.count &&
	    !is_waited_for(u, c, now)) {
		atomic_store(&c->waiter, u.i);
		atomic_store(&c->wait_until, now + WAIT_MS);
	}
	return false;
}

void
share_give(struct share_user u, struct share_place place)
{
	struct cell *c = cell_at(u.share, place);

	if (atomic_load(&c->conns[u.i]) > 0)
		atomic_fetch_sub(&c->conns[u.i], 1);
}

bool
share_wanted(struct share_user u, struct share_place place, uint64_t most,
    int64_t now)
{
	const struct cell *c = cell_at(u.share, place);

	return u.count > 1 && is_waited_for(u, c, now) &&
	    atomic_load(&c->conns[u.i]) > most / u.count;
}

uint64_t
share_mine(struct share_user u, struct share_place place)
{
	return atomic_load(&cell_at(u.share, place)->conns[u.i]);
}

uint64_t
share_total(struct share_user u, struct share_place place)
{
	return sum(cell_at(u.share, place), u.count);
}

/* ---- rates ------------------------------------------------------------------ */

/* So many may go at once. */
static int64_t
at_once(struct share_rate r)
{
	return 1 + (int64_t)(r.n - 1) / 10;
}

int64_t
share_rate_step(struct share_rate r)
{
	int64_t parts = (int64_t)r.n - at_once(r) + 1;

	return (r.per * 1000 + parts - 1) / parts;
}

bool
share_rate_pass(struct share_rate r, int64_t now, int64_t *free_at)
{
	int64_t step = share_rate_step(r);
	int64_t slack = (at_once(r) - 1) * step;

	/* A quiet time saves up for those that may go at once, not for more. */
	if (*free_at < now - slack)
		*free_at = now - slack;
	if (*free_at > now)
		return false;
	*free_at += step;
	return true;
}

static unsigned
others_waiting(struct share_user u, const struct cell *c)
{
	return (unsigned)__builtin_popcountll(
	    atomic_load(&c->waiting) & ~(UINT64_C(1) << u.i));
}

int64_t
share_pass(struct share_user u, struct str key, struct share_rate r,
    int64_t now)
{
	struct cell *c = cell_at(u.share, place_of(u, key));
	int64_t had = atomic_load(&c->free_at), at, turn = 0;
	unsigned others = others_waiting(u, c);

	/* Who sent the last one lets the others send theirs. */
	if (others > 0 && atomic_load(&c->last) == u.i)
		turn = others * share_rate_step(r);
	do {
		at = had;
		if (at + turn > now) {
			atomic_fetch_or(&c->waiting, UINT64_C(1) << u.i);
			return at + turn - now;
		}
		if (!share_rate_pass(r, now, &at))
			panic("share: a message that may go may not");
	} while (!atomic_compare_exchange_weak(&c->free_at, &had, at));
	/* Those who did not come when they could are not waiting any more. */
	atomic_store(&c->waiting, turn > 0 ? 0 :
	    atomic_load(&c->waiting) & ~(UINT64_C(1) << u.i));
	atomic_store(&c->last, u.i);
	return 0;
}

int64_t
share_wait(struct share_user u, struct str key, struct share_rate r,
    int64_t now)
{
	struct cell *c = cell_at(u.share, place_of(u, key));
	int64_t at = atomic_load(&c->free_at);

	return share_rate_pass(r, now, &at) ? 0 : at - now;
}

void
share_undo(struct share_user u, struct str key, struct share_rate r)
{
	struct cell *c = cell_at(u.share, place_of(u, key));

	atomic_fetch_sub(&c->free_at, share_rate_step(r));
}
