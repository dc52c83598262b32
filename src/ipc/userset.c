/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * userset -- the names of those who have a mailbox, shared by all.
 *
 *	head	magic, generation, any
 *	area 0	count:4 offset:4*count entries... and at its end trusts
 *	area 1	likewise
 *	entry	length:1 folded name, spelling; of an alias with a ":" before, of
 *		a member of a list with a "%"
 *
 * The writer fills the area that is not in use and then raises the
 * generation, whose lowest bit says which area counts.  A reader that finds
 * the same generation before and after has read a quiet area; the writer
 * touches that area only after the next generation is out.  So a reader
 * never waits, not even for a writer that died half way.
 *
 * Only the master can write: its writable mapping is not inherited by fork,
 * and the file is sealed against another.  Readers still believe no
 * offset or length: whatever they read, they stay within the mapping.
 */

#include "ipc/userset.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/name.h"

#ifndef F_SEAL_FUTURE_WRITE
/* Linux 5.1 */
#define F_SEAL_FUTURE_WRITE 0x0010
#endif
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)

#define MAGIC UINT64_C(0x6261726964757304)
/* With names enough for several lists of MEMBERS_MAX, at 39 octets each. */
#define AREA ((size_t)64 << 20)
#define HEAD ((size_t)4096)
#define TOTAL (HEAD + 2 * AREA)
#define ENTRY_LEN_MAX (NAME_LEN_MAX + 1)

struct trusts {
	uint32_t n;
	struct userset_trust v[USERSET_TRUSTS_MAX];	/* the smallest range first */
};
#define NAMES (AREA - sizeof(struct trusts))
_Static_assert(NAMES >= USERSET_OCTETS_MAX, "the names do not fit beside the trusts");

struct head {
	uint64_t magic;
	_Atomic uint64_t generation;
	_Atomic int any;
	_Atomic int plain;
	_Atomic int scram;
	_Atomic unsigned digests;
	_Atomic uint32_t trusts;
	_Atomic uint64_t users;
};

struct userset {
	int fd;
	char *writable;		/* NULL likewise; never in a forked child */
	const char *base;
	pid_t writer;
};

static const struct head *
head_of(const struct userset *u)
{
	return (const struct head *)(const void *)u->base;
}

static struct head *
writable_head(const struct userset *u)
{
	if (!u->writable || u->writer != getpid())
		panic("userset: written by one who may only look");
	return (struct head *)(void *)u->writable;
}

static int
map(struct userset *u)
{
	void *p = mmap(NULL, TOTAL, PROT_READ, MAP_SHARED, u->fd, 0);

	if (p == MAP_FAILED)
		return -1;
	u->base = p;
	return 0;
}

/* Ours stays what it is; nobody gets another by which it can be written. */
static int
map_writable(struct userset *u)
{
	void *p = mmap(NULL, TOTAL, PROT_READ | PROT_WRITE, MAP_SHARED, u->fd, 0);

	if (p == MAP_FAILED)
		return -1;
	u->writable = p;
	u->writer = getpid();
	return madvise(p, TOTAL, MADV_DONTFORK) < 0 ? -1 : fcntl(u->fd, F_ADD_SEALS, SEALS);
}

static void
unmap(struct userset *u)
{
	if (u->base)
		munmap((void *)(uintptr_t)u->base, TOTAL);
	if (u->writable && u->writer == getpid())
		munmap(u->writable, TOTAL);
}

/* FD stays the caller's if it fails. */
static struct userset *
attach(int fd, bool to_write)
{
	struct userset *u = mem_alloc(sizeof(*u));
	int err;

	*u = (struct userset){ .fd = fd };
	if ((!to_write || map_writable(u) == 0) && map(u) == 0)
		return u;
	err = errno;
	unmap(u);
	mem_free(u);
	errno = err;
	return NULL;
}

