/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * score -- the scoreboard.
 *
 * Every session can write the whole board, so the master believes nothing
 * that it reads there: which slots are taken, by which pid and address, is
 * kept in a second mapping (struct book), which master and acceptors have in
 * common and sessions have not, and only shown on the board.  The kill() of a
 * stop goes by it, so that nobody else has one in which he can write.
 *
 * There are no locks, since whoever holds one can be killed: a slot is one's
 * own by a compare-and-swap, and of two acceptors that look at once how many
 * there are each may miss the other's newest.  Taking, counting and finding
 * look through numbers that stand side by side: a microsecond for a thousand
 * sessions.  The files are sealed against a change of their size: nobody can
 * make the others' access to them a SIGBUS.
 */

#include "ipc/score.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"

#define MAGIC UINT64_C(0x6261726964736306)
#define SLOTS_MAX (1 << 20)

/* A cache line each: sessions add to different counters at once. */
struct counter {
	_Alignas(64) _Atomic uint64_t v;
};

/* What one runner counts up and down: nobody else knows what he has left. */
struct cell {
	_Alignas(64) _Atomic uint64_t active, queued, out;
};

/* Whoever logs in is looked for in a few places from his own on. */
#define LOGINS 2048
#define LOGIN_PROBES 8

struct login {
	_Atomic uint64_t user;	/* a hash; 0: free */
	_Atomic int64_t ms;
};

struct board {
	uint64_t magic;
	uint64_t slot_n;
	struct counter counters[COUNT_N];
	struct cell cells[SCORE_CELLS];
	struct login logins[LOGINS];
	uint64_t seed;		/* of the keys of the tallies */
	struct tally tallies[TALLY_N];
	struct leader leaders[TALLY_N];
	struct blocks blocks;
	_Atomic unsigned off;	/* services, by bit */
	_Atomic int64_t lists_from;	/* when lists in DNS are asked again */
	_Atomic size_t top;	/* as the book has it, for those without one */
	_Alignas(64) struct score_slot slots[];
};

/*
 * What the master and the acceptors know of the slots, in memory that no
 * session has.  Side by side, since all of one kind are looked through.
 */
struct book {
	uint64_t magic;
	uint64_t slot_n;
	_Atomic size_t live;
	_Atomic size_t top;	/* slots from here on were never taken */
};

struct score {
	int fd;
	struct board *board;
	size_t bytes;
	size_t slot_n;
	size_t cell;		/* of this process */
	/* Of the book; NULL in a process that is neither master nor acceptor. */
	struct book *book;
	int book_fd;
	pid_t self;		/* whose it is that takes here */
	_Atomic pid_t *takers;	/* who took it; 0: it is free */
	_Atomic pid_t *pids;	/* of its session, written by the kernel; 0: not yet */
	_Atomic uint64_t *addresses;
	struct client *clients;
};

struct client {
	char name[48];
};

static size_t
board_size(size_t slots)
{
	return sizeof(struct board) + slots * sizeof(struct score_slot);
}

static size_t
book_size(size_t slots)
{
	return sizeof(struct book) + slots * (sizeof(struct client) +
	    sizeof(uint64_t) + 2 * sizeof(pid_t));
}

