/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * check -- what a configuration names, held against this host: accounts,
 * certificates, files of users, logs.
 *
 * A start and a reload refuse what is complained of here, and `barid -t`
 * says the same without changing anything.  It may be run by somebody who
 * sees less than root: what such a one cannot know is a note, no mistake.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "check/spf.h"
#include "conf/program.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "mail/date.h"
#include "mailbox/aliases.h"
#include "net/dkim_key.h"

/* So long may what is looked at in a process of its own take. */
#define APART_MS 30000

/* What is lacking is the system's and may come back: no mistake of the file. */
static bool
is_trouble(int err)
{
	return err == ENOSPC || err == EDQUOT || err == EMFILE || err == ENFILE ||
	    err == ENOMEM || err == ENOBUFS || err == EIO;
}

void
check_blame(struct check *k, struct conf_place where, const char *name, int err,
    const char *fmt, ...)
{
	bool hidden = k->note && (err == CHECK_UNKNOWN ||
	    (!proc_is_root() && (err == EACCES || err == EPERM)));
	struct buf text;
	va_list ap;

	buf_init(&text, 8192);
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	conf_blame(k->conf, where, name, hidden ? k->note : k->error, "%s", buf_cstr(&text));
	buf_free(&text);
	if (!hidden && !is_trouble(err))
		k->mistake = true;
}

int
check_shut(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

int
check_code(const struct check *k)
{
	return k->mistake ? EX_CONFIG : EX_OSERR;
}

/* ---- a process of its own ------------------------------------------------------- */

/* What a look found, as its process writes it. */
struct found {
	size_t error_n, note_n;
	bool mistake;
};

static bool
write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		ssize_t put = write(fd, at, n);
		if (put <= 0)
			return false;
		at += put;
		n -= (size_t)put;
	}
	return true;
}

/* By UNTIL: it may look into directories of a network. */
static bool
read_all(int fd, void *p, size_t n, int64_t until)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	char *at = p;

	while (n > 0) {
		int64_t ms = notify_wait_ms(until);
		if (ms == 0)
			return false;
		if (poll(&ready, 1, (int)ms) < 1)
			continue;
		ssize_t got = read(fd, at, n);
		if (got <= 0)
			return false;
		at += got;
		n -= (size_t)got;
	}
	return true;
}

static void NORETURN
look_apart(const struct check *k, void (*look)(struct check *), int fd)
{
	struct buf error, note;
	struct check mine = *k;

	buf_init(&error, k->error->max);
	buf_init(&note, k->error->max);
	mine.error = &error;
	mine.note = k->note ? &note : NULL;
	mine.mistake = false;
	look(&mine);
	const struct found f = { error.n, note.n, mine.mistake };
	bool ok = write_all(fd, &f, sizeof(f)) && write_all(fd, error.p, error.n) &&
	    write_all(fd, note.p, note.n);
	proc_child_exit(ok ? 0 : EX_OSERR);
}

static bool
take_buf(int fd, struct buf *b, size_t n, int64_t until)
{
	char *room = n > 0 ? buf_room(b, n) : NULL;

	if (n == 0)
		return true;
	if (!room || !read_all(fd, room, n, until))
		return false;
	buf_grew(b, n);
	return true;
}

void
check_apart(struct check *k, void (*look)(struct check *))
{
	int64_t until = clock_ms() + APART_MS;
	int fds[2], status = 0;
	struct found f = { 0 };
	pid_t pid = -1;
	bool ok = false;

	if (pipe2(fds, O_CLOEXEC) == 0) {
		pid = fork();
		if (pid == 0)
			look_apart(k, look, fds[1]);
		close(fds[1]);
		ok = pid > 0 && read_all(fds[0], &f, sizeof(f), until) &&
		    take_buf(fds[0], k->error, f.error_n, until) &&
		    (f.note_n == 0 || take_buf(fds[0], k->note, f.note_n, until));
		close(fds[0]);
	}
	if (pid > 0 && !ok)
		(void)kill(pid, SIGKILL);
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	k->mistake = k->mistake || f.mistake;
	if (!ok)
		check_blame(k, CONF_NOWHERE, "tls", ENOMEM,
		    "cannot look at the keys in a process of its own");
}

/* ---- accounts ---------------------------------------------------------------- */

