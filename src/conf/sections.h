/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_SECTIONS_H
#define CONF_SECTIONS_H

/*
 * sections -- of each kind of section, in the file of its name: what its
 * options mean, which conf_finish() calls; and complaints of what does not fit,
 * which conf_check() calls.
 */

#include "lib/buf.h"

struct conf;
struct conf_listen;
struct conf_strs;

void conf_account_finish(struct conf *c);
void conf_admin_finish(struct conf *c);
void conf_collect_finish(struct conf *c);
void conf_dkim_finish(struct conf *c);
/* Domains in the form that DNS knows; one that has none stays, to be complained about. */
void conf_domains_finish(struct conf *c, struct conf_strs *domains);
void conf_dnsbl_finish(struct conf *c);
void conf_checks_finish(struct conf *c);
void conf_listen_finish(struct conf *c);
void conf_pool_finish(struct conf *c);
void conf_rewrite_finish(struct conf *c);
void conf_route_finish(struct conf *c);
void conf_storage_finish(struct conf *c);
void conf_scan_finish(struct conf *c);
void conf_upstream_finish(struct conf *c);

void conf_account_check(struct conf *c, struct buf *error);
void conf_admin_check(struct conf *c, struct buf *error);
void conf_admin_doubt(const struct conf *c, const struct conf_listen *l, struct buf *out);
/* doubt.c: of the way of mail. */
void conf_way_doubts(const struct conf *c, struct buf *out);
void conf_admin_check_listen(const struct conf *c, const struct conf_listen *l,
    struct buf *error);
void conf_collect_check(const struct conf *c, struct buf *error);
void conf_certificate_check(const struct conf *c, struct buf *error);
void conf_destination_check(struct conf *c, struct buf *error);
void conf_dkim_check(struct conf *c, struct buf *error);
void conf_dnsbl_check(const struct conf *c, struct buf *error);
void conf_checks_check(const struct conf *c, struct buf *error);
void conf_listen_check(const struct conf *c, struct buf *error);
void conf_access_check(const struct conf *c, struct buf *error);
void conf_pool_check(const struct conf *c, struct buf *error);
void conf_rewrite_check(const struct conf *c, struct buf *error);
void conf_route_check(const struct conf *c, struct buf *error);
void conf_scan_check(const struct conf *c, struct buf *error);
void conf_srs_check(const struct conf *c, struct buf *error);
void conf_storage_check(const struct conf *c, struct buf *error);
void conf_upstream_check(const struct conf *c, struct buf *error);

#endif
