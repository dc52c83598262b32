/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * worker -- a process for each request, which reads what a network sends.
 *
 * It has what the request needs and no more: who fetches a policy from
 * anybody's server has forgotten all passwords and tokens.  It sends back a
 * packet, which is foreign like any other, and ends.
 */

#include "http.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "keep.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"

#define WORKER_SECONDS 75
#define WORKER_FILES 64
#define WORKER_FILE_SIZE ((uint64_t)1 << 20)

struct work *
worker_of(struct http *h, const char *key)
{
	for (size_t i = 0; i < WORKERS_MAX; i++)
		if (h->works[i].pid != 0 && strcmp(h->works[i].key, key) == 0)
			return &h->works[i];
	return NULL;
}

const struct conf_server *
token_server(const struct conf *c, const struct msg_token *m)
{
	for (size_t i = 0; i < c->upstream_n; i++)
		if (str_eq(m->upstream, str_c(c->upstreams[i].name)) &&
		    m->server < c->upstreams[i].server_n)
			return &c->upstreams[i].servers[m->server];
	return NULL;
}

/* In the child: does it, and says what came of it on FD. */
static void
work(struct http *h, struct str packet, int fd)
{
	struct msg_sts_result sts = { .id = STR(""), .text = STR("") };
	struct msg_token_result token = { .text = STR("") };
	struct msg_sts sts_m;
	struct msg_token token_m;
	struct arena a;
	struct buf b;

	arena_init(&a, ARENA_MAX);
	buf_init(&b, FRAME_MAX);
	if (msg_sts_get(packet, &sts_m)) {
		/* It reads what anybody's server sends. */
		conf_forget_secrets(h->conf);
		keep_free(h->keep);
		work_sts(h->conf, &sts_m, &sts, &a);
		msg_sts_result_put(&b, &sts);
	} else if (msg_token_get(packet, &token_m)) {
		work_token(h->conf, token_server(h->conf, &token_m), &token, &a);
		msg_token_result_put(&b, &token);
	}
	if (!buf_ok(&b) || channel_send(fd, buf_str(&b), -1) < 0)
		log_warn(NULL, "a worker cannot answer: %s", strerror(errno));
}

static void
child(struct http *h, struct str packet, int fd)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	proc_default(SIGTERM);
	proc_default(SIGCHLD);
	proc_default(SIGALRM);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(CHANNEL_FD);
	/* The others' answers are not for it. */
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct work *w = &h->works[i];

		for (size_t k = 0; w->pid != 0 && k < w->waiter_n; k++)
			close(w->waiters[k]);
		if (w->pid != 0)
			close(w->fd);
	}
	proc_limit(WORKER_FILES, 0, WORKER_FILE_SIZE);
	alarm(WORKER_SECONDS);
	work(h, packet, fd);
	proc_child_exit(0);
}

/* Starts a worker for PACKET, which WAITER waits for (-1: nobody).  NULL: errno. */
struct work *
worker_start(struct http *h, const char *key, const char *id, struct str packet,
    int waiter)
{
	struct work *w = h->works;
	int pair[2];

	while (w->pid != 0)
		w++;
	if (channel_pair(pair) < 0)
		return NULL;
	w->pid = fork();
	if (w->pid == 0) {
		close(pair[0]);
		if (waiter >= 0)
			close(waiter);
		child(h, packet, pair[1]);
	}
	close(pair[1]);
	if (w->pid < 0) {
		w->pid = 0;
		close(pair[0]);
		return NULL;
	}
	w->fd = pair[0];
	w->key = mem_dup(str_c(key));
	w->id = id ? mem_dup(str_c(id)) : NULL;
	w->waiters[0] = waiter;
	w->waiter_n = waiter >= 0 ? 1 : 0;
	h->work_n++;
	return w;
}
