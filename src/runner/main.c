/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * main -- barid-runner: the queue.
 *
 * Started by the master with its channel, the one for orders, scoreboard, user
 * set, what the runners share and the way to its siblings as descriptors from
 * 3 on; by hand it makes its own, and scans find the mail.  Everything that
 * needs a path is opened before the privileges go.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "ask.h"
#include "group.h"
#include "ipc/policies.h"
#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "homes.h"
#include "identity.h"
#include "lists.h"
#include "mailbox/maildir.h"
#include "policy/override.h"
#include "policy/self.h"
#include "reading.h"
#include "runner.h"
#include "signing.h"
#include "texts.h"
#include "token.h"
#include "vacation.h"

enum { FD_CHANNEL = 3, FD_ORDERS, FD_SCORE, FD_USERS, FD_SHARE, FD_HTTP,
	FD_SPAWN, FD_CHECK, FD_RUNNERS };

/* Messages that are loaded at once, beside those that connections have. */
#define JOBS_MAX 1000
#define JOBS_MIN 16
/* Descriptors for everything but messages and connections. */
#define FILES_OTHER 224
#define DISK_THREADS 4
/*
 * Writers that sync at once share commits of the file system; beyond ten or
 * so they only wait for each other.
 */
#define LOCAL_THREADS 8
#define LOCAL_THREADS_MIN 2

static const char usage[] =
    "usage: barid-runner -c FILE [-i NUMBER] [-n COUNT] [-q]\n";

static size_t
number_arg(const char *s, uint64_t max)
{
	uint64_t v;

	if (str_u64(str_c(s), max, &v) < 0) {
		(void)fputs(usage, stderr);
		exit(EX_USAGE);
	}
	return (size_t)v;
}

static const char *
arguments(struct runner *r, int argc, char **argv)
{
	const char *path = conf_default_path();
	int o;

	r->count = 1;
	while ((o = getopt(argc, argv, "c:i:n:q")) != -1) {
		switch (o) {
		case 'c':
			path = optarg;
			break;
		case 'i':
			r->number = number_arg(optarg, RUNNERS_MAX - 1);
			break;
		case 'n':
			r->count = number_arg(optarg, RUNNERS_MAX);
			break;
		case 'q':
			r->once = true;
			break;
		default:
			(void)fputs(usage, stderr);
			exit(EX_USAGE);
		}
	}
	if (optind != argc || r->number >= r->count) {
		(void)fputs(usage, stderr);
		exit(EX_USAGE);
	}
	return path;
}

static bool
is_channel(int fd)
{
	int type = 0;
	socklen_t n = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n) == 0 &&
	    type == SOCK_SEQPACKET;
}

/* What the master handed down, or what stands for it. */
static void
inherit(struct runner *r)
{
	for (size_t i = 0; i < RUNNERS_MAX; i++)
		r->send[i] = -1;
	r->channel = r->orders = r->http = r->spawn = r->check = -1;
	if (is_channel(FD_CHANNEL) && is_channel(FD_ORDERS)) {
		r->channel = FD_CHANNEL;
		r->orders = FD_ORDERS;
		if (is_channel(FD_HTTP))
			r->http = FD_HTTP;
		if (is_channel(FD_SPAWN))
			r->spawn = FD_SPAWN;
		if (is_channel(FD_CHECK))
			r->check = FD_CHECK;
		r->score = score_attach(FD_SCORE);
		r->users = userset_attach(FD_USERS);
		for (size_t i = 0; i < r->count; i++)
			if (is_channel(FD_RUNNERS + (int)i))
				r->send[i] = FD_RUNNERS + (int)i;
		r->share = share_attach(FD_SHARE);
		if (r->score == NULL || r->users == NULL || r->share == NULL)
			fatal(EX_OSERR, "cannot use what was inherited: %s",
			    strerror(errno));
		score_own(r->score, r->number);
		(void)fcntl(r->channel, F_SETFL, O_NONBLOCK);
		(void)fcntl(r->orders, F_SETFL, O_NONBLOCK);
		return;
	}
	r->score = score_new(1);
	r->users = userset_new();
	r->share = share_new();
	if (r->score == NULL || r->users == NULL || r->share == NULL)
		fatal(EX_OSERR, "cannot map memory: %s", strerror(errno));
	log_warn(NULL, "not started by barid: any local name is a mailbox");
	userset_set_any(r->users, true);
}

