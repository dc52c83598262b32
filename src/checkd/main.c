/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * main -- the program barid-check: asks DNS for sessions, which have no way
 * out.
 *
 * Everything it hears is foreign; what it says is looked at again by whoever
 * asked (ipc/msg_lists.c).  Who gets no answer in time goes on without it.
 */

#include "checkd.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "lib/confine.h"
#include "lib/helper.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/proc.h"
#include "policy/override.h"

static void
on_term(void *arg)
{
	loop_stop(arg);
}

static void
on_usr1(void *arg UNUSED)
{
	log_reopen();
}

static void
load(struct checkd *d, const char *path)
{
	struct buf error;

	buf_init(&error, 16384);
	if (!(d->conf = conf_inherit(path, false, &error)))
		fatal(EX_CONFIG, "%s", buf_cstr(&error));
	buf_free(&error);
	conf_forget_secrets(d->conf);
	conf_forget_backends(d->conf);
	conf_forget_proxy(d->conf);
	(void)conf_open_log(d->conf);
}

static void
begin(struct checkd *d)
{
	d->channel = HELPER_FD;
	(void)fcntl(d->channel, F_SETFL, O_NONBLOCK);
	d->loop = loop_new();
	if ((d->dns = resolver_new(d->conf, d->loop)) == NULL)
		fatal(EX_OSERR, "cannot ask DNS: %s", strerror(errno));
	loop_signal(d->loop, SIGTERM, on_term, d->loop);
	loop_signal(d->loop, SIGUSR1, on_usr1, NULL);
	/* What a terminal sends is the master's to interpret. */
	proc_ignore(SIGINT);
	proc_ignore(SIGHUP);
	proc_ignore(SIGPIPE);
	d->known = answers_new();
	d->texts = answers_new();
	d->verdicts = answers_new();
	d->open = map_new();
	zones_open(d);
	scans_open(d);
	dmarc_begin(d);
	readers_open(d);
	questions_open(d);
}

static void
end(struct checkd *d)
{
	questions_close(d);
	dmarc_close(d);
	/* What is open is answered, as if all were late. */
	dns_free(d->dns);
	zones_close(d);
	map_free(d->open);
	answers_free(d->known);
	answers_free(d->texts);
	answers_free(d->verdicts);
	scans_close(d);
	readers_close(d);
	loop_free(d->loop);
}

int
main(int argc, char **argv)
{
	struct checkd *d = mem_alloc(sizeof(*d));
	const char *path = helper_begin(argc, argv, "check", 1);
	struct proc_user user;

	load(d, path);
	user = proc_user(d->conf->user);
	if (proc_is_root() && !user.found)
		fatal(EX_NOUSER, "there is no user %s", d->conf->user);
	proc_confine(&user, NULL);
	grey_open(d);
	dmarc_open(d);
	confine_now(CONFINE_HELPER, (enum confine_mode)d->conf->sandbox);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	begin(d);
	loop_run(d->loop);
	end(d);
	grey_close(d);
	conf_free(d->conf);
	mem_free(d);
	return EX_OK;
}
