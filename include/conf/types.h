/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_TYPES_H
#define CONF_TYPES_H

/* types -- what the values of options are made of; see conf/conf.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* An address or CIDR: network byte order, IPv4 in the first four octets. */
struct conf_net {
	int family;		/* AF_INET, AF_INET6 */
	unsigned bits;
	unsigned char addr[16];
};

struct conf_nets {
	struct conf_net *v;
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
