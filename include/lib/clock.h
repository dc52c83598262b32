/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

/* clock -- monotonic time for deadlines, wall time for people. */

#include <stdint.h>

/* Milliseconds that never jump; comparable within one boot. */
int64_t clock_ms(void);
/* Wall time in microseconds and in seconds since 1970, 64 bits. */
int64_t clock_wall_us(void);
int64_t clock_wall(void);

#endif
