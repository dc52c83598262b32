/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_RANDOM_H
#define LIB_RANDOM_H

/* random -- the kernel's random numbers (getrandom). */

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *p, size_t n);
/* Uniform in [0, BELOW); BELOW > 0. */
uint32_t random_below(uint32_t below);

#endif
