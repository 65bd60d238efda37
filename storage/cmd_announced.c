/* cmd_announced.c: `mailsweep announced`: what rates are per million of. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "storage/announced.h"
#include "storage/geo.h"
#include "storage/tool.h"

static int
take_options(struct tool *t, int argc, char **argv)
{
	static const struct option own[] = { { 0 } };
	int c, status;

	while ((c = tool_option(t, argc, argv, own, &status)) != -1)
		return tool_usage(t, "-%c: not an option of announced", c);
	status = tool_options_over(t, status, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	if (t->json || t->sweep)
		return tool_usage(t, "no --json and no --sweep");
	status = tool_setup(t);
	if (status == TOOL_GO_ON &&
	    (!t->configured || t->conf.asn_csv[0] == '\0'))
		return tool_error("expected a configuration with asn_csv: what "
				  "is announced stands there");
	return status;
}

static void
add(const struct geo_place *p, uint64_t n, void *arg)
{
	struct announced *a = arg;
	char as[ANNOUNCED_KEY_MAX];

	if (p->asn == 0)
		return;
	snprintf(as, sizeof as, "AS%" PRIu32, p->asn);
	announced_add(a, p->country, n);
	announced_add(a, as, n);
	announced_add(a, "total", n);
}

static int
announced_run(struct tool *t, int argc, char **argv)
{
	char error[STORE_ERROR_MAX];
	struct announced *a;
	struct buf out = { 0 };
	struct geo *g;
	int status = take_options(t, argc, argv);

	if (status != TOOL_GO_ON)
		return status;
	g = geo_open(&t->conf, error);
	if (!g)
		return tool_error("%s", error);
	a = announced_new();
	geo_each_announced(g, add, a);
	announced_write(a, &out);
	status = out.len > 0 ? TOOL_OK : TOOL_NOTHING;
	fputs(buf_text(&out), stdout);
	buf_free(&out);
	announced_free(a);
	geo_close(g);
	return status;
}

const struct command command_announced = { "announced", "-f FILE",
	"Count the announced IPv4 addresses by country and AS", "",
	announced_run };
