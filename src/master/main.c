/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main -- the program barid: the master's life from options to the end.
 *
 * The master waits in one ppoll() for clients, signals and the clock.  It
 * parses no byte that came from a network.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "control.h"
#include "lib/clock.h"
#include "lib/environ.h"
#include "lib/log.h"
#include "lib/mem.h"

#define STOP_LIMIT_MS 30000
#define TICK_MS 5000
/* How long a key for session tickets lives. */
#define ROTATE_MS (24 * 3600 * 1000)
/* A session that crashes every moment must not keep us executing ourselves. */
#define REEXEC_PAUSE_MS 1000

volatile int master_got_hup, master_got_term, master_got_chld, master_got_usr1;

static const char usage_text[] =
	"usage: barid [-dfqsTtV] [-c file]\n"
	"  -c file  read this configuration\n"
	"  -d       go into the background (the default)\n"
	"  -f       stay in the foreground\n"
	"  -q       try what is in the queue once and exit: 0, or 75 if mail is left\n"
	"  -s       speak SMTP on standard input; messages go to the drop directory\n"
	"  -T       print the configuration in effect and exit\n"
	"  -t       check the configuration and exit: 0, or 78 with FILE:LINE\n"
	"  -V       print the version and exit\n";

static void
print_option(void *arg UNUSED, const char *name, const char *value, struct conf_place place)
{
	if (place.file[0])
		printf("%s = %s\t# %s:%d\n", name, value, place.file, place.line);
	else
		printf("%s = %s\n", name, value);
}

/* KEPT: for conf_load_and_keep(), or NULL. */
static struct conf *
load_or_exit(const char *path, int *kept)
{
	struct buf error;

	buf_init(&error, 65536);
	struct conf *c = kept ? conf_load_and_keep(path, kept, &error) : conf_load(path, &error);
	if (!c) {
		fprintf(stderr, "%s", buf_cstr(&error));
		exit(EX_CONFIG);
	}
	buf_free(&error);
	return c;
}

/* ---- sendmail -bs ---------------------------------------------------------- */

/* Logs where the configuration says; the caller's terminal is no log. */
static void
log_of_caller(const struct conf *c)
{
	log_component("smtpd");
	if (!conf_open_log(c))
		log_setup(LOG_LEVEL_ERROR, (enum log_format)c->log.format);
}

static int
serve_stdin(const char *path)
{
	struct conf *c = load_or_exit(path, NULL);
	struct buf error;
	struct conf_listen listen = { .name = CONF_LISTEN_DROP, .service = SERVICE_SMTP,
		.hostname = "", .tls = LISTEN_TLS_OFF };
	const struct passwd *pw = getpwuid(getuid());

	buf_init(&error, 4096);
	struct queue *q = queue_open(c->spool, QUEUE_DROP_ONLY, (uid_t)-1, (gid_t)-1, &error);
	struct userset *users = userset_new();
	struct score *score = score_new(1);
	int code = EX_TEMPFAIL;
	if (!q || !users || !score) {
		fprintf(stderr, "barid: %s\n", q ? strerror(errno) : buf_cstr(&error));
		goto out;
	}
	userset_set_any(users, true);
	struct session_env env = {
		.conf = c, .listen = &listen, .hostname = c->hostname, .queue = q,
		.mailboxes = -1, .auth = -1, .users = users, .score = score, .to_drop = true,
		.local_user = pw ? pw->pw_name : "unknown", .stop = &master_got_term,
	};
	log_of_caller(c);
	proc_ignore(SIGPIPE);
	smtpd_serve(&env, STDIN_FILENO, STDOUT_FILENO);
	code = EX_OK;
out:
	score_free(score);
	userset_free(users);
	queue_close(q);
	buf_free(&error);
	conf_free(c);
	return code;
}

/* ---- start --------------------------------------------------------------------- */

