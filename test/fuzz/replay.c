/* replay.c: a main() that feeds files to a fuzz target, for any compiler. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEED_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *seed, *exact;
	size_t len;

	if (file == NULL) {
		perror(path);
		return -1;
	}
	seed = malloc(SEED_MAX);
	if (seed == NULL)
		abort();
	len = fread(seed, 1, SEED_MAX, file);
	(void)fclose(file);
	/* Of exactly its size, so that one byte too far is seen. */
	exact = realloc(seed, len > 0 ? len : 1);
	if (exact == NULL)
		abort();
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	return 0;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (replay(argv[i]) != 0)
			return EXIT_FAILURE;
	}
	return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
