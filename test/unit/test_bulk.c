/* test_bulk.c: zeros at the start of a line, and no size that overflows. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/bulk.h"

static void
zeros_in_lines(void **state)
{
	static const size_t sizes[] = { 1, 63, 64, 4096, 1 << 21, 9000001 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct bulk b;
		unsigned char *p;

		assert_int_equal(bulk_new(&b, sizes[i], 3), 0);
		p = b.at;
		assert_int_equal((uintptr_t)p % BULK_LINE, 0);
		for (size_t k = 0; k < sizes[i] * 3; k++) {
			assert_int_equal(p[k], 0);
			p[k] = 0xee;
		}
		bulk_free(&b);
		assert_null(b.at);
		bulk_free(&b);
	}
}

static void
too_much_is_refused(void **state)
{
	struct bulk b;

	(void)state;
	assert_int_equal(bulk_new(&b, SIZE_MAX / 8, 9), -1);
	assert_int_equal(errno, ENOMEM);
	assert_null(b.at);
	bulk_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeros_in_lines),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
