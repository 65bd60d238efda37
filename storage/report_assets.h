/* report_assets.h: files of storage/report that are part of the program. */
#ifndef STORAGE_REPORT_ASSETS_H
#define STORAGE_REPORT_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

/* Not terminated. */
struct asset {
	const char *text;
	size_t len;
};

enum asset_id {
	ASSET_SCRIPT, /* report.js */
	ASSET_STYLE, /* report.css */
	ASSET_WORLD, /* world.tsv: code, path */
	ASSET_COUNTRIES, /* countries.tsv: code, number, name */
	ASSETS
};
struct asset asset_get(enum asset_id);

/*
 * Lines of tab-separated fields, those with # before them passed over. Start
 * with *at = 0; false at the end. Fields that a line lacks have no length.
 */
enum { ASSET_FIELDS = 3 };
bool asset_line(struct asset, size_t *at, struct asset fields[ASSET_FIELDS]);

#endif
