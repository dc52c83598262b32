/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CMD_FORMS_H
#define CMD_FORMS_H

/* forms -- what barid answers in lines, and the configuration, as JSON. */

#include <stdio.h>

#include "conf/conf.h"

/* Of CONTROL_STATUS: lines "key value"; keys that repeat become arrays. */
void forms_status(struct str text, FILE *out);
/* Of CONTROL_BLOCKS and CONTROL_COLLECT: an array with an object for each line. */
void forms_blocks(struct str text, FILE *out);
void forms_collects(struct str text, FILE *out);
/* What CONTROL_AUTH says of USER: its verdict, and the answer of each backend. */
void forms_answers(struct str user, struct str text, FILE *out);
/* Each option with its value, file and line. */
void forms_config(const struct conf *c, FILE *out);

#endif
