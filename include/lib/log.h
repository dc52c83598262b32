/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_LOG_H
#define LIB_LOG_H

/*
 * log -- one line per event, to syslog, files or standard error.
 *
 * The shapes of the lines are those of the field's tools (pflogsumm,
 * fail2ban): "barid/COMPONENT[PID]: ID: text".  Everything foreign is
 * escaped here, once, at the sink: control characters and what is not UTF-8
 * become \xNN, a backslash stays.  A line is one write(2), at most
 * LOG_LINE_MAX bytes, safe between threads.  A log that cannot be written
 * never stops mail: the line is counted as dropped.
 */

#include "lib/str.h"

#define LOG_LINE_MAX 4096

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};
enum log_format { LOG_TEXT, LOG_JSON };

/*
 * Sets level and format and adds targets; before the first log_to() lines
 * go to standard error.  TARGET is "stderr", "file:PATH" or "syslog:FACILITY"
 * ("syslog:FACILITY@SOCKET" for another socket than /dev/log).  -1 with errno
 * if it cannot be opened or is unknown (EINVAL).
 * The descriptors are opened here, so that a confined child can use them.
 */
int log_to(const char *target) MUST_USE;
/* Whether log_to() could: 0, or -1 with errno.  Nothing is made or changed. */
int log_probe(const char *target) MUST_USE;
void log_reset(void);	/* closes all targets: standard error again */
void log_setup(enum log_level level, enum log_format format);
enum log_level log_level(void);
/* Names the component of this process: "smtpd", "qmgr", "smtp" ... */
void log_component(const char *name);
/* Opens file targets again, for log rotation. */
void log_reopen(void);
/* True if lines go to a regular file, which a limit of its size would cut off. */
bool log_is_file(void);
uint64_t log_dropped(void);
/*
 * For a process whose children lose the sight of /dev/log: connects to the
 * logger, which may have been restarted, for itself and for all that have the
 * same sockets; and if the logger hangs, children to come do not wait.
 */
void log_before_fork(void);
/*
 * A process that was started may go on with the sockets of another.  The one of
 * target I, in the order of log_to(); -1 for a target of another kind, or none.
 */
int log_syslog_fd(size_t i);
void log_use_syslog_fd(size_t i, int fd);	/* a copy of FD, in place of its own */
/*
 * Who cannot reach a logger that was restarted writes to FD, an eventfd(2), and
 * waits a moment, once: another, who reads it, calls log_before_fork().
 */
void log_ask_by(int fd);

/*
 * Writes a line.  ID is a queue id, "NOQUEUE", or NULL for none.  A
 * warning's text starts with "warning: ", an error's with "error: ", as
 * the sink puts it.
 */
void log_error(const char *id, const char *fmt, ...) PRINTF(2, 3);
void log_warn(const char *id, const char *fmt, ...) PRINTF(2, 3);
void log_info(const char *id, const char *fmt, ...) PRINTF(2, 3);
void log_debug(const char *id, const char *fmt, ...) PRINTF(2, 3);
/* The same under another component's name, for one line. */
void log_as(const char *component, enum log_level level, const char *id,
    const char *fmt, ...) PRINTF(4, 5);
/* One for each line of TEXT, a complaint for instance, with WHAT before it. */
void log_lines(enum log_level level, const char *what, struct str text);

/*
 * Cannot go on (no memory, a bad start): logs, flushes standard output and
 * exits with CODE.  Exit handlers do not run.
 */
void fatal(int code, const char *fmt, ...) PRINTF(2, 3) NORETURN;
/* A bug: logs and aborts with a core. */
void panic(const char *fmt, ...) PRINTF(1, 2) NORETURN;

/*
 * Adds S to a line of at most MAX bytes at OUT, escaped as the sink does
 * it; returns the bytes written.  For tools that print foreign text.
 */
size_t log_escape(char *out, size_t max, struct str s);

#endif
