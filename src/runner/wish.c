/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * wish -- what a sender wants of the way of a message: TLS throughout, or not
 * at any price (RFC 8689), and delivery by some time (RFC 2852).
 *
 * Of the time only so much can be promised: until it has come nothing else
 * happens, then the message is returned or its sender is told, and a server
 * that knows of such things is told what is left.  To one that does not nothing
 * is relayed that is to be returned; a relay of the rest is reported, since
 * nobody sees to the time from there on.
 */

#include "wish.h"

#include "dest.h"

/* Handing over to who has the mailboxes is no relay (RFC 8689 4.4). */
static bool
is_lmtp(const struct dest_way *w)
{
	return w->upstream != NULL && w->upstream->server_n > 0 &&
	    w->upstream->servers[0].protocol == PROTOCOL_LMTP;
}

/*
 * A report is not lost for want of TLS (RFC 8689 5).  What needs none ignores
 * what the recipient's domain says of it (4.2.2), but not our configuration.
 */
void
wish_way(const struct envelope *e, struct dest_way *w)
{
	w->requiretls = e->tls_wish == TLS_WISH_REQUIRED &&
	    !path_is_null(&e->from) && !is_lmtp(w);
	if (e->tls_wish == TLS_WISH_NONE && w->tls == TLS_DANE)
		w->tls = TLS_MAY;
}

/* What a failure before the message was begun becomes, or NULL. */
static const char *
settled_status(const struct job_rcpt *jr, const char *status)
{
	if (strcmp(status, "4.3.3") == 0)
		return "5.3.3";
	if (jr->to == NULL || jr->to->way == NULL || !jr->to->way->requiretls)
		return NULL;
	if (strcmp(status, "4.7.30") == 0)
		return "5.7.30";
	if (strcmp(status, "4.7.4") == 0 || strcmp(status, "4.7.5") == 0)
		return "5.7.10";
	return NULL;
}

/*
 * RFC 8689 4.2.1: where no host can be had over TLS as it is required, the
 * sender is told at once; so it is where none knows of a time that is to be
 * kept (RFC 2852 4.1.4).  What passes, a host that is silent, breaks off or
 * says 454, has another status, and is tried again as ever (RFC 5321 4.5.4.1).
 * RELAY is of the last host that was spoken to.
 */
struct result
wish_settle(const struct job_rcpt *jr, const struct result *res)
{
	struct result r = *res;
	const char *status;

	if (r.outcome != TEMPFAIL || r.remote || r.relay.n == 0)
		return r;
	status = settled_status(jr, r.status);
	if (status == NULL)
		return r;
	memcpy(r.status, status, strlen(status) + 1);
	r.outcome = PERMFAIL;
	return r;
}

void
wish_by(const struct envelope *e, int64_t now_us, char *by, size_t n)
{
	int64_t left = (e->by_us - now_us) / 1000000;
	struct buf b;

	by[0] = '\0';
	if (e->by_mode == BY_UNSAID)
		return;
	/* RFC 2852 4: none of a return is over. */
	if (e->by_mode == BY_RETURN && left < 1)
		left = 1;
	buf_init_in(&b, by, n);
	buf_addf(&b, "%lld;%c%s", (long long)left,
	    e->by_mode == BY_RETURN ? 'R' : 'N', e->by_trace ? "T" : "");
	if (!buf_ok(&b))
		by[0] = '\0';
}

bool
wish_by_ends(const struct envelope *e, unsigned extensions)
{
	return e->by_mode != BY_UNSAID &&
	    (e->by_trace || (extensions & EXT_DELIVERBY) == 0);
}

bool
wish_by_is_late(const struct envelope *e, int64_t now_us)
{
	return e->by_mode == BY_NOTIFY && now_us >= e->by_us;
}
