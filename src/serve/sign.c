/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * sign -- the way to barid-sign: a question within a handshake, which waits for
 * the answer.
 */

#include "serve/sign.h"

#include <errno.h>

#include "ipc/channel.h"
#include "ipc/msg.h"
#include "lib/clock.h"
#include "lib/log.h"

/* It is started again within a second or two; a client waits longer. */
#define SIGN_MS 5000
#define SIGNATURE_MAX 2048

static bool
ask(void *arg, struct str id, unsigned code, struct str content, struct buf *signature)
{
	const struct msg_sign m = { id, code, content };
	const struct sign_way *w = arg;
	struct msg_sign_result r;
	struct buf b, answer;
	bool ok;

	if (!w->in_force)
		return false;
	buf_init(&b, 1024);
	buf_init(&answer, SIGNATURE_MAX + 64);
	msg_sign_put(&b, &m);
	ok = channel_call(w->channel, buf_str(&b), clock_ms() + SIGN_MS, &answer) == 0;
	if (!ok)
		log_warn(NULL, "no signature for a TLS handshake from barid-sign: %s",
		    errno == EPIPE ? "it was refused" : strerror(errno));
	else if ((ok = msg_sign_result_get(buf_str(&answer), &r)))
		buf_add(signature, r.signature);
	buf_free(&b);
	buf_free(&answer);
	return ok && buf_ok(signature);
}

void
sign_way_init(struct sign_way *w, int channel)
{
	*w = (struct sign_way){ .channel = channel, .tls = { ask, w } };
}
