/* cmd_check.c: `mailsweep check`: is the store what was written? */
#include <sys/stat.h>

#include <inttypes.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/check.h"
#include "storage/json_out.h"
#include "storage/layout.h"
#include "storage/tool.h"

enum { PATH_CAP = LAYOUT_PATH_MAX + 32 };

struct checking {
	struct check check;
	bool json;
	unsigned sweeps;
};

static void
tell(const char *line, void *arg)
{
	struct checking *c = arg;

	if (!c->json)
		puts(line);
	else {
		struct json_object *o = json_object_new_object();

		json_put_string(o, "wrong", line);
		json_print(o, false);
	}
}

static bool
check_one(const struct sweep_info *row, void *arg)
{
	struct checking *c = arg;

	if (!row->removed && row->end_us != 0) {
		check_sweep(&c->check, row->sweep.id);
		c->sweeps++;
	}
	return true;
}

static void
check_live(struct checking *c)
{
	char path[PATH_CAP];
	struct stat st;

	snprintf(
	    path, sizeof path, "%s/" LAYOUT_LIVE "/data.mdb", c->check.datadir);
	if (stat(path, &st) != 0)
		return;
	check_sweep(&c->check, LAYOUT_LIVE);
	c->sweeps++;
}

static void
check_all(struct checking *c)
{
	char error[STORE_ERROR_MAX];

	check_catalog(&c->check);
	check_certs(&c->check);
	if (store_sweeps(c->check.datadir, check_one, c, error) != 0)
		check_wrong(&c->check, "%s", error);
	check_live(c);
}

static void
print_sum(const struct checking *c)
{
	struct json_object *o;

	if (!c->json) {
		printf("%u sweeps, %" PRIu64 " rows, %" PRIu64 " wrong\n",
		    c->sweeps, c->check.rows, c->check.wrong);
		return;
	}
	o = json_object_new_object();
	json_put_number(o, "sweeps", c->sweeps);
	json_put_number(o, "rows", c->check.rows);
	json_put_number(o, "wrong_in_all", c->check.wrong);
	json_print(o, false);
}

static int
check_run(struct tool *t, int argc, char **argv)
{
	struct checking c = { .check = { .tell = tell } };
	int option, status;

	while ((option = tool_option(t, argc, argv, NULL, &status)) != -1)
		return tool_usage(t, "-%c: not an option of check", option);
	status = tool_options_over(t, status, argc, argv);
	if (status != TOOL_GO_ON)
		return status;
	if ((status = tool_setup(t)) != TOOL_GO_ON)
		return status;
	c.json = t->json;
	c.check.arg = &c;
	c.check.datadir = t->datadir;
	if (t->sweep) {
		check_sweep(&c.check, t->sweep);
		c.sweeps = 1;
	} else {
		check_all(&c);
	}
	print_sum(&c);
	return c.check.wrong == 0 ? TOOL_OK : TOOL_ERROR;
}

const struct command command_check = { "check", "[option ...]",
	"Verify every row, sum, reference and count of the store", "",
	check_run };