static struct score *
map_board(int fd, size_t slots)
{
	struct score *s;
	void *p = mmap(NULL, board_size(slots), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return NULL;
	s = mem_alloc(sizeof(*s));
	s->fd = fd;
	s->board = p;
	s->bytes = board_size(slots);
	s->slot_n = slots;
	return s;
}

/* Memory that no holder can make shorter under the others. */
static int
sealed_file(const char *name, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING), err;

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

struct score *
score_new(size_t slots)
{
	struct score *s;
	int fd, err;

	if (slots == 0 || slots > SLOTS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	fd = sealed_file("barid-score", board_size(slots));
	s = fd < 0 ? NULL : map_board(fd, slots);
	if (!s) {
		err = errno;
		if (fd >= 0)
			close(fd);
		errno = err;
		return NULL;
	}
	random_bytes(&s->board->seed, sizeof(s->board->seed));
	s->board->slot_n = slots;
	s->board->magic = MAGIC;
	return s;
}

int
score_fd(const struct score *s)
{
	return s->fd;
}

struct score *
score_attach(int fd)
{
	struct stat st;
	uint64_t head[2];

	if (fstat(fd, &st) < 0)
		return NULL;
	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    head[0] != MAGIC || head[1] == 0 || head[1] > SLOTS_MAX ||
	    st.st_size != (off_t)board_size(head[1])) {
		errno = EINVAL;
		return NULL;
	}
	return map_board(fd, head[1]);
}

void
score_free(struct score *s)
{
	if (!s)
		return;
	if (s->book) {
		munmap(s->book, book_size(s->slot_n));
		close(s->book_fd);
	}
	munmap(s->board, s->bytes);
	close(s->fd);
	mem_free(s);
}

/* ---- the book ---------------------------------------------------------------- */

/* TO_WRITE: and so that the others see it. */
static int
map_book(struct score *s, int fd, bool to_write)
{
	size_t n = s->slot_n, size = book_size(n);
	char *p = mmap(NULL, size, to_write ? PROT_READ | PROT_WRITE : PROT_READ,
	    to_write ? MAP_SHARED : MAP_PRIVATE, fd, 0);

	if (p == MAP_FAILED)
		return -1;
	/* No session is to have it. */
	mem_withhold(p, size);
	s->book = (void *)p;
	s->book_fd = fd;
	s->self = getpid();
	p += sizeof(*s->book);
	s->clients = (void *)p;
	p += n * sizeof(*s->clients);
	s->addresses = (void *)p;
	p += n * sizeof(*s->addresses);
	s->pids = (void *)p;
	s->takers = s->pids + n;
	return 0;
}

/* Who asks first without having been given one makes it. */
static struct book *
book(struct score *s)
{
	if (s->book)
		return s->book;
	int fd = sealed_file("barid-book", book_size(s->slot_n));
	if (fd < 0 || map_book(s, fd, true) < 0)
		fatal(EX_OSERR, "no shared memory: %s", strerror(errno));
	s->book->slot_n = s->slot_n;
	s->book->magic = MAGIC;
	return s->book;
}

/* What the book has by now, where two show it at once. */
static void
show_top(struct score *s)
{
	size_t top;

	do {
		top = atomic_load(&s->book->top);
		atomic_store(&s->board->top, top);
	} while (atomic_load(&s->book->top) != top);
}

/* How many slots were ever taken: those behind them are not touched, and cost no memory. */
static size_t
used_shown(const struct score *s)
{
	size_t top = atomic_load(&s->board->top);

	return top < s->slot_n ? top : s->slot_n;
}

static size_t
used(const struct score *s)
{
	return s->book ? atomic_load(&s->book->top) : used_shown(s);
}

int
score_book_fd(struct score *s)
{
	(void)book(s);
	return s->book_fd;
}

int
score_attach_book(struct score *s, int fd)
{
	struct stat st;
	uint64_t head[2];

	if (fstat(fd, &st) < 0)
		return -1;
	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) ||
	    head[0] != MAGIC || head[1] != s->slot_n ||
	    st.st_size != (off_t)book_size(s->slot_n)) {
		errno = EINVAL;
		return -1;
	}
	return map_book(s, fd, true);
}

void
score_only_look(struct score *s)
{
	int fd = s->book_fd;

	if (!s->book)
		return;
	/* Where it could not be withheld it is here. */
	(void)munmap(s->book, book_size(s->slot_n));
	if (map_book(s, fd, false) < 0)
		fatal(EX_OSERR, "no memory: %s", strerror(errno));
	s->book_fd = -1;
	close(fd);
}

/* The first that is free, so that those in use stand together; its index + 1, or 0. */
static size_t
take_free(struct score *s)
{
	struct book *k = book(s);
	size_t top;

	for (size_t i = 0; i < s->slot_n; i++) {
		pid_t nobody = 0;

		if (atomic_load_explicit(&s->takers[i], memory_order_relaxed) != 0 ||
		    !atomic_compare_exchange_strong(&s->takers[i], &nobody, s->self))
			continue;
		top = atomic_load(&k->top);
		while (top <= i && !atomic_compare_exchange_weak(&k->top, &top, i + 1))
			;
		show_top(s);
		atomic_fetch_add(&k->live, 1);
		return i + 1;
	}
	return 0;
}

