/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * signer -- the way from sessions to barid-sign, which has the private keys.
 *
 * A way belongs to what was read at one time: certificates here, their keys
 * there.  New certificates come with a new way and another barid-sign at its
 * end, while sessions that were forked before go on with the old one; it ends
 * when nobody holds the sessions' end any more.  One that dies before is
 * started again on the same way, and requests wait in it meanwhile.
 *
 * The keys go with the way, in a sealed memory file that a child wrote when it
 * had found them right (check_apart()): what is signed with is what was
 * checked, whatever becomes of files.  The master has its descriptor, where no
 * session has one, and never looks into it.
 */

#include "master.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ipc/channel.h"
#include "lib/mem.h"
#include "net/tls_key.h"
#include "serve/sign.h"

struct signer {
	int server_end;		/* >= master_fd_base(), inherited by barid-sign */
	int client_end;		/* below it: sessions ask here */
	int keys;		/* >= master_fd_base(), inherited by barid-sign */
	struct sign_way way;
};

struct signer *
signer_new(void)
{
	struct signer *s = mem_alloc(sizeof(*s));
	int fds[2], err;

	*s = (struct signer){ .server_end = -1, .client_end = -1, .keys = -1 };
	if (channel_pair(fds) < 0)
		goto fail;
	s->client_end = fds[1];
	sign_way_init(&s->way, s->client_end);
	s->server_end = fd_raise(fds[0]);
	/* It wants to know who asks, from the first request on. */
	if (s->server_end < 0 || channel_name_senders(s->server_end) < 0)
		goto fail;
	s->keys = memfd_create("barid-keys", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->keys >= 0 && (s->keys = fd_raise(s->keys)) >= 0)
		return s;
fail:
	err = errno;
	signer_free(s);
	errno = err;
	return NULL;
}

struct signer *
signer_attach(int client_end)
{
	struct signer *s = mem_alloc(sizeof(*s));

	*s = (struct signer){ .server_end = -1, .client_end = client_end, .keys = -1 };
	sign_way_init(&s->way, client_end);
	return s;
}

void
signer_begin(struct signer *s)
{
	if (s)
		s->way.in_force = true;
}

int
signer_client_end(const struct signer *s)
{
	return s->client_end;
}

void
signer_free(struct signer *s)
{
	if (!s)
		return;
	if (s->server_end >= 0)
		close(s->server_end);
	if (s->client_end >= 0)
		close(s->client_end);
	if (s->keys >= 0)
		close(s->keys);
	mem_free(s);
}

static bool
put_keys(FILE *f, const struct conf_strs *certificates, const struct conf_strs *files)
{
	struct buf error;
	bool ok = true;

	buf_init(&error, 4096);
	for (size_t i = 0; i < certificates->n && i < files->n && ok; i++) {
		struct tls_key *k = tls_key_load(certificates->v[i], files->v[i], &error);

		ok = k && tls_key_put(k, f);
		tls_key_free(k);
	}
	buf_free(&error);
	return ok;
}

int
signer_keep(struct signer *s, const struct conf *c)
{
	int fd = fcntl(s->keys, F_DUPFD_CLOEXEC, 0);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	bool ok = f && put_keys(f, &c->tls.certificate, &c->tls.key);

	if (!f)
		return -1;
	for (size_t i = 0; i < c->tls.name_n && ok; i++)
		ok = put_keys(f, &c->tls.names[i].certificate, &c->tls.names[i].key);
	if (fclose(f) != 0 || !ok)
		return -1;
	return fcntl(s->keys, F_ADD_SEALS,
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
}

const struct tls_signer *
signer_tls(const struct signer *s)
{
	return &s->way.tls;
}

int
signer_server_end(const struct signer *s)
{
	return s->server_end;
}

int
signer_keys(const struct signer *s)
{
	return s->keys;
}

void
signer_in_force(struct master *m, struct signer *s)
{
	s->way.in_force = true;
	signer_free(m->signer);
	m->signer = s;
	helpers_leave(m, HELPER_SIGN);
}

void
signer_withhold(const struct master *m)
{
	if (m->signer)
		close(m->signer->client_end);
}
