/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nearest -- the known name that an unknown one was meant to be.
 *
 * The distance is the number of letters added, lost, replaced or swapped
 * with their neighbour.  A name is proposed when at most a third of it is
 * wrong.
 */

#include "private.h"

#define WORD_MAX 64 /* longer words are compared by their head */

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned
conf_nearest_distance(struct str a, struct str b)
{
	/* The last three rows of the table of distances between heads. */
	unsigned row[3][WORD_MAX + 1], *cur, *above, *above2, cost;
	size_t i, j;

	a = str_head(a, WORD_MAX);
	b = str_head(b, WORD_MAX);
	for (j = 0; j <= b.n; j++)
		row[0][j] = (unsigned)j;
	for (i = 1; i <= a.n; i++) {
		cur = row[i % 3];
		above = row[(i + 2) % 3];
		above2 = row[(i + 1) % 3];
		cur[0] = (unsigned)i;
		for (j = 1; j <= b.n; j++) {
			cost = char_lower(a.p[i - 1]) != char_lower(b.p[j - 1]);
			cur[j] = least(above[j - 1] + cost,
			    least(above[j], cur[j - 1]) + 1);
			if (i > 1 && j > 1 &&
			    char_lower(a.p[i - 1]) == char_lower(b.p[j - 2]) &&
			    char_lower(a.p[i - 2]) == char_lower(b.p[j - 1]))
				cur[j] = least(cur[j], above2[j - 2] + 1);
		}
	}
	return row[a.n % 3][b.n];
}

void
conf_nearest_init(struct nearest *n, struct str word)
{
	n->word = word;
	n->best = NULL;
	n->distance = 0;
}

void
conf_nearest_try(struct nearest *n, const char *candidate)
{
	unsigned d = conf_nearest_distance(n->word, str_c(candidate));

	if (!n->best || d < n->distance) {
		n->best = candidate;
		n->distance = d;
	}
}

const char *
conf_nearest_found(const struct nearest *n)
{
	size_t longer;

	if (!n->best)
		return NULL;
	longer = strlen(n->best) > n->word.n ? strlen(n->best) : n->word.n;
	return n->distance <= longer / 3 ? n->best : NULL;
}

void
conf_nearest_hint(const struct nearest *n, struct buf *b)
{
	const char *found = conf_nearest_found(n);

	if (found)
		buf_addf(b, "; did you mean \"%s\"?", found);
}

void
conf_words_expected(struct buf *b, const char *const *words, struct str word)
{
	struct nearest near;
	bool first = true;

	conf_nearest_init(&near, word);
	for (; *words; words++) {
		if (**words == '\0')
			continue;
		conf_nearest_try(&near, *words);
		if (!first)
			buf_adds(b, words[1] ? ", " : " or ");
		buf_adds(b, *words);
		first = false;
	}
	conf_nearest_hint(&near, b);
}
