/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * random -- the kernel's random numbers.
 *
 * Nothing is buffered here, so a fork cannot hand the same numbers to two
 * processes.
 */

#include "lib/random.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/types.h>
#include <sysexits.h>

#include "lib/log.h"

void
random_bytes(void *p, size_t n)
{
	unsigned char *at = p;

	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			fatal(EX_OSERR, "getrandom: %s", strerror(errno));
		at += got;
		n -= (size_t)got;
	}
}

uint32_t
random_below(uint32_t below)
{
	uint32_t v, uneven;

	if (below == 0)
		panic("random_below: nothing is below 0");
	/* The first 2^32 mod BELOW values would come up once too often. */
	uneven = -below % below;
	do
		random_bytes(&v, sizeof(v));
	while (v < uneven);
	return v % below;
}
