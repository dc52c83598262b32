/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_TLS_H
#define CONF_TLS_H

/* tls -- certificates and what is demanded of TLS. */

#include "conf/types.h"

struct conf_tls_name {
	const char *name;
	struct conf_place place;
	struct conf_strs certificate;	/* one for each kind of key, */
	struct conf_strs key;		/* in the same order */
};

struct conf_tls {
	struct conf_strs certificate;
	struct conf_strs key;
	const char *min_version;	/* "1.2", "1.3" */
	const char *ciphers;
	const char *ca;		/* for verifying peers; "": the system's store */
	const char *client_ca;	/* and clients; "": none is verified */
	struct conf_tls_name *names;
	size_t name_n;
};

#endif
