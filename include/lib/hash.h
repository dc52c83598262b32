/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_HASH_H
#define LIB_HASH_H

/* hash -- CRC-32C (Castagnoli, RFC 3720 B.4), by the processor where it can. */

#include <stddef.h>
#include <stdint.h>

/* Start with CRC = 0; feeding parts gives what feeding the whole gives. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* The same by tables alone: the fall-back, and what tests compare with. */
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n);

#endif
