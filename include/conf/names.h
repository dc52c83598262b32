/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_NAMES_H
#define CONF_NAMES_H

/* names -- the part of the configuration about the names of others. */

#include "conf/types.h"

/* Of a name: instead of what DNS has. */
struct conf_override {
	const char *name;
	struct conf_place place;
	struct conf_strs addresses;	/* "address", "address:port", "[v6]:port" */
};

struct conf_dns {
	struct conf_strs servers;	/* "address", "address:port", "[v6]:port" */
	int64_t timeout;
	uint64_t attempts;
	bool rotate;
	int64_t min_ttl;	/* an answer is kept for that long at least */
	uint64_t capacity;	/* destinations looked up at once, by a runner */
	uint64_t buffer;	/* octets of the socket's; 0: the system's */
};

#endif
