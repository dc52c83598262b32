/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * options -- what barid.conf may hold, and what it holds by default.
 *
 * Data only.  Defaults are written as in the file, without quotes.  The
 * order is that of the manual page and of `baridctl config`.  Options of
 * later releases stand here too, so that a file written for one of them is
 * refused for what would be missing and for nothing else.
 */

#include "conf/option.h"

#include "conf/conf.h"

#define KB ((uint64_t)1 << 10)
#define GB ((uint64_t)1 << 30)
#define SECOND 1000u
#define MINUTE (60u * SECOND)
#define HOUR (60u * MINUTE)
#define DAY (24u * HOUR)

static const char *const service_words[] = { "smtp", "submission", "pop3",
	"admin", NULL };
static const char *const listen_tls_words[] = { "off", "starttls", "required",
	"implicit", NULL };
static const char *const client_tls_words[] = { "off", "may", "required",
	"verified", "dane", NULL };
static const char *const protocol_words[] = { "smtp", "lmtp", NULL };
static const char *const mode_words[] = { "store", "proxy", NULL };
static const char *const version_words[] = { "1.2", "1.3", NULL };
static const char *const address_words[] = { "strict", "loose", NULL };
/* In the order of enum dsn_ret, whose first is that nothing was said. */
static const char *const return_words[] = { "", "full", "headers", NULL };
static const char *const format_words[] = { "text", "json", NULL };
/* In the order of enum conf_rate_kind. */
static const char *const rate_words[] = { "client", "user", "sender",
	"recipient", "all", NULL };
/* The numbers are bits: CONF_DKIM_*. */
static const char *const form_words[] = { "relaxed/relaxed", "relaxed/simple", "simple/relaxed",
	"simple/simple", NULL };
static const char *const check_words[] = { "spf", "dkim", "dmarc", "arc",
	"iprev", "helo", "sender", "spam", "virus", NULL };
/* In the order of enum conf_check_action. */
static const char *const action_words[] = { "note", "reject", "defer", NULL };
/* In the order of enum scan_action, of which a virus has the first two; enum scan_on_error. */
static const char *const scan_action_words[] = { "note", "reject", "edit", NULL };
static const char *const virus_action_words[] = { "note", "reject", NULL };
static const char *const scan_error_words[] = { "accept", "defer", NULL };
/* In the order of enum conf_early. */
static const char *const early_words[] = { "note", "refuse", NULL };
/* In the order of enum conf_sender_login. */
static const char *const sender_words[] = { "any", "envelope", "from", NULL };
/* What a list of networks may hold besides. */
static const char *const peer_words[] = { "unix", NULL };
/* In the order of enum conf_rewrite_at, and of conf_rewrite_keep. */
static const char *const rewrite_words[] = { "receive", "send", NULL };
static const char *const keep_words[] = { "none", "reply-to",
	"x-original-from", NULL };
/* In the order of enum conf_list_from. */
static const char *const list_from_words[] = { "auto", "author", "list",
	NULL };
/* In the order of enum conf_collect_tls. */
static const char *const collect_tls_words[] = { "pop3s", "stls", "off", NULL };
/* In the order of enum conf_greylist_when. */
static const char *const greylist_words[] = { "suspicious", "always", NULL };
/* In the order of enum conf_dnsbl_at. */
static const char *const dnsbl_words[] = { "recipient", "connect", NULL };
/* In the order of enum confine_mode. */
static const char *const sandbox_words[] = { "off", "log", "enforce", NULL };
static const char *const policy_words[] = { "none", "out", "in", "all", NULL };
static const char *const level_words[] = { "error", "warning", "info", "debug",
	NULL };

/* clang-format off */
/* An option with a field in BASE; one of a later release; an idle one. */
#define OPT(n, t, f, d, lo, hi, h) { .name = n, .type = OPTION_##t, .offset = offsetof(struct BASE, f), \
	.fallback = d, .min = lo, .max = hi, .help = h }
#define WORDS(n, t, f, d, w, h) { .name = n, .type = OPTION_##t, .offset = offsetof(struct BASE, f), \
	.fallback = d, .choices = w, .help = h }
#define LATER(n, t, d, o, h) { .name = n, .type = OPTION_##t, .when = OPTION_LATER, .fallback = d, .off = o, .help = h }
#define IDLE(n, t, d, h) { .name = n, .type = OPTION_##t, .when = OPTION_IDLE, .fallback = d, .help = h }
#define SECRET(n, w, h) { .name = n, .type = OPTION_STRING, .when = OPTION_##w, .fallback = "", .off = "\"\"", .help = h, .secret = true }
/* A section without and with a title; and both for later releases. */
#define ONE(n, f, s, h) { .name = n, .type = OPTION_SECTION, .offset = offsetof(struct BASE, f), \
	.sub = s, .sub_n = ARRAY_LEN(s), .count_offset = SIZE_MAX, .help = h }
#define MANY(n, f, c, st, s, h) { .name = n, .type = OPTION_SECTION, .offset = offsetof(struct BASE, f), \
	.sub = s, .sub_n = ARRAY_LEN(s), .size = sizeof(struct st), .count_offset = offsetof(struct BASE, c), .help = h }
#define ONE_IDLE(n, s, h) { .name = n, .type = OPTION_SECTION, .when = OPTION_IDLE, \
	.sub = s, .sub_n = ARRAY_LEN(s), .count_offset = SIZE_MAX, .help = h }
#define MANY_NOT(n, w, s, h) { .name = n, .type = OPTION_SECTION, .when = OPTION_##w, \
	.sub = s, .sub_n = ARRAY_LEN(s), .count_offset = 0, .help = h }
/* A section of which there is one kind for each title. */
#define KIND(n, t, w, f, s, h) { .name = n, .title = t, .type = OPTION_SECTION, .offset = offsetof(struct BASE, f), \
	.sub = s, .sub_n = ARRAY_LEN(s), .count_offset = 0, .choices = w, .help = h }