static void
load(struct runner *r, const char *path)
{
	struct buf error;

	buf_init(&error, 65536);
	r->conf = conf_inherit(path, true, &error);
	if (r->conf == NULL)
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	conf_forget_refresh(r->conf);
	conf_forget_collects(r->conf);
	conf_forget_proxy(r->conf);
	conf_forget_backends(r->conf);
	buf_free(&error);
}

/* Opens what has a path. */
static void
open_all(struct runner *r, const struct proc_user *u)
{
	const struct conf *c = r->conf;
	struct buf error;

	buf_init(&error, 4096);
	r->queue = queue_open(c->spool, 0, u->uid, u->gid, &error);
	if (r->queue == NULL)
		fatal(EX_CANTCREAT, "%s", buf_cstr(&error));
	r->mailboxes = open(c->mailboxes,
	    O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->mailboxes < 0)
		log_error(NULL, "%s: %s: local mail waits", c->mailboxes,
		    strerror(errno));
	else
		r->mailboxes_journal = maildir_journal(r->mailboxes);
	r->tls = tls_client_ctx(c->tls.ca, c->tls.min_version, &error);
	if (r->tls == NULL)
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	identity_load(r);
	signing_load(r);
	vacation_open(r, u->uid);
	r->policies = policies_dir(c->spool, true, u->uid);
	if (r->policies < 0)
		log_error(NULL, "%s/%s: %s: no policy is kept", c->spool,
		    POLICIES_DIR, strerror(errno));
	if (conf_srs_load(r->conf, false, u->uid, &error) < 0)
		log_error(NULL, "%s: mail is forwarded without srs", buf_cstr(&error));
	drop_open(r);
	record_open(r, u->uid);
	reading_open(r);
	buf_free(&error);
}

/* Two with one number would take the same messages, and import drop/ twice. */
static void
lock(struct runner *r)
{
	if (queue_lock_runner(r->queue, r->number, false) == 0)
		return;
	if (errno == EWOULDBLOCK || errno == EAGAIN) {
		log_warn(NULL, "runner %zu of a master that is gone is still "
		    "at work: waiting for its end", r->number);
		if (queue_lock_runner(r->queue, r->number, true) == 0)
			return;
	}
	fatal(EX_OSERR, "cannot lock the spool: %s", strerror(errno));
}

/* What there is room for in this process. */
static void
limits(struct runner *r)
{
	const struct conf *c = r->conf;
	size_t files = proc_files_max(), jobs, most;

	/* All of it, if the others leave it: see ipc/share.h. */
	r->conn_max = (size_t)c->limits.connections_out;
	if (r->conn_max > files / 2)
		r->conn_max = files / 2;
	if (r->conn_max == 0)
		r->conn_max = 1;
	jobs = files > r->conn_max + FILES_OTHER ?
	    files - r->conn_max - FILES_OTHER : 0;
	/* A connection has a message of its own, and others are loaded. */
	most = r->conn_max + JOBS_MAX;
	r->job_max = jobs > most ? most :
	    jobs < JOBS_MIN	 ? JOBS_MIN :
				   jobs;
}

static void
on_hup(void *arg)
{
	(void)arg;
	log_reopen();
}

/* Whoever forgets this in a live configuration shall not overlook it. */
static void
sink_open(struct runner *r)
{
	const char *sink = r->conf->sink;

	if (sink[0] == '\0')
		return;
	if (addr_parse_port(str_c(sink), (uint16_t)r->conf->smtp_port,
		&r->sink) < 0)
		fatal(EX_CONFIG, "sink: %s is no address", sink);
	log_warn(NULL, "sink: ALL MAIL FOR OTHER HOSTS GOES TO %s, and "
	    "none of it arrives", sink);
}

