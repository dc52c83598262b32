/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_CONTROL_H
#define RUNNER_CONTROL_H

/* control -- what the files that carry out orders share. */

#include "ipc/msg.h"

struct runner;

/* view.c: says what becomes of the destinations, or of those called NAME. */
void view_answer(const struct runner *r, struct str name, int fd);

/* Answers, and closes FD (-1: nobody waits). */
void control_reply(int fd, bool ok, uint64_t count, struct str text);

/* steer.c: carries M out, and answers when it is done. */
void steer_start(struct runner *r, const struct msg_control *m, int answer);
/* The same for one message, whose order stands in the spool. */
void steer_again(struct runner *r, enum control_op op, const char *id);
/* How many orders are under way, or wait for that. */
size_t steer_waiting(const struct runner *r);
/* A message is where its attempt has left it: an order may wait for that. */
void steer_moved(struct runner *r);

#endif