#define BASE conf_listen
static const struct option listen_options[] = {
	WORDS("service", CHOICE, service, "smtp", service_words, "What is spoken there."),
	OPT("address", STRINGS, address, "{'*'}", 1, 256, "Addresses, interface names, unix:/path and fd:name."),
	OPT("port", PORTS, port, "", 0, 0, "A list of ports and ranges."),
	WORDS("tls", CHOICE, tls, "starttls", listen_tls_words, "Whether TLS is offered, demanded, or comes first."),
	OPT("hostname", STRING, hostname, "", 0, 0, "The name used there instead of the global one."),
	OPT("no-mail", BOOL, no_mail, "false", 0, 0, "Whether all mail is refused there, with 521."),
	OPT("connect", NETS, connect, "", 0, 0, "access.connect there."),
	OPT("blocked", NETS, blocked, "", 0, 0, "access.blocked there."),
	WORDS("relay", NETS, relay, "", peer_words, "access.relay there."),
	OPT("relay-certificates", STRINGS, relay_certificates, "", 0, 10000, "access.relay-certificates there."),
	OPT("auth-required", BOOL, auth_required, "", 0, 0, "access.auth-required there."),
	WORDS("sender-login", CHOICE, sender_login, "", sender_words, "access.sender-login there."),
	WORDS("proxies", NETS, proxies, "", peer_words, "access.proxies there."),
	WORDS("xclient", NETS, xclient, "", peer_words, "access.xclient there."),
	WORDS("xforward", NETS, xforward, "", peer_words, "access.xforward there."),
	WORDS("etrn", NETS, etrn, "", peer_words, "access.etrn there."),
	WORDS("verify", NETS, verify, "", peer_words, "access.verify there."),
	OPT("mechanisms", STRINGS, mechanisms, "", 0, 64, "auth.mechanisms there."),
	OPT("without-tls", STRINGS, without_tls, "", 0, 64, "auth.without-tls there."),
	OPT("connections-per-address", NUMBER, connections_per_address, "", 1, 1000000, "limits.connections-per-address there."),
	OPT("message-size", SIZE, message_size, "", KB, 64 * GB, "limits.message-size there."),
	OPT("recipients", NUMBER, recipients, "", 1, 100000, "limits.recipients there."),
	OPT("errors", NUMBER, errors, "", 1, 10000, "limits.errors there."),
	OPT("timeout", TIME, timeout, "", SECOND, DAY, "limits.timeout there."),
	OPT("greet-delay", TIME, greet_delay, "", 0, MINUTE, "limits.greet-delay there."),
	WORDS("early-talkers", CHOICE, early_talkers, "", early_words, "limits.early-talkers there."),
	OPT("tarpit-delay", TIME, tarpit_delay, "", 0, 5 * SECOND, "limits.tarpit-delay there."),
	OPT("login-delay", TIME, login_delay, "", 0, DAY, "pop3.login-delay there."),
	OPT("expire", TIME, expire, "", 0, 3650ull * DAY, "pop3.expire there."),
	OPT("no-delete", BOOL, no_delete, "", 0, 0, "pop3.no-delete there."),
	{ .name = "mode", .type = OPTION_STRING, .when = OPTION_LATER, .fallback = "store", .off = "\"store\"",
	  .choices = mode_words, .help = "Whether mail is queued or relayed at once." },
};
#undef BASE

#define BASE conf_tls_name
static const struct option tls_name_options[] = {
	OPT("certificate", STRINGS, certificate, "", 0, 2, "The certificate chain for this name, PEM."),
	OPT("key", STRINGS, key, "", 0, 2, "Its private key, PEM."),
};
#undef BASE

#define BASE conf_tls
static const struct option tls_options[] = {
	OPT("certificate", STRINGS, certificate, "", 0, 2, "The certificate chain, PEM."),
	OPT("key", STRINGS, key, "", 0, 2, "Its private key, PEM."),
	WORDS("min-version", STRING, min_version, "1.2", version_words, "The oldest TLS version that is spoken."),
	OPT("ciphers", STRING, ciphers, "", 0, 0, "A cipher list of OpenSSL; empty for barid's own choice."),
	OPT("ca", STRING, ca, "", 0, 0, "Certificates that peers are verified with; empty for the system's."),
	OPT("client-ca", STRING, client_ca, "", 0, 0, "Certificates that those of clients are verified with."),
	MANY("name", names, name_n, conf_tls_name, tls_name_options, "A certificate for a name that clients ask for."),
};
#undef BASE

#define BASE conf_auth
static const struct option auth_options[] = {
	{ .name = "backends", .type = OPTION_STRINGS, .offset = offsetof(struct BASE, backends), .fallback = "", .max = 16,
	  .help = "Who knows users and passwords, asked in this order.", .secret = true },
	OPT("mechanisms", STRINGS, mechanisms, "{PLAIN, LOGIN, XOAUTH2, OAUTHBEARER}", 1, 64, "The SASL mechanisms on offer."),
	OPT("without-tls", STRINGS, without_tls, "", 0, 64, "Mechanisms that are on offer before TLS."),
	OPT("certificates", STRINGS, certificates, "", 0, 10000, "Certificates of clients, and whose they are."),
	OPT("failure-delay", TIME, failure_delay, "2s", 0, MINUTE, "The delay after a wrong password; each further one doubles it."),
	OPT("failures-to-block", NUMBER, failures_to_block, "10", 0, 1000000, "Wrong passwords before an address is blocked; 0 for never."),
	OPT("block-time", TIME, block_time, "1h", SECOND, 31 * DAY, "How long it is blocked."),
	OPT("timeout", TIME, timeout, "20s", SECOND, 50 * SECOND, "How long a backend may take for an answer."),
	OPT("cache", TIME, cache, "10s", 0, HOUR, "How long a login that succeeded is remembered; 0 for not at all."),
};
#undef BASE

#define BASE conf_access
static const struct option access_options[] = {
	OPT("connect", NETS, connect, "{127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, fe80::/10}",
	    0, 0, "Networks that may connect."),
	WORDS("relay", NETS, relay, "{127.0.0.0/8, ::1}", peer_words, "Networks that may send anywhere without logging in."),
	OPT("relay-certificates", STRINGS, relay_certificates, "", 0, 10000,
	    "Certificates of clients that may send anywhere without logging in."),
	OPT("auth-required", BOOL, auth_required, "false", 0, 0, "Whether recipients elsewhere ask for a login rather than being refused."),
	WORDS("sender-login", CHOICE, sender_login, "any", sender_words, "What must be an own address of who has logged in."),
	WORDS("proxies", NETS, proxies, "", peer_words, "Peers that send a PROXY header."),
	WORDS("xclient", NETS, xclient, "", peer_words, "Networks that may say by XCLIENT for whom they speak."),
	WORDS("xforward", NETS, xforward, "", peer_words, "Networks that may say by XFORWARD where mail came from."),
	WORDS("etrn", NETS, etrn, "", peer_words, "Networks that may start the queue of a domain by ETRN."),
	WORDS("verify", NETS, verify, "", peer_words, "Networks that VRFY and EXPN tell who is here."),
	OPT("blocked", NETS, blocked, "", 0, 0, "Networks that are refused at once."),
};
#undef BASE

#define BASE conf_rate
static const struct option rate_options[] = {
	OPT("messages", NUMBER, messages, "0", 0, 1000000000, "Messages in that time; 0 for as many as there are."),
	OPT("recipients", NUMBER, recipients, "0", 0, 1000000000, "Recipients in that time; 0 for as many as there are."),
	OPT("per", TIME, per, "1m", SECOND, 31 * DAY, "That time."),
};
#undef BASE

