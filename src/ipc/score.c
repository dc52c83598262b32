/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * score -- the scoreboard.
 *
 * Every session can write the whole mapping, so the master believes nothing
 * that it reads there: which slots are taken, by which pid and address, is
 * kept in its own memory (struct book) and only shown in the mapping.  A
 * master that was executed anew finds its book again from the slots.
 * Taking, giving and finding cost a few memory accesses, whatever the
 * number of sessions.  The file is sealed against a change of its size:
 * nobody can make the others' access to it a SIGBUS.
 */

#include "ipc/score.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"

#define MAGIC UINT64_C(0x6261726964736304)
#define SLOTS_MAX 1000000

/* A cache line each: sessions add to different counters at once. */
struct counter {
	_Alignas(64) _Atomic uint64_t v;
};

/* What one runner counts up and down: nobody else knows what he has left. */
struct cell {
	_Alignas(64) _Atomic uint64_t active, queued;
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
	struct blocks blocks;
	_Atomic unsigned off;	/* services, by bit */
	_Alignas(64) struct score_slot slots[];
};

/* What the master knows of a slot. */
struct owner {
	bool taken;
	pid_t pid;		/* 0: not told yet */
	uint64_t address;
	char client[48];
	size_t next_free;	/* index + 1; 0: none */
};

struct book {
	size_t first_free;	/* index + 1; 0: none */
	size_t live;
	struct table by_address;/* address -> live slots */
	struct table by_pid;	/* pid -> index + 1 */
	struct owner owners[];	/* one for each slot */
};

struct score {
	int fd;
	struct board *board;
	size_t bytes;
	size_t slot_n;
	size_t cell;		/* of this process */
	struct book *book;	/* NULL until this process acts as the master */
};

