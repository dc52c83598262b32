/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * master_conf -- what is made from a configuration, and how it is swapped.
 *
 * Everything that can fail is made first, beside what is in force; only
 * then is it swapped, so that a mistake leaves the old service untouched
 * (DESIGN: promise 4).  Sessions that are open keep what they were forked
 * with, and new ones are forked by new acceptors.
 */

#include "acceptors.h"

#include <errno.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "serve/tls.h"

static uint64_t
file_stamp(const char *path)
{
	struct stat st;

	if (!path[0] || stat(path, &st) < 0)
		return 0;
	return (uint64_t)st.st_mtim.tv_sec * 1000000000 +
	    (uint64_t)st.st_mtim.tv_nsec + st.st_ino;
}

static uint64_t
files_stamp(const struct conf_strs *files)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < files->n; i++)
		sum += file_stamp(files->v[i]);
	return sum;
}

/* A number that changes when any certificate or key file does. */
static uint64_t
certificates_stamp(const struct conf *c)
{
	uint64_t sum = files_stamp(&c->tls.certificate) + files_stamp(&c->tls.key);

	for (size_t i = 0; i < c->tls.name_n; i++)
		sum += files_stamp(&c->tls.names[i].certificate) +
		    files_stamp(&c->tls.names[i].key);
	return sum;
}

void
service_tls_free(struct service_tls *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		tls_ctx_free(v[i].ctx);
	mem_free(v);
}

/* Without a SIGNER the keys are read, too. */
static struct tls_ctx *
tls_one(struct check *k, const struct conf_listen *l, const struct signer *signer)
{
	const char *wrong;
	struct buf reason;

	buf_init(&reason, 4096);
	struct tls_ctx *ctx =
	    serve_tls(k->conf, l, signer ? signer_tls(signer) : NULL, &wrong, &reason);
	if (!ctx)
		check_blame_tls(k, wrong, buf_cstr(&reason));
	buf_free(&reason);
	return ctx;
}

static bool
is_of(const struct conf_listen *l, enum tls_which which)
{
	return which == TLS_OF_ALL ||
	    listener_is_of(l, which == TLS_OF_POP3);
}

int
service_tls_make(struct check *k, enum tls_which which, const struct signer *signer,
    struct service_tls **v)
{
	const struct conf *c = k->conf;

	*v = mem_array(c->listen_n + 1, sizeof(**v));
	for (size_t i = 0; i < c->listen_n; i++) {
		const struct conf_listen *l = &c->listens[i];

		(*v)[i].conf = l;
		if (l->tls == LISTEN_TLS_OFF || !is_of(l, which))
			continue;
		if (!((*v)[i].ctx = tls_one(k, l, signer))) {
			service_tls_free(*v, c->listen_n);
			*v = NULL;
			return -1;
		}
	}
	return 0;
}

/* What no listener offers yet is wrong all the same.  False after a complaint. */
static bool
unused_tls_is_right(struct check *k)
{
	const struct conf_listen nobody = { .name = "" };
	struct tls_ctx *ctx = tls_one(k, &nobody, NULL);

	tls_ctx_free(ctx);
	return ctx != NULL;
}

static bool
some_offer_tls(const struct conf *c)
{
	for (size_t i = 0; i < c->listen_n; i++)
		if (c->listens[i].tls != LISTEN_TLS_OFF)
			return true;
	return false;
}

void
check_tls(struct check *k)
{
	struct service_tls *tls;

	if (k->conf->tls.certificate.n > 0 && !some_offer_tls(k->conf) && !unused_tls_is_right(k))
		return;
	if (service_tls_make(k, TLS_OF_ALL, NULL, &tls) < 0)
		return;
	service_tls_free(tls, k->conf->listen_n);
	if (k->signer && signer_keep(k->signer, k->conf) < 0)
		check_blame(k, CONF_NOWHERE, "tls", ENOMEM, "cannot keep the keys: %s",
		    strerror(errno));
}

/*
 * A new way to who has the keys, with those that belong to certificates as they
 * are now.  NULL after a complaint, of these too.
 */
static struct signer *
signer_make(struct check *k)
{
	size_t before = k->error->n;
	struct signer *s = signer_new();

	if (!s) {
		check_blame(k, CONF_NOWHERE, "tls", errno, "cannot make a channel: %s",
		    strerror(errno));
		return NULL;
	}
	k->signer = s;
	check_apart(k, check_tls);
	k->signer = NULL;
	if (k->error->n == before)
		return s;
	signer_free(s);
	return NULL;
}