#define BASE conf_limits
static const struct option limits_options[] = {
	OPT("connections", NUMBER, connections, "1000", 1, 1000000, "Connections in and out together."),
	OPT("connections-in", NUMBER, connections_in, "800", 1, 1000000, "Connections from clients."),
	OPT("connections-out", NUMBER, connections_out, "500", 1, 1000000, "Connections to other servers."),
	OPT("connections-per-address", NUMBER, connections_per_address, "20", 1, 1000000, "Connections from one address, an IPv6 /64 being one."),
	OPT("message-size", SIZE, message_size, "50MB", KB, 64 * GB, "The largest message."),
	OPT("recipients", NUMBER, recipients, "1000", 1, 100000, "Recipients of one message."),
	OPT("errors", NUMBER, errors, "8", 1, 10000, "Protocol errors before the line is dropped."),
	OPT("timeout", TIME, timeout, "5m", SECOND, DAY, "How long a client may be silent."),
	OPT("queued", NUMBER, queued, "0", 0, 1000000000, "Messages in the queue from which on no more are taken; 0 for as many as there is room for."),
	OPT("received-hops", NUMBER, received_hops, "100", 1, 10000, "Received lines that a message may have."),
	OPT("programs", NUMBER, programs, "20", 1, 200, "Programs of one route that run at once."),
	OPT("program-time", TIME, program_time, "15m", SECOND, DAY, "How long a program may run."),
	OPT("greet-delay", TIME, greet_delay, "0s", 0, MINUTE, "How long a strange client waits for the greeting."),
	WORDS("early-talkers", CHOICE, early_talkers, "note", early_words, "What becomes of a client that speaks before its turn."),
	OPT("tarpit-delay", TIME, tarpit_delay, "1s", 0, 5 * SECOND, "The delay for each unknown recipient of late."),
	{ .name = "rate", .type = OPTION_SECTION, .offset = offsetof(struct BASE, rates),
	  .sub = rate_options, .sub_n = ARRAY_LEN(rate_options), .size = sizeof(struct conf_rate),
	  .count_offset = offsetof(struct BASE, rate_n), .choices = rate_words,
	  .help = "What a client, user, sender or recipient, or all together, may hand in." },
};
#undef BASE

#define BASE conf_account
static const struct option account_options[] = {
	OPT("senders", STRINGS, senders, "", 0, 1000, "Patterns of addresses that they may use besides their own."),
	OPT("quota", NUMBER, quota, "0", 0, 16000000, "Recipients elsewhere that each may send to in a time; 0 for as many as there are."),
	OPT("quota-per", TIME, quota_per, "1d", MINUTE, 366 * DAY, "That time."),
	OPT("quota-warning", NUMBER, quota_warning, "80", 0, 100, "The part of it, in per cent, that its user is told of; 0 for none."),
	OPT("quota-reject", BOOL, quota_reject, "false", 0, 0, "Whether what is above it is refused for good."),
	OPT("mailbox-quota", SIZE, mailbox_quota, "0", 0, 1024 * 1024 * GB, "How much the mailbox of each may hold; 0 for as much as there is."),
	OPT("mailbox-messages", NUMBER, mailbox_messages, "0", 0, 1000000000, "How many messages that may be; 0 for as many as there are."),
	OPT("mailbox-warning", NUMBER, mailbox_warning, "90", 0, 100, "The part of these, in per cent, that its owner is told of; 0 for none."),
	OPT("mailbox-reject", BOOL, mailbox_reject, "false", 0, 0, "Whether mail for a full mailbox is refused for good."),
};
#undef BASE

#define BASE conf_pop3
static const struct option pop3_options[] = {
	OPT("login-delay", TIME, login_delay, "0s", 0, DAY, "How long a user has to wait after a login for the next; 0 for not at all."),
	OPT("expire", TIME, expire, "0s", 0, 3650ull * DAY, "How old a message in a mailbox becomes; 0 for as old as its user likes."),
	OPT("no-delete", BOOL, no_delete, "false", 0, 0, "Whether messages that clients delete stay all the same."),
};
#undef BASE

#define BASE conf_recipients
static const struct option recipients_options[] = {
	OPT("mailboxes", STRINGS, mailboxes, "{file}", 1, 16, "Who has a mailbox: file, system, any."),
	OPT("subaddress", STRING, subaddress, "+", 0, 0, "What separates a mailbox from its detail."),
	OPT("forward", BOOL, forward, "true", 0, 0, "Whether accounts of this host may have a .forward."),
	OPT("home-maildir", STRING, home_maildir, "", 0, 0, "The Maildir in the home directory of an account of this host."),
	OPT("link", BOOL, link, "false", 0, 0, "Whether a message to several mailboxes is one file, without Delivered-To."),
	OPT("run-as", STRING, run_as, "nobody", 0, 0, "The account that programs and files of aliases are used as."),
	OPT("verify", STRING, verify, "", 0, 0, "Who else is asked for recipients."),
	OPT("verify-timeout", TIME, verify_timeout, "30s", SECOND, 4 * MINUTE, "How long that may take."),
	OPT("verify-cache", TIME, verify_cache, "5m", 0, DAY, "How long the answer of a server is remembered; 0 for not at all."),
};
#undef BASE

#define BASE conf_server
static const struct option server_options[] = {
	OPT("port", NUMBER, port, "25", 1, 65535, "Its port."),
	OPT("user", STRING, user, "", 0, 0, "The user to log in as; empty for no login."),
	{ .name = "password", .type = OPTION_STRING, .offset = offsetof(struct BASE, password), .fallback = "",
	  .help = "The password of the user.", .secret = true },
	OPT("token", STRING, token, "", 0, 0, "Where an access token of the user is, for XOAUTH2 and OAUTHBEARER."),
	OPT("client-id", STRING, client_id, "", 0, 0, "Who asks for a token, as the token's server knows it."),
	{ .name = "client-secret", .type = OPTION_STRING, .offset = offsetof(struct BASE, client_secret), .fallback = "",
	  .help = "The secret of the client.", .secret = true },
	{ .name = "refresh-token", .type = OPTION_STRING, .offset = offsetof(struct BASE, refresh_token), .fallback = "",
	  .help = "What a token is given for.", .secret = true },
	OPT("secrets", STRING, secrets, "", 0, 0, "A secrets file of E-MailRelay, in the place of what stands above."),
	OPT("selector", STRING, selector, "", 0, 0, "Which lines of that file are for this server; empty for those without one."),
	OPT("auth", STRINGS, auth, "", 0, 16, "The SASL mechanisms that may be used; empty for all."),
	WORDS("tls", CHOICE, tls, "may", client_tls_words, "Whether TLS is used; with a user the default is required."),
	OPT("tls-name", STRING, tls_name, "", 0, 0, "The name that its certificate must have; empty for its own."),
	OPT("certificate", STRING, certificate, "", 0, 0, "The certificate that it is shown if it asks for one, PEM."),
	OPT("key", STRING, key, "", 0, 0, "The private key of that, PEM; empty if it is in the same file."),
	OPT("weight", NUMBER, weight, "1", 1, 1000000, "Its share of the mail."),
	OPT("backup", BOOL, backup, "false", 0, 0, "Whether it is used only when the others fail."),
	WORDS("protocol", CHOICE, protocol, "smtp", protocol_words, "What is spoken with it."),
	OPT("ehlo", STRING, ehlo, "", 0, 0, "The name in EHLO instead of the usual one."),
	{ .name = "socks", .type = OPTION_STRING, .offset = offsetof(struct BASE, socks), .fallback = "",
	  .help = "A SOCKS or HTTP proxy in front of it.", .secret = true },
};
#undef BASE