static size_t
board_size(size_t slots)
{
	return sizeof(struct board) + slots * sizeof(struct score_slot);
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

struct score *
score_new(size_t slots)
{
	struct score *s = NULL;
	int fd, err;

	if (slots == 0 || slots > SLOTS_MAX) {
		errno = EINVAL;
		return NULL;
	}
	fd = memfd_create("barid-score", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return NULL;
	if (ftruncate(fd, (off_t)board_size(slots)) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		s = map_board(fd, slots);
	if (!s) {
		err = errno;
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

/* The book and its owners are one piece of memory. */
static size_t
book_size(const struct score *s)
{
	return sizeof(struct book) + s->slot_n * sizeof(struct owner);
}

void
score_free(struct score *s)
{
	if (!s)
		return;
	if (s->book) {
		table_free(&s->book->by_address);
		table_free(&s->book->by_pid);
		mem_unshared_free(s->book, book_size(s));
	}
	munmap(s->board, s->bytes);
	close(s->fd);
	mem_free(s);
}

/* ---- the master's book ------------------------------------------------------ */

static void
book_add(struct score *s, size_t i, uint64_t address, struct str client,
    pid_t pid)
{
	struct book *k = s->book;
	struct owner *o = &k->owners[i];

	*o = (struct owner){ .taken = true, .pid = pid, .address = address };
	memcpy(o->client, client.p, client.n);
	k->live++;
	table_put(&k->by_address, address, table_get(&k->by_address, address) + 1);
	if (pid > 0)
		table_put(&k->by_pid, (uint64_t)pid, i + 1);
}

/* The client's name in a slot, which a session can write. */
static struct str
name_in(const struct score_slot *slot)
{
	return str_n(slot->client,
	    strnlen(slot->client, sizeof(slot->client) - 1));
}

static struct book *
book(struct score *s)
{
	struct book *k = s->book;

	if (k)
		return k;
	/* It is written at each fork: no session is to have a copy. */
	s->book = k = mem_unshared(book_size(s));
	table_init(&k->by_address, s->slot_n);
	table_init(&k->by_pid, s->slot_n);
	for (size_t i = s->slot_n; i-- > 0;) {
		const struct score_slot *slot = &s->board->slots[i];
		pid_t pid = atomic_load(&slot->pid);

		/* A pid that stands twice is a lie: the slot is free. */
		if (pid > 0 && table_get(&k->by_pid, (uint64_t)pid) == 0) {
			book_add(s, i, slot->address, name_in(slot), pid);
			continue;
		}
		k->owners[i].next_free = k->first_free;
		k->first_free = i + 1;
	}
	return k;
}

void
score_offer(struct score *s, bool offer)
{
	if (s->book)
		mem_unshared_offer(s->book, book_size(s), offer);
}

struct score_slot *
score_take(struct score *s, int service, uint64_t address, const char *client)
{
	struct book *k = book(s);
	struct score_slot *slot;
	size_t i;
	struct str name = str_head(str_c(client), sizeof(slot->client) - 1);

	if (k->first_free == 0)
		return NULL;
	i = k->first_free - 1;
	k->first_free = k->owners[i].next_free;
	book_add(s, i, address, name, 0);
	slot = &s->board->slots[i];
	memset(slot, 0, sizeof(*slot));
	slot->service = service;
	slot->address = address;
	slot->since_ms = clock_ms();
	memcpy(slot->client, name.p, name.n);
	atomic_store(&slot->state, SCORE_CONNECT);
	return slot;
}

size_t
score_speak_for(struct score *s, struct score_slot *slot, uint64_t address,
    const char *client)
{
	struct str name = str_head(str_c(client), sizeof(slot->client) - 1);
	size_t n = 0;

	/* Shown first, counted then: of two that come at once, one sees the other. */
	atomic_store(&slot->address, address);
	memset(slot->client, 0, sizeof(slot->client));
	memcpy(slot->client, name.p, name.n);
	for (size_t i = 0; i < s->slot_n; i++) {
		const struct score_slot *other = &s->board->slots[i];

		if (other != slot && atomic_load(&other->address) == address &&
		    atomic_load(&other->state) != SCORE_FREE)
			n++;
	}
	return n;
}

static size_t
index_of(const struct score *s, const struct score_slot *slot)
{
	const struct score_slot *first = s->board->slots;

	if (slot < first || slot >= first + s->slot_n)
		panic("score: not a slot of this scoreboard");
	return (size_t)(slot - first);
}

void
score_started(struct score *s, struct score_slot *slot, pid_t pid)
{
	struct book *k = book(s);
	struct owner *o = &k->owners[index_of(s, slot)];

	if (!o->taken || o->pid != 0)
		panic("score: a slot got a second pid");
	o->pid = pid;
	table_put(&k->by_pid, (uint64_t)pid, index_of(s, slot) + 1);
	atomic_store(&slot->pid, pid);
}

void
score_give(struct score *s, struct score_slot *slot)
{
	struct book *k = book(s);
	size_t i = index_of(s, slot);
	struct owner *o = &k->owners[i];

	if (!o->taken)
		panic("score: a free slot was given back");
	table_put(&k->by_address, o->address,
	    table_get(&k->by_address, o->address) - 1);
	if (o->pid > 0)
		table_put(&k->by_pid, (uint64_t)o->pid, 0);
	*o = (struct owner){ .next_free = k->first_free };
	k->first_free = i + 1;
	k->live--;
	atomic_store(&slot->pid, 0);
	atomic_store(&slot->state, SCORE_FREE);
}

/* ---- looking --------------------------------------------------------------- */

static size_t
count_shown(const struct score *s, const uint64_t *address)
{
	size_t n = 0;

	for (size_t i = 0; i < s->slot_n; i++) {
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
	return s->book ? s->book->live : count_shown(s, NULL);
}

size_t
score_live_from(const struct score *s, uint64_t address)
{
	return s->book ? table_get(&s->book->by_address, address) :
			 count_shown(s, &address);
}

struct score_slot *
score_find(struct score *s, pid_t pid)
{
	size_t at;

	if (pid <= 0)
		return NULL;
	at = table_get(&book(s)->by_pid, (uint64_t)pid);
	if (at > 0)
		return &s->board->slots[at - 1];
	/* Its pid was written by hand, without score_started(). */
	for (size_t i = 0; i < s->slot_n; i++)
		if (s->book->owners[i].taken && s->book->owners[i].pid == 0 &&
		    atomic_load(&s->board->slots[i].pid) == pid)
			return &s->board->slots[i];
	return NULL;
}

struct score_slot *
score_at(struct score *s, size_t i)
{
	return i < s->slot_n ? &s->board->slots[i] : NULL;
}

static void
look(const struct score *s, size_t i, struct score_slot *copy)
{
	const struct score_slot *slot = &s->board->slots[i];
	const struct owner *o = s->book ? &s->book->owners[i] : NULL;
	bool told = o == NULL || o->address == 0;
	struct str client = told ? name_in(slot) : str_c(o->client);
	pid_t pid = atomic_load(&slot->pid);

	if (o && (!o->taken || o->pid > 0))
		pid = o->pid;
	memset(copy, 0, sizeof(*copy));
	atomic_store(&copy->pid, pid > 0 ? pid : 0);
	atomic_store(&copy->state, atomic_load(&slot->state));
	copy->service = slot->service;
	atomic_store(&copy->address,
	    told ? atomic_load(&slot->address) : o->address);
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
	if (i >= s->slot_n)
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
	};

	return state >= 0 && (size_t)state < ARRAY_LEN(names) ? names[state] :
								"unknown";
}