static void
catch_signals(void)
{
	sigset_t all;

	proc_on_signal(SIGHUP, &master_got_hup);
	accept_catch_term();
	proc_on_signal(SIGINT, &master_got_term);
	proc_on_signal(SIGCHLD, &master_got_chld);
	proc_on_signal(SIGUSR1, &master_got_usr1);
	proc_ignore(SIGPIPE);
	/* They are let in only while ppoll() waits: no signal falls between. */
	sigemptyset(&all);
	sigaddset(&all, SIGHUP);
	sigaddset(&all, SIGTERM);
	sigaddset(&all, SIGINT);
	sigaddset(&all, SIGCHLD);
	sigaddset(&all, SIGUSR1);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

/*
 * Goes into the background.  The parent waits until the child is ready, so
 * that an init script sees a start that failed.  Returns the descriptor on
 * which the child says so.
 */
static int
daemonize(void)
{
	int ready[2];
	int status;
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		fatal(EX_OSERR, "pipe: %s", strerror(errno));
	pid_t pid = fork();
	if (pid < 0)
		fatal(EX_OSERR, "fork: %s", strerror(errno));
	if (pid > 0) {
		close(ready[1]);
		if (read(ready[0], &byte, 1) == 1)
			_exit(byte);
		/* It ended, and said why: with its code. */
		_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) :
									      EX_UNAVAILABLE);
	}
	close(ready[0]);
	setsid();
	if (chdir("/") < 0)
		fatal(EX_OSERR, "/: %s", strerror(errno));
	return ready[1];
}

static void
say_ready(int fd)
{
	int null;

	if (fd < 0)
		return;
	if (write(fd, "", 1) < 0)
		log_warn(NULL, "cannot tell that I am ready: %s", strerror(errno));
	close(fd);
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) >= 0) {
		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
		if (null > 2)
			close(null);
	}
}

static void
write_pid(const struct master *m)
{
	struct buf path, text;

	buf_init(&path, PATH_MAX);
	buf_init(&text, 32);
	buf_addf(&path, "%s/barid.pid", m->conf->run);
	buf_addf(&text, "%d\n", (int)getpid());
	(void)unlink(buf_cstr(&path));
	int fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0 || write(fd, text.p, text.n) < 0)
		log_warn(NULL, "%s: %s", buf_cstr(&path), strerror(errno));
	if (fd >= 0)
		close(fd);
	buf_free(&text);
	buf_free(&path);
}

/* Where no session has its descriptor: it is between the runners. */
static struct share *
share_open(void)
{
	struct share *low = share_new(), *s = NULL;
	int fd = low ? dup(share_fd(low)) : -1;

	if (fd >= 0 && (fd = fd_raise(fd)) >= 0)
		s = share_attach(fd);
	share_free(low);
	return s;
}

/* The descriptor that it can be written by, too: no session names users. */
static struct userset *
users_open(void)
{
	struct userset *low = userset_new(), *u = NULL;
	int fd = low ? dup(userset_write_fd(low)) : -1;

	if (fd >= 0 && (fd = fd_raise(fd)) >= 0)
		u = userset_attach(fd);
	userset_free(low);
	return u;
}

/* What the configuration was read from has passwords, and goes where sessions have nothing. */
static void
raise_kept(struct master *m)
{
	m->kept = fd_raise(m->kept);
	if (m->kept < 0)
		fatal(EX_OSERR, "cannot keep the configuration: %s", strerror(errno));
}

/* AGAIN: this image took over from an earlier one. */
static void
start(struct master *m, struct conf *c, bool again)
{
	struct buf error;

	environ_withhold();
	proc_files_max();
	raise_kept(m);
	accept_init();
	notify_init(m);
	if (!again) {
		/* One slot for each session, and some for those that just ended. */
		m->score = score_new(c->limits.connections + 64);
		m->share = share_open();
		m->users = users_open();
		if (!m->score || !m->share || !m->users)
			fatal(EX_OSERR, "no shared memory: %s", strerror(errno));
	}
	buf_init(&error, 65536);
	int code = master_apply(m, c, m->kept, true, &error);
	if (code != EX_OK) {
		/* Then there is no standard error that is read. */
		if (again)
			log_error(NULL, "%s", buf_cstr(&error));
		fputs(buf_cstr(&error), stderr);
		exit(code);
	}
	if (!again) {
		blocked_load(m);
		helpers_init(m);
	}
	if (helpers_channels(m, &error) < 0)
		fatal(EX_OSERR, "%s", buf_cstr(&error));
	if (m->control < 0 && (m->control = control_open(m)) < 0)
		log_warn(NULL, "%s/control: %s", m->conf->run, strerror(errno));
	buf_free(&error);
	write_pid(m);
	/* The time zone is read here, before any child has lost /etc. */
	tzset();
	clock_local_prepare(clock_wall());
	proc_share_relro();
	m->reexec_ms = clock_ms();
	if (m->started_ms == 0)
		m->started_ms = m->reexec_ms;
	m->rotate_ms = m->reexec_ms + ROTATE_MS;
	if (!again)
		log_info(NULL, "barid %s is running, configuration %s", BARID_VERSION,
		    m->conf_path);
	notify_send("READY=1\nSTATUS=running\nMAINPID=%d", (int)getpid());
}

