/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_CLOCK_H
#define LIB_CLOCK_H

/* clock -- monotonic time for deadlines, wall time for people. */

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Milliseconds that never jump; comparable within one boot. */
int64_t clock_ms(void);
/* Wall time in microseconds and in seconds since 1970, 64 bits. */
int64_t clock_wall_us(void);
int64_t clock_wall(void);
/* As localtime_r() has it; false if that has none. */
bool clock_local(int64_t seconds, struct tm *tm);
/*
 * For a process with one thread, before it forks: what clock_local() needs
 * of the time zone around NOW is found out, so that no child has to.
 */
void clock_local_prepare(int64_t now);

#endif