struct proc_user
check_user(struct check *k, const struct master *m)
{
	const struct conf *c = k->conf;
	struct conf_place where = conf_where(c, &c->user, CONF_NOWHERE);
	struct proc_user u = proc_user(c->user);

	/* Without root nobody becomes another, and the default need not exist. */
	if (!proc_is_root()) {
		if (!u.found && k->note && where.file[0])
			check_blame(k, where, "user", CHECK_UNKNOWN,
			    "there is no account \"%s\", expected one if root is to start barid",
			    c->user);
		return u;
	}
	if (!u.found)
		check_blame(k, where, "user", 0,
		    "there is no account \"%s\", expected one of this host", c->user);
	else if (u.uid == 0)
		check_blame(k, where, "user", 0,
		    "\"%s\" is root, expected an account without privileges", c->user);
	/* The spool and the mailboxes are the other one's. */
	else if (m && m->conf && (u.uid != m->user.uid || u.gid != m->user.gid))
		check_blame(k, where, "user", 0,
		    "changes with a restart only, expected \"%s\" until then", m->conf->user);
	return u;
}

/* Programs run as another account if root starts them; never as root. */
static void
check_run_as(struct check *k, const char *name, const char *option, struct conf_place where)
{
	struct proc_user u = proc_user(name);

	if (!u.found)
		check_blame(k, where, option, 0,
		    "there is no account \"%s\", expected one of this host", name);
	else if (u.uid == 0)
		check_blame(k, where, option, 0,
		    "\"%s\" is root, expected an account without privileges", name);
	else if (!proc_is_root() && u.uid != geteuid())
		check_blame(k, where, option, k->note ? CHECK_UNKNOWN : 0,
		    "only root can run programs as \"%s\", expected barid to be started by root",
		    name);
}

static void
check_command(struct check *k, const struct program_command *p)
{
	bool is_route = strcmp(p->section, "route") == 0;
	const char *path = p->way->words.v[0];

	if (p->run_as[0] != '\0')
		check_run_as(k, p->run_as, is_route ? "route.run-as" : "recipient.run-as",
		    p->place);
	/* Mail waits for it: whoever installs it later need not restart. */
	if (k->note && access(path, X_OK) < 0)
		check_blame(k, p->place, is_route ? "route.via" : "recipient.via", CHECK_UNKNOWN,
		    "%s: %s, expected a program", path, strerror(errno));
}

/* Where root starts nothing, and nobody said who, all is as who started it. */
static void
check_alias_account(struct check *k)
{
	const struct conf *c = k->conf;
	struct conf_place where = conf_where(c, &c->recipients.run_as, CONF_NOWHERE);
	const char *name = c->recipients.run_as;

	if (name[0] == '\0' || (where.line == 0 && (c->aliases.n == 0 || !proc_is_root())))
		return;
	check_run_as(k, name, "recipients.run-as", where);
}

void
check_programs(struct check *k)
{
	struct program_command p;

	for (size_t i = 0; i < program_commands(k->conf); i++)
		if (program_command(k->conf, i, &p))
			check_command(k, &p);
	check_alias_account(k);
}

/* ---- files ------------------------------------------------------------------- */

/*
 * What a line says is for the log and newaliases, and stops nobody's mail: so
 * the files are read once, by who takes the names out of them (users.c).
 */
void
check_aliases(struct check *k)
{
	const struct conf_strs *files = &k->conf->aliases;
	size_t octets = 0;

	for (size_t i = 0; i < files->n; i++) {
		const char *why = aliases_why_not(files->v[i], &octets);

		if (why)
			check_blame(k, conf_where(k->conf, &files->v[i], CONF_NOWHERE),
			    "aliases", 0, "%s: %s, expected a file such as aliases(5) has it",
			    files->v[i], why);
	}
}

/* True if it is not for what one says that it cannot be read. */
static bool
tables_are_in_trouble(const struct conf *c)
{
	bool trouble = false;

	for (size_t i = 0; i < c->rewrite_n; i++)
		trouble = trouble || is_trouble(check_shut(c->rewrites[i].table));
	for (size_t i = 0; i < c->rule_n; i++)
		trouble = trouble || is_trouble(check_shut(c->rules[i].table));
	return trouble;
}

/*
 * Like all else that is configured: who changes addresses by it must get it right.
 * What is right is kept, so that whoever starts later has the same.
 */
