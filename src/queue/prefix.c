/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * prefix -- what is known of a message only when its text is there.
 *
 * What checks find belongs into the envelope and into the first lines of the
 * header, and both stand before the text.  Of a message that is in memory yet
 * that is a copy.  For one that is streamed into its file a block larger than
 * the envelope is begun with: the new envelope and the new lines are written
 * over it, and what is left is filled up between them ("pad").  The text need
 * not be read again for its checksum.
 */

#include <errno.h>

#include "lib/hash.h"
#include "lib/sys.h"
#include "queue/prefix.h"

#include "envelope_line.h"
#include "trays.h"

void
queue_reserve(struct queue_msg *m, const struct envelope *e)
{
	size_t size = m->buf.n + QUEUE_LATE_MAX;

	buf_reset(&m->buf);
	envelope_format_to(&m->buf, e, size);
	if (!buf_ok(&m->buf)) {
		m->failed = true;
		m->error = EMSGSIZE;
		return;
	}
	m->head = m->buf.n;
	memcpy(m->first, m->buf.p, FIRST_LEN);
	m->crc = m->head_crc = envelope_sum(buf_str(&m->buf));
}

/* All of it is in memory: what is before the text becomes NEW. */
static void
replace(struct queue_msg *m, struct buf *new)
{
	struct buf old = m->buf;

	buf_add(new, str_skip(buf_str(&old), m->head));
	m->head = envelope_length(buf_str(new));
	m->buf = *new;
	*new = old;
}

/* The same of what is on disk, and as long. */
static int
overwrite(struct queue_msg *m, const struct buf *new)
{
	memcpy(m->first, new->p, FIRST_LEN);
	return sys_pwrite_all(m->fd, new->p, new->n, 0);
}

int
queue_prefix(struct queue_msg *m, const struct envelope *e, struct str prefix)
{
	bool on_disk = m->fd >= 0;
	struct buf new;
	uint32_t crc;
	int r = 0;

	buf_init(&new, m->buf.max);
	if (!on_disk)
		envelope_format(&new, e);
	else if (prefix.n < m->head)
		envelope_format_to(&new, e, m->head - prefix.n);
	crc = crc32c(envelope_sum(buf_str(&new)), prefix.p, prefix.n);
	buf_add(&new, prefix);
	if (!buf_ok(&new) || new.n <= prefix.n) {
		errno = EMSGSIZE;
		r = -1;
	} else {
		m->crc = crc32c_exchange(m->crc, m->head_crc, crc, m->size);
		m->size += prefix.n;
		if (on_disk)
			r = overwrite(m, &new);
		else
			replace(m, &new);
	}
	m->failed = m->failed || r < 0;
	m->error = r < 0 ? errno : m->error;
	buf_free(&new);
	return r;
}
