/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

/* option -- the one table of options; see conf/conf.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_type {
	OPTION_STRING,
	OPTION_BOOL,
	OPTION_NUMBER,
	OPTION_SIZE,	/* KB, MB, GB */
	OPTION_TIME,	/* s, m, h, d */
	OPTION_CHOICE,	/* one word of CHOICES */
	OPTION_PORTS,
	OPTION_STRINGS,
	OPTION_TIMES,
	OPTION_NETS,
	OPTION_SECTION,	/* SUB says what is in it */
	OPTION_LATER	/* known, and refused when set to anything but its default */
};

struct option {
	const char *name;
	enum option_type type;
	size_t offset;		/* in the struct of the section */
	const char *fallback;	/* the default, in the file's spelling; "" for none */
	uint64_t min, max;	/* of a number, size or time; of a list's count */
	const char *help;	/* one sentence, as in the manual */
	const char *const *choices;	/* NULL-terminated, in the order of the enum */
	/* Sections. */
	const struct option *sub;
	size_t sub_n;
	size_t size;		/* of the struct, for a titled section */
	size_t count_offset;	/* of the count of a titled section; SIZE_MAX: only one, no title */
	bool secret;		/* never shown */
};

extern const struct option conf_options[];
extern const size_t conf_option_n;

#endif