/* What a configuration makes, beside what is in force. */
struct making {
	uint64_t certificates_stamp;	/* before they were read */
	uint64_t tables_stamp;		/* likewise */
	int kept;			/* the configuration, and tables */
	struct signer *signer;
	struct plan plan;
	struct listener *listeners;
	size_t listener_n;
	struct sandbox sandbox;
	uint64_t users_state;		/* likewise */
	struct names *users;
};

/* All that can fail.  -1 after a complaint: nothing has changed. */
static int
make_all(struct check *k, struct conf *c, int kept, struct master *m, struct making *n, bool first)
{
	struct proc_user user = check_user(k, m);

	if (m->conf)
		places_keep(k, m);
	n->certificates_stamp = certificates_stamp(c);
	n->signer = signer_make(k);
	check_ca(k);
	check_apart(k, check_identities);
	if (c->dkim_n > 0)
		check_apart(k, check_dkim);
	check_users(k);
	check_programs(k);
	check_aliases(k);
	n->tables_stamp = conf_tables_stamp(c);
	n->kept = check_tables(k, kept);
	check_spf(k);
	check_log(k);
	if (!m->once)
		plan_make(k, m, &n->plan);
	if (k->error->n > 0)
		return -1;
	/* Once it is known that all files are there. */
	n->users_state = users_state(c);
	if (!(n->users = users_read(k)))
		return -1;
	m->user = user;
	if ((first && places_open(k, m) < 0) || places_maildirs(k, &m->user) < 0)
		return -1;
	if (conf_srs_load(c, true, m->user.uid, k->error) < 0 ||
	    sandbox_make(k, &n->sandbox) < 0)
		return -1;
	return listeners_open(k, m, &n->plan, &n->listeners, &n->listener_n);
}

static void
log_doubts(const struct conf *c)
{
	struct buf doubts;

	buf_init(&doubts, 16384);
	check_doubts(c, &doubts);
	log_lines(LOG_LEVEL_WARNING, "configuration: ", buf_str(&doubts));
	buf_free(&doubts);
}

static void
put_in_force(struct master *m, struct conf *c, struct making *n)
{
	listeners_close(m->listeners, m->listener_n);
	m->listeners = n->listeners;
	m->listener_n = n->listener_n;
	signer_in_force(m, n->signer);
	m->certificates_seen = m->certificates_kept = n->certificates_stamp;
	m->tables_stamp = n->tables_stamp;
	conf_free(m->conf);
	m->conf = c;
	if (m->kept >= 0)
		close(m->kept);
	m->kept = n->kept;
	(void)conf_open_log(c);
	log_doubts(c);
	sandbox_free(&m->sandbox);
	m->sandbox = n->sandbox;
	m->users_state = n->users_state;
	m->users_failed = 0;
	users_in_force(m, n->users);
}

int
master_apply(struct master *m, struct conf *c, int kept, bool first, struct buf *error)
{
	struct check k = { .conf = c, .error = error };
	struct making n = { .sandbox = SANDBOX_NONE, .kept = -1 };
	int code = EX_OK;

	/* Children for control are forked from here; others need no passwords. */
	conf_forget_secrets(c);
	conf_forget_proxy(c);
	conf_forget_backends(c);
	if (make_all(&k, c, kept, m, &n, first) == 0) {
		put_in_force(m, c, &n);
	} else {
		code = m->spool_busy ? EX_TEMPFAIL : check_code(&k);
		if (n.kept >= 0)
			close(n.kept);
		signer_free(n.signer);
		sandbox_free(&n.sandbox);
		conf_free(c);
	}
	close(kept);
	plan_free(&n.plan);
	users_free(n.users);
	return code;
}

static struct conf *
load_again(const struct master *m, int *kept, struct buf *error)
{
	struct conf *c = conf_load_and_keep(m->conf_path, kept, error);

	if (!c || (*kept = fd_raise(*kept)) >= 0)
		return c;
	buf_addf(error, "%s: cannot keep the configuration: %s\n", m->conf_path,
	    strerror(errno));
	conf_free(c);
	return NULL;
}