#define BASE conf_upstream
static const struct option upstream_options[] = {
	/* One host may be two servers, on two ports. */
	{ .name = "server", .type = OPTION_SECTION, .offset = offsetof(struct BASE, servers),
	  .sub = server_options, .sub_n = ARRAY_LEN(server_options), .size = sizeof(struct conf_server),
	  .count_offset = offsetof(struct BASE, server_n), .repeats = true, .help = "One of the upstream's servers." },
};
#undef BASE

#define BASE conf_route
static const struct option route_options[] = {
	OPT("via", STRING, via, "mx", 0, 0, "Where it goes."),
	OPT("sender", STRINGS, sender, "", 0, 1000, "Patterns, one of which the sender must fit."),
	OPT("user", STRINGS, user, "", 0, 1000, "Patterns, one of which the name must fit that the client logged in as."),
	OPT("listener", STRINGS, listener, "", 0, 256, "Listeners, by one of which it must have come in."),
	OPT("source", STRING, source, "", 0, 0, "The pool or the address that it leaves from."),
	OPT("fallback", STRING, fallback, "", 0, 0, "An upstream that is used when no MX host can be reached."),
	WORDS("tls", CHOICE, tls, "may", client_tls_words, "Whether TLS is used."),
	OPT("run-as", STRING, run_as, "", 0, 0, "The account that a program runs as."),
};
#undef BASE

#define BASE conf_source
static const struct option source_options[] = {
	OPT("addresses", NETS, addresses, "", 0, 256, "Addresses that mail leaves from."),
	OPT("mappable", NETS, mappable, "", 0, 256, "Networks of addresses that mail leaves from if it came in there."),
	OPT("unmappable", NETS, unmappable, "{127.0.0.0/8, ::1}", 0, 256, "Exceptions from that."),
};
#undef BASE

#define BASE conf_pool
static const struct option pool_options[] = {
	OPT("addresses", NETS, addresses, "", 0, 256, "Its addresses, used in turn."),
};
#undef BASE

#define BASE conf_source_name
static const struct option source_name_options[] = {
	OPT("hostname", STRING, hostname, "", 0, 0, "The name in EHLO for mail that leaves from there."),
	{ .name = "socks", .type = OPTION_STRING, .offset = offsetof(struct BASE, socks), .fallback = "",
	  .help = "A proxy that mail leaves by in the place of the address.", .secret = true },
};
#undef BASE

#define BASE conf_queue
static const struct option queue_options[] = {
	OPT("runners", NUMBER, runners, "0", 0, 64, "Processes that deliver; 0 for one for each processor."),
	OPT("retry", TIMES, retry, "{3m, 3m, 9m, 15m, 30m, 2h}", 1, 256, "The waits between attempts; the last repeats."),
	OPT("lifetime", TIME, lifetime, "5d", SECOND, 365ull * DAY, "How long delivery is tried."),
	OPT("bounce-lifetime", TIME, bounce_lifetime, "1d", SECOND, 365ull * DAY, "The same for mail with a null sender; at most lifetime."),
	OPT("max-attempts", NUMBER, max_attempts, "0", 0, 1000000, "How often delivery is tried; 0 for as often as there is time."),
	OPT("delay-notice", TIMES, delay_notice, "{4h}", 0, 16, "When the sender is told of a delay."),
	OPT("per-destination", NUMBER, per_destination, "20", 1, 10000, "Connections to one destination at once."),
	OPT("per-connection", NUMBER, per_connection, "100", 1, 1000000, "Messages over one connection."),
	OPT("idle-connection", TIME, idle_connection, "2s", 0, HOUR, "How long an idle connection is kept."),
	OPT("connect-timeout", TIME, connect_timeout, "30s", 100, HOUR, "How long a connection may take to come about."),
	OPT("reply-timeout", TIME, reply_timeout, "0s", 0, HOUR, "How long a reply may take at most; 0 for what RFC 5321 gives each."),
	OPT("rate", NUMBER, rate, "0", 0, 1000000000, "Messages to other hosts in that time, in all; 0 for as many as there are."),
	OPT("per", TIME, per, "1m", SECOND, 31 * DAY, "That time."),
	OPT("deliver", BOOL, deliver, "true", 0, 0, "Whether mail is delivered; without it, it only waits."),
};
#undef BASE

#define BASE conf_destination
static const struct option destination_options[] = {
	OPT("rate", NUMBER, rate, "0", 0, 1000000000, "Messages in that time; 0 for as many as there are."),
	OPT("per", TIME, per, "1m", SECOND, 31 * DAY, "That time."),
	OPT("per-destination", NUMBER, per_destination, "0", 0, 10000, "Connections to it at once; 0 for what queue says."),
	OPT("per-connection", NUMBER, per_connection, "0", 0, 1000000, "Messages over one connection; 0 for what queue says."),
	OPT("idle-connection", TIME, idle_connection, "0s", 0, HOUR, "How long an idle connection is kept; 0 for what queue says."),
	OPT("connect-timeout", TIME, connect_timeout, "0s", 0, HOUR, "How long a connection may take to come about; 0 for what queue says."),
	OPT("reply-timeout", TIME, reply_timeout, "0s", 0, HOUR, "How long a reply may take at most; 0 for what queue says."),
	OPT("ignore", STRINGS, ignore, "", 0, 16, "What is not used there, though EHLO offers it."),
};
#undef BASE

#define BASE conf_storage
static const struct option storage_options[] = {
	OPT("address", STRING, address, "", 0, 0, "Where they are; empty for nowhere."),
	OPT("ttl", TIME, ttl, "0s", 0, 3650ull * DAY, "How long they stay there; 0 for ever."),
	{ .name = "policy", .type = OPTION_STRING, .when = OPTION_LATER, .fallback = "none", .off = "\"none\"",
	  .choices = policy_words, .help = "Which texts barid puts there itself." },
};
#undef BASE

#define BASE conf_dsn
static const struct option dsn_options[] = {
	WORDS("return", CHOICE, ret, "headers", return_words, "What a report returns where the sender did not say."),
	OPT("priority", NUMBER, priority, "1", 0, 9, "The priority of a report."),
	OPT("notify", STRINGS, notify, "{failure, delay}", 1, 3, "What the sender is told of where he did not say."),
};
#undef BASE

#define BASE conf_log
static const struct option log_options[] = {
	OPT("to", STRINGS, to, "{syslog:mail}", 1, 8, "Where log lines go."),
	WORDS("format", CHOICE, format, "text", format_words, "How they look."),
	WORDS("level", CHOICE, level, "info", level_words, "The least important that is written."),
};
#undef BASE

