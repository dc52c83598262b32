/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pam -- a PAM service as a backend: the only user of libpam.
 *
 * Runs in a worker of its own, since modules sleep, hang and crash.  The
 * account is checked too: an expired one may not log in.
 */

#include "auth.h"

#include <security/pam_appl.h>
#include <stdlib.h>

#include "lib/log.h"
#include "lib/mem.h"

/* PAM takes answers from the C heap and frees them itself. */
static char *
answer(const char *s)
{
	return strdup(s);
}

static int
converse(int n, const struct pam_message **m, struct pam_response **out, void *arg)
{
	const struct auth_question *q = arg;

	if (n <= 0 || n > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	*out = mem_array((size_t)n, sizeof(**out));
	for (int i = 0; i < n; i++) {
		if (m[i]->msg_style == PAM_PROMPT_ECHO_OFF)
			(*out)[i].resp = answer(q->password);
		else if (m[i]->msg_style == PAM_PROMPT_ECHO_ON)
			(*out)[i].resp = answer(q->user);
	}
	return PAM_SUCCESS;
}

static enum auth_verdict
verdict_of(int code, pam_handle_t *h, const char *service,
    const struct auth_question *q)
{
	switch (code) {
	case PAM_SUCCESS:
		return AUTH_YES;
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_PERM_DENIED:
	case PAM_CRED_INSUFFICIENT:
	case PAM_ACCT_EXPIRED:
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_AUTHTOK_EXPIRED:
	case PAM_CRED_EXPIRED:
		return AUTH_NO;
	default:
		log_error(NULL, "PAM service %s: %s", service, pam_strerror(h, code));
		return auth_cannot(q, "%s", pam_strerror(h, code));
	}
}

enum auth_verdict
auth_pam(const struct auth_backend *b, const struct auth_question *q)
{
	/* The conversation does not write to what it is given. */
	union {
		const struct auth_question *in;
		void *out;
	} arg = { .in = q };
	const struct pam_conv conv = { .conv = converse, .appdata_ptr = arg.out };
	pam_handle_t *h = NULL;
	int code = b->c.confdir
	    ? pam_start_confdir(b->c.service, q->user, &conv, b->c.confdir, &h)
	    : pam_start(b->c.service, q->user, &conv, &h);

	if (code != PAM_SUCCESS)
		return verdict_of(code == PAM_AUTH_ERR ? PAM_SYSTEM_ERR : code, h, b->c.service, q);
	(void)pam_set_item(h, PAM_RHOST, q->client);
	code = pam_authenticate(h, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	if (code == PAM_SUCCESS)
		code = pam_acct_mgmt(h, PAM_SILENT);
	enum auth_verdict v = verdict_of(code, h, b->c.service, q);
	(void)pam_end(h, code);
	return v;
}