/* ---- the end ----------------------------------------------------------------------- */

static void
signal_sessions(const struct master *m, int signo)
{
	struct score_slot copy;

	for (size_t i = 0; score_look(m->score, i, &copy); i++) {
		pid_t pid = atomic_load(&copy.pid);
		if (pid > 0)
			(void)kill(pid, signo);
	}
}

static void
stop_begin(struct master *m)
{
	notify_send("STOPPING=1\nSTATUS=finishing %zu sessions", score_live(m->score));
	log_info(NULL, "stopping: %zu sessions have %d s to finish", score_live(m->score),
	    STOP_LIMIT_MS / 1000);
	m->stopping = true;
	m->stop_deadline_ms = clock_ms() + STOP_LIMIT_MS;
	for (size_t i = 0; i < m->listener_n; i++)
		m->listeners[i].kept = false;
	listeners_close(m->listeners, m->listener_n);
	m->listeners = NULL;
	m->listener_n = 0;
	signal_sessions(m, SIGTERM);
	helpers_signal(m, SIGTERM);
}

/* True when nobody is left, or time is up. */
static bool
stop_done(struct master *m)
{
	if (score_live(m->score) == 0 && !helpers_alive(m))
		return true;
	if (clock_ms() < m->stop_deadline_ms)
		return false;
	signal_sessions(m, SIGKILL);
	helpers_signal(m, SIGKILL);
	return true;
}

static void
finish(struct master *m)
{
	struct buf path;

	buf_init(&path, PATH_MAX);
	buf_addf(&path, "%s/barid.pid", m->conf->run);
	(void)unlink(buf_cstr(&path));
	buf_reset(&path);
	buf_addf(&path, "%s/control", m->conf->run);
	(void)unlink(buf_cstr(&path));
	buf_free(&path);
	queue_close(m->queue);
	log_info(NULL, "stopped");
	/* Given back one by one, so that a leak checker sees what is forgotten. */
	master_release(m);
	score_free(m->score);
	share_free(m->share);
	userset_free(m->users);
	mem_free(m->conf_path);
	log_reset();
}

/* ---- the loop ------------------------------------------------------------------------ */

static int64_t
next_wake(const struct master *m, int64_t now)
{
	int64_t next = now + TICK_MS, helper = helpers_next_ms(m);

	if (helper < next)
		next = helper;
	if (m->accept_from_ms > now && m->accept_from_ms < next)
		next = m->accept_from_ms;
	if (m->watchdog_ms > 0 && m->watchdog_next_ms < next)
		next = m->watchdog_next_ms;
	if (m->stopping && now + 100 < next)
		next = now + 100;
	if (m->reexec_wanted && m->reexec_ms + REEXEC_PAUSE_MS < next)
		next = m->reexec_ms + REEXEC_PAUSE_MS;
	return next > now ? next - now : 0;
}

static void
handle_signals(struct master *m)
{
	if (master_got_chld) {
		master_got_chld = 0;
		master_reap(m);
	}
	if (master_got_term && !m->stopping)
		stop_begin(m);
	if (master_got_hup && !m->stopping) {
		master_got_hup = 0;
		master_reload(m);
	}
	if (master_got_usr1) {
		master_got_usr1 = 0;
		log_reopen();
		helpers_signal(m, SIGUSR1);
	}
}

static void
tick(struct master *m, int64_t now, int64_t *checked)
{
	helpers_tick(m);
	users_refresh(m, false);
	if (now - *checked >= TICK_MS) {
		*checked = now;
		clock_local_prepare(clock_wall());
		/* For sessions that are open. */
		log_before_fork();
		if (!m->stopping)
			master_check_certificates(m);
		if (now >= m->rotate_ms) {
			m->rotate_ms = now + ROTATE_MS;
			master_rotate_tickets(m);
		}
	}
	if (m->watchdog_ms > 0 && now >= m->watchdog_next_ms) {
		m->watchdog_next_ms = now + m->watchdog_ms;
		notify_send("WATCHDOG=1");
	}
	if (m->reexec_wanted && !m->stopping && now >= m->reexec_ms + REEXEC_PAUSE_MS)
		reexec(m);
}

