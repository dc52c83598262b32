/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef IPC_CHANNEL_H
#define IPC_CHANNEL_H

/*
 * channel -- packets between processes, and calls with an answer.
 *
 * A channel is a SEQPACKET socket pair that the master made: any process
 * that inherited the one end can send, the server that has the other reads.
 * A caller passes, with its packet, one end of a fresh pair for the answer:
 * so no session can read another's, and no path in the file system is
 * needed.
 */

#include <sys/types.h>

#include "lib/buf.h"

int channel_pair(int fds[2]) MUST_USE;
/* Sends one packet, and PASS (-1: none) with it.  -1: errno; EAGAIN if the channel is full. */
int channel_send(int fd, struct str packet, int pass) MUST_USE;
/*
 * Receives one packet into B (reset first).  1: a packet, and in *PASS the
 * descriptor that came with it, or -1.  0: no packet (EAGAIN).  -1: error
 * or end.  Never waits.
 */
int channel_recv(int fd, struct buf *b, int *pass) MUST_USE;
/* From here on channel_recv_from() on FD says who sent a packet. */
int channel_name_senders(int fd) MUST_USE;
/* As channel_recv(); *WHO is the process that sent it, by the kernel's word, or 0. */
int channel_recv_from(int fd, struct buf *b, int *pass, pid_t *who) MUST_USE;
/*
 * Sends PACKET with a way to answer, and waits for the answer until
 * DEADLINE (clock_ms; -1: for ever).  -1: errno, ETIMEDOUT, EPIPE if the server went away.
 */
int channel_call(int fd, struct str packet, int64_t deadline, struct buf *answer) MUST_USE;
/* The same; *PASS is the descriptor that came with the answer, or -1. */
int channel_call_for(int fd, struct str packet, int64_t deadline, struct buf *answer,
    int *pass) MUST_USE;
/* The same in two, so that several may be asked at once: -1, or what channel_await() takes. */
int channel_ask(int fd, struct str packet, int64_t deadline) MUST_USE;
int channel_await(int fd, int64_t deadline, struct buf *answer) MUST_USE;
/* The same; *PASS as with channel_call_for(). */
int channel_await_for(int fd, int64_t deadline, struct buf *answer, int *pass) MUST_USE;
/*
 * Says in the log that WHAT ("a question for a name") came and is broken: once a
 * second at most, since any session can send such.
 */
void channel_complain(const char *what);

#endif
