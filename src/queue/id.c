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
#include "queue/envelope.h"

#include "spool.h"

#define TIME_DIGITS 13
#define PROCESS_DIGITS 6

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
	int64_t next;

	do
		next = now > last ? now : last + 1;
	while (!atomic_compare_exchange_weak(&last_us, &last, next));
	spool_hex(id, TIME_DIGITS, (uint64_t)next);
	spool_hex(id + TIME_DIGITS, PROCESS_DIGITS, process_part());
	id[QUEUE_ID_LEN] = '\0';
}

int64_t
spool_id_time(const char *id)
{
	int64_t us = 0;

	for (size_t i = 0; i < TIME_DIGITS; i++)
		us = us << 4 | (id[i] <= '9' ? id[i] - '0' : id[i] - 'A' + 10);
	return us / 1000000;
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
