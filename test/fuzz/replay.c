/*
 * replay.c - runs a fuzz target over the files of its corpus, so that every
 * `make check` repeats what fuzzing once found.
 *
 * The empty input always belongs to the corpus.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
main(int argc, char **argv)
{
	LLVMFuzzerTestOneInput((const uint8_t *) "", 0);

	for (int i = 1; i < argc; i++)
	{
		FILE	   *file = fopen(argv[i], "rb");
		long		size;
		uint8_t    *data;

		/* Named first: when the target dies, the last line says on what. */
		fprintf(stderr, "%s\n", argv[i]);
		if (file == NULL || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0)
		{
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		rewind(file);

		/* Exactly as large as the input, so that ASan sees the first byte behind it. */
		data = malloc(size == 0 ? 1 : (size_t) size);
		if (data == NULL || fread(data, 1, (size_t) size, file) != (size_t) size)
		{
			perror(argv[i]);
			return EXIT_FAILURE;
		}
		fclose(file);
		LLVMFuzzerTestOneInput(data, (size_t) size);
		free(data);
	}
	printf("%d inputs\n", argc);
	return EXIT_SUCCESS;
}