#define BASE conf_journal
static const struct option journal_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether each change of a message's state is written down."),
	OPT("keep", TIME, keep, "14d", DAY, 3650ull * DAY, "How long that is kept."),
	OPT("reports", BOOL, reports, "true", 0, 0, "Whether what reports say that come in is written down, too."),
	OPT("report-recipients", STRINGS, report_recipients, "", 0, 64, "Of reports to whom; empty for all mailboxes and programs here."),
	OPT("report-rows", NUMBER, report_rows, "20", 0, 100, "How many lines for recipients or rows a report may have."),
};
#undef BASE

#define BASE conf_dns
static const struct option dns_options[] = {
	OPT("servers", STRINGS, servers, "", 0, 16, "Name servers; empty for those of resolv.conf."),
	OPT("timeout", TIME, timeout, "5s", 100, MINUTE, "How long an answer is waited for."),
	OPT("attempts", NUMBER, attempts, "2", 1, 10, "How often a server is asked in that time."),
	OPT("rotate", BOOL, rotate, "false", 0, 0, "Whether the servers are asked in turn."),
	OPT("min-ttl", TIME, min_ttl, "5s", 0, HOUR, "How long the hosts of a destination are known at least."),
	OPT("capacity", NUMBER, capacity, "128", 1, 10000, "Destinations that a runner looks up at once."),
	OPT("buffer", SIZE, buffer, "0", 0, 64 * 1024 * KB, "How much of answers the system keeps for a process; 0 for what it likes."),
};
#undef BASE

#define BASE conf_override
static const struct option override_options[] = {
	OPT("addresses", STRINGS, addresses, "", 0, 32, "Where it is, and where its mail goes."),
};
#undef BASE

#define BASE conf_recipient
static const struct option recipient_options[] = {
	OPT("mailbox", STRING, mailbox, "", 0, 0, "The mailbox that it goes into."),
	OPT("forward", STRINGS, forward, "", 0, CONF_FORWARD_MAX, "Addresses that it goes to instead."),
	OPT("reject", STRING, reject, "", 0, 0, "The reply that refuses it."),
	OPT("discard", BOOL, discard, "false", 0, 0, "Whether it is taken and thrown away."),
	OPT("via", STRING, via, "", 0, 0, "Where it goes, as a route has it."),
	OPT("run-as", STRING, run_as, "", 0, 0, "The account that a program runs as."),
	OPT("list", STRING, list, "", 0, 0, "The mailing list that it is."),
	OPT("table", STRING, table, "", 0, 0, "A file that says one of these of each address."),
	OPT("sender", STRINGS, sender, "", 0, 1000, "Patterns, one of which the sender must fit."),
	LATER("proxy", STRING, "", "\"\"", "An upstream that decides."),
};
#undef BASE

#define BASE conf_archive
static const struct option archive_options[] = {
	OPT("to", STRINGS, to, "", 0, 100, "Addresses that get a copy."),
	OPT("sender", STRINGS, sender, "", 0, 1000, "Patterns, one of which the sender must fit."),
	OPT("recipient", STRINGS, recipient, "", 0, 1000, "Patterns, one of which a recipient must fit."),
	OPT("user", STRINGS, user, "", 0, 1000, "Patterns, one of which the name must fit that the client logged in as."),
	OPT("listener", STRINGS, listener, "", 0, 256, "Listeners, by one of which it must have come in."),
};
#undef BASE

#define BASE conf_vacation
static const struct option vacation_options[] = {
	OPT("message", STRING, message, "", 0, 0, "The file of what is answered."),
	OPT("addresses", STRINGS, addresses, "", 0, 1000, "Patterns of more addresses of theirs."),
	OPT("interval", TIME, interval, "7d", DAY, 366ull * DAY, "How long a sender is not answered again."),
};
#undef BASE

#define BASE conf_list
static const struct option list_options[] = {
	OPT("address", STRING, address, "", 0, 0, "The address of the list; empty for that of the section recipient."),
	OPT("members", STRING, members, "", 0, 0, "The file of the members."),
	OPT("return-path", STRING, return_path, "", 0, 0, "Who is told what could not be delivered."),
	OPT("subject-prefix", STRING, subject_prefix, "", 0, 0, "What is put before subjects."),
	OPT("members-only", BOOL, members_only, "true", 0, 0, "Whether members alone may send to it."),
	OPT("posters", STRINGS, posters, "", 0, 1000, "Patterns of addresses that may send to it all the same."),
	OPT("subjects", STRINGS, subjects, "", 0, 100, "Patterns of subjects with which anybody may send to it."),
	OPT("refusal", STRING, refusal, "Only members may send to this list", 0, 0, "What others are told."),
	OPT("attachments", BOOL, attachments, "true", 0, 0, "Whether there may be attachments."),
	OPT("reply-to-list", BOOL, reply_to_list, "false", 0, 0, "Whether replies go to the list."),
	WORDS("from", CHOICE, from, "auto", list_from_words, "Whose address stands in From."),
	OPT("other-lists", BOOL, other_lists, "false", 0, 0, "Whether mail of other lists is taken."),
	OPT("headers", STRINGS, headers, "", 0, 32, "More header fields about the list."),
};
#undef BASE

#define BASE conf_srs
static const struct option srs_options[] = {
	{ .name = "secret", .type = OPTION_STRING, .offset = offsetof(struct BASE, secret), .fallback = "",
	  .help = "The secret that they are signed with.", .secret = true },
	OPT("domain", STRING, domain, "", 0, 0, "The domain that they have; empty for none at all."),
	OPT("max-age", TIME, max_age, "21d", DAY, 512ull * DAY, "How old one may be that mail comes back to."),
};
#undef BASE

#define BASE conf_rewrite
static const struct option rewrite_options[] = {
	OPT("to", STRING, to, "", 0, 0, "What stands in its place; empty for the address itself."),
	OPT("table", STRING, table, "", 0, 0, "A file that says what stands in whose place."),
	OPT("what", STRINGS, what, "{envelope-sender, envelope-recipient, header-sender, header-recipient}", 1, 4, "Which addresses."),
	WORDS("at", CHOICE, at, "receive", rewrite_words, "When."),
	OPT("listener", STRINGS, listener, "", 0, 256, "Listeners, by one of which it must have come in."),
	OPT("strangers", BOOL, strangers, "false", 0, 0, "Whether also in the header of mail from clients that may not relay."),
	WORDS("keep", CHOICE, keep, "none", keep_words, "The field that gets what stood in From."),
};
#undef BASE

