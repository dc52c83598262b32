/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SERVE_SIGN_H
#define SERVE_SIGN_H

/*
 * sign -- the way to barid-sign, which has the private keys, for those who have
 * certificates only.
 */

#include "net/tls.h"

struct sign_way {
	int channel;		/* to barid-sign, borrowed */
	/* False while contexts are tried out: nobody is there to be asked yet. */
	bool in_force;
	struct tls_signer tls;	/* for serve_tls() */
};

/* W must stay where it is as long as contexts are that were made with it. */
void sign_way_init(struct sign_way *w, int channel);

#endif
