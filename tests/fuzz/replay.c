/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * replay -- runs a fuzz target over files and folders without a fuzzer, so
 * that every corpus is a regression test under any compiler.
 */

#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned long replayed;

static void
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	size_t n = 0, size = 0;

	if (!f) {
		perror(path);
		exit(1);
	}
	do {
		size += 65536;
		data = realloc(data, size);
		if (!data)
			exit(1);
		n += fread(data + n, 1, size - n, f);
	} while (n == size);
	fclose(f);
	/* An exact allocation lets the sanitizer see a read past the end. */
	uint8_t *exact = malloc(n ? n : 1);
	for (size_t i = 0; i < n && exact; i++)
		exact[i] = data[i];
	(void)LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	free(data);
	replayed++;
}

static void
replay(const char *path)
{
	struct stat st;
	char name[4096];
	struct dirent *e;
	DIR *d;

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	if (!(d = opendir(path)))
		exit(1);
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, e->d_name);
		replay_file(name);
	}
	closedir(d);
}

int
main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	(void)LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("replayed %lu inputs\n", replayed);
	return replayed > 0 ? 0 : 1;
}
