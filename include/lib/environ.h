/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_ENVIRON_H
#define LIB_ENVIRON_H

/*
 * environ -- the environment of a process whose children are not to have it.
 *
 * A configuration may take passwords from the environment (${NAME}), and the
 * environment of a process is in the memory of all that it forks, and of all
 * that it starts.  So it is put aside: what is on a short list, by which
 * programs run at all, stays where it is; the rest is moved to memory that no
 * child gets, and can be asked for by its name.
 */

#include "lib/str.h"

/* Puts it aside; once, before anybody else looks at it, and with one thread. */
void environ_hide(void);
/* From now on no forked child has what was put aside. */
void environ_withhold(void);
/* What NAME is, put aside or not; NULL: nothing, or this program is setuid or setgid. */
const char *environ_get(const char *name);

#endif
