/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_HASH_H
#define LIB_HASH_H

/*
 * hash -- sums that are the same in every process and for ever: CRC-32C
 * (Castagnoli, RFC 3720 B.4), by the processor where it can, and FNV-1a of 64
 * bits.  Whoever chooses what is summed finds others with the same sum.
 */

#include <stddef.h>
#include <stdint.h>

#include "lib/str.h"

/* Start with CRC = 0; feeding parts gives what feeding the whole gives. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* The same by tables alone: the fall-back, and what tests compare with. */
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n);
/*
 * WHOLE is the checksum of two parts, WAS that of the first, and the second has
 * N octets: the checksum with a first part of checksum NOW in its place.
 */
uint32_t crc32c_exchange(uint32_t whole, uint32_t was, uint32_t now, uint64_t n);

/* Begin with FNV1A_START. */
#define FNV1A_START UINT64_C(0xcbf29ce484222325)
uint64_t fnv1a(uint64_t h, struct str s);
/* The same without case (ASCII). */
uint64_t fnv1a_lower(uint64_t h, struct str s);

#endif
