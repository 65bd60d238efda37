/* history.c: what each sealed sweep says of an address, a line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/history.h"
#include "storage/json_out.h"
#include "storage/series.h"
#include "storage/text.h"

enum { MINUTES_LEN = 16 };

static void
print_text(
    const struct sweep_info *i, const struct target *t, const struct head *h)
{
	char began[TIME_TEXT_MAX], target[TARGET_TEXT_MAX];

	printf("%.*s  %s  %s %s %s", MINUTES_LEN,
	    text_time(i->sweep.start_us, began), target_text(t, target),
	    protocol_names[h->protocol], outcome_names[h->outcome],
	    starttls_names[h->starttls]);
	for (unsigned f = 0; f < FINDING_COUNT; f++)
		if (head_has(h, (enum finding)f))
			printf(" %s", finding_names[f]);
	if (h->change != CHANGE_NONE)
		printf(" (%s)", change_names[h->change]);
	putchar('\n');
}

static void
print_json(
    const struct sweep_info *i, const struct target *t, const struct head *h)
{
	struct json_object *o = json_object_new_object(),
			   *findings = json_object_new_array();
	char began[TIME_TEXT_MAX], text[ADDR_TEXT_MAX];

	json_put_string(o, "sweep", i->sweep.id);
	json_put_string(o, "began", text_time_iso(i->sweep.start_us, began));
	json_put_string(o, "ip", addr_text(&t->addr, text));
	json_put_number(o, "port", t->port);
	json_put_string(o, "protocol", protocol_names[h->protocol]);
	json_put_string(o, "outcome", outcome_names[h->outcome]);
	json_put_string(o, "starttls", starttls_names[h->starttls]);
	for (unsigned f = 0; f < FINDING_COUNT; f++)
		if (head_has(h, (enum finding)f))
			json_object_array_add(
			    findings, json_object_new_string(finding_names[f]));
	json_object_object_add(o, "findings", findings);
	json_put_string(o, "change", change_names[h->change]);
	json_print(o, false);
}

/* How many rows, or -1 when the sweep cannot be read. */
static int
print_sweep(const struct tool *t, const char *id, const struct addr *addr,
    uint16_t port)
{
	char error[STORE_ERROR_MAX];
	struct store *s = store_open(t->datadir, id, error);
	struct store_scan *scan = s ? store_scan_from(s, addr) : NULL;
	struct target target;
	struct head head;
	int found = 0;

	if (!s) {
		tool_error("%s", error);
		return -1;
	}
	while (scan && store_scan_next(scan, &target, &head) &&
	    addr_cmp(&target.addr, addr) == 0) {
		if (port != 0 && target.port != port)
			continue;
		(t->json ? print_json : print_text)(
		    store_info(s), &target, &head);
		found++;
	}
	store_scan_free(scan);
	if (tool_store_close(s, TOOL_OK) != TOOL_OK || !scan)
		return -1;
	return found;
}

int
history_print(struct tool *t, const struct addr *addr, uint16_t port)
{
	struct series series = { .n = 0 };
	char text[ADDR_TEXT_MAX];
	int found = 0,
	    status = series_read(&series, t->datadir) ? TOOL_OK : TOOL_ERROR;

	for (size_t i = 0; i < series.n; i++) {
		int n = print_sweep(t, series.ids[i], addr, port);

		if (n < 0)
			status = TOOL_ERROR;
		else
			found += n;
	}
	series_free(&series);
	if (status == TOOL_OK && found == 0) {
		tool_error("%s: nothing is known of it in any sealed sweep",
		    addr_text(addr, text));
		status = TOOL_NOTHING;
	}
	return status;
}
