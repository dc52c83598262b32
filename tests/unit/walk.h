/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TESTS_WALK_H
#define TESTS_WALK_H

/*
 * walk -- walks of random steps, which are the same again for a seed.
 *
 * WALKS is how many there are, SEED (1) the seed of the first; walk I
 * has the seed SEED + I, so that SEED alone, with WALKS=1, goes one again.
 * Many need more time than a test has: CK_FORK=no then.
 */

#include <stdint.h>
#include <stdlib.h>

static uint64_t
walk_number(const char *name, uint64_t otherwise)
{
	const char *v = getenv(name);

	return v ? strtoull(v, NULL, 10) : otherwise;
}

/* SplitMix64. */
static uint64_t
walk_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A number below N. */
static size_t
walk_below(uint64_t *state, size_t n)
{
	return (size_t)(walk_random(state) % n);
}

#endif