#define BASE conf_dkim
static const struct option dkim_sign_options[] = {
	OPT("selector", STRING, selector, "", 0, 0, "The name of the key in DNS."),
	OPT("key", STRING, key, "", 0, 0, "The private key, RSA or Ed25519, PEM."),
	OPT("not-before", STRING, not_before, "", 0, 0, "When it begins to sign, in UTC; empty for at once."),
	OPT("not-after", STRING, not_after, "", 0, 0, "When it ends to sign, in UTC; empty for never."),
	OPT("subdomains", BOOL, subdomains, "false", 0, 0, "Whether it signs for subdomains without a key of their own."),
	OPT("from", STRINGS, authors, "", 0, 256, "Patterns of addresses in From that it signs for, whatever their domain."),
	WORDS("canonicalization", CHOICE, forms, "relaxed/relaxed", form_words, "The forms in which header and body are signed."),
	OPT("headers", STRINGS, headers, "", 0, CONF_DKIM_HEADERS_MAX, "Fields that are signed besides those that readers see."),
	OPT("expire", TIME, expire, "0s", 0, 366 * DAY, "How long a signature is good; 0 for ever."),
	OPT("reports", BOOL, reports, "false", 0, 0, "Whether who finds a signature bad is asked to report it."),
	OPT("only-published", BOOL, only_published, "false", 0, 0, "Whether it signs only while its record is in DNS."),
	OPT("arc", BOOL, arc, "false", 0, 0, "Whether it seals mail of others that is passed on, too."),
};
#undef BASE

#define BASE conf_dnsbl
static const struct option dnsbl_options[] = {
	OPT("of", STRINGS, of_words, "{client}", 1, DNSBL_OF_N, "What the list has entries of: client, helo, sender, url."),
	OPT("weight", SIGNED, weight, "1", 0, 1000, "What an entry counts; less than 0 for a list of the good."),
	OPT("answers", NETS, answers, "{127.0.0.2-127.255.254.255}", 1, 256, "Answers that are entries."),
	OPT("reply", STRING, reply, "550 5.7.1 ${listed} is listed by ${zone}; ${text}", 0, 0, "The reply of a refusal."),
};
#undef BASE

#define BASE conf_collect
static const struct option collect_options[] = {
	OPT("server", STRING, server, "", 0, 0, "Where the mailbox is."),
	OPT("port", NUMBER, port, "0", 0, 65535, "The server's port; 0 for 995, or 110 without pop3s."),
	WORDS("tls", CHOICE, tls, "pop3s", collect_tls_words, "Whether TLS comes first, is begun by STLS, or is not used."),
	OPT("tls-name", STRING, tls_name, "", 0, 0, "The name that its certificate must have; empty for its own."),
	OPT("verify", BOOL, verify, "true", 0, 0, "Whether its certificate is verified."),
	OPT("user", STRING, user, "", 0, 0, "The user to log in as."),
	{ .name = "password", .type = OPTION_STRING, .offset = offsetof(struct BASE, password), .fallback = "",
	  .help = "The password of the user.", .secret = true },
	OPT("password-file", STRING, password_file, "", 0, 0, "A file whose first line is that, in its place."),
	OPT("auth", STRINGS, auth, "", 0, 3, "The mechanisms that may be used; empty for all."),
	OPT("to", STRING, to, "", 0, 0, "The mailbox or address of ours that gets the mail."),
	OPT("by-header", STRING, by_header, "", 0, 0, "A header field that says which address of ours gets it instead."),
	OPT("every", TIME, every, "10m", SECOND, 31 * DAY, "How often it is looked for mail."),
	OPT("keep", STRING, keep, "false", 0, 0, "Whether, or for how many days, it is left there."),
	OPT("messages", NUMBER, messages, "1000", 1, 1000000, "Messages that are fetched in one run."),
	OPT("octets", SIZE, octets, "0", 0, 1024 * GB, "How much is fetched in one run; 0 for as much as there is."),
	OPT("message-size", SIZE, message_size, "0", 0, 64 * GB, "The largest message that is fetched; 0 for limits.message-size."),
	OPT("timeout", TIME, timeout, "1m", SECOND, HOUR, "How long an answer may take."),
	OPT("run-time", TIME, run_time, "1h", SECOND, DAY, "How long a run may take."),
};
#undef BASE

/* Sections that have nothing yet. */

