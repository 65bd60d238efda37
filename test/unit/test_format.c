/* test_format.c: storage/FORMAT.md says what the program does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "storage/record.h"

enum { LINE_CAP = 512, NAME_CAP = 64, TEXT_CAP = 65536 };

struct row {
	const char *name;
	size_t offset, size;
};

/* clang-format off */
#define ROW(field) { #field, offsetof(struct head, field), \
	sizeof(((struct head *)0)->field) }
static const struct row rows[] = {
	ROW(version), ROW(outcome), ROW(protocol), ROW(port_protocol),
	ROW(port), ROW(flags), ROW(addr), ROW(time_us), ROW(first_seen_us),
	ROW(last_seen_us), ROW(findings), ROW(observations), ROW(starttls),
	ROW(change), ROW(code), ROW(tls_version), ROW(cipher), ROW(group),
	ROW(group_bits), ROW(peer_sigalg), ROW(key_bits), ROW(key_type),
	ROW(chain), ROW(alert), ROW(alert_side), ROW(asn), ROW(country),
	ROW(ttl), ROW(attempt), ROW(window), ROW(mss), ROW(leaf), ROW(source),
	ROW(not_before), ROW(not_after), ROW(rtt_us), ROW(greeting_ms),
	ROW(tls_ms), ROW(duration_ms), ROW(findings_before), ROW(sport),
	ROW(wscale), ROW(synack_options), ROW(chain_len), ROW(validation),
	ROW(verify_error), ROW(confirmed), ROW(missed),
	ROW(kind), ROW(names), ROW(open_since), ROW(sum),
};
/* clang-format on */
enum { ROWS = sizeof rows / sizeof rows[0] };

static FILE *
open_text(void)
{
	FILE *f = fopen("storage/FORMAT.md", "r");

	if (f == NULL)
		fail_msg("storage/FORMAT.md: run from the top of the tree");
	return f;
}

/* A number between "| " and " |"; moves past it. */
static bool
cell(const char **at, size_t *number)
{
	char *end;

	if (strncmp(*at, "| ", 2) != 0)
		return false;
	*number = strtoul(*at + 2, &end, 10);
	if (end == *at + 2 || strncmp(end, " |", 2) != 0)
		return false;
	*at = end + 1;
	return true;
}

/* A row of the head's table: two numbers and a name. */
static bool
head_row(const char *line, size_t *offset, size_t *size, char name[NAME_CAP])
{
	const char *at = line;
	size_t n;

	if (!cell(&at, offset) || !cell(&at, size) ||
	    strncmp(at, "| `", 3) != 0)
		return false;
	n = strcspn(at + 3, "`");
	if (n >= NAME_CAP)
		return false;
	memcpy(name, at + 3, n);
	name[n] = '\0';
	return true;
}

/* The table of the head: every field once, in order, without a gap. */
static void
test_head(void **state)
{
	FILE *f = open_text();
	char line[LINE_CAP], name[NAME_CAP];
	size_t offset, size, next = 0, n = 0;

	(void)state;
	while (fgets(line, sizeof line, f) != NULL) {
		if (!head_row(line, &offset, &size, name))
			continue;
		assert_true(n < ROWS);
		assert_string_equal(name, rows[n].name);
		assert_int_equal(offset, rows[n].offset);
		assert_int_equal(size, rows[n].size);
		assert_int_equal(offset, next);
		next = offset + size;
		n++;
	}
	fclose(f);
	assert_int_equal(n, ROWS);
	assert_int_equal(next, HEAD_SIZE);
}

static void
test_tags(void **state)
{
	FILE *f = open_text();
	char line[LINE_CAP], name[NAME_CAP];
	size_t tag, size, last = 0;

	(void)state;
	while (fgets(line, sizeof line, f) != NULL) {
		const char *at = line;

		if (cell(&at, &tag) && !head_row(line, &tag, &size, name))
			assert_int_equal(tag, ++last);
	}
	fclose(f);
	assert_int_equal(last + 1, TAG_COUNT);
}

/* "0 none, 1 silent ..." behind a name, with blanks for line ends. */
static void
assert_list(
    const char *text, const char *name, const char *const *names, int count)
{
	char start[64], item[80];
	const char *list, *end;

	snprintf(start, sizeof start, "`%s`", name);
	list = strstr(text, start);
	assert_non_null(list);
	end = strstr(list, "\n\n");
	assert_non_null(end);
	for (int i = 0; i < count; i++) {
		const char *at;

		snprintf(item, sizeof item, " %d %s", i, names[i]);
		at = strstr(list, item);
		if (at == NULL || at >= end)
			fail_msg("%s lacks \"%s\"", name, item);
	}
	snprintf(item, sizeof item, " %d ", count);
	assert_true(strstr(list, item) == NULL || strstr(list, item) >= end);
}

static void
test_numbers(void **state)
{
	static char text[TEXT_CAP];
	FILE *f = open_text();
	size_t n = fread(text, 1, sizeof text - 1, f);
	char *lists;

	(void)state;
	fclose(f);
	for (size_t i = 1; i < n; i++)
		if (text[i] == '\n' && text[i - 1] != '\n' &&
		    text[i + 1] != '\n')
			text[i] = ' ';
	lists = strstr(text, "\n`outcome`:");
	assert_non_null(lists);
	assert_list(lists, "outcome", outcome_names, OUTCOME_COUNT);
	assert_list(lists, "starttls", starttls_names, STARTTLS_COUNT);
	assert_list(lists, "findings", finding_names, FINDING_COUNT);
	assert_list(lists, "change", change_names, CHANGE_COUNT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_head),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
