/* cmd_show.c: `mailsweep show`: everything that is kept of an address. */
#include <stdlib.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/feed.h"
#include "storage/history.h"
#include "storage/json_out.h"
#include "storage/show.h"
#include "storage/text.h"
#include "storage/tool.h"

enum { SHOW_HISTORY = OPTION_OWN };

/* What was asked for; port 0: all of the address. */
struct wanted {
	struct addr addr;
	uint16_t port;
};

/* 192.0.2.1, 192.0.2.1:25, 2001:db8::1, [2001:db8::1] or [2001:db8::1]:25 */
static bool
parse_wanted(const char *text, struct wanted *w)
{
	char addr[ADDR_TEXT_MAX];
	const char *colon = strrchr(text, ':'), *start = text, *end;
	unsigned long port = 0;

	if (text[0] == '[') {
		start = text + 1;
		end = strchr(start, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return false;
		colon = end[1] ? end + 1 : NULL;
	} else {
		if (colon && strchr(text, ':') != colon)
			colon = NULL; /* IPv6 without brackets */
		end = colon ? colon : text + strlen(text);
	}
	if ((size_t)(end - start) >= sizeof addr)
		return false;
	memcpy(addr, start, (size_t)(end - start));
	addr[end - start] = '\0';
	if (colon) {
		char *rest;

		port = strtoul(colon + 1, &rest, 10);
		if (colon[1] < '0' || colon[1] > '9' || *rest || port == 0 ||
		    port > UINT16_MAX)
			return false;
	}
	w->port = (uint16_t)port;
	return addr_parse(addr, &w->addr) == 0;
}

struct silence {
	struct store *store;
	const struct wanted *wanted;
	const struct show_tables *tables;
	bool json;
	unsigned found;
};

static struct json_object *
chain_object(const struct row *r, struct store *s)
{
	struct json_object *list = json_object_new_array();
	struct cert_fields c;
	const uint8_t *der;
	struct field f;
	size_t len;

	if (!row_field(r, TAG_CHAIN, &f))
		return list;
	for (uint32_t i = 0; i + SHA256_LEN <= f.len; i += SHA256_LEN) {
		if (!store_cert(s, f.bytes + i, &der, &len))
			continue;
		cert_fields_read(&c, der, len);
		json_object_array_add(list, json_cert(&c));
		cert_fields_free(&c);
	}
	return list;
}

/* By the version in the banner alone: the owner must look at the package. */
static void
put_holes(struct json_object *o, const struct row *r, const struct holes *holes)
{
	const struct hole *matched[HOLES_MATCHED_MAX];
	struct json_object *list = json_object_new_array();
	size_t n = feed_holes(r, holes, matched);

	for (size_t i = 0; i < n; i++)
		json_object_array_add(
		    list, json_object_new_string(matched[i]->cve));
	json_object_object_add(o, "banner_version", list);
}

static void
print_row(const struct row *r, struct store *s,
    const struct show_tables *tables, bool json)
{
	struct json_object *o;

	if (!json) {
		show_row(r, s, tables);
		return;
	}
	o = json_row(r, true);
	json_put_string(o, "sweep", store_info(s)->sweep.id);
	json_object_object_add(o, "certificates", chain_object(r, s));
	put_holes(o, r, tables->holes);
	json_print(o, true);
}

static unsigned
show_rows(struct store *s, const struct wanted *w,
    const struct show_tables *tables, bool json)
{
	struct store_scan *scan = store_scan_from(s, &w->addr);
	struct row r = { 0 };
	unsigned found = 0;

	while (scan && store_scan_next(scan, &r.target, &r.head) &&
	    addr_cmp(&r.target.addr, &w->addr) == 0) {
		if (w->port != 0 && r.target.port != w->port)
			continue;
		if (!store_scan_body(scan, &r.body, &r.len))
			r.body = NULL;
		if (found++ > 0 && !json)
			putchar('\n');
		print_row(&r, s, tables, json);
	}
	store_scan_free(scan);
	return found;
}

static bool
show_silent(const struct target *t, uint64_t when_us, void *arg)
{
	struct silence *x = arg;
	char target[TARGET_TEXT_MAX], when[TIME_TEXT_MAX];
	int order = addr_cmp(&t->addr, &x->wanted->addr);

	if (order > 0)
		return false;
	if (order < 0 || (x->wanted->port && x->wanted->port != t->port))
		return true;
	x->found++;
	if (x->json) {
		json_print(json_silent(t, when_us,
			       store_is_phantom(x->store, &t->addr)),
		    true);
		return true;
	}
	printf("%s  silent\n  answered our SYN at %s UTC and said nothing\n",
	    target_text(t, target), text_time(when_us, when));
	if (store_is_phantom(x->store, &t->addr))
		show_finding("findings", FINDING_PHANTOM, x->tables->advices);
	return true;
}

static int
show_wanted(struct tool *t, struct store *s, const struct wanted *w)
{
	struct advices *advices = t->json ? NULL : tool_advices();
	struct holes *holes = tool_holes(NULL);
	const struct show_tables tables = { advices, holes };
	struct silence silence = { s, w, &tables, t->json, 0 };
	unsigned found;
	char text[ADDR_TEXT_MAX];

	if (!t->json)
		printf("sweep %s\n", store_info(s)->sweep.id);
	found = show_rows(s, w, &tables, t->json);
	if (store_each_silent(s, show_silent, &silence) < 0)
		tool_error("the silent targets cannot be read");
	holes_free(holes);
	advice_free(advices);
	if (found + silence.found > 0)
		return tool_store_close(s, TOOL_OK);
	tool_error("%s: nothing is known of it in this sweep",
	    addr_text(&w->addr, text));
	return tool_store_close(s, TOOL_NOTHING);
}

static int
show_run(struct tool *t, int argc, char **argv)
{
	static const struct option own[] = {
		{ "history", no_argument, NULL, SHOW_HISTORY }, { 0 }
	};
	struct wanted w;
	struct store *s;
	bool history = false;
	int c, status;

	while ((c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c != SHOW_HISTORY)
			return tool_usage(t, "-%c: not an option of show", c);
		history = true;
	}
	if (status != TOOL_GO_ON)
		return status;
	if (argc - optind != 1)
		return tool_usage(t, "expected one ADDRESS[:PORT]");
	if (!parse_wanted(argv[optind], &w))
		return tool_usage(t,
		    "%s: expected an address, with a port or not, such as "
		    "192.0.2.1:110 or [2001:db8::1]:110",
		    argv[optind]);
	if (history && t->sweep)
		return tool_usage(t,
		    "--history: it is of all sealed sweeps, without --sweep");
	status = tool_setup(t);
	if (status != TOOL_GO_ON)
		return status;
	if (history)
		return history_print(t, &w.addr, w.port);
	s = tool_store(t);
	return s ? show_wanted(t, s, &w) : TOOL_ERROR;
}

const struct command command_show = { "show", "ADDRESS[:PORT]",
	"Show everything that is kept of an address",
	"      --history          a line a sealed sweep and port, oldest "
	"first\n",
	show_run };
