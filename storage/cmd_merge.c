/* cmd_merge.c: `mailsweep merge`: shards of one sweep become one. */
#include <inttypes.h>

#include <json-c/json.h>

#include "storage/json_out.h"
#include "storage/shards.h"
#include "storage/tool.h"

enum { MERGE_PARTIAL = OPTION_OWN };

static int
add_all(
    const struct tool *t, struct shards *s, int argc, char **argv, bool partial)
{
	char error[STORE_ERROR_MAX];
	unsigned shard, of;

	if (argc < 1)
		return tool_usage(t, "expected the shards that are to be one");
	for (int i = 0; i < argc; i++)
		if (shards_add(s, argv[i], error) < 0)
			return tool_error("%s", error);
	if (shards_missing(s, &shard, &of) && !partial)
		return tool_error("shard %u of %u is missing; --partial does "
				  "without",
		    shard, of);
	return TOOL_GO_ON;
}

static void
print_merged(const struct tool *t, const struct sweep_info *i, int shards)
{
	struct json_object *o;

	if (!t->json) {
		printf("%s: %d shards, %" PRIu64 " rows, the account %s\n",
		    i->sweep.id, shards, i->account.rows,
		    i->balanced ? "balances" : "DOES NOT BALANCE");
		return;
	}
	o = json_object_new_object();
	json_put_string(o, "sweep", i->sweep.id);
	json_put_number(o, "shards", (uint64_t)shards);
	json_put_number(o, "rows", i->account.rows);
	json_put_bool(o, "balanced", i->balanced);
	json_print(o, false);
}

static int
merge(const struct tool *t, struct shards *s, const char *to, int n)
{
	char error[STORE_ERROR_MAX];
	struct sweep_info info;

	if (shards_merge(s, to, &info, error) < 0)
		return tool_error("%s", error);
	print_merged(t, &info, n);
	return info.balanced ? TOOL_OK : TOOL_UNBALANCED;
}

static int
merge_run(struct tool *t, int argc, char **argv)
{
	static const struct option own[] = { { "output", required_argument,
						 NULL, 'o' },
		{ "partial", no_argument, NULL, MERGE_PARTIAL }, { 0 } };
	const char *to = NULL;
	struct shards *s;
	bool partial = false;
	int c, status;

	while ((c = tool_option(t, argc, argv, own, &status)) != -1) {
		if (c == 'o')
			to = optarg;
		else if (c == MERGE_PARTIAL)
			partial = true;
		else
			return tool_usage(t, "-%c: not an option of merge", c);
	}
	if ((status = tool_no_sweep(t, status)) != TOOL_GO_ON)
		return status;
	if (to == NULL)
		return tool_usage(t, "expected --output DIRECTORY");
	s = shards_new();
	if (s == NULL)
		return tool_error("no memory");
	status = add_all(t, s, argc - optind, argv + optind, partial);
	if (status == TOOL_GO_ON)
		status = merge(t, s, to, argc - optind);
	shards_free(s);
	return status;
}

const struct command command_merge = { "merge", "-o DIR SHARD ...",
	"Make one sweep of the sealed shards of one",
	"  -o, --output DIR       the data directory that it goes into\n"
	"      --partial          also when shards are missing\n",
	merge_run };