int
check_tables(struct check *k, int kept)
{
	size_t before = k->error->n;
	int fd = -1;

	if (kept < 0)
		conf_tables_check(k->conf, k->error);
	else if ((fd = conf_tables_keep(k->conf, kept, k->error)) >= 0)
		fd = fd_raise(fd);
	if (k->error->n > before && !tables_are_in_trouble(k->conf))
		k->mistake = true;
	else if (k->error->n == before && kept >= 0 && fd < 0)
		check_blame(k, CONF_NOWHERE, "table", ENOMEM,
		    "cannot keep the tables of addresses: %s", strerror(errno));
	return fd;
}

static void
check_identity(struct check *k, const char *upstream, const struct conf_server *s)
{
	struct tls_identity *own;
	struct buf reason, name;
	int err;

	buf_init(&reason, 4096);
	buf_init(&name, 700);
	own = tls_identity_load(s->certificate, s->key, &reason);
	if (!own) {
		err = check_shut(s->certificate);
		if (err == 0 && s->key[0])
			err = check_shut(s->key);
		buf_addf(&name, "upstream.%s.server.%s.certificate", upstream, s->name);
		check_blame(k, conf_where(k->conf, &s->certificate, s->place), buf_cstr(&name), err,
		    "%s, expected a certificate chain and its key in PEM form",
		    buf_cstr(&reason));
	}
	tls_identity_free(own);
	buf_free(&name);
	buf_free(&reason);
}

void
check_identities(struct check *k)
{
	const struct conf *c = k->conf;

	for (size_t i = 0; i < c->upstream_n; i++)
		for (size_t j = 0; j < c->upstreams[i].server_n; j++)
			if (c->upstreams[i].servers[j].certificate[0])
				check_identity(k, c->upstreams[i].name,
				    &c->upstreams[i].servers[j]);
}

static void
check_dkim_key(struct check *k, const struct conf_dkim *d)
{
	struct buf reason, name;
	struct dkim_key *key;
	int err;

	buf_init(&reason, 8192);
	buf_init(&name, 700);
	buf_addf(&name, "dkim-sign.%s.key", d->domain);
	key = dkim_key_load(d->key, &reason);
	if (!key) {
		err = check_shut(d->key);
		check_blame(k, conf_where(k->conf, &d->key, d->place), buf_cstr(&name), err,
		    "%s, expected a private key, RSA or Ed25519, in PEM form",
		    buf_cstr(&reason));
	} else if (k->note && dkim_key_bits(key) > 0 && dkim_key_bits(key) < DKIM_RSA_GOOD) {
		check_blame(k, conf_where(k->conf, &d->key, d->place), buf_cstr(&name),
		    CHECK_UNKNOWN, "%s has %u bits, expected %u or more", d->key,
		    dkim_key_bits(key), DKIM_RSA_GOOD);
	}
	dkim_key_free(key);
	buf_free(&name);
	buf_free(&reason);
}

/* A domain whose keys are all too old or too new sends unsigned mail. */
static void
check_dkim_time(struct check *k, const struct conf_dkim *d)
{
	int64_t now = clock_wall();

	for (size_t i = 0; i < k->conf->dkim_n; i++)
		if (str_ieq(str_c(k->conf->dkim[i].domain), str_c(d->domain)) &&
		    conf_dkim_is_on(&k->conf->dkim[i], now))
			return;
	check_blame(k, d->place, "dkim-sign", CHECK_UNKNOWN,
	    "no key of %s signs today, expected one between not-before and not-after",
	    d->domain);
}

void
check_dkim(struct check *k)
{
	for (size_t i = 0; i < k->conf->dkim_n; i++) {
		check_dkim_key(k, &k->conf->dkim[i]);
		if (k->note)
			check_dkim_time(k, &k->conf->dkim[i]);
	}
}

void
check_spf(struct check *k)
{
	const struct conf_check_spf *c = &k->conf->check.spf;

	if (c->enabled && !spf_explanation_valid(str_c(c->explanation)))
		check_blame(k, conf_where(k->conf, &c->explanation, c->place),
		    "check.spf.explanation", 0, "\"%s\" is no text with macros, expected "
		    "ASCII and such as %%{i} and %%{s} (RFC 7208 7)", c->explanation);
}

void
check_log(struct check *k)
{
	const struct conf_strs *to = &k->conf->log.to;

	for (size_t i = 0; i < to->n; i++)
		if (log_probe(to->v[i]) < 0)
			check_blame(k, conf_where(k->conf, &to->v[i], CONF_NOWHERE), "log.to",
			    errno, "cannot open %s: %s, expected what can be written to, or a "
			    "file that can be made in its directory", to->v[i],
			    strerror(errno));
}