struct score_slot *
score_take(struct score *s, int service, uint64_t address, const char *client)
{
	struct str name = str_head(str_c(client), sizeof(s->clients->name) - 1);
	size_t i = take_free(s);
	struct score_slot *slot;

	if (i-- == 0)
		return NULL;
	memset(&s->clients[i], 0, sizeof(s->clients[i]));
	memcpy(s->clients[i].name, name.p, name.n);
	atomic_store(&s->addresses[i], address);
	slot = &s->board->slots[i];
	memset(slot, 0, sizeof(*slot));
	slot->service = service;
	slot->address = address;
	slot->since_ms = clock_ms();
	memcpy(slot->client, name.p, name.n);
	atomic_store(&slot->state, SCORE_CONNECT);
	return slot;
}

static size_t
index_of(const struct score *s, const struct score_slot *slot)
{
	const struct score_slot *first = s->board->slots;

	if (slot < first || slot >= first + s->slot_n)
		panic("score: not a slot of this scoreboard");
	return (size_t)(slot - first);
}

size_t
score_speak_for(struct score *s, struct score_slot *slot, uint64_t address,
    const char *client)
{
	struct str name = str_head(str_c(client), sizeof(slot->client) - 1);
	size_t n = 0, top;

	/*
	 * Shown first, counted then: of two that come at once, one sees the other.  A
	 * session asks, which has no book.
	 */
	atomic_store(&slot->address, address);
	memset(slot->client, 0, sizeof(slot->client));
	memcpy(slot->client, name.p, name.n);
	top = used_shown(s);
	for (size_t i = 0; i < top; i++) {
		const struct score_slot *other = &s->board->slots[i];

		int state = atomic_load(&other->state);

		if (other != slot && atomic_load(&other->address) == address &&
		    state != SCORE_FREE && state != SCORE_ENDED)
			n++;
	}
	return n;
}

_Atomic pid_t *
score_pid(struct score *s, const struct score_slot *slot)
{
	(void)book(s);
	return &s->pids[index_of(s, slot)];
}

void
score_started(struct score *s, struct score_slot *slot, pid_t pid)
{
	atomic_store(score_pid(s, slot), pid);
	atomic_store(&slot->pid, pid);
}

void
score_give(struct score *s, struct score_slot *slot)
{
	struct book *k = book(s);
	size_t i = index_of(s, slot);

	if (atomic_load(&s->takers[i]) == 0)
		panic("score: a free slot was given back");
	atomic_store(&slot->pid, 0);
	atomic_store(&slot->state, SCORE_FREE);
	atomic_store(&s->addresses[i], 0);
	atomic_store(&s->pids[i], 0);
	atomic_fetch_sub(&k->live, 1);
	/* Behind this it is another's. */
	atomic_store(&s->takers[i], 0);
}

void
score_forget(struct score *s, pid_t taker)
{
	size_t top = atomic_load(&book(s)->top);

	for (size_t i = 0; i < top; i++)
		if (atomic_load(&s->takers[i]) == taker && atomic_load(&s->pids[i]) == 0)
			score_give(s, &s->board->slots[i]);
}

/* ---- looking --------------------------------------------------------------- */

/* A client's name where others may be writing. */
static struct str
name_in(const char name[48])
{
	return str_n(name, strnlen(name, 47));
}

static size_t
count_shown(const struct score *s, const uint64_t *address)
{
	size_t n = 0, top = used(s);

	for (size_t i = 0; i < top; i++) {
		const struct score_slot *slot = &s->board->slots[i];

		if (atomic_load(&slot->pid) > 0 &&
		    (!address || slot->address == *address))
			n++;
	}
	return n;
}

size_t
score_live(const struct score *s)
{
	return s->book ? atomic_load(&s->book->live) : count_shown(s, NULL);
}

/* Of those that are taken; once all of them were seen there are no others. */
static size_t
count_taken(const struct score *s, uint64_t address)
{
	size_t top = atomic_load(&s->book->top), live = atomic_load(&s->book->live);
	size_t n = 0;

	for (size_t i = 0; i < top && live > 0; i++) {
		if (atomic_load_explicit(&s->takers[i], memory_order_relaxed) == 0)
			continue;
		live--;
		n += atomic_load_explicit(&s->addresses[i], memory_order_relaxed) == address;
	}
	return n;
}

