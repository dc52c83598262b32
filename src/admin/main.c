/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main -- the program barid-admin: pages for administrators, by HTTPS.
 *
 * The listeners are the master's, and come as descriptors.  This process lets
 * clients in and reads nothing that they send: a process is forked for each
 * connection (visit.c), which sees no file, and what that tells of who has
 * logged in or out comes as a packet of fixed size.  The packet is there before
 * the client has his answer, and is read before the next client is let in, so
 * that he is known by his cookie from then on.
 */

#include "admin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/confine.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/random.h"
#include "policy/recipient.h"
#include "serve/tls.h"

#define SCORE_FD (HELPER_FD + 1)
#define USERS_FD (HELPER_FD + 2)
#define AUTH_FD (HELPER_FD + 3)
#define SIGN_FD (HELPER_FD + 4)
#define EARS_FD (HELPER_FD + 5)

#define VISIT_SECONDS 150
#define VISIT_FILES 64
#define VISIT_MEMORY ((uint64_t)256 << 20)
#define DRAIN_MS 3000
#define PAUSE_MS 100
/* How long a key for session tickets lives. */
#define ROTATE_MS (24 * 3600 * INT64_C(1000))

static struct helper_signals came;

/* ---- visitors ---------------------------------------------------------------------------- */

static NORETURN void
child(const struct admin *a, const struct ear *e, int fd, const struct addr *peer)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	proc_default(SIGTERM);
	proc_default(SIGCHLD);
	proc_default(SIGUSR1);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(HELPER_FD);
	close(a->notes);
	for (size_t i = 0; i < a->ear_n; i++)
		close(a->ears[i].fd);
	/* A log that is a file is longer than anything that it writes. */
	proc_limit(VISIT_FILES, 0, log_is_file() ? 0 : 1);
	proc_alone(VISIT_MEMORY);
	confine_files(a->rules);
	alarm(VISIT_SECONDS);
	visit_serve(a, e, fd, peer);
	proc_child_exit(0);
}

/* Why PEER may not come in, or NULL.  Who is blocked is told so when he can hear it. */
static const char *
unwelcome(const struct admin *a, const struct ear *e, const struct addr *peer)
{
	uint64_t key = addr_key(peer), most = e->conf->connections_per_address;
	size_t n = 0;

	if (access_listed(&e->conf->blocked, peer) || !access_may_connect(&e->conf->connect, peer))
		return "you may not connect here";
	if (most > VISITS_PER_ADDRESS)
		most = VISITS_PER_ADDRESS;
	for (size_t i = 0; i < VISITS_MAX; i++)
		n += a->visitors[i].pid != 0 && a->visitors[i].address == key;
	return n >= most ? "too many connections from your address" : NULL;
}

static void
refuse(const struct admin *a, const struct addr *peer, const char *why)
{
	struct buf name;

	buf_init(&name, 128);
	addr_add(&name, peer);
	log_warn(NULL, "refused a connection from unknown[%s]: %s", buf_cstr(&name), why);
	buf_free(&name);
	score_add(a->score, COUNT_REFUSED, 1);
}

/* One client of E, if there is one. */
static void
let_in(struct admin *a, const struct ear *e)
{
	int fd = accept4(e->fd, NULL, NULL, SOCK_CLOEXEC);
	struct visitor *place = a->visitors;
	struct addr peer;
	const char *why;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			(void)poll(NULL, 0, PAUSE_MS);
		return;
	}
	peer = addr_peer(fd);
	/* What he knows of himself, his process is to know, too. */
	notes_take(a);
	if ((why = unwelcome(a, e, &peer)) != NULL) {
		refuse(a, &peer, why);
		close(fd);
		return;
	}
	while (place->pid != 0)
		place++;
	place->address = addr_key(&peer);
	place->pid = fork();
	if (place->pid == 0)
		child(a, e, fd, &peer);
	if (place->pid < 0) {
		log_warn(NULL, "cannot fork for a client: %s", strerror(errno));
		place->pid = 0;
	} else {
		a->visitor_n++;
	}
	close(fd);
}

