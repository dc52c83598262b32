/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_ATTR_H
#define LIB_ATTR_H

/* What the compiler is told about a name; nothing else lives here. */

#define PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_USE __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define NOINLINE __attribute__((noinline))
#define UNUSED __attribute__((unused))
/*
 * A variable that every session writes: they stand together, so that a forked
 * session copies one page for all of them.
 */
#define SESSION_WRITES __attribute__((section("session_writes")))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
