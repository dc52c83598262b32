/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * id -- queue ids.
 *
 * 13 digits of microseconds since 1970 and 6 of the process: its pid (22
 * bits, all that Linux gives) and 2 random bits for a pid that comes again.
 * Strictly increasing within a process, also when the clock is set back,
 * and between threads.  Two processes never make the same one while they
 * live at the same time; a name that is taken all the same is an error of
 * the file system's call, never a lost message.
 */

#include <unistd.h>

#include "lib/clock.h"
#include "lib/random.h"
#include "queue/id.h"

#include "spool.h"

#define PROCESS_DIGITS (QUEUE_ID_LEN - QUEUE_ID_TIME_DIGITS)

static SESSION_WRITES _Atomic int64_t last_us;
/* The process's digits; 0: not known.  Then its secret is not, either. */
static SESSION_WRITES _Atomic uint32_t process;
static SESSION_WRITES _Atomic uint64_t secret;

static uint32_t
process_part(void)
{
	uint32_t p = atomic_load(&process), pid = (uint32_t)getpid() & 0x3fffff;
	struct {
		uint64_t secret;
		uint32_t digits;
	} chance;

	/* After a fork it is another process, with other digits at random. */
	if (p >> 2 == pid && p != 0)
		return p;
	random_bytes(&chance, sizeof(chance));
	atomic_store(&secret, chance.secret);
	p = pid << 2 | (chance.digits & 3);
	atomic_store(&process, p);
	return p;
}

uint64_t
spool_secret(void)
{
	(void)process_part();
	return atomic_load(&secret);
}

void
spool_hex(char *to, size_t n, uint64_t v)
{
	for (; n > 0; v >>= 4)
		to[--n] = "0123456789ABCDEF"[v & 15];
}

void
spool_dec(char *to, size_t n, uint64_t v)
{
	for (; n > 0; v /= 10)
		to[--n] = (char)('0' + v % 10);
}

void
spool_add_secret(char *to, uint64_t v)
{
	*to++ = '.';
	spool_hex(to, SPOOL_SECRET_LEN, v);
	to[SPOOL_SECRET_LEN] = '\0';
}

void
queue_id_new(char id[QUEUE_ID_SIZE])
{
	int64_t now = clock_wall_us(), last = atomic_load(&last_us);
	struct queue_number q = { .process = process_part() };
	int64_t next;

	do
		next = now > last ? now : last + 1;
	while (!atomic_compare_exchange_weak(&last_us, &last, next));
	q.time = (uint64_t)next;
	queue_number_id(q, id);
}

static uint64_t
digits(const char *p, size_t n)
{
	uint64_t v = 0;

	for (; n > 0; n--, p++)
		v = v << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'A' + 10);
	return v;
}

int64_t
spool_id_time(const char *id)
{
	return (int64_t)digits(id, QUEUE_ID_TIME_DIGITS) / 1000000;
}

struct queue_number
queue_number(struct str id)
{
	return (struct queue_number){ .time = digits(id.p, QUEUE_ID_TIME_DIGITS),
		.process = (uint32_t)digits(id.p + QUEUE_ID_TIME_DIGITS, PROCESS_DIGITS) };
}

void
queue_number_id(struct queue_number q, char id[QUEUE_ID_SIZE])
{
	spool_hex(id, QUEUE_ID_TIME_DIGITS, q.time);
	spool_hex(id + QUEUE_ID_TIME_DIGITS, PROCESS_DIGITS, q.process);
	id[QUEUE_ID_LEN] = '\0';
}

bool
queue_number_eq(struct queue_number a, struct queue_number b)
{
	return a.time == b.time && a.process == b.process;
}

uint32_t
queue_number_hash(struct queue_number q)
{
	/* Times that follow each other are far apart. */
	return (uint32_t)(((q.time ^ (uint64_t)q.process << 40) *
	    0x9e3779b97f4a7c15U) >> 32);
}

bool
queue_id_valid(struct str s)
{
	if (s.n != QUEUE_ID_LEN)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= '0' && s.p[i] <= '9') &&
		    !(s.p[i] >= 'A' && s.p[i] <= 'F'))
			return false;
	return true;
}
