/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef REPORT_JSON_H
#define REPORT_JSON_H

/* json -- what --json prints, a line or a block each. */

#include <stdio.h>

#include "conf/conf.h"
#include "queue/queue.h"

/* A message that stands in PLACE; LAST has an attempt for each recipient. */
void json_message(const struct queue_file *f, const char *place, const struct queue_attempt *last,
    FILE *out);
/* The lines "key value" of a status; keys that repeat become lists. */
void json_status(struct str text, FILE *out);
/* Each option with its value, file and line. */
void json_config(const struct conf *c, FILE *out);

#endif