size_t
score_live_from(const struct score *s, uint64_t address)
{
	return s->book ? count_taken(s, address) : count_shown(s, &address);
}

bool
score_any_ended(const struct score *s)
{
	size_t top = atomic_load(&s->book->top);

	for (size_t i = 0; i < top; i++)
		if (atomic_load_explicit(&s->pids[i], memory_order_relaxed) != 0 &&
		    atomic_load(&s->board->slots[i].state) == SCORE_ENDED)
			return true;
	return false;
}

struct score_slot *
score_find(struct score *s, pid_t pid)
{
	size_t top = atomic_load(&book(s)->top);

	for (size_t i = 0; i < top && pid > 0; i++)
		if (atomic_load_explicit(&s->pids[i], memory_order_relaxed) == pid)
			return &s->board->slots[i];
	return NULL;
}

struct score_slot *
score_at(struct score *s, size_t i)
{
	return i < s->slot_n ? &s->board->slots[i] : NULL;
}

size_t
score_slots(const struct score *s)
{
	return s->slot_n;
}

static void
look(const struct score *s, size_t i, struct score_slot *copy)
{
	const struct score_slot *slot = &s->board->slots[i];
	bool told = s->book == NULL || atomic_load(&s->addresses[i]) == 0;
	struct str client = told ? name_in(slot->client) : name_in(s->clients[i].name);
	pid_t pid = atomic_load(s->book ? &s->pids[i] : &slot->pid);

	memset(copy, 0, sizeof(*copy));
	atomic_store(&copy->pid, pid > 0 ? pid : 0);
	atomic_store(&copy->state, atomic_load(&slot->state));
	copy->service = slot->service;
	atomic_store(&copy->address,
	    atomic_load(told ? &slot->address : &s->addresses[i]));
	copy->since_ms = slot->since_ms;
	atomic_store(&copy->messages, atomic_load(&slot->messages));
	atomic_store(&copy->bytes, atomic_load(&slot->bytes));
	for (size_t at = 0; at < client.n; at++)
		copy->client[at] = client.p[at] > ' ' && client.p[at] < 0x7f ?
		    client.p[at] : '?';
	memcpy(copy->user, slot->user, sizeof(copy->user) - 1);
}

bool
score_look(const struct score *s, size_t i, struct score_slot *copy)
{
	if (i >= used(s))
		return false;
	look(s, i, copy);
	return true;
}

void
score_look_at(const struct score *s, const struct score_slot *slot,
    struct score_slot *copy)
{
	look(s, index_of(s, slot), copy);
}

/* ---- logins ------------------------------------------------------------------ */

/* The place of USER; if there is none, the one that is free, or was last used before the others. */
static struct login *
login_place(const struct score *s, uint64_t user)
{
	struct login *least = NULL;

	for (size_t i = 0; i < LOGIN_PROBES; i++) {
		struct login *l = &s->board->logins[(user + i) % LOGINS];

		if (atomic_load(&l->user) == user)
			return l;
		if (least == NULL || atomic_load(&l->ms) < atomic_load(&least->ms))
			least = l;
	}
	return least;
}

int64_t
score_since_login(const struct score *s, struct str name, int64_t now)
{
	uint64_t user = str_ihash(name) | 1;
	struct login *l = login_place(s, user);

	return atomic_load(&l->user) == user ? now - atomic_load(&l->ms) : -1;
}

void
score_logged_in(struct score *s, struct str name, int64_t now)
{
	uint64_t user = str_ihash(name) | 1;
	struct login *l = login_place(s, user);

	atomic_store(&l->user, user);
	atomic_store(&l->ms, now);
}

/* ---- what is counted of clients ------------------------------------------------ */

struct tally *
score_tally(struct score *s, enum score_tally which)
{
	return &s->board->tallies[which];
}

struct leader *
score_leader(struct score *s, enum score_tally which)
{
	return &s->board->leaders[which];
}

uint64_t
score_key(const struct score *s, enum score_tally which, uint64_t value)
{
	return tally_key(s->board->seed, which, value);
}

uint64_t
score_key_str(const struct score *s, enum score_tally which, struct str text)
{
	return tally_key_str(s->board->seed, which, text);
}

