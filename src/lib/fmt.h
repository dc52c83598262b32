/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_FMT_H
#define LIB_FMT_H

/* fmt -- vsnprintf() for the few directives that are in use here. */

#include <stdarg.h>
#include <stddef.h>

#include "lib/attr.h"

/*
 * As vsnprintf(3) writes it: no more than MAX bytes at OUT with the NUL at
 * the end, and none with MAX = 0.  The length that it has in full; -1 for a
 * format that is none.
 */
int fmt_put(char *out, size_t max, const char *fmt, va_list ap) PRINTF(3, 0);

#endif
