/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef FUZZ_H
#define FUZZ_H

/* fuzz -- what all targets have: the function that a fuzzer calls, and how one complains. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* It is a bug if not OK. */
static inline void
check(bool ok)
{
	if (!ok)
		abort();
}

#endif
