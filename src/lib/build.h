/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef LIB_BUILD_H
#define LIB_BUILD_H

/*
 * build -- how this was compiled, asked in one place.
 *
 * BUILD_ASAN: under AddressSanitizer a process stays dumpable, because the
 * leak check at its end attaches to it, and an arena gives each allocation a
 * block of its own, so that a view that outlives it is found.
 */

#if defined(__SANITIZE_ADDRESS__)
#define BUILD_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUILD_ASAN 1
#endif
#endif
#ifndef BUILD_ASAN
#define BUILD_ASAN 0
#endif

#endif