static void
start(struct runner *r)
{
	const struct conf *c = r->conf;
	unsigned threads;

	r->loop = loop_new();
	r->dns = resolver_new(c, r->loop);
	hosts_tls_check(r);
	sink_open(r);
	r->disk = loop_pool_new(r->loop, DISK_THREADS);
	threads = LOCAL_THREADS / (unsigned)r->count;
	r->local_pool = loop_pool_new(r->loop,
	    threads > LOCAL_THREADS_MIN ? threads : LOCAL_THREADS_MIN);
	r->index = index_new();
	r->bad = map_new();
	r->bytes = mem_alloc(BYTES_MAX);
	r->self = self_new(c);
	groups_init(r);
	dests_init(r);
	loop_signal(r->loop, SIGTERM, runner_stop, r);
	loop_signal(r->loop, SIGINT, runner_stop, r);
	loop_signal(r->loop, SIGHUP, on_hup, r);
	loop_signal(r->loop, SIGUSR1, on_hup, r);
	proc_ignore(SIGPIPE);
	proc_hold_signals(false);
	runner_begin(r);
	lists_open(r);
	homes_open(r);
	standing_load(r);
	control_start(r);
	drop_start(r);
	texts_start(r);
	scan_start(r);
}

/* What is in doubt stays in the spool as it is. */
static void
stop(struct runner *r)
{
	/* They mean nothing any more, and soon nobody listens. */
	proc_hold_signals(true);
	conn_stop_all(r, true);
	conn_reap(r);
	/* Their last works may hand more to the disk's pool. */
	loop_pool_free(r->local_pool);
	/* Whatever ends from here on waits for nothing. */
	r->closing = true;
	record_settle(r);
	loop_pool_free(r->disk);
	/* DNS is told that it is over, and tells them that they have failed. */
	dests_forget(r);
	while (r->jobs != NULL)
		job_free(r->jobs);
	runner_hand_over(r);
	record_stop(r);
	control_stop(r);
	standing_free(r);
	scan_stop(r);
	drop_stop(r);
	texts_stop(r);
	dns_free(r->dns);
	ask_stop(r);
	reading_close(r);
	token_free_all(r);
	homes_close(r);
	lists_close(r);
	dests_free(r);
	groups_free(r);
	bad_clear(r);
	map_free(r->bad);
	self_free(r->self);
	score_add(r->score, COUNT_RUNNER_QUEUED,
	    -(int64_t)index_count(r->index));
	r->left = index_count(r->index);
	index_free(r->index);
	loop_timer_free(r->wake);
	loop_timer_free(r->tick);
	loop_free(r->loop);
	mem_free(r->bytes);
	tls_ctx_free(r->tls);
	identities_free(r);
	signing_free(r);
	if (r->answered >= 0)
		close(r->answered);
	if (r->policies >= 0)
		close(r->policies);
	queue_close(r->queue);
	if (r->mailboxes >= 0)
		close(r->mailboxes);
	share_forget(r->share, (unsigned)r->number);
	score_free(r->score);
	share_free(r->share);
	userset_free(r->users);
}

int
main(int argc, char **argv)
{
	struct runner *r = mem_alloc(sizeof(*r));
	const char *path = arguments(r, argc, argv);
	struct proc_user user;
	int code;

	r->parent = getppid();
	proc_fix_stdio();
	log_component("runner");
	load(r, path);
	(void)conf_open_log(r->conf);
	log_component("runner");
	inherit(r);
	user = proc_user(r->conf->user);
	if (proc_is_root() && !user.found)
		fatal(EX_NOUSER, "there is no user %s", r->conf->user);
	open_all(r, &user);
	lock(r);
	limits(r);
	proc_confine(&user, NULL);
	confine_now(CONFINE_HELPER, (enum confine_mode)r->conf->sandbox);
	/* Changing the user forgets this, so it comes last. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	start(r);
	loop_run(r->loop);
	stop(r);
	/* Who is stopped before has not seen all that there is. */
	code = r->once && (!r->once_done || r->left > 0) ? EX_TEMPFAIL : EX_OK;
	conf_free(r->conf);
	mem_free(r);
	log_reset();
	return code;
}
