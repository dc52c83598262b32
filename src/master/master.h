/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

/*
 * master -- the private interface of the room: what the files of the master
 * share.  One struct master holds the state of the process; a reload swaps
 * what hangs on the configuration and leaves the rest.
 */

#include "check.h"
#include "conf/conf.h"
#include "ipc/marks.h"
#include "ipc/share.h"
#include "lib/proc.h"
#include "master/session.h"
#include "sandbox.h"
#include "signer.h"
#include "users.h"

/*
 * Descriptors of the master alone stand at this number or above, so that a
 * forked child is rid of all of them with one close_range(); the same for an
 * acceptor and its sessions, where the number is a low one: a short table of
 * descriptors is forked faster.
 */
int master_fd_base(void);
void master_fd_base_is(int base);
/* Moves FD there; the old number is closed, also on failure.  -1: errno. */
int fd_raise(int fd);

/* A socket that waits for clients of one listener. */
struct listener {
	int fd;			/* >= master_fd_base() */
	struct addr addr;
	const struct conf_listen *conf;	/* of the configuration in force */
	size_t section;		/* in an acceptor, until CONF is known: which it is */
	struct tls_ctx *tls;	/* in an acceptor: borrowed from master.tls */
	bool inherited;		/* by LISTEN_FDS: never closed by a reload */
	bool kept;		/* a reload's mark */
};

/* Whether clients of L are let in by the acceptor for POP3 (POP) or that for SMTP. */
static inline bool
listener_is_of(const struct conf_listen *l, bool pop)
{
	return l->service != SERVICE_ADMIN && (l->service == SERVICE_POP3) == pop;
}

/* One TLS context for each listener section. */
struct service_tls {
	const struct conf_listen *conf;
	struct tls_ctx *ctx;
};

enum helper_kind { HELPER_AUTH, HELPER_RUNNER, HELPER_HTTP, HELPER_SIGN, HELPER_SPAWN,
	HELPER_VERIFY, HELPER_CHECK, HELPER_COLLECT, HELPER_ADMIN };
enum helper_place { PLACE_AUTH, PLACE_HTTP, PLACE_SIGN, PLACE_SPAWN, PLACE_VERIFY,
	PLACE_CHECK, PLACE_COLLECT, PLACE_ADMIN, FIRST_RUNNER };

#define RUNNERS_MAX 64
/* Of the scoreboard, beside one for each connection: for those that just ended. */
#define SLOTS_SPARE 64
/* Requests at the control socket that are served at once. */
#define CONTROLS_MAX 32

/* A program that the master keeps running. */
struct helper {
	enum helper_kind kind;
	unsigned index;
	pid_t pid;		/* 0: not running */
	int server_end;		/* of its channel: >= master_fd_base(), inherited by it */
	int client_end;		/* of its channel: sessions send here */
	int order_server;	/* of a runner's second channel, for orders ... */
	int order_client;	/* ... which no session has: both >= master_fd_base() */
	int64_t started_ms;
	int64_t restart_ms;	/* when to start it again; 0: now */
	int64_t backoff_ms;
	bool stopping;		/* told to end, for a reload or the end */
};

/* Who lets clients in: one for SMTP, one for POP3, which are confined in different ways. */
#define ACCEPTORS 2
#define ACCEPTOR_NAME "barid-acceptor"
struct acceptor {
	pid_t pid;		/* 0: there is none */
	int order;		/* our end of its channel, >= master_fd_base(); -1 */
};

/* The state of the master; an acceptor has those parts of it that it needs. */
struct master {
	char *conf_path;
	struct conf *conf;	/* in force, without the passwords of upstreams */
	int kept;		/* what it has been read from (conf_load_kept()), raised */
	struct proc_user user;
	struct sandbox sandbox;

	struct listener *listeners;
	size_t listener_n;
	struct acceptor acceptors[ACCEPTORS];
	struct service_tls *tls;	/* in an acceptor */
	size_t tls_n;
	struct signer *signer;	/* who signs for all of them */
	uint64_t certificates_seen;	/* a stamp of all files, to see a change */
	uint64_t certificates_kept;	/* of those whose keys barid-sign has */
	uint64_t tables_stamp;		/* the same of tables of addresses */

	struct helper helpers[FIRST_RUNNER + RUNNERS_MAX];	/* by enum helper_place */
	size_t helper_n;

	struct queue *queue;
	struct lender *lender;	/* of its trays, in an acceptor; NULL: there are none */
	int mailboxes;
	int control;		/* the control socket, >= master_fd_base(), or -1 */
	pid_t controls[CONTROLS_MAX];	/* its children; 0: a free place */
	struct score *score;
	struct quotas *quotas;	/* NULL: nobody has one */
	struct share *share;	/* of the runners; its descriptor >= master_fd_base() */
	const struct marks *marks;	/* addresses whose sessions crashed */
	struct marks *own_marks;	/* the same, to be written, in the master alone */
	int marks_fd;
	int ask;		/* an eventfd: somebody wants log_before_fork() to be called */
	struct userset *users;
	uint64_t users_state;	/* of the files they are in, as those in force were read */
	uint64_t users_failed;	/* the same when they could not be read; 0: they could */
	int64_t users_look_ms;	/* when to look again */