struct userset *
userset_new(void)
{
	int fd = memfd_create("barid-users", MFD_CLOEXEC | MFD_ALLOW_SEALING), err;
	struct userset *u = NULL;

	if (fd < 0)
		return NULL;
	/* 128 MiB of address space; only pages that are written cost memory. */
	if (ftruncate(fd, (off_t)TOTAL) == 0)
		u = attach(fd, true);
	if (!u) {
		err = errno;
		close(fd);
		errno = err;
		return NULL;
	}
	writable_head(u)->magic = MAGIC;
	return u;
}

void
userset_free(struct userset *u)
{
	if (!u)
		return;
	unmap(u);
	close(u->fd);
	mem_free(u);
}

int
userset_fd(const struct userset *u)
{
	return u->fd;
}

struct userset *
userset_attach(int fd)
{
	struct stat st;
	uint64_t magic;

	if (fstat(fd, &st) < 0)
		return NULL;
	if (st.st_size != (off_t)TOTAL ||
	    pread(fd, &magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
	    magic != MAGIC) {
		errno = EINVAL;
		return NULL;
	}
	return attach(fd, false);
}

/* ---- names ------------------------------------------------------------------ */

/* What stands before a name that is no user's. */
static bool
is_mark(char c)
{
	return c == ':' || c == '%';
}

/* A name, or that of an alias or a member. */
static bool
is_entry(struct str s)
{
	return name_is_plain(s.n > 0 && is_mark(s.p[0]) ? str_skip(s, 1) : s);
}

static void
fold(char *out, struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		out[i] = char_lower(s.p[i]);
}

/* Those of the area that belongs to GENERATION, behind the head at AREAS. */
static struct trusts *
trusts_of(char *areas, uint64_t generation)
{
	return (struct trusts *)(void *)(areas + (generation & 1 ? AREA : 0) + NAMES);
}

/* ---- writing ---------------------------------------------------------------- */

/* By name, and where two are the same by the order they were given in. */
static int
by_name(const void *va, const void *vb)
{
	const struct str *const *a = va, *const *b = vb;
	int c = str_icmp(**a, **b);

	return c != 0 ? c : (*a > *b) - (*a < *b);
}

/*
 * Leaves in ORDER the names that are valid, sorted, each once (the first
 * spelling counts).  Returns how many.
 */
static size_t
sort_names(const struct str *names, size_t n, const struct str **order)
{
	size_t valid = 0, kept = 0;

	for (size_t i = 0; i < n; i++)
		if (is_entry(names[i]))
			order[valid++] = &names[i];
	qsort(order, valid, sizeof(*order), by_name);
	for (size_t i = 0; i < valid; i++)
		if (kept == 0 || !str_ieq(*order[kept - 1], *order[i]))
			order[kept++] = order[i];
	return kept;
}

static void
write_area(char *area, const struct str *const *order, size_t n)
{
	uint32_t count = (uint32_t)n;
	size_t at = 4 + 4 * n;

	memcpy(area, &count, 4);
	for (size_t i = 0; i < n; i++) {
		struct str s = *order[i];
		uint32_t offset = (uint32_t)at;

		memcpy(area + 4 + 4 * i, &offset, 4);
		area[at] = (char)s.n;
		fold(area + at + 1, s);
		memcpy(area + at + 1 + s.n, s.p, s.n);
		at += 1 + 2 * s.n;
	}
}

/* Its offset, its length, and itself in two spellings. */
size_t
userset_octets(struct str name)
{
	return 4 + 1 + 2 * name.n;
}

int
userset_replace(struct userset *u, const struct str *names, size_t n)
{
	struct head *h = writable_head(u);
	const struct str **order = mem_array(n + 1, sizeof(*order));
	size_t kept = sort_names(names, n, order), octets = 0, users = 0;
	uint64_t next = atomic_load(&h->generation) + 1;

	for (size_t i = 0; i < kept; i++) {
		octets += userset_octets(*order[i]);
		users += !is_mark(order[i]->p[0]);
	}
	if (octets > USERSET_OCTETS_MAX) {
		mem_free(order);
		errno = ENOSPC;
		return -1;
	}
	/* The old generation is out before the area behind it is touched. */
	atomic_thread_fence(memory_order_seq_cst);
	write_area(u->writable + HEAD + (next & 1 ? AREA : 0), order, kept);
	atomic_store(&h->trusts, trusts_of(u->writable + HEAD, next)->n);
	atomic_store(&h->generation, next);
	atomic_store(&h->users, users);
	mem_free(order);
	return 0;
}

/* How many addresses R has, less one, as a number of 16 octets. */
static void
span(const struct ip_range *r, unsigned char out[16])
{
	size_t n = r->family == AF_INET ? 4 : 16;
	int borrow = 0;

	memset(out, 0, 16);
	for (size_t i = n; i-- > 0;) {
		int d = r->last[i] - r->first[i] - borrow;

		borrow = d < 0;
		out[16 - n + i] = (unsigned char)d;
	}
}

static int
by_span(const void *va, const void *vb)
{
	const struct userset_trust *a = va, *b = vb;
	unsigned char span_a[16], span_b[16];

	span(&a->range, span_a);
	span(&b->range, span_b);
	return memcmp(span_a, span_b, sizeof(span_a));
}

void
userset_set_trusts(struct userset *u, const struct userset_trust *t, size_t n)
{
	uint64_t next = atomic_load(&writable_head(u)->generation) + 1;
	struct trusts *to = trusts_of(u->writable + HEAD, next);

	to->n = (uint32_t)(n < USERSET_TRUSTS_MAX ? n : USERSET_TRUSTS_MAX);
	if (to->n == 0)
		return;
	memcpy(to->v, t, to->n * sizeof(*t));
	qsort(to->v, to->n, sizeof(*t), by_span);
}

void
userset_trust_none(struct userset *u)
{
	atomic_store(&writable_head(u)->trusts, 0);
}

void
userset_set_any(struct userset *u, bool any)
{
	atomic_store(&writable_head(u)->any, any);
}

void
userset_set_plain(struct userset *u, bool plain)
{
	atomic_store(&writable_head(u)->plain, plain);
}

void
userset_set_digests(struct userset *u, unsigned hashes)
{
	atomic_store(&writable_head(u)->digests, hashes);
}

void
userset_set_scram(struct userset *u, bool scram)
{
	atomic_store(&writable_head(u)->scram, scram);
}

/* ---- looking ---------------------------------------------------------------- */

/*
 * Volatile: what was checked must be what is then used, although the writer
 * may be at work.  AT is a multiple of 4.
 */
static uint32_t
get_u32(const char *area, size_t at)
{
	const void *p = area + at;

	return at <= AREA - 4 ? *(const volatile uint32_t *)p : 0;
}

static size_t
area_count(const char *area)
{
	size_t n = get_u32(area, 0), max = (AREA - 4) / 4;

	return n < max ? n : max;
}

/* Entry I; empty if what is there can be none. */
static struct str
entry(const char *area, size_t i, struct str *spelling)
{
	size_t at = get_u32(area, 4 + 4 * i), n;

	*spelling = str_n("", 0);
	if (at >= AREA)
		return str_n("", 0);
	n = *(const volatile unsigned char *)(area + at);
	if (n > ENTRY_LEN_MAX || 1 + 2 * n > AREA - at)
		return str_n("", 0);
	*spelling = str_n(area + at + 1 + n, n);
	return str_n(area + at + 1, n);
}

static bool
search(const char *area, struct str name, char out[ENTRY_LEN_MAX + 1])
{
	size_t low = 0, high = area_count(area);

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		struct str spelling, folded = entry(area, mid, &spelling);
		int c = str_icmp(name, folded);

		if (c == 0) {
			memcpy(out, spelling.p, spelling.n);
			out[spelling.n] = '\0';
			return true;
		}
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return false;
}

/* The same in an area that was quiet meanwhile. */
static bool
search_quiet(const struct userset *u, struct str name,
    char out[ENTRY_LEN_MAX + 1])
{
	const struct head *h = head_of(u);
	uint64_t before, after;
	bool found;

	do {
		before = atomic_load(&h->generation);
		found = search(u->base + HEAD + (before & 1 ? AREA : 0), name, out);
		atomic_thread_fence(memory_order_acquire);
		after = atomic_load(&h->generation);
	} while (before != after);
	return found;
}

bool
userset_has_alias(const struct userset *u, struct str name)
{
	char key[1 + NAME_LEN_MAX] = ":", spelling[ENTRY_LEN_MAX + 1];

	if (!name_is_plain(name))
		return false;
	memcpy(key + 1, name.p, name.n);
	return search_quiet(u, str_n(key, 1 + name.n), spelling);
}

/* FNV-1a: every process must come to the same. */
void
userset_member(struct str list, struct str address, char name[USERSET_MEMBER_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	uint64_t h = fnv1a(FNV1A_START, list);

	h = fnv1a_lower(fnv1a(h, str_n("", 1)), address);
	name[0] = '%';
	for (int i = 0; i < 16; i++)
		name[1 + i] = digits[h >> (60 - 4 * i) & 15];
	name[17] = '\0';
}

bool
userset_has_member(const struct userset *u, struct str list, struct str address)
{
	char name[USERSET_MEMBER_SIZE], spelling[ENTRY_LEN_MAX + 1];

	userset_member(list, address, name);
	return search_quiet(u, str_c(name), spelling);
}

bool
userset_has(const struct userset *u, struct str name, char out[65])
{
	char spelling[ENTRY_LEN_MAX + 1];
	bool found;

	out[0] = '\0';
	if (!name_is_plain(name))
		return false;
	found = search_quiet(u, name, spelling);
	if (found)
		memcpy(out, spelling, name.n + 1);
	if (!found && atomic_load(&head_of(u)->any)) {
		fold(out, name);
		out[name.n] = '\0';
		found = true;
	}
	return found;
}

/* In the trusts at P, which may be written meanwhile. */
static bool
search_trusts(const char *p, int family, const void *octets, char keyword[65])
{
	const struct trusts *t = (const struct trusts *)(const void *)p;
	uint32_t n = *(const volatile uint32_t *)&t->n;

	for (uint32_t i = 0; i < n && i < USERSET_TRUSTS_MAX; i++) {
		struct userset_trust one = t->v[i];

		if (!ip_range_has(&one.range, family, octets))
			continue;
		one.keyword[sizeof(one.keyword) - 1] = '\0';
		memcpy(keyword, one.keyword, sizeof(one.keyword));
		return true;
	}
	return false;
}

bool
userset_trusts(const struct userset *u, int family, const void *octets, char keyword[65])
{
	const struct head *h = head_of(u);
	uint64_t before;
	bool found;

	if (atomic_load(&h->trusts) == 0)
		return false;
	do {
		before = atomic_load(&h->generation);
		found = search_trusts(u->base + HEAD + (before & 1 ? AREA : 0) + NAMES, family,
		    octets, keyword);
		atomic_thread_fence(memory_order_acquire);
	} while (before != atomic_load(&h->generation));
	return found;
}

size_t
userset_count(const struct userset *u)
{
	return atomic_load(&head_of(u)->users);
}

bool
userset_plain(const struct userset *u)
{
	return atomic_load(&head_of(u)->plain) != 0;
}

bool
userset_scram(const struct userset *u)
{
	return atomic_load(&head_of(u)->scram) != 0;
}

unsigned
userset_digests(const struct userset *u)
{
	return atomic_load(&head_of(u)->digests);
}
