/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef RUNNER_TEXTS_H
#define RUNNER_TEXTS_H

/* texts -- what is too old in the store of texts (queue/store.h) is removed. */

struct runner;

/* Says in the log if the store cannot be used. */
void texts_start(struct runner *r);
void texts_tick(struct runner *r);
/* When the pool is gone. */
void texts_stop(struct runner *r);

#endif
