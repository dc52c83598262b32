/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * registrable -- which part of a name was registered, by the list of public suffixes
 * that is built into libpsl: nothing is read, and a new list comes with the library.
 */

#include "check/registrable.h"

#include <libpsl.h>

#include "mail/limits.h"

struct str
registrable_domain(struct str name)
{
	char text[DNS_NAME_MAX + 1];
	const char *found;

	if (name.n == 0 || name.n > DNS_NAME_MAX || memchr(name.p, '\0', name.n) != NULL)
		return STR("");
	memcpy(text, name.p, name.n);
	text[name.n] = '\0';
	found = psl_registrable_domain(psl_builtin(), text);
	return found == NULL ? STR("") : str_skip(name, (size_t)(found - text));
}
