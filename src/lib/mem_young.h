/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_MEM_YOUNG_H
#define LIB_MEM_YOUNG_H

/* mem_young -- memory of a forked child: mem.c's own. */

#include <stdbool.h>
#include <stddef.h>

/* From now on there is some. */
void young_begin(void);
/* NULL: not begun, used up, or too much at once. */
void *young_take(size_t n, bool zeroed);
/* True if P was given by young_take(). */
bool young_has(const void *p);
/* The octets that P has room for. */
size_t young_size(void *p);
void young_give(void *p);

#endif
