/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_HOMES_H
#define RUNNER_HOMES_H

/* homes -- what accounts have in their .forward, as this runner knows it. */

#include "policy/expand.h"

struct job;
struct runner;

void homes_open(struct runner *r);
void homes_close(struct runner *r);
/*
 * A look at whom J's mail goes to, which ends with homes_end() or homes_wait(): what
 * was answered since J waited first counts to its end.
 */
void homes_begin(struct runner *r, const struct job *j);
void homes_end(struct runner *r, const struct job *j);
/* For expand(), within such a look: asks barid-spawn for what is not known, or no longer. */
enum expand_home homes_find(struct runner *r, const char *user,
    const struct alias_list **list, const char **why);
/* Whether USER, of whom there was an answer, is an account with a Maildir at home. */
bool homes_has_maildir(const struct runner *r, const char *user);
/* J is freed, and its message begins again when the answer about USER has come. */
void homes_wait(struct runner *r, const char *user, struct job *j);
/* Forgets those that nobody asked for lately. */
void homes_tick(struct runner *r);

#endif
