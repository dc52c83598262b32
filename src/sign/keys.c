/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * keys -- the private keys of all certificates that servers show.
 *
 * They come in a sealed memory file, by way of the master (master/signer.c):
 * those that were found right when the certificates were, however often this
 * program is started and whatever became of their files meanwhile.
 */

#include "sign.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"

static void
read_all(struct keys *k, FILE *f, struct buf *error)
{
	struct tls_key *key;

	/* The offset is shared with those who read it before us. */
	rewind(f);
	while ((key = tls_key_get(f, error)) != NULL) {
		k->v = mem_grow(k->v, k->n + 1, sizeof(struct tls_key *));
		k->v[k->n++] = key;
	}
}

void
keys_take_fd(struct keys *k, int fd)
{
	FILE *f = fdopen(fd, "r");
	struct buf error;

	*k = (struct keys){ 0 };
	buf_init(&error, 1024);
	if (f)
		read_all(k, f, &error);
	else
		buf_adds(&error, strerror(errno));
	if (error.n > 0)
		log_error(NULL, "the keys that were handed over are broken: %s", buf_cstr(&error));
	buf_free(&error);
	if (f)
		fclose(f);
	else
		close(fd);
}

void
keys_free(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		tls_key_free(k->v[i]);
	mem_free(k->v);
	*k = (struct keys){ 0 };
}
