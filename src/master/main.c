/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * main -- the program barid: the master's life from options to the end.
 *
 * The master waits in one ppoll() for requests at the control socket, signals
 * and the clock.  Clients are let in by acceptors: no octet of theirs, and no
 * descriptor, comes here.
 */

#include "acceptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
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
/* So that a reload can raise the limit: what nobody has taken costs no memory. */
#define SLOTS_MIN 65536

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

/*
 * Who speaks here is a user of this host and may send anywhere.  A client of inetd
 * is none, whoever it runs this for.
 */
static bool
stdin_is_network(void)
{
	static const char refusal[] = "421 4.3.2 This speaks with programs of its own host\r\n";
	/* Not the peer's: one that is gone by now has none. */
	struct addr own = addr_local(STDIN_FILENO);

	if (addr_octets(&own) == NULL)
		return false;
	(void)!write(STDOUT_FILENO, refusal, sizeof(refusal) - 1);
	fputs("barid: standard input is a connection of a network, for which there are the "
	      "sections listen of barid.conf\n", stderr);
	return true;
}

static int
serve_stdin(const char *path)
{
	if (stdin_is_network())
		return EX_USAGE;
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
		.mailboxes = -1, .auth = -1, .verify = -1, .check = -1,
		.users = users, .score = score, .to_drop = true,
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

/* Where no child has its descriptor: it is between the runners. */
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

/* What processes have in common. */
static void
share_all(struct master *m, const struct conf *c)
{
	size_t slots = c->limits.connections + SLOTS_SPARE;

	m->score = score_new(slots > SLOTS_MIN ? slots : SLOTS_MIN);
	m->share = share_open();
	m->users = userset_new();
	m->own_marks = marks_new(&m->marks_fd);
	m->marks = m->own_marks ? marks_attach(m->marks_fd) : NULL;
	m->ask = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!m->score || !m->share || !m->users || !m->marks || m->ask < 0 ||
	    (m->marks_fd = fd_raise(m->marks_fd)) < 0 || (m->ask = fd_raise(m->ask)) < 0)
		fatal(EX_OSERR, "no shared memory: %s", strerror(errno));
}

/* What the configuration was read from has passwords, and goes where sessions have nothing. */
static int
raised(int kept)
{
	if ((kept = fd_raise(kept)) < 0)
		fatal(EX_OSERR, "cannot keep the configuration: %s", strerror(errno));
	return kept;
}

/* Whoever is told ERROR by standard error may not be able to read the log. */
static NORETURN void
refuse_to_start(int code, struct buf *error)
{
	fputs(buf_cstr(error), stderr);
	exit(code);
}

static void
start(struct master *m, struct conf *c, int kept)
{
	struct buf error;

	environ_withhold();
	proc_files_max();
	kept = raised(kept);
	notify_init();
	share_all(m, c);
	buf_init(&error, 65536);
	int code = master_apply(m, c, kept, true, &error);
	if (code != EX_OK)
		refuse_to_start(code, &error);
	blocked_load(m);
	helpers_init(m);
	if (helpers_channels(m, &error) < 0)
		fatal(EX_OSERR, "%s", buf_cstr(&error));
	if ((m->control = control_open(m)) < 0)
		log_warn(NULL, "%s/control: %s", m->conf->run, strerror(errno));
	/* They come up while the acceptors do. */
	helpers_tick(m);
	if (acceptors_replace(m, &error) < 0) {
		helpers_signal(m, SIGTERM);
		refuse_to_start(EX_OSERR, &error);
	}
	buf_free(&error);
	write_pid(m);
	/* The time zone is read here, before any child has lost /etc. */
	tzset();
	clock_local_prepare(clock_wall());
	m->started_ms = clock_ms();
	log_info(NULL, "barid %s is running, configuration %s", BARID_VERSION, m->conf_path);
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
	/* First, so that no session comes when all have been told. */
	acceptors_stop(m);
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
	marks_free(m->marks);
	marks_free(m->own_marks);
	mem_free(m->conf_path);
	log_reset();
}

/* ---- the loop ------------------------------------------------------------------------ */