#define CHAIN                                                                                      \
	"a certificate chain in PEM form, of a key of 2048 bits (RSA) or 224 (ECDSA) or more"
#define KEY "the private key of the certificate, in PEM form and without a password"
#define ANCHORS "certificates in PEM form, a file or a directory of such files"
#define CIPHERS "a list as openssl-ciphers(1) describes"

/* What of the section TLS was wrong, and why, as net/tls.h has it. */
struct tls_fault {
	const char *wrong;
	const char *reason;
};

/* True if it was what FIELD holds, the option SECTION.NAME. */
static bool
blame_field(struct check *k, const struct tls_fault *f, const char *const *field,
    struct conf_place otherwise, const char *section, const char *name, const char *expected)
{
	struct buf option;
	int err;

	if (f->wrong != *field)
		return false;
	err = check_shut(*field);
	buf_init(&option, 400);
	buf_addf(&option, "%s.%s", section, name);
	check_blame(k, conf_where(k->conf, field, otherwise), buf_cstr(&option), err,
	    "%s, expected %s", f->reason, expected);
	buf_free(&option);
	return true;
}

/* The same of a list of files. */
static bool
blame_files(struct check *k, const struct tls_fault *f, const struct conf_strs *files,
    struct conf_place otherwise, const char *section, const char *name, const char *expected)
{
	bool found = false;

	for (size_t i = 0; i < files->n && !found; i++)
		found = blame_field(k, f, &files->v[i], conf_where(k->conf, files, otherwise),
		    section, name, expected);
	return found;
}

static bool
blame_name(struct check *k, const struct tls_fault *f, const struct conf_tls_name *n)
{
	struct buf section;
	bool found;

	buf_init(&section, 300);
	buf_addf(&section, "tls.name.%s", n->name);
	found = blame_files(k, f, &n->certificate, n->place, buf_cstr(&section), "certificate",
		    CHAIN) ||
	    blame_files(k, f, &n->key, n->place, buf_cstr(&section), "key", KEY);
	buf_free(&section);
	return found;
}

void
check_blame_tls(struct check *k, const char *wrong, const char *reason)
{
	const struct conf_tls *t = &k->conf->tls;
	const struct tls_fault f = { wrong, reason };
	bool found = blame_files(k, &f, &t->certificate, CONF_NOWHERE, "tls", "certificate",
			 CHAIN) ||
	    blame_files(k, &f, &t->key, CONF_NOWHERE, "tls", "key", KEY) ||
	    blame_field(k, &f, &t->ciphers, CONF_NOWHERE, "tls", "ciphers", CIPHERS) ||
	    blame_field(k, &f, &t->client_ca, CONF_NOWHERE, "tls", "client-ca", ANCHORS);

	for (size_t i = 0; i < t->name_n && !found; i++)
		found = blame_name(k, &f, &t->names[i]);
	/* OpenSSL itself: not what the configuration says. */
	if (!found)
		check_blame(k, conf_where(k->conf, &t->certificate, CONF_NOWHERE), "tls", ENOMEM,
		    "%s", reason);
}

/* The runners verify peers with these, and would not start without. */
void
check_ca(struct check *k)
{
	const struct conf_tls *t = &k->conf->tls;
	struct tls_ctx *ctx;
	struct buf reason;
	int err;

	if (!t->ca[0])
		return;
	buf_init(&reason, 4096);
	ctx = tls_client_ctx(t->ca, t->min_version, &reason);
	if (!ctx) {
		err = check_shut(t->ca);
		check_blame(k, conf_where(k->conf, &t->ca, CONF_NOWHERE), "tls.ca", err,
		    "%s, expected " ANCHORS, buf_cstr(&reason));
	}
	tls_ctx_free(ctx);
	buf_free(&reason);
}

/* ---- what may be meant ------------------------------------------------------- */

/* As of a key of DKIM: a group may be let in, as that of ssl-cert is. */
static void
doubt_keys(const struct conf *c, const char *option, const struct conf_strs *keys, struct buf *out)
{
	struct stat st;

	for (size_t i = 0; i < keys->n; i++)
		if (stat(keys->v[i], &st) == 0 && (st.st_mode & 027) != 0)
			conf_blame(c, conf_where(c, &keys->v[i], CONF_NOWHERE), option, out,
			    "%s: others can read it, or a group write it; expected mode 0600",
			    keys->v[i]);
}

