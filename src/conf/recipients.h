/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_RECIPIENTS_H
#define CONF_RECIPIENTS_H

/* recipients -- what becomes of addresses of ours; of this room alone. */

#include "conf/conf.h"

/* After the upstreams, which a via may name. */
void conf_recipient_finish(struct conf *c);
void conf_recipient_check(const struct conf *c, struct buf *error);
/* After those: what leads to a list gives it its address. */
void conf_list_finish(struct conf *c);
void conf_list_check(struct conf *c, struct buf *error);
void conf_vacation_finish(struct conf *c);
void conf_vacation_check(struct conf *c, struct buf *error);
void conf_archive_finish(struct conf *c);
void conf_archive_check(struct conf *c, struct buf *error);
/* conf_via_read() for what the configuration says itself: a program, too. */
const char *conf_own_via_read(const struct conf *c, const char *text, int tls,
    struct arena *a, struct conf_via *v);
/* Whether there is such an account only this host can say: master/check.c. */
void conf_run_as_check(const char *section, const char *pattern,
    const char *via, const char *run_as, struct conf_place where,
    struct buf *error);

/* Patterns of addresses; those that are none fit nothing. */
struct conf_patterns conf_senders_read(struct arena *a, const struct conf_strs *texts);
/* The form of their tables: see conf/table.h. */
const char *conf_row_take(const struct conf *c, struct arena *a, struct str *to);

/* Complains of a pattern of addresses in SECTION; NULL_WHY: what to say of "<>". */
/* Lists of patterns: read, where one that is none fits nothing; and complained of. */
typedef const char *conf_pattern_read(struct arena *a, struct str text, struct pattern *p);
struct pattern *conf_patterns_read(struct arena *a, const struct conf_strs *texts,
    conf_pattern_read *read);
/* NAME is that of the option, which stands at PLACE. */
void conf_patterns_check(struct conf *c, const char *name, struct conf_place place,
    const struct conf_strs *texts, conf_pattern_read *read, struct buf *error);
void conf_pattern_check(const char *section, const char *pattern, struct conf_place place,
    const char *null_why, struct buf *error);

#endif
