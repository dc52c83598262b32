/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef MAIL_LIMITS_H
#define MAIL_LIMITS_H

/* limits -- the sizes of the mail protocols, each beside its RFC section. */

/* RFC 5321 4.5.3.1.4 asks for 512 with CRLF; extensions and clients need more. */
#define SMTP_COMMAND_MAX 2048
/* RFC 4954 4: a line of the AUTH exchange. */
#define SMTP_AUTH_LINE_MAX 12288
/* RFC 5321 4.5.3.1.6: a text line with CRLF; what we accept at most. */
#define SMTP_TEXT_LINE 1000
#define SMTP_TEXT_LINE_MAX 65536
/* RFC 5321 4.5.3.1.5: a reply line with CRLF. */
#define SMTP_REPLY_MAX 512
/* RFC 5321 4.5.3.1.1-3. */
#define MAIL_LOCAL_MAX 64
#define MAIL_DOMAIN_MAX 255
#define MAIL_PATH_MAX 256
/* RFC 1035 2.3.4: a name that DNS has, in text and without the final dot. */
#define DNS_NAME_MAX 253
/* RFC 3461 4.4 and 4.2. */
#define DSN_ENVID_MAX 100
#define DSN_ORCPT_MAX 500
/* RFC 2449 4: a command with CRLF; a response line. */
#define POP3_COMMAND_MAX 255
#define POP3_RESPONSE_MAX 512
/* RFC 5322 2.1.1: octets of a line without CRLF. */
#define MAIL_LINE_MAX 998
/* What a message's header may take in all. */
#define MAIL_HEADER_MAX 102400

#endif