	bool once;		/* -q: no listeners, and it ends with the runner */
	int code;		/* its exit status */
	bool stopping;
	int64_t stop_deadline_ms;
	bool crowded;		/* of an acceptor: few places for clients are left */
	int64_t accept_from_ms;	/* accepting pauses until then: no descriptors, no process */
	int64_t rotate_ms;	/* of an acceptor: when session tickets get a new key */
	int64_t started_ms;
	int64_t acceptors_ms;	/* when they are started again, if that is wanted */
	int64_t acceptors_died_ms;	/* when one last ended by itself */
	bool acceptors_wanted;	/* one has ended, or they could not be replaced */
	bool crashed;		/* a session did: they are to have another memory layout */
	bool spool_busy;	/* another barid has it */
};

/* signals.c */
extern volatile int master_got_hup, master_got_term, master_got_chld, master_got_usr1;
void master_catch_signals(void);

/* places.c: the directories. */
int places_open(struct check *k, struct master *m);
void places_look(struct check *k, const struct proc_user *u);
/* Makes the Maildirs of routes.  -1 after a complaint. */
int places_maildirs(struct check *k, const struct proc_user *u);
/* Complains of what only a restart changes. */
void places_keep(struct check *k, const struct master *m);

/* plan.c: which sockets the listen sections mean. */
struct wanted {
	const struct conf_listen *conf;
	size_t at;		/* which of its addresses it comes from */
	struct addr addr;
	int fd;			/* handed over: as it came; else -1 */
	struct listener *old;	/* in force already, to be taken over; or NULL */
};
struct plan {
	struct wanted *v;
	size_t n, size;
};
void plan_make(struct check *k, struct master *m, struct plan *plan);
void plan_free(struct plan *plan);
void plan_probe(struct check *k, const struct plan *plan);
void plan_blame_open(struct check *k, const struct wanted *w, int err);

/* master_conf.c: what is made from a configuration, and its swap. */
/*
 * Puts C, read from KEPT, in force: EX_OK.  Else the code of sysexits(3) that
 * a start ends with: nothing has changed, ERROR has the complaints, and C is
 * gone.  So is KEPT either way.
 */
int master_apply(struct master *m, struct conf *c, int kept, bool first, struct buf *error);
void check_tls(struct check *k);	/* whether it can be loaded, with keys: for check_apart() */
void master_reload(struct master *m);
void master_check_certificates(struct master *m);
bool master_certificates_fit(const struct master *m);	/* files are as when keys were kept */
void master_check_tables(struct master *m);
void master_release(struct master *m);	/* all of it, at the end */

/*
 * A context for each listener of CONF that has TLS and speaks the protocol; V has
 * an entry for each listener.  Without a SIGNER the keys are read, too.  -1 after
 * a complaint.
 */
enum tls_which { TLS_OF_SMTP, TLS_OF_POP3, TLS_OF_ALL };
int service_tls_make(struct check *k, enum tls_which which, const struct signer *signer,
    struct service_tls **v);
void service_tls_free(struct service_tls *v, size_t n);

/* listeners.c */
/*
 * Opens PLAN into V; what M has already is taken over, and marked kept there.
 * -1 after a complaint: everything is as it was.
 */
int listeners_open(struct check *k, struct master *m, const struct plan *plan,
    struct listener **v, size_t *n);
void listeners_close(struct listener *v, size_t n);	/* those that were not taken over */
bool fd_is_listening(int fd);

/* accept.c: takes what waits on L, a session for each. */
void accept_init(void);
/* Has SIGTERM noted in master_got_term: here, and in sessions, whose waits it ends. */
void accept_catch_term(void);
void master_accept(struct master *m, struct listener *l);

/* reap.c */
void master_reap(struct master *m);

/* control.c */
int control_open(struct master *m);
/* True if PID was a child of the control socket. */
bool control_reaped(struct master *m, pid_t pid);
void control_accept(struct master *m);

/* helpers.c */
const char *helper_name(const struct helper *h);
void helpers_init(struct master *m);
int helpers_channels(struct master *m, struct buf *error);
void helpers_tick(struct master *m);	/* starts what should run */
bool helpers_reaped(struct master *m, pid_t pid, int status);
void helpers_restart(struct master *m);	/* after a reload */
/* The same for that of KIND alone. */
void helpers_restart_one(struct master *m, enum helper_kind kind);
/* Another one of KIND is started; that which runs is left to its end. */
void helpers_leave(struct master *m, enum helper_kind kind);
void helpers_signal(const struct master *m, int signo);
bool helpers_alive(const struct master *m);
int64_t helpers_next_ms(const struct master *m);

/* notify.c: systemd's protocols, by hand (sd_notify(3), sd_listen_fds(3)). */
void notify_send(const char *fmt, ...) PRINTF(1, 2);
/* The next descriptor from *AT on that came under NAME, or -1; it stays where it is. */
int notify_find_fd(const char *name, size_t *at);
bool notify_any_fd(void);	/* whether any came */
void notify_add_names(struct buf *b);
/* FD is known by NAME from now on; and is known no more, because it was closed. */
void notify_keep_fd(const char *name, int fd);
void notify_forget_fd(int fd);
void notify_init(void);
/* Milliseconds until UNTIL, or until the watchdog is to hear of us, which it does by this. */
int64_t notify_wait_ms(int64_t until);

#endif
