/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * main -- the program barid-http: what the runners need of HTTPS servers.
 *
 * Requests come as packets on descriptor 3, each with the way to answer.
 * This process reads nothing that a network sends: a worker is forked for
 * each request, and what it found comes back as a packet that is parsed like
 * any other.  Who asks for what is being fetched already waits for the same
 * worker.  Policies are kept on the disk (ipc/policies.h) and fetched anew while
 * they are in use (refresh.c), tokens are kept here, and a
 * domain whose policy could not be fetched is left alone for a while (RFC
 * 8461 3.3).  A request is answered in any case, if only by the end of this
 * process.
 */

#include "http.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "ipc/policies.h"
#include "keep.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "refresh.h"

/* Of the workers, those that nobody waits for. */
#define REFRESHES_MAX 4

static struct helper_signals came;

/* What is due to be fetched anew, a few at a time. */
static void
refresh(struct http *h)
{
	const char *domain;

	while (h->refresh_n < REFRESHES_MAX && h->work_n < WORKERS_MAX &&
	    (domain = refresh_next(h->refresh)) != NULL) {
		struct msg_sts m = { str_c(domain), STR("") };
		struct work *w;
		struct buf b;

		if (worker_of(h, domain) || keep_has_failed(h->keep, domain))
			continue;
		buf_init(&b, FRAME_MAX);
		msg_sts_put(&b, &m);
		w = worker_start(h, domain, "", buf_str(&b), -1);
		buf_free(&b);
		/* The next look finds it again. */
		if (!w)
			return;
		w->refreshes = true;
		h->refresh_n++;
	}
}

/* ---- the loop -------------------------------------------------------------------- */

/* Waits for something to happen.  False: the channel has ended. */
static bool
turn(struct http *h, const sigset_t *mask, struct buf *packet)
{
	struct pollfd p[1 + WORKERS_MAX];
	struct work *who[1 + WORKERS_MAX];
	nfds_t n = 1;
	int reply, got;
	int64_t ms = h->refresh_n < REFRESHES_MAX && h->work_n < WORKERS_MAX ?
	    refresh_wait(h->refresh) : -1;
	struct timespec wait = { ms / 1000, ms % 1000 * 1000000 };

	/* With all workers busy, only for the end of one. */
	p[0] = (struct pollfd){ .fd = h->work_n < WORKERS_MAX ? CHANNEL_FD : -1,
		.events = POLLIN };
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (h->works[i].pid != 0) {
			who[n] = &h->works[i];
			p[n++] = (struct pollfd){ .fd = h->works[i].fd,
				.events = POLLIN };
		}
	if (ppoll(p, n, ms < 0 ? NULL : &wait, mask) <= 0)
		return true;
	for (nfds_t i = 1; i < n; i++)
		if (p[i].revents != 0)
			serve_result(h, who[i]);
	if (p[0].revents == 0)
		return true;
	got = channel_recv(CHANNEL_FD, packet, &reply);
	if (got > 0 && reply >= 0)
		serve_request(h, buf_str(packet), reply);
	buf_wipe(packet);
	return got >= 0;
}

static void
loop(struct http *h)
{
	struct buf packet;
	sigset_t none;

	sigemptyset(&none);
	buf_init(&packet, FRAME_MAX);
	refresh(h);
	while (!came.term && turn(h, &none, &packet)) {
		helper_heed(&came);
		refresh(h);
	}
	buf_free(&packet);
	/* Their requests fail, and are made again. */
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (h->works[i].pid > 0)
			(void)kill(h->works[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* ---- the start ------------------------------------------------------------------- */

static void
load(struct http *h, const char *path)
{
	struct buf error;

	buf_init(&error, 16384);
	if (!(h->conf = conf_inherit(path, false, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	conf_forget_backends(h->conf);
	conf_forget_collects(h->conf);
	buf_free(&error);
	(void)conf_open_log(h->conf);
	h->user = proc_user(h->conf->user);
	if (proc_is_root() && !h->user.found)
		fatal(EX_NOUSER, "there is no user %s", h->conf->user);
	h->policies = policies_dir(h->conf->spool, true, h->user.uid);
	if (h->policies < 0)
		log_error(NULL, "%s/%s: %s: no policy is kept", h->conf->spool,
		    POLICIES_DIR, strerror(errno));
}

int
main(int argc, char **argv)
{
	struct http *h = mem_alloc(sizeof(*h));
	const char *path = helper_begin(argc, argv, "http", 1);

	load(h, path);
	proc_confine(&h->user, NULL);
	/* Its workers have it, too. */
	confine_now(CONFINE_HELPER, (enum confine_mode)h->conf->sandbox);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	helper_signals(&came);
	h->keep = keep_new();
	h->refresh = refresh_new(h->policies);
	loop(h);
	refresh_free(h->refresh);
	keep_free(h->keep);
	if (h->policies >= 0)
		close(h->policies);
	conf_free(h->conf);
	mem_free(h);
	return EX_OK;
}
