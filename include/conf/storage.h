/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_STORAGE_H
#define CONF_STORAGE_H

/* storage -- where texts of messages stand that are handed in by a key. */

#include <stdint.h>

struct conf_storage {
	const char *address;	/* "dir:/path"; "": nowhere */
	uint64_t ttl;		/* ms that one stays there; 0: as long as it likes */
	/* meaning */
	const char *path;	/* of the directory; "": none */
};

#endif