static int64_t
next_wake(const struct master *m, int64_t now)
{
	int64_t next = now + TICK_MS, helper = helpers_next_ms(m);
	int64_t acceptor = acceptors_next_ms(m);

	if (helper < next)
		next = helper;
	if (acceptor < next)
		next = acceptor;
	if (users_next_ms(m) < next)
		next = users_next_ms(m);
	if (m->stopping && now + 100 < next)
		next = now + 100;
	return notify_wait_ms(next);
}

/* What runs once ends with its runner, which is not to be another half way. */
static void
reload(struct master *m)
{
	if (m->once)
		log_info(NULL, "reload -- not while the queue is tried once");
	else
		master_reload(m);
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
		reload(m);
	}
	if (master_got_usr1) {
		master_got_usr1 = 0;
		log_reopen();
		helpers_signal(m, SIGUSR1);
		acceptors_again(m);
	}
}

static void
tick(struct master *m, int64_t now, int64_t *checked)
{
	helpers_tick(m);
	users_refresh(m);
	if (now - *checked >= TICK_MS) {
		*checked = now;
		clock_local_prepare(clock_wall());
		/* For sessions that are open. */
		log_before_fork();
		if (!m->stopping && !m->once) {
			master_check_certificates(m);
			master_check_tables(m);
		}
	}
	acceptors_tick(m);
}

/* A session, or an acceptor, does not reach the logger. */
static void
find_logger(const struct master *m)
{
	uint64_t n;

	if (read(m->ask, &n, sizeof(n)) == (ssize_t)sizeof(n))
		log_before_fork();
}

static void
loop(struct master *m)
{
	const struct timespec at_once = { 0 };
	struct pollfd fds[] = { { .fd = m->control, .events = POLLIN },
		{ .fd = m->ask, .events = POLLIN } };
	int64_t checked = clock_ms();
	sigset_t none;

	sigemptyset(&none);
	while (!m->stopping || !stop_done(m)) {
		int64_t wait = next_wake(m, clock_ms());
		struct timespec ts = { wait / 1000, (wait % 1000) * 1000000 };
		int ready = ppoll(fds, ARRAY_LEN(fds), &ts, &none);
		if (ready > 0 && fds[0].revents)
			control_accept(m);
		if (ready > 0 && fds[1].revents)
			find_logger(m);
		/* Linux lets signals in only where ppoll() would wait: not while others ask. */
		if (ready > 0)
			(void)ppoll(NULL, 0, &at_once, &none);
		handle_signals(m);
		tick(m, clock_ms(), &checked);
	}
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

static bool
is_acceptor(const char *name)
{
	return strcmp(name, ACCEPTOR_NAME) == 0;
}

int
main(int argc, char **argv)
{
	struct options o = { 0 };
	struct master m = { .kept = -1, .control = -1, .mailboxes = -1,
		.sandbox = SANDBOX_NONE, .acceptors = { { .order = -1 }, { .order = -1 } } };
	bool acceptor = argc > 0 && is_acceptor(argv[0]);

	if (argc < 1 || (!acceptor && parse_options(argc, argv, &o) < 0))
		return EX_USAGE;
	if (o.serve_stdin)
		return serve_stdin(o.path);
	proc_fix_stdio();
	environ_hide();
	tls_use_our_memory();
	umask(077);
	if (acceptor)
		return acceptor_main(argc, argv);
	if (o.check || o.dump)
		return look(&o);
	log_component("master");
	int kept;
	struct conf *c = load_or_exit(o.path, &kept);
	m.conf_path = absolute(o.path);
	m.once = o.once;
	/* Until the runner says otherwise. */
	m.code = o.once ? EX_TEMPFAIL : EX_OK;
	int ready = o.foreground || o.once ? -1 : daemonize();
	master_catch_signals();
	start(&m, c, kept);
	say_ready(ready);
	loop(&m);
	finish(&m);
	if (m.once && m.code == EX_TEMPFAIL)
		fputs("barid: mail is left in the queue: mailq shows it\n", stderr);
	return m.code;
}