/* Whether what helpers read when they start is in order, by the configuration in force. */
static bool
helpers_may_start(const struct master *m)
{
	struct buf error;
	struct check k = { .conf = m->conf, .error = &error };

	buf_init(&error, 16384);
	check_ca(&k);
	check_apart(&k, check_identities);
	if (m->conf->dkim_n > 0)
		check_apart(&k, check_dkim);
	check_users(&k);
	check_aliases(&k);
	bool ok = error.n == 0;
	buf_free(&error);
	return ok;
}

/*
 * Who has rotated the log asks for it by a reload, too, and removes the old file
 * some day.  Helpers and acceptors are confined, and open it when they start.
 */
static void
logs_again(struct master *m)
{
	log_reopen();
	if (helpers_may_start(m))
		helpers_restart(m);
	else
		log_warn(NULL, "helpers could not start with the files that are there now: "
		    "they stay, and write to the log as it was");
	acceptors_again(m);
}

void
master_reload(struct master *m)
{
	struct buf error;
	int kept;

	/* systemd's notify-reload wants to know when it began, by its own clock. */
	notify_send("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the configuration",
	    (long long)clock_ms() * 1000);
	buf_init(&error, 16384);
	acceptors_hold(m, true);
	struct conf *c = load_again(m, &kept, &error);
	if (!c || master_apply(m, c, kept, false, &error) != EX_OK) {
		logs_again(m);
		log_lines(LOG_LEVEL_ERROR, "reload refused, the old configuration stays: ",
		    buf_str(&error));
	} else {
		helpers_restart(m);
		buf_reset(&error);
		if (acceptors_replace(m, &error) < 0)
			log_lines(LOG_LEVEL_ERROR,
			    "new sessions are under the old configuration yet: ",
			    buf_str(&error));
		log_info(NULL, "reload -- configuration %s", m->conf_path);
	}
	acceptors_hold(m, false);
	buf_free(&error);
	notify_send("READY=1\nSTATUS=running");
}

bool
master_certificates_fit(const struct master *m)
{
	return certificates_stamp(m->conf) == m->certificates_kept;
}

/* New certificates come into force by themselves; bad ones do not. */
void
master_check_certificates(struct master *m)
{
	uint64_t stamp = certificates_stamp(m->conf);
	struct signer *signer;
	struct buf error;

	if (stamp == m->certificates_seen)
		return;
	buf_init(&error, 16384);
	struct check k = { .conf = m->conf, .error = &error };
	acceptors_hold(m, true);
	signer = signer_make(&k);
	/* What was not the files' fault is tried again with the next look. */
	if (signer || k.mistake)
		m->certificates_seen = stamp;
	if (signer) {
		signer_in_force(m, signer);
		m->certificates_kept = stamp;
		helpers_restart_one(m, HELPER_ADMIN);
		(void)acceptors_replace(m, &error);
	}
	acceptors_hold(m, false);
	if (error.n > 0)
		log_lines(LOG_LEVEL_ERROR, "new certificate refused, the old one stays: ",
		    buf_str(&error));
	else
		log_info(NULL, "certificates were read again");
	buf_free(&error);
}

void
master_release(struct master *m)
{
	signer_free(m->signer);
	listeners_close(m->listeners, m->listener_n);
	sandbox_free(&m->sandbox);
	conf_free(m->conf);
	close(m->kept);
	if (m->mailboxes >= 0)
		close(m->mailboxes);
}

static void
tables_in_force(struct master *m, int kept)
{
	struct buf error;

	buf_init(&error, 16384);
	close(m->kept);
	m->kept = kept;
	acceptors_hold(m, true);
	helpers_restart(m);
	if (acceptors_replace(m, &error) < 0)
		log_lines(LOG_LEVEL_ERROR, "new sessions have the old tables yet: ",
		    buf_str(&error));
	acceptors_hold(m, false);
	log_info(NULL, "tables of addresses were read again");
	buf_free(&error);
}

/* Tables of addresses likewise: whoever has them is started anew, with what was read. */
void
master_check_tables(struct master *m)
{
	uint64_t stamp = conf_tables_stamp(m->conf);
	struct buf error;
	int kept;

	if (stamp == m->tables_stamp)
		return;
	buf_init(&error, 16384);
	struct check k = { .conf = m->conf, .error = &error };
	kept = check_tables(&k, m->kept);
	if (kept >= 0 || k.mistake)
		m->tables_stamp = stamp;
	if (kept >= 0)
		tables_in_force(m, kept);
	else
		log_lines(LOG_LEVEL_ERROR, "new table refused, the old one stays: ",
		    buf_str(&error));
	buf_free(&error);
}
