/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef NET_CONNECT_H
#define NET_CONNECT_H

/* connect -- a connection, for a process that can wait. */

#include "net/addr.h"

/*
 * Connects to A by TCP until DEADLINE (clock_ms): a descriptor that blocks, whose
 * sends may take as long as there was time for all of it.  -1: errno, ETIMEDOUT.
 */
int connect_until(const struct addr *a, int64_t deadline) MUST_USE;

#endif