/* Nobody who verifies them believes them; what cannot be read is a mistake, and said as that. */
static void
doubt_certificates(const struct conf *c, const char *option, const struct conf_strs *files,
    struct buf *out)
{
	int64_t from, until, now = clock_wall();
	struct buf date;

	for (size_t i = 0; i < files->n; i++) {
		if (!tls_certificate_times(files->v[i], &from, &until) ||
		    (from <= now && now <= until))
			continue;
		buf_init(&date, 64);
		date_add_iso(&date, now > until ? until : from);
		conf_blame(c, conf_where(c, &files->v[i], CONF_NOWHERE), option, out,
		    "%s: it %s %s, expected one that is now", files->v[i],
		    now > until ? "was good until" : "is not good before", buf_cstr(&date));
		buf_free(&date);
	}
}

/* Root may have found them in order, but who delivers reads them. */
static void
doubt_aliases(const struct conf *c, struct buf *out)
{
	struct proc_user u = proc_user(c->user);
	struct stat st;

	if (!proc_is_root() || !u.found)
		return;
	for (size_t i = 0; i < c->aliases.n; i++)
		if (stat(c->aliases.v[i], &st) == 0 && (st.st_mode & (st.st_uid == u.uid ? S_IRUSR :
			st.st_gid == u.gid ? S_IRGRP : S_IROTH)) == 0)
			conf_blame(c, conf_where(c, &c->aliases.v[i], CONF_NOWHERE), "aliases",
			    out, "%s: \"%s\" cannot read it, expected a file that it can",
			    c->aliases.v[i], c->user);
}

void
check_doubts(const struct conf *c, struct buf *out)
{
	conf_doubts(c, out);
	doubt_keys(c, "tls.key", &c->tls.key, out);
	doubt_certificates(c, "tls.certificate", &c->tls.certificate, out);
	for (size_t i = 0; i < c->tls.name_n; i++) {
		doubt_keys(c, "tls.name.key", &c->tls.names[i].key, out);
		doubt_certificates(c, "tls.name.certificate", &c->tls.names[i].certificate, out);
	}
	doubt_aliases(c, out);
}

/* ---- barid -t ---------------------------------------------------------------- */

/* Whether a barid with this run directory answers; its addresses are taken, by itself. */
static bool
is_running(const struct conf *c)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct buf path;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool ok = false;

	buf_init(&path, PATH_MAX);
	buf_addf(&path, "%s/control", c->run);
	if (fd >= 0 && buf_ok(&path) && path.n < sizeof(un.sun_path)) {
		memcpy(un.sun_path, path.p, path.n);
		ok = connect(fd, (const struct sockaddr *)&un, sizeof(un)) == 0 || errno == EAGAIN;
	}
	if (fd >= 0)
		close(fd);
	buf_free(&path);
	return ok;
}

static void
print_notes(struct str notes)
{
	struct str line;

	while (notes.n > 0) {
		str_cut(notes, '\n', &line, &notes);
		fprintf(stderr, "note: " STR_FMT "\n", STR_ARG(line));
	}
}

int
master_check(const struct conf *c)
{
	struct master m = { .control = -1, .mailboxes = -1 };
	struct buf error, note;
	struct check k = { .conf = c, .error = &error, .note = &note, .running = is_running(c) };
	struct plan plan = { 0 };
	int code;

	buf_init(&error, 65536);
	buf_init(&note, 65536);
	notify_init();
	m.user = check_user(&k, NULL);
	places_look(&k, &m.user);
	check_apart(&k, check_tls);
	check_ca(&k);
	check_apart(&k, check_identities);
	if (c->dkim_n > 0)
		check_apart(&k, check_dkim);
	size_t notes = note.n;
	check_users(&k);
	/* What was said of a file need not be said twice. */
	bool readable = note.n == notes;
	check_programs(&k);
	check_aliases(&k);
	(void)check_tables(&k, -1);
	check_spf(&k);
	check_log(&k);
	if (readable && error.n == 0)
		users_free(users_read(&k));
	plan_make(&k, &m, &plan);
	plan_probe(&k, &plan);
	plan_free(&plan);
	check_doubts(c, &note);
	fputs(buf_cstr(&error), stderr);
	print_notes(buf_str(&note));
	code = error.n == 0 ? EX_OK : check_code(&k);
	buf_free(&error);
	buf_free(&note);
	return code;
}
