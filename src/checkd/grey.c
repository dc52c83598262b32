/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * grey -- senders that nobody knows: the file of check/greylist.c in the spool,
 * and questions about it.
 *
 * The file is mapped before this process is confined, and is nobody else's.  What
 * of it is lost in a crash makes somebody come once more.
 */

#include "checkd.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check/greylist.h"
#include "ipc/channel.h"
#include "ipc/msg_grey.h"
#include "lib/clock.h"
#include "lib/log.h"

#define FILE_NAME "greylist"

/* A file with a second name, or of somebody else, is not ours to write. */
static bool
is_ours(int fd)
{
	struct stat st;

	errno = EPERM;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    st.st_uid == geteuid();
}

static void *
map(int dir)
{
	int fd = openat(dir, FILE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
	    0600);
	void *p = MAP_FAILED;
	int e;

	if (fd >= 0 && is_ours(fd) && ftruncate(fd, GREYLIST_OCTETS) == 0)
		p = mmap(NULL, GREYLIST_OCTETS, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	e = errno;
	if (fd >= 0)
		close(fd);
	errno = e;
	return p;
}

void
grey_open(struct checkd *d)
{
	int dir;
	void *p = MAP_FAILED;

	if (!d->conf->greylist.enabled)
		return;
	dir = open(d->conf->spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0) {
		p = map(dir);
		close(dir);
	}
	if (p == MAP_FAILED) {
		log_error(NULL, "%s/" FILE_NAME ": %s: nobody is greylisted", d->conf->spool,
		    strerror(errno));
		return;
	}
	greylist_begin(p);
	d->greylist = p;
}

void
grey_close(struct checkd *d)
{
	if (d->greylist != NULL)
		(void)munmap(d->greylist, GREYLIST_OCTETS);
	d->greylist = NULL;
}

void
grey_take(struct checkd *d, struct str packet, int reply)
{
	const struct conf_greylist *c = &d->conf->greylist;
	const struct greylist_rules rules = { c->delay / 1000, c->window / 1000, c->keep / 1000,
		c->allow_after };
	struct msg_grey_result r = { 0 };
	struct msg_grey m;
	struct buf b;

	if (!msg_grey_get(packet, &m)) {
		channel_complain("a question about a sender");
		close(reply);
		return;
	}
	if (d->greylist != NULL)
		r.wait = (uint64_t)greylist_ask(d->greylist, &rules, m.client, m.sender,
		    m.recipient, clock_wall_us() / 1000000);
	buf_init(&b, FRAME_MAX);
	msg_grey_result_put(&b, &r);
	question_answer(reply, buf_str(&b));
	buf_free(&b);
}