static void
reap(struct admin *a)
{
	int status;
	pid_t pid;

	came.chld = 0;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (WIFSIGNALED(status) && WTERMSIG(status) != SIGALRM)
			log_error(NULL, "who served a client (pid %d) died of signal %d (%s)",
			    (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
		for (size_t i = 0; i < VISITS_MAX; i++)
			if (a->visitors[i].pid == pid) {
				a->visitors[i].pid = 0;
				a->visitor_n--;
			}
	}
}

/* ---- the loop ------------------------------------------------------------------------------ */

static void
turn(struct admin *a, struct pollfd *p, int64_t rotate_ms, const sigset_t *mask)
{
	int64_t left = rotate_ms - clock_ms();
	struct timespec wait = { left > 0 ? left / 1000 : 0, 0 };

	p[0] = (struct pollfd){ .fd = a->notes, .events = POLLIN };
	/* With all places taken, only for the end of one. */
	for (size_t i = 0; i < a->ear_n; i++)
		p[i + 1] = (struct pollfd){
			.fd = a->visitor_n < VISITS_MAX ? a->ears[i].fd : -1, .events = POLLIN };
	if (ppoll(p, a->ear_n + 1, &wait, mask) <= 0)
		return;
	notes_take(a);
	for (size_t i = 0; i < a->ear_n && a->visitor_n < VISITS_MAX; i++)
		if (p[i + 1].revents != 0)
			let_in(a, &a->ears[i]);
}

static void
rotate(const struct admin *a)
{
	for (size_t i = 0; i < a->ear_n; i++)
		if (a->ears[i].tls)
			tls_ctx_rotate(a->ears[i].tls);
}

/* Who is being served has a moment yet; another barid-admin waits for our end. */
static void
drain(struct admin *a, const sigset_t *mask)
{
	int64_t until = clock_ms() + DRAIN_MS, left;

	for (size_t i = 0; i < a->ear_n; i++)
		close(a->ears[i].fd);
	while (a->visitor_n > 0 && (left = until - clock_ms()) > 0) {
		struct timespec wait = { left / 1000, left % 1000 * 1000000 };

		(void)ppoll(NULL, 0, &wait, mask);
		reap(a);
	}
	for (size_t i = 0; i < VISITS_MAX; i++)
		if (a->visitors[i].pid > 0)
			(void)kill(a->visitors[i].pid, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void
loop(struct admin *a)
{
	struct pollfd *p = mem_array(a->ear_n + 1, sizeof(*p));
	int64_t rotate_ms = clock_ms() + ROTATE_MS;
	sigset_t none;

	sigemptyset(&none);
	while (!came.term) {
		turn(a, p, rotate_ms, &none);
		if (came.chld)
			reap(a);
		if (came.usr1) {
			came.usr1 = 0;
			log_reopen();
		}
		if (clock_ms() >= rotate_ms) {
			rotate_ms = clock_ms() + ROTATE_MS;
			rotate(a);
		}
	}
	drain(a, &none);
	mem_free(p);
}

/* ---- the start ------------------------------------------------------------------------------ */

static void
load(struct admin *a, const char *path)
{
	struct buf error;

	buf_init(&error, 16384);
	if (!(a->conf = conf_inherit(path, false, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	buf_free(&error);
	conf_forget_secrets(a->conf);
	conf_forget_proxy(a->conf);
	conf_forget_backends(a->conf);
	(void)conf_open_log(a->conf);
	a->user = proc_user(a->conf->user);
	if (proc_is_root() && !a->user.found)
		fatal(EX_NOUSER, "there is no user %s", a->conf->user);
	close(USERS_FD);
	if ((a->score = score_attach(SCORE_FD)) == NULL)
		fatal(EX_OSERR, "cannot attach the scoreboard: %s", strerror(errno));
}

/* The listener of one of the sections that the master named, which have descriptors in order. */
static void
open_ear(struct admin *a, uint64_t section)
{
	struct ear *e;
	const char *wrong;
	struct buf error;

	if (section >= a->conf->listen_n)
		fatal(EX_CONFIG, "there is no listener %llu", (unsigned long long)section);
	a->ears = mem_grow(a->ears, a->ear_n + 1, sizeof(*a->ears));
	e = &a->ears[a->ear_n];
	*e = (struct ear){ .fd = EARS_FD + (int)a->ear_n, .conf = &a->conf->listens[section] };
	a->ear_n++;
	if (fcntl(e->fd, F_SETFD, FD_CLOEXEC) < 0)
		fatal(EX_OSERR, "listener %s: %s", e->conf->name, strerror(errno));
	if (e->conf->tls == LISTEN_TLS_OFF)
		return;
	buf_init(&error, 4096);
	e->tls = serve_tls(a->conf, e->conf, &a->sign.tls, &wrong, &error);
	if (!e->tls)
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	buf_free(&error);
}

/* What stands behind -l: the sections of the listeners, in words. */
static void
open_ears(struct admin *a, int argc, char **argv)
{
	struct str list = STR(""), word;
	uint64_t section;

	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], "-l") == 0)
			list = str_c(argv[i + 1]);
	while ((word = str_word(&list)).n > 0)
		if (str_u64(word, UINT32_MAX, &section) == 0)
			open_ear(a, section);
	if (a->ear_n == 0)
		fatal(EX_USAGE, "there is no listener");
}

/* Before it is confined; who serves puts them on. */
static void
make_rules(struct admin *a)
{
	a->rules = -1;
	if (a->conf->sandbox == CONFINE_OFF)
		return;
	a->rules = confine_rules(NULL, 0);
	if (a->rules < 0 && errno != ENOSYS && errno != EOPNOTSUPP)
		log_warn(NULL, "who serves is not kept from files: Landlock: %s", strerror(errno));
}

int
main(int argc, char **argv)
{
	struct admin *a = mem_alloc(sizeof(*a));
	const char *path = helper_begin(argc, argv, "admin", EARS_FD - HELPER_FD);
	int pair[2];

	load(a, path);
	a->auth = AUTH_FD;
	sign_way_init(&a->sign, SIGN_FD);
	open_ears(a, argc, argv);
	a->sign.in_force = true;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		fatal(EX_OSERR, "cannot make a channel: %s", strerror(errno));
	a->notes = pair[0];
	a->notes_in = pair[1];
	random_bytes(a->key, sizeof(a->key));
	proc_confine(&a->user, NULL);
	make_rules(a);
	confine_now(CONFINE_HELPER, (enum confine_mode)a->conf->sandbox);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	helper_signals(&came);
	if (a->conf->admin.users.n == 0)
		log_warn(NULL, "admin.users is empty: nobody is an administrator");
	loop(a);
	mem_wipe((char *)a->key, sizeof(a->key));
	for (size_t i = 0; i < a->ear_n; i++)
		tls_ctx_free(a->ears[i].tls);
	mem_free(a->ears);
	score_free(a->score);
	conf_free(a->conf);
	mem_free(a);
	return EX_OK;
}
