/* report_assets.c: files of storage/report, as they lie in the tree. */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "storage/report_assets.h"

/* The path is that of the tree in which the compiler runs. */
#define ASSET(name, path)                                                      \
	__asm__(".pushsection .rodata\n"                                       \
		".balign 8\n"                                                  \
		".global " #name ", " #name "_end\n"                           \
		".hidden " #name ", " #name "_end\n" #name ": .incbin \"" path \
		"\"\n" #name "_end: .byte 0\n"                                 \
		".popsection\n");                                              \
	extern const char name[], name##_end[]

ASSET(report_script, "storage/report/report.js");
ASSET(report_style, "storage/report/report.css");
ASSET(report_world, "storage/report/world.tsv");
ASSET(report_countries, "storage/report/countries.tsv");

struct asset
asset_get(enum asset_id id)
{
	static const struct {
		const char *from, *end;
	} assets[ASSETS] = { { report_script, report_script_end },
		{ report_style, report_style_end },
		{ report_world, report_world_end },
		{ report_countries, report_countries_end } };
	uintptr_t from = (uintptr_t)assets[id].from;

	return (
	    struct asset){ assets[id].from, (uintptr_t)assets[id].end - from };
}

static size_t
length_to(const char *s, size_t len, char end)
{
	const char *found = memchr(s, end, len);

	return found ? (size_t)(found - s) : len;
}

bool
asset_line(struct asset a, size_t *at, struct asset fields[ASSET_FIELDS])
{
	const char *line = a.text + *at;
	size_t len;

	while (*at < a.len && *line == '#') {
		*at += length_to(line, a.len - *at, '\n') + 1;
		line = a.text + *at;
	}
	if (*at >= a.len)
		return false;
	len = length_to(line, a.len - *at, '\n');
	*at += len + 1;
	for (unsigned i = 0; i < ASSET_FIELDS; i++) {
		size_t n = length_to(line, len, '\t');

		fields[i] = (struct asset){ line, n };
		n += n < len;
		line += n;
		len -= n;
	}
	return true;
}
