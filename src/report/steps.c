/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * steps -- what `baridctl explain` found, for people and for programs.
 *
 * A name stands once where several lines in a row have it, so that the eye
 * finds where something new begins.
 */

#include "report/steps.h"

#include <stdarg.h>

#include "lib/json.h"
#include "lib/log.h"
#include "lib/mem.h"

#define ARENA_MAX ((size_t)64 << 20)
#define TEXT_MAX 8192
#define NAME_COLUMNS 12
#define INDENT 2

void
steps_init(struct steps *s)
{
	*s = (struct steps){ .v = NULL };
	arena_init(&s->arena, ARENA_MAX);
}

void
steps_free(struct steps *s)
{
	arena_free(&s->arena);
	mem_free(s->v);
	s->v = NULL;
	s->n = s->size = 0;
}

void
steps_add(struct steps *s, unsigned depth, const char *name,
    struct conf_place place, const char *fmt, ...)
{
	struct buf text;
	va_list ap;

	buf_init(&text, TEXT_MAX);
	va_start(ap, fmt);
	buf_vaddf(&text, fmt, ap);
	va_end(ap);
	if (s->n == s->size) {
		s->size = s->size ? s->size * 2 : 32;
		s->v = mem_grow(s->v, s->size, sizeof(*s->v));
	}
	s->v[s->n++] = (struct step){ .depth = depth, .name = name,
		.text = arena_cstr(&s->arena, buf_str(&text)),
		.place = place };
	buf_free(&text);
}

void
steps_print_safe(FILE *out, const char *text)
{
	char safe[LOG_LINE_MAX];

	fwrite(safe, 1, log_escape(safe, sizeof(safe), str_c(text)), out);
}

void
steps_print(const struct steps *s, FILE *out)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct step *step = &s->v[i];
		bool again = i > 0 && step[-1].depth == step->depth &&
		    strcmp(step[-1].name, step->name) == 0;

		fprintf(out, "%*s", (int)step->depth * INDENT, "");
		fprintf(out, "%-*s ", NAME_COLUMNS, again ? "" : step->name);
		steps_print_safe(out, step->text);
		if (step->place.file != NULL && step->place.file[0] != '\0') {
			fputs("    (", out);
			steps_print_safe(out, step->place.file);
			fprintf(out, ":%d)", step->place.line);
		}
		fputc('\n', out);
	}
}

void
steps_json(const char *subject, const struct steps *s, FILE *out)
{
	struct json *j = json_new_object(), *list = json_new_array();

	for (size_t i = 0; i < s->n; i++) {
		const struct step *step = &s->v[i];
		struct json *o = json_new_object();

		json_set_text(o, "step", str_c(step->name));
		json_set_number(o, "depth", step->depth);
		json_set_text(o, "text", str_c(step->text));
		if (step->place.file && step->place.file[0]) {
			json_set_text(o, "file", str_c(step->place.file));
			json_set_integer(o, "line", step->place.line);
		}
		json_add(list, o);
	}
	json_set_text(j, "subject", str_c(subject));
	json_set(j, "steps", list);
	json_print(j, JSON_FOR_EYES, out);
}
