/* main.c: mailsweepd(8): options, and which of its processes this one is. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/conf.h"
#include "engine/features.h"
#include "engine/log.h"
#include "engine/parent.h"
#include "engine/plan.h"
#include "engine/proc.h"
#include "engine/ranges.h"
#include "engine/route.h"
#include "engine/run.h"
#include "probes/products.h"

enum option_id { OPT_ROLE = 256, OPT_INSTANCE, OPT_JSON };

struct options {
	const char *file;
	bool once, check, json;
	unsigned verbose;
};

static const char usage[] =
    "usage: mailsweepd [-1nv] [-f FILE]\n"
    "\n"
    "Sweep the configured addresses for mail servers, each day at the\n"
    "configured hour, and stay in the foreground.\n"
    "\n"
    "  -f, --file FILE  the configuration (" SYSCONFDIR "/mailsweep.conf)\n"
    "  -1, --once       one sweep now (or the rest of one), then end\n"
    "  -n, --check      check the configuration, say what would be swept and\n"
    "                   what this kernel offers, and send nothing\n"
    "      --json       with -n: who and what would be sent, as JSON\n"
    "  -v, --verbose    say more in the log\n"
    "  -h, --help       this text\n"
    "  -V, --version    the version\n"
    "\n"
    "Exit status: 0 swept, or stopped and can go on; 1 an error; 2 a mistake\n"
    "in the options or the configuration; 3 the account does not balance.\n";

/* The parent starts its children so, and nobody else does. */
static int
start_role(const char *name, const char *instance)
{
	for (enum role r = ROLE_SEND; r < ROLE_COUNT; r++)
		if (strcmp(name, role_names[r]) == 0)
			return child_main(
			    r, (unsigned)strtoul(instance, NULL, 10));
	fprintf(stderr, "mailsweepd: no such role: %s\n", name);
	return RESULT_USAGE;
}

static _Noreturn void
refuse(void)
{
	fprintf(stderr, "Try mailsweepd --help.\n");
	exit(RESULT_USAGE);
}

static void
parse_options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "file", required_argument, NULL, 'f' },
		{ "once", no_argument, NULL, '1' },
		{ "check", no_argument, NULL, 'n' },
		{ "json", no_argument, NULL, OPT_JSON },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ "role", required_argument, NULL, OPT_ROLE },
		{ "instance", required_argument, NULL, OPT_INSTANCE },
		{ NULL, 0, NULL, 0 },
	};
	const char *role = NULL, *instance = "0";
	int c;

	while ((c = getopt_long(argc, argv, "f:1nvhV", longs, NULL)) != -1) {
		switch (c) {
		case 'f':
			o->file = optarg;
			break;
		case '1':
			o->once = true;
			break;
		case 'n':
			o->check = true;
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case 'v':
			o->verbose++;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(RESULT_OK);
		case 'V':
			puts("mailsweepd " VERSION);
			exit(RESULT_OK);
		case OPT_ROLE:
			role = optarg;
			break;
		case OPT_INSTANCE:
			instance = optarg;
			break;
		default:
			refuse();
		}
	}
	if (role != NULL)
		exit(start_role(role, instance));
	if (o->json && !o->check) {
		fprintf(stderr, "mailsweepd: --json: expected -n with it\n");
		refuse();
	}
	if (optind < argc) {
		fprintf(stderr, "mailsweepd: %s: expected no more arguments\n",
		    argv[optind]);
		refuse();
	}
}

/* Standard descriptors that are closed would become somebody's wire. */
static void
open_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

/* The text of the table of products, which has no mistakes; or NULL. */
static char *
read_products(const struct conf *conf, size_t *patterns)
{
	char error[PRODUCTS_ERROR_MAX];
	char *text = conf_products(conf);
	struct products *table;

	if (text == NULL) {
		fprintf(stderr,
		    "%s: cannot be read (%s), expected a table of "
		    "products\n",
		    conf->products[0] ? conf->products : DATADIR "/products",
		    strerror(errno));
		return NULL;
	}
	table = products_read(conf->products, text, NULL, error);
	if (table == NULL) {
		fprintf(stderr, "%s\n", error);
		free(text);
		return NULL;
	}
	*patterns = products_count(table);
	products_free(table);
	return text;
}

static int
check(struct conf *conf, const struct ranges *targets,
    const struct ranges *excluded, size_t patterns, bool json)
{
	/* What is missing is shown as such: -n works before all is set up. */
	if (!json || conf->nsources == 0)
		(void)route_resolve(conf, targets);
	if (json) {
		if (plan_json(stdout, conf, targets, excluded) < 0)
			return RESULT_ERROR;
	} else {
		plan_print(stdout, conf, targets, excluded);
		printf("products\n  %-17s %s, %zu patterns\n", "table",
		    conf->products, patterns);
		features_print(stdout, conf);
	}
	return fflush(stdout) == 0 ? RESULT_OK : RESULT_ERROR;
}

int
main(int argc, char **argv)
{
	static struct conf conf;
	struct options o = { .file = SYSCONFDIR "/mailsweep.conf" };
	struct ranges *targets, *excluded;
	size_t patterns = 0;
	char *products;

	open_standard_descriptors();
	parse_options(argc, argv, &o);
	if (conf_read(o.file, &conf, &targets, &excluded, NULL) < 0)
		return RESULT_USAGE;
	products = read_products(&conf, &patterns);
	if (products == NULL)
		return RESULT_USAGE;
	if (o.verbose > 0 && conf.log_level < LOG_LEVEL_DEBUG)
		conf.log_level = LOG_LEVEL_DEBUG;
	log_open(role_names[ROLE_PARENT], conf.log_level);
	if (o.check)
		return check(&conf, targets, excluded, patterns, o.json);
	if (geteuid() != 0) {
		log_error("expected to be started as root: raw sockets, nft "
			  "and the users of its processes need it");
		return RESULT_USAGE;
	}
	if (route_resolve(&conf, targets) < 0)
		return RESULT_USAGE;
	return parent_main(&conf, targets, excluded, products, o.once);
}