#define BASE conf_check_spf
static const struct option check_spf_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	WORDS("on-fail", CHOICE, on_fail, "reject", action_words, "What becomes of mail that its domain does not want from that client."),
	WORDS("on-softfail", CHOICE, on_softfail, "note", action_words, "What becomes of mail that it does not quite want from there."),
	WORDS("on-none", CHOICE, on_none, "note", action_words, "What becomes of mail whose domain says nothing."),
	WORDS("on-permerror", CHOICE, on_permerror, "note", action_words, "What becomes of mail whose domain says what makes no sense."),
	WORDS("on-temperror", CHOICE, on_temperror, "note", action_words, "What becomes of mail whose domain cannot be asked now."),
	WORDS("on-helo-fail", CHOICE, on_helo_fail, "reject", action_words,
	    "What becomes of mail of a client that may not call itself what it does."),
	OPT("explanation", STRING, explanation, "", 0, 0, "What a refused client is told where the domain has nothing to say."),
	OPT("exempt", NETS, exempt, "{127.0.0.0/8, ::1}", 0, 0, "Clients whose mail is not checked."),
	OPT("timeout", TIME, timeout, "20s", SECOND, MINUTE, "How long the check may take."),
};
#undef BASE
#define BASE conf_check_dkim
static const struct option check_dkim_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	WORDS("on-fail", CHOICE, on_fail, "note", action_words, "What becomes of mail whose signatures are all bad."),
	OPT("timeout", TIME, timeout, "10s", SECOND, MINUTE, "How long its keys are waited for."),
};
#undef BASE
#define BASE conf_check_dmarc
static const struct option check_dmarc_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	OPT("enforce", BOOL, enforce, "true", 0, 0, "Whether mail is refused that its author's domain wants to be refused."),
	OPT("defer", BOOL, defer, "false", 0, 0, "Whether mail is to come again whose author's domain cannot be asked now."),
	OPT("quarantine", STRING, quarantine, "X-Quarantine: DMARC", 0, 0, "A header line for mail that its author's domain wants to be set apart."),
	OPT("exempt", NETS, exempt, "{}", 0, 0, "Clients whose mail is not refused."),
	OPT("reports", BOOL, reports, "false", 0, 0, "Whether domains that ask for it are told of their mail."),
	OPT("report-from", STRING, report_from, "", 0, 0, "The address that reports come from."),
	OPT("report-org", STRING, report_org, "", 0, 0, "Who reports, in words."),
	OPT("report-contact", STRING, report_contact, "", 0, 0, "Where to ask about reports, in words."),
	OPT("report-after", TIME, report_after, "30m", 0, 12 * HOUR, "How long after a day its reports are sent."),
	OPT("report-rows", NUMBER, report_rows, "20000", 100, 1000000, "How many rows a day may have."),
};
#undef BASE
#define BASE conf_check_arc
static const struct option check_arc_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	OPT("trusted", STRINGS, trusted, "{}", 0, 1000, "Sealers who are believed that a message had passed DMARC."),
};
#undef BASE
#define BASE conf_check_iprev
static const struct option check_iprev_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	WORDS("on-none", CHOICE, on_none, "note", action_words, "What becomes of mail of a client without a name in DNS."),
	WORDS("on-fail", CHOICE, on_fail, "note", action_words, "What becomes of mail of a client whose names do not lead back to it."),
	WORDS("on-temperror", CHOICE, on_temperror, "note", action_words, "What becomes of mail of a client whose name cannot be had now."),
	OPT("exempt", NETS, exempt, "{}", 0, 0, "Clients whose mail is not refused."),
};
#undef BASE
#define BASE conf_check_helo
static const struct option check_helo_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	WORDS("on-ours", CHOICE, on_ours, "reject", action_words, "What becomes of mail of a client that calls itself as we are called."),
	WORDS("on-short", CHOICE, on_short, "note", action_words, "What becomes of mail of a client whose name has no dot."),
	WORDS("on-unknown", CHOICE, on_unknown, "note", action_words, "What becomes of mail of a client whose name DNS does not have."),
	OPT("exempt", NETS, exempt, "{}", 0, 0, "Clients whose mail is not refused."),
};
#undef BASE
#define BASE conf_check_sender
static const struct option check_sender_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	WORDS("on-ours", CHOICE, on_ours, "reject", action_words, "What becomes of mail that strangers send as a domain of ours."),
	WORDS("on-unknown", CHOICE, on_unknown, "defer", action_words, "What becomes of mail whose sender nobody could answer."),
	OPT("exempt", NETS, exempt, "{}", 0, 0, "Clients whose mail is not refused."),
};
#undef BASE
#define BASE conf_check_scan
static const struct option check_spam_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	OPT("server", STRING, server, "localhost:783", 0, 0, "Who is asked."),
	WORDS("action", CHOICE, action, "note", scan_action_words, "What becomes of spam."),
	WORDS("on-error", CHOICE, on_error, "accept", scan_error_words, "What becomes of mail that the server does not judge."),
	OPT("max-size", SIZE, max_size, "500KB", 0, 64 * GB, "A longer message is not looked at; 0 for none."),
	OPT("timeout", TIME, timeout, "30s", SECOND, 5 * MINUTE, "How long the check may take."),
	OPT("user", STRING, user, "", 0, 0, "Whose settings spamd uses."),
	OPT("reject-score", NUMBER, reject_score, "0", 0, 100000, "From which score on mail is refused; 0 where the server decides."),
	OPT("relayed", BOOL, relayed, "false", 0, 0, "Whether mail of who may send anywhere is looked at, too."),
	OPT("exempt", NETS, exempt, "{}", 0, 0, "Clients whose mail is not looked at."),
};
static const struct option check_virus_options[] = {
	OPT("enabled", BOOL, enabled, "true", 0, 0, "Whether the check is made."),
	OPT("server", STRING, server, "unix:/run/clamav/clamd.ctl", 0, 0, "Who is asked."),
	WORDS("action", CHOICE, action, "reject", virus_action_words, "What becomes of mail with a virus."),
	WORDS("on-error", CHOICE, on_error, "defer", scan_error_words, "What becomes of mail that the server does not judge."),
	OPT("max-size", SIZE, max_size, "25MB", 0, 64 * GB, "A longer message is not looked at; 0 for none."),
	OPT("timeout", TIME, timeout, "30s", SECOND, 5 * MINUTE, "How long the check may take."),
	OPT("relayed", BOOL, relayed, "true", 0, 0, "Whether mail of who may send anywhere is looked at, too."),
	OPT("exempt", NETS, exempt, "{}", 0, 0, "Clients whose mail is not looked at."),
};
#undef BASE
#define BASE conf_greylist
static const struct option greylist_options[] = {
	OPT("enabled", BOOL, enabled, "false", 0, 0, "Whether senders that nobody knows are to come again."),
	WORDS("when", CHOICE, when, "suspicious", greylist_words, "Whether only those that something speaks against, as above, or all of them."),
	OPT("delay", TIME, delay, "5m", SECOND, DAY, "How long they have to wait at least."),
	OPT("window", TIME, window, "2d", MINUTE, 31 * DAY, "How long they may wait at most."),
	OPT("keep", TIME, keep, "36d", HOUR, UINT64_C(366) * DAY, "How long they are known."),
	OPT("allow-after", NUMBER, allow_after, "5", 0, 1000000, "After how many of them a client need not wait; 0 for never."),
	OPT("exempt", NETS, exempt, "{}", 0, 0, "Clients that need not wait."),
};
#undef BASE
static const struct option filter_options[] = {
	IDLE("at", STRING, "", "When it runs."), IDLE("run", STRING, "", "What runs."), IDLE("timeout", TIME, "60s", "For how long."),
};
static const struct option milter_options[] = {
	IDLE("socket", STRING, "", "Where it listens."), IDLE("on-error", STRING, "", "What a broken milter does."),
};
static const struct option amqp_options[] = {
	SECRET("url", LATER, "The broker."),
	IDLE("inbox", STRING, "inbox", "A queue."), IDLE("outbox", STRING, "outbox", "A queue."),
	IDLE("local", STRING, "", "A queue."), IDLE("reports", STRING, "", "A queue."),
	IDLE("refused", STRING, "", "A queue."), IDLE("dsn", STRING, "", "A queue."),
	IDLE("results", STRING, "", "A queue."), IDLE("success", STRING, "", "A queue."),
	IDLE("failure", STRING, "", "A queue."), IDLE("retry", STRING, "", "A queue."),
};
#define BASE conf_admin
static const struct option admin_options[] = {
	OPT("users", STRINGS, users, "", 0, 256, "Accounts that are administrators, in patterns."),
	{ .name = "auth", .type = OPTION_STRINGS, .offset = offsetof(struct BASE, auth), .fallback = "", .max = 16,
	  .help = "Who knows their passwords, where it is not auth.backends.", .secret = true },
	OPT("metrics", NETS, metrics, "{}", 0, 0, "Who reads /metrics without logging in."),
	IDLE("edit-config", BOOL, "true", "Whether files may be edited."),
};
#undef BASE
static const struct option webhook_options[] = {
	IDLE("events", STRINGS, "", "Which events."), SECRET("secret", IDLE, "The secret of the signature."),
};

