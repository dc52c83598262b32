/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CHECK_REGISTRABLE_H
#define CHECK_REGISTRABLE_H

/* registrable -- the domain of a name that somebody registered: the only user of libpsl. */

#include "lib/str.h"

/*
 * Of NAME, which is in ASCII and lower case, the end that is one label below a public
 * suffix: "example.co.uk" of "www.example.co.uk".  A view of NAME; empty: it is itself
 * a public suffix, or too long for a name.
 */
struct str registrable_domain(struct str name);

#endif
