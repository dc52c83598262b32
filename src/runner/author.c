/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * author -- what the domain of an author asks for by DMARC.
 *
 * The tree walk of RFC 9989 4.10: the domain itself, and what is above it,
 * until a record says that it ends there.  A record of the domain itself is
 * its policy; else the highest is the organization's, and its "sp" counts.
 */

#include "author.h"

#include "lib/mem.h"

#define NAME_SIZE 300

struct walk {
	struct runner *r;
	void (*fn)(void *arg, bool known, enum dmarc_policy p);
	void *arg;
	char name[NAME_SIZE];	/* "_dmarc." and the domain */
	unsigned looked;
	bool found;
	struct dmarc last;	/* the highest so far */
};

static void ask(struct walk *w);

static struct str
domain_of(const struct walk *w)
{
	return str_skip(str_c(w->name), sizeof("_dmarc.") - 1);
}

static void
end(struct walk *w, bool known, enum dmarc_policy p)
{
	w->fn(w->arg, known, p);
	mem_free(w);
}

static void
set_name(struct walk *w, struct str domain)
{
	char name[NAME_SIZE];
	struct buf b;

	buf_init_in(&b, name, sizeof(name));
	buf_adds(&b, "_dmarc.");
	buf_add(&b, domain);
	memcpy(w->name, name, b.n + 1);
}

static void
go_on(struct walk *w)
{
	struct str next = dmarc_next(domain_of(w), w->looked);

	if (next.n > 0) {
		set_name(w, next);
		ask(w);
	} else {
		end(w, true, w->found ? dmarc_asks(&w->last, DMARC_BELOW) : DMARC_NONE);
	}
}

static void
on_txt(void *arg, const struct dns_txt_answer *a)
{
	struct walk *w = arg;
	struct dmarc d = { .psd = 'u' };

	w->looked++;
	if (a->status == DNS_TEMPORARY) {
		end(w, false, DMARC_NONE);
		return;
	}
	/* More than one is none. */
	if (a->status != DNS_OK || !dmarc_parse_only(a->text, a->text_n, &d)) {
		go_on(w);
		return;
	}
	if (w->looked == 1) {
		end(w, true, dmarc_asks(&d, DMARC_ITSELF));
		return;
	}
	/* A public suffix is nobody's organization but its own. */
	if (d.psd != 'y' || !w->found) {
		w->found = true;
		w->last = d;
	}
	if (d.psd == 'u')
		go_on(w);
	else
		end(w, true, dmarc_asks(&w->last, DMARC_BELOW));
}

static void
ask(struct walk *w)
{
	dns_txt(w->r->dns, w->name, on_txt, w);
}

void
author_asks(struct runner *r, struct str domain,
    void (*fn)(void *arg, bool known, enum dmarc_policy p), void *arg)
{
	struct walk *w = mem_alloc(sizeof(*w));

	w->r = r;
	w->fn = fn;
	w->arg = arg;
	set_name(w, str_head(domain, NAME_SIZE - sizeof("_dmarc.") - 1));
	ask(w);
}