static size_t
poll_set(const struct master *m, struct pollfd **fds, size_t *size, bool accepting)
{
	size_t n = 0;

	/* Whatever is written on the heap, the next fork makes a page to be copied. */
	if (m->listener_n + 1 > *size) {
		*size = m->listener_n + 1;
		*fds = mem_grow(*fds, *size, sizeof(**fds));
	}
	(*fds)[n++] = (struct pollfd){ .fd = m->control, .events = POLLIN };
	for (size_t i = 0; i < m->listener_n && accepting; i++)
		(*fds)[n++] = (struct pollfd){ .fd = m->listeners[i].fd, .events = POLLIN };
	return n;
}

static void
loop(struct master *m)
{
	const struct timespec at_once = { 0 };
	struct pollfd *fds = NULL;
	size_t size = 0;
	int64_t checked = clock_ms();
	sigset_t none;

	sigemptyset(&none);
	while (!m->stopping || !stop_done(m)) {
		int64_t now = clock_ms(), wait = next_wake(m, now);
		struct timespec ts = { wait / 1000, (wait % 1000) * 1000000 };
		size_t n = poll_set(m, &fds, &size, now >= m->accept_from_ms);
		int ready = ppoll(fds, n, &ts, &none);
		if (ready > 0 && fds[0].revents)
			control_accept(m);
		for (size_t i = 1; i < n && ready > 0; i++)
			if (fds[i].revents)
				master_accept(m, &m->listeners[i - 1]);
		/* Linux lets signals in only where ppoll() would wait: not while clients come. */
		if (ready > 0)
			(void)ppoll(NULL, 0, &at_once, &none);
		handle_signals(m);
		tick(m, clock_ms(), &checked);
	}
	mem_free(fds);
}

struct options {
	const char *path;
	bool foreground, once, check, dump, serve_stdin;
};

static int
parse_options(int argc, char **argv, struct options *o)
{
	int opt;

	o->path = conf_default_path();
	while ((opt = getopt(argc, argv, "c:dfFqsTtV")) != -1) {
		switch (opt) {
		case 'c': o->path = optarg; break;
		case 'd': o->foreground = false; break;
		case 'f':
		case 'F': o->foreground = true; break;
		case 'q': o->once = true; break;
		case 's': o->serve_stdin = true; break;
		case 'T': o->dump = true; break;
		case 't': o->check = true; break;
		case 'V':
			printf("barid %s\n", BARID_VERSION);
			exit(EX_OK);
		default:
			fputs(usage_text, stderr);
			return -1;
		}
	}
	if (optind != argc) {
		fputs(usage_text, stderr);
		return -1;
	}
	return 0;
}

/* The configuration is read again after the directory has changed. */
static char *
absolute(const char *path)
{
	char *real = realpath(path, NULL);

	return real ? real : mem_dup(str_c(path));
}

/* -t, -T */
static int
look(const struct options *o)
{
	struct conf *c = load_or_exit(o->path, NULL);
	int code = o->check ? master_check(c) : EX_OK;

	if (o->dump)
		conf_each(c, print_option, NULL);
	conf_free(c);
	return code;
}

/* The configuration of the image before this one. */
static struct conf *
load_kept(const struct master *m)
{
	struct buf error;

	buf_init(&error, 65536);
	struct conf *c = conf_load_kept(m->kept, &error);
	if (!c)
		fatal(EX_SOFTWARE, "%s", buf_cstr(&error));
	buf_free(&error);
	return c;
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	struct master m = { .kept = -1, .control = -1, .mailboxes = -1,
		.sandbox = SANDBOX_NONE, .argv = argv };

	if (argc < 1 || parse_options(argc, argv, &o) < 0)
		return EX_USAGE;
	if (o.serve_stdin)
		return serve_stdin(o.path);
	proc_fix_stdio();
	environ_hide();
	tls_use_our_memory();
	umask(077);
	/* After executing ourselves again the name would be "exe". */
	(void)prctl(PR_SET_NAME, "barid");
	if (o.check || o.dump)
		return look(&o);
	log_component("master");
	bool again = reexec_restore(&m);
	struct conf *c = again ? load_kept(&m) : load_or_exit(o.path, &m.kept);
	m.conf_path = absolute(o.path);
	m.once = o.once;
	int ready = o.foreground || o.once || again ? -1 : daemonize();
	catch_signals();
	start(&m, c, again);
	say_ready(ready);
	loop(&m);
	finish(&m);
	if (m.once && m.code == EX_TEMPFAIL)
		fputs("barid: mail is left in the queue: mailq shows it\n", stderr);
	return m.code;
}
