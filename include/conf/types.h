/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_TYPES_H
#define CONF_TYPES_H

/* types -- what the values of options are made of; see conf/conf.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/ip_range.h"

/* Where a value was written: for messages and `baridctl config`. */
struct conf_place {
	const char *file;	/* "" : the default */
	int line;
};

struct conf_strs {
	const char **v;
	size_t n;
};

struct conf_times {
	int64_t *v;
	size_t n;
};

struct conf_nets {
	struct ip_range *v;
	size_t n;
};

struct conf_port_range {
	uint16_t first, last;
};

struct conf_ports {
	struct conf_port_range *v;
	size_t n;
};

#endif