#define BASE conf
const struct option conf_options[] = {
	OPT("hostname", STRING, hostname, "", 0, 0, "The name in banner, EHLO and Received; the default is the system's."),
	OPT("domains", STRINGS, domains, "", 0, 0, "Mail for these is ours."),
	OPT("postmaster", STRING, postmaster, "", 0, 0, "Who reads mail for the postmaster."),
	OPT("user", STRING, user, "barid", 0, 0, "Who the processes run as."),
	OPT("spool", STRING, spool, "/var/spool/barid", 0, 0, "The directory of the queue."),
	OPT("mailboxes", STRING, mailboxes, "/var/mail/barid", 0, 0, "The directory of the mailboxes."),
	OPT("run", STRING, run, "/run/barid", 0, 0, "The directory of sockets and locks."),
	WORDS("sandbox", CHOICE, sandbox, "enforce", sandbox_words, "What happens to a system call that a process has no use for."),
	WORDS("addresses", CHOICE, addresses, "strict", address_words, "What addresses may hold."),
	OPT("smtp-port", NUMBER, smtp_port, "25", 1, 65535, "The port of MX hosts."),
	{ .name = "http-proxy", .type = OPTION_STRING, .offset = offsetof(struct BASE, http_proxy), .fallback = "",
	  .help = "A proxy for what is fetched by HTTPS.", .secret = true },
	OPT("sink", STRING, sink, "", 0, 0, "One server that gets all mail for other hosts; for tests."),
	MANY("listen", listens, listen_n, conf_listen, listen_options, "A listener."),
	ONE("tls", tls, tls_options, "TLS."),
	ONE("auth", auth, auth_options, "Who may log in."),
	ONE("access", access, access_options, "Who may connect and relay."),
	ONE("limits", limits, limits_options, "Limits."),
	MANY("account", accounts, account_n, conf_account, account_options, "Users who log in."),
	ONE("admin", admin, admin_options, "The pages for administrators."),
	ONE("pop3", pop3, pop3_options, "Mailboxes as POP3 shows them."),
	ONE("recipients", recipients, recipients_options, "Which recipients exist."),
	OPT("aliases", STRINGS, aliases, "", 0, 16, "Files of aliases, see aliases(5)."),
	{ .name = "recipient", .type = OPTION_SECTION, .offset = offsetof(struct BASE, rules),
	  .sub = recipient_options, .sub_n = ARRAY_LEN(recipient_options), .size = sizeof(struct conf_recipient),
	  .count_offset = offsetof(struct BASE, rule_n), .repeats = true, .help = "What becomes of addresses of ours." },
	MANY("archive", archives, archive_n, conf_archive, archive_options, "Copies of mail."),
	MANY("vacation", vacations, vacation_n, conf_vacation, vacation_options, "Mailboxes that answer by themselves."),
	MANY("list", lists, list_n, conf_list, list_options, "A mailing list."),
	ONE("srs", srs, srs_options, "Senders of mail that is forwarded."),
	{ .name = "rewrite", .type = OPTION_SECTION, .offset = offsetof(struct BASE, rewrites),
	  .sub = rewrite_options, .sub_n = ARRAY_LEN(rewrite_options), .size = sizeof(struct conf_rewrite),
	  .count_offset = offsetof(struct BASE, rewrite_n), .repeats = true, .help = "Addresses that become others." },
	MANY("upstream", upstreams, upstream_n, conf_upstream, upstream_options, "A group of smarthosts."),
	/* Other conditions may be for the same recipients. */
	{ .name = "route", .type = OPTION_SECTION, .offset = offsetof(struct BASE, routes),
	  .sub = route_options, .sub_n = ARRAY_LEN(route_options), .size = sizeof(struct conf_route),
	  .count_offset = offsetof(struct BASE, route_n), .repeats = true, .help = "Where mail goes." },
	OPT("mx-ignore", NETS, mx_ignore, "", 0, 1000, "Networks in which no MX host is believed to be."),
	ONE("source", source, source_options, "Source addresses."),
	MANY("pool", pools, pool_n, conf_pool, pool_options, "Source addresses under one name."),
	MANY("source-name", source_names, source_name_n, conf_source_name, source_name_options, "The name of a source address."),
	ONE("queue", queue, queue_options, "When and how often delivery is tried."),
	MANY("destination", destinations, destination_n, conf_destination, destination_options, "What spares a destination."),
	OPT("add-missing-headers", BOOL, add_missing_headers, "false", 0, 0, "Whether mail of other servers gets what its header lacks."),
	OPT("extract-headers", BOOL, extract_headers, "false", 0, 0, "Whether header fields steer the delivery of their message."),
	ONE("storage", storage, storage_options, "Texts of messages that are handed in by a key."),
	ONE("dsn", dsn, dsn_options, "Delivery status notifications."),
	/* A domain may have several keys. */
	{ .name = "dkim-sign", .type = OPTION_SECTION, .offset = offsetof(struct BASE, dkim),
	  .sub = dkim_sign_options, .sub_n = ARRAY_LEN(dkim_sign_options), .size = sizeof(struct conf_dkim),
	  .count_offset = offsetof(struct BASE, dkim_n), .repeats = true, .help = "A key that mail is signed with." },
	/* One list may count differently by what it answers. */
	{ .name = "dnsbl", .type = OPTION_SECTION, .offset = offsetof(struct BASE, dnsbl.lists),
	  .sub = dnsbl_options, .sub_n = ARRAY_LEN(dnsbl_options), .size = sizeof(struct conf_dnsbl),
	  .count_offset = offsetof(struct BASE, dnsbl.list_n), .repeats = true, .help = "A list of clients or of domains in DNS." },
	OPT("dnsbl-threshold", NUMBER, dnsbl.threshold, "1", 0, 1000000, "The sum of weights that refuses; 0 for none."),
	WORDS("dnsbl-at", CHOICE, dnsbl.at, "recipient", dnsbl_words, "When a client is refused."),
	OPT("dnsbl-timeout", TIME, dnsbl.timeout, "5s", 100, MINUTE, "How long all lists together may take."),
	MANY("collect", collects, collect_n, conf_collect, collect_options, "A mailbox elsewhere whose mail is fetched."),
	ONE("log", log, log_options, "The log."),
	ONE("journal", journal, journal_options, "The journal."),
	ONE("dns", dns, dns_options, "Name servers."),
	MANY("dns-override", overrides, override_n, conf_override, override_options, "A name that DNS is not asked for."),

	KIND("check", "spf", check_words, check.spf, check_spf_options, "Whether a domain lets the client send its mail."),
	KIND("check", "dkim", check_words, check.dkim, check_dkim_options, "Who has signed a message."),
	KIND("check", "dmarc", check_words, check.dmarc, check_dmarc_options, "What the domain of the author wants."),
	KIND("check", "arc", check_words, check.arc, check_arc_options, "What servers on the way had found."),
	KIND("check", "iprev", check_words, check.iprev, check_iprev_options, "Whether the client has a name."),
	KIND("check", "helo", check_words, check.helo, check_helo_options, "What the client calls itself."),
	KIND("check", "sender", check_words, check.sender, check_sender_options, "Whether there is such a sender."),
	KIND("check", "spam", check_words, check.spam, check_spam_options, "What a server of spam makes of a message."),
	KIND("check", "virus", check_words, check.virus, check_virus_options, "Whether a server knows a virus in it."),
	OPT("authentication-results", STRINGS, check.results, "{local, nonlocal}", 0, 2, "For whom the header says what checks found."),
	OPT("authserv-id", STRING, check.authserv, "", 0, 0, "The name under which it says so."),
	ONE("greylist", greylist, greylist_options, "Greylisting."),
	MANY_NOT("filter", LATER, filter_options, "A filter."),
	MANY_NOT("milter", LATER, milter_options, "A milter."),
	ONE_IDLE("amqp", amqp_options, "RabbitMQ."),
	MANY_NOT("webhook", LATER, webhook_options, "Who is told of events."),
	LATER("statsd", STRING, "", "\"\"", "A statsd server."),
	LATER("graphite", STRING, "", "\"\"", "A graphite server."),
};
/* clang-format on */
const size_t conf_option_n = ARRAY_LEN(conf_options);