void
score_turn_off(struct score *s, int service, bool off)
{
	if (off)
		atomic_fetch_or(&s->board->off, 1u << service);
	else
		atomic_fetch_and(&s->board->off, ~(1u << service));
}

bool
score_is_off(const struct score *s, int service)
{
	return (atomic_load(&s->board->off) >> service & 1) != 0;
}

void
score_suspend_lists(struct score *s, int64_t until)
{
	atomic_store(&s->board->lists_from, until);
}

int64_t
score_lists_suspended(const struct score *s)
{
	return atomic_load(&s->board->lists_from);
}

struct blocks *
score_blocks(struct score *s)
{
	return &s->board->blocks;
}

/* ---- counters -------------------------------------------------------------- */

void
score_clear(struct score *s, size_t cell)
{
	if (cell >= SCORE_CELLS)
		panic("score: no such cell");
	atomic_store(&s->board->cells[cell].active, 0);
	atomic_store(&s->board->cells[cell].queued, 0);
	atomic_store(&s->board->cells[cell].out, 0);
}

void
score_own(struct score *s, size_t cell)
{
	score_clear(s, cell);
	s->cell = cell;
}

/* What C counts in CELL; NULL if all processes count it together. */
static _Atomic uint64_t *
in_cell(const struct score *s, enum score_counter c, size_t cell)
{
	if (c == COUNT_RUNNER_ACTIVE)
		return &s->board->cells[cell].active;
	if (c == COUNT_RUNNER_QUEUED)
		return &s->board->cells[cell].queued;
	if (c == COUNT_CONNECTIONS_OUT)
		return &s->board->cells[cell].out;
	return NULL;
}

void
score_add(struct score *s, enum score_counter c, int64_t by)
{
	_Atomic uint64_t *v = in_cell(s, c, s->cell);

	atomic_fetch_add_explicit(v ? v : &s->board->counters[c].v,
	    (uint64_t)by, memory_order_relaxed);
}

uint64_t
score_get(const struct score *s, enum score_counter c)
{
	uint64_t sum = 0;

	if (!in_cell(s, c, 0))
		return atomic_load_explicit(&s->board->counters[c].v,
		    memory_order_relaxed);
	for (size_t i = 0; i < SCORE_CELLS; i++)
		sum += atomic_load_explicit(in_cell(s, c, i),
		    memory_order_relaxed);
	return sum;
}

const char *
score_counter_name(enum score_counter c)
{
	static const char *const names[COUNT_N] = {
		[COUNT_CONNECTIONS] = "connections",
		[COUNT_REFUSED] = "refused",
		[COUNT_MESSAGES_IN] = "messages-in",
		[COUNT_RCPT_REJECTED] = "rcpt-rejected",
		[COUNT_AUTH_OK] = "auth-ok",
		[COUNT_AUTH_FAILED] = "auth-failed",
		[COUNT_DELIVERED] = "delivered",
		[COUNT_DEFERRED] = "deferred",
		[COUNT_BOUNCED] = "bounced",
		[COUNT_RUNNER_ACTIVE] = "runner-active",
		[COUNT_RUNNER_QUEUED] = "runner-queued",
		[COUNT_SCAN_WANTED] = "scan-wanted",
		[COUNT_CRASHES] = "crashes",
		[COUNT_JOURNAL_LOST] = "journal-lost",
		[COUNT_REPORTS_IN] = "reports-in",
		[COUNT_RATE_LIMITED] = "rate-limited",
		[COUNT_CONNECTIONS_OUT] = "connections-out",
	};

	return (unsigned)c < COUNT_N ? names[c] : "unknown";
}

const char *
score_state_name(int state)
{
	static const char *const names[] = {
		[SCORE_FREE] = "free",
		[SCORE_CONNECT] = "connect",
		[SCORE_TLS] = "tls",
		[SCORE_COMMAND] = "command",
		[SCORE_AUTH] = "auth",
		[SCORE_DATA] = "data",
		[SCORE_COMMIT] = "commit",
		[SCORE_TRANSACTION] = "transaction",
		[SCORE_UPDATE] = "update",
		[SCORE_ENDED] = "ended",
	};

	return state >= 0 && (size_t)state < ARRAY_LEN(names) ? names[state] :
								"unknown";
}
