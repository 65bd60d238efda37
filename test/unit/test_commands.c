/* test_commands.c: the commands of mailsweep(1) on a small sealed sweep. */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "storage/tool.h"
#include "test/unit/store_help.h"
#include "test/unit/tool_help.h"

enum { ARGS_MAX = 16 };

static char datadir[64];

struct call {
	const struct command *command;
	char *argv[ARGS_MAX];
	int argc;
};

static int
run_call(void *arg)
{
	struct call *c = arg;
	struct tool tool = { .command = c->command };
	int status;

	optind = 0; /* glibc: start anew */
	status = c->command->run(&tool, c->argc, c->argv);
	tool_clear(&tool);
	return status;
}

/* Output of `mailsweep NAME -d DATADIR ARGUMENTS`, to free. */
static char *
output(const struct command *command, int *status, const char *arguments)
{
	char name[] = "mailsweep", option[] = "-d", words[256];
	struct call c = { command, { name, option, datadir }, 3 };

	snprintf(words, sizeof words, "%s", arguments);
	for (char *at = words; *at && c.argc < ARGS_MAX - 1;) {
		char *end = at + strcspn(at, " ");

		c.argv[c.argc++] = at;
		at = *end ? end + 1 : end;
		*end = '\0';
	}
	return output_of(run_call, &c, status);
}

static unsigned
lines_of(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void
has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in:\n%s", part, text);
}

/* No control byte but the line ends, whatever servers said. */
static void
is_printable(const char *text)
{
	for (const char *c = text; *c; c++)
		assert_true((unsigned char)*c >= 0x20 || *c == '\n');
	assert_null(strchr(text, 0x7f));
}

static void
test_dump(void **state)
{
	int status;
	char *text = output(&command_dump, &status, "");
	struct json_object *o, *v;
	char *end = strchr(text, '\n');

	(void)state;
	assert_int_equal(status, TOOL_OK);
	assert_int_equal(lines_of(text), SAMPLE_ROWS);
	is_printable(text);
	*end = '\0';
	o = json_tokener_parse(text);
	assert_non_null(o);
	assert_true(json_object_object_get_ex(o, "ip", &v));
	assert_string_equal(json_object_get_string(v), "192.0.2.1");
	assert_true(json_object_object_get_ex(o, "starttls", &v));
	assert_string_equal(json_object_get_string(v), "not_offered");
	assert_true(json_object_object_get_ex(o, "findings", &v));
	assert_int_equal(json_object_array_length(v), 2);
	assert_true(json_object_object_get_ex(o, "greeting", &v));
	assert_string_equal(json_object_get_string(v),
	    "+OK \"quoted\", comma|second|third|x\\x00y\\x1B[31m\\xFF\xc3\xa9"
	    "\\xC2\\x9B'=1+1;|");
	assert_false(json_object_object_get_ex(o, "transcript", &v));
	json_object_put(o);
	free(text);
}

static void
test_dump_filters(void **state)
{
	static const struct {
		const char *arguments;
		unsigned rows;
	} cases[] = {
		{ "--port 110", 8 },
		{ "--country pl", 3 },
		{ "--country ??", 2 },
		{ "--finding no_tls", 5 },
		{ "--protocol smtp", 4 },
		{ "--outcome refused_us", 1 },
		{ "--outcome silent", SAMPLE_SILENT },
		{ "--starttls closed", 2 },
		{ "--family 6", 2 },
		{ "--asn 64500", 3 },
		{ "--prefix 192.0.2.0/30", 4 },
		{ "--prefix 2001:db8::/32", 2 },
	};
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *text = output(&command_dump, &status, cases[i].arguments);

		assert_int_equal(status, TOOL_OK);
		if (lines_of(text) != cases[i].rows)
			fail_msg(
			    "%s: %u rows", cases[i].arguments, lines_of(text));
		free(text);
	}
}

/* A cell of a row behind its label, which is quoted and may have commas. */
static unsigned long
number_in(const char *row, unsigned cell)
{
	const char *at = strstr(row, "\",");

	for (; at != NULL && cell > 0; cell--)
		at = strchr(at + 1, ',');
	return at != NULL ? strtoul(at + 1, NULL, 10) : ULONG_MAX;
}

/* The rows of a table are what its filter lets through. */
static void
test_filters_are_cuts(void **state)
{
	static const struct {
		const char *by, *option;
		size_t from; /* of a label: a region has its country before */
	} cases[] = { { "tls", "--tls", 0 }, { "product", "--product", 0 },
		{ "region", "--region", 3 } };
	char options[256], label[128];
	unsigned rows = 0;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char *table, *one, *line, *save;

		snprintf(options, sizeof options, "--csv --by %s", cases[i].by);
		table = output(&command_stats, &status, options);
		assert_int_equal(status, TOOL_OK);
		assert_non_null(strtok_r(table, "\n", &save));
		while ((line = strtok_r(NULL, "\n", &save))) {
			unsigned long services;
			const char *row;

			if (sscanf(line, "\"%127[^\"]\",", label) != 1 ||
			    label[0] == '(' || !label[cases[i].from] ||
			    strchr(label + cases[i].from, ' '))
				continue;
			services = number_in(line, 2);
			snprintf(options, sizeof options,
			    "--csv --by none %s %s%s%.2s", cases[i].option,
			    label + cases[i].from,
			    cases[i].from ? " --country " : "",
			    cases[i].from ? label : "");
			one = output(&command_stats, &status, options);
			assert_int_equal(status, TOOL_OK);
			row = strstr(one, "\"all\",1,");
			assert_true(
			    row != NULL && services == number_in(row, 2));
			free(one);
			rows++;
		}
		free(table);
	}
	assert_true(rows > 3);
}

static void
test_dump_exits(void **state)
{
	int status;

	(void)state;
	free(output(&command_dump, &status, "--port 111"));
	assert_int_equal(status, TOOL_NOTHING);
	free(output(&command_dump, &status, "--port x"));
	assert_int_equal(status, TOOL_USAGE);
	free(output(&command_dump, &status, "--finding none_such"));
	assert_int_equal(status, TOOL_USAGE);
	free(output(&command_dump, &status, "--prefix 192.0.2.0/33"));
	assert_int_equal(status, TOOL_USAGE);
	free(output(&command_dump, &status, "--no-such-option"));
	assert_int_equal(status, TOOL_USAGE);
	free(output(&command_dump, &status, "--sweep none-such"));
	assert_int_equal(status, TOOL_ERROR);
	free(output(&command_dump, &status, "--help"));
	assert_int_equal(status, TOOL_OK);
}

static void
test_dump_silent(void **state)
{
	int status;
	char *text = output(&command_dump, &status, "--silent --transcript");

	(void)state;
	assert_int_equal(lines_of(text), SAMPLE_ROWS + SAMPLE_SILENT);
	has(text, "\"transcript\"");
	has(text, "{\"ms\":20,\"who\":\"C\",\"line\":\"STLS\"}");
	free(text);
	text = output(&command_dump, &status, "--silent --protocol pop3");
	assert_null(strstr(text, "silent"));
	free(text);
}

static void
test_show(void **state)
{
	int status;
	char *text = output(&command_show, &status, "192.0.2.1");

	(void)state;
	assert_int_equal(status, TOOL_OK);
	is_printable(text);
	has(text, "192.0.2.1:110  pop3  completed\n");
	has(text, "192.0.2.1:143  imap  completed\n");
	has(text, "STLS|-ERR Unknown command.\n");
	has(text, "no_tls: TLS was not offered");
	has(text, "DE, \xc3\x8ele-de-France, Gda\xc5\x84sk; AS64500 Example");
	has(text, "   0.020 C STLS\n");
	free(text);
	text = output(&command_show, &status, "192.0.2.2:110");
	has(text, "TLSv1.3, TLS_AES_256_GCM_SHA384");
	has(text, "certificate 1 (leaf)");
	has(text, "CN=mail.example.net");
	has(text, "2026-09-21");
	free(text);
}

/* A banner's version is a hint: who owns the host must look at the package. */
static void
test_show_holes(void **state)
{
	int status;
	char *text = output(&command_show, &status, "192.0.2.8");

	(void)state;
	has(text,
	    "banner-version: cve-2019-10149, by the version in the "
	    "banner");
	has(text, "distributions mend without changing it");
	has(text, "do: Check the package, which only the owner");
	free(text);
	text = output(&command_show, &status, "192.0.2.8 --json");
	has(text, "\"cve-2019-10149\"");
	free(text);
	text = output(&command_show, &status, "192.0.2.9");
	assert_null(strstr(text, "banner-version"));
	free(text);
	text = output(&command_show, &status, "192.0.2.9 --json");
	has(text, "\"banner_version\"");
	assert_null(strstr(text, "cve-"));
	free(text);
}

static void
test_show_silent(void **state)
{
	int status;
	char *text = output(&command_show, &status, "198.51.100.0");

	(void)state;
	has(text, "198.51.100.0:25  silent");
	assert_null(strstr(text, "phantom"));
	free(text);
	text = output(&command_show, &status, "198.51.100.2");
	has(text, "198.51.100.2:25  silent");
	has(text, "phantom: The address, or one of its network, answers");
	free(text);
	text = output(&command_show, &status, "198.51.100.2 --json");
	has(text, "\"phantom\"");
	free(text);
	text = output(&command_show, &status, "198.51.100.1 --json");
	assert_null(strstr(text, "\"phantom\""));
	free(text);
}

static void
test_show_targets(void **state)
{
	int status;
	char *text = output(&command_show, &status, "[2001:db8::1]:110");

	(void)state;
	assert_int_equal(status, TOOL_OK);
	has(text, "[2001:db8::1]:110  pop3");
	assert_null(strstr(text, ":143  imap"));
	free(text);
	text = output(&command_show, &status, "2001:db8::1 --json");
	assert_int_equal(status, TOOL_OK);
	has(text, "\"port\": 143");
	free(text);
	text = output(&command_show, &status, "198.51.100.0");
	assert_int_equal(status, TOOL_OK);
	has(text, "198.51.100.0:25  silent");
	free(text);
	free(output(&command_show, &status, "203.0.113.9"));
	assert_int_equal(status, TOOL_NOTHING);
	free(output(&command_show, &status, "192.0.2.1:0"));
	assert_int_equal(status, TOOL_USAGE);
	free(output(&command_show, &status, "mail.example.net"));
	assert_int_equal(status, TOOL_USAGE);
	free(output(&command_show, &status, ""));
	assert_int_equal(status, TOOL_USAGE);
}

static void
test_sweeps(void **state)
{
	int status;
	char *text = output(&command_sweeps, &status, "-v");

	(void)state;
	assert_int_equal(status, TOOL_OK);
	has(text, SAMPLE_ID);
	has(text, "balanced");
	has(text, "send: index passed");
	has(text, "agree");
	assert_null(strstr(text, "OFF"));
	free(text);
	text = output(&command_sweeps, &status, "--json");
	has(text, "\"balanced\":true");
	has(text, "\"syn_packets\":0");
	free(text);
	free(output(&command_sweeps, &status, "--sweep other"));
	assert_int_equal(status, TOOL_NOTHING);
}

static void
test_stats(void **state)
{
	int status;
	char *text = output(&command_stats, &status, "");

	(void)state;
	assert_int_equal(status, TOOL_OK);
	has(text, "POP3 without TLS: 2 IPv4 addresses, 1 IPv6\n");
	has(text, "IMAP without TLS: 1 IPv4 addresses, 0 IPv6\n");
	has(text, "both 1, only POP3 1, only IMAP 0 (IPv6: 0, 1, 0)\n");
	has(text, "DE");
	has(text, "total");
	free(text);
	text = output(&command_stats, &status, "--by asn --top 1 --csv");
	has(text, "\"asn\",\"as_name\",\"rank\",\"services\"");
	has(text, "\"Example, Inc\",");
	has(text, "\"(rest)\",,");
	has(text, "\"(total)\",,,16,");
	has(text, "\"(phantoms)\",,,1,");
	has(text, "\"(unknown)\"");
	free(text);
	text = output(&command_stats, &status, "--json --by port");
	has(text, "\"port\": \"110\"");
	free(text);
	text = output(&command_stats, &status, "--against previous");
	assert_int_equal(status, TOOL_ERROR);
	free(text);
	text = output(
	    &command_stats, &status, "--csv --by country --against " SAMPLE_ID);
	assert_int_equal(status, TOOL_OK);
	has(text, "\"rank_before\",\"services_before\",\"pop3_before\"\n");
	has(text,
	    "\"DE\",1,3,1,0,0,0,2,0,2,2,2,0,0,2,1,1,0,1,0,0,0,0,0,500.000,"
	    "1,3,1\n");
	free(text);
	free(output(&command_stats, &status, "--by moon"));
	assert_int_equal(status, TOOL_USAGE);
}

/* A row a sweep and value; each says of which sweep it is. */
static void
test_series(void **state)
{
	int status;
	char *text = output(&command_stats, &status,
	    "--csv --by asn --from 2026-11-21 --to 2026-11-21");

	(void)state;
	assert_int_equal(status, TOOL_OK);
	has(text, "\"sweep\",\"began\",\"asn\",\"as_name\",\"rank\"");
	has(text, "\"" SAMPLE_ID "\",\"");
	has(text, "\"(total)\",,,16,");
	free(text);
	text = output(&command_stats, &status, "--from 2026-11-21");
	assert_int_equal(status, TOOL_OK);
	has(text, "began (UTC)");
	assert_null(strstr(text, "coverage"));
	free(text);
	text = output(&command_stats, &status, "--json --from 1970-01-01");
	assert_int_equal(strncmp(text, "{\"sweep\":\"" SAMPLE_ID "\"", 32), 0);
	free(text);
	free(output(&command_stats, &status, "--from 2100-01-01"));
	assert_int_equal(status, TOOL_NOTHING);
	free(output(&command_stats, &status, "--to 1970-01-01"));
	assert_int_equal(status, TOOL_NOTHING);
	free(output(&command_stats, &status, "--from 2026-11"));
	assert_int_equal(status, TOOL_USAGE);
	free(output(&command_stats, &status, "--to 2026-11-21 --against x"));
	assert_int_equal(status, TOOL_USAGE);
}

static void
test_status_without_daemon(void **state)
{
	int status;

	(void)state;
	free(output(&command_status, &status, ""));
	assert_int_equal(status, TOOL_ERROR);
}

/* A daemon that answers each call with the next of these lines. */
static pid_t
daemon_start(const char *const *answers, unsigned n)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	pid_t pid;

	assert_true(fd >= 0);
	snprintf(at.sun_path, sizeof at.sun_path, "%s/control", datadir);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(fd, 8), 0);
	pid = fork();
	assert_true(pid >= 0);
	for (unsigned i = 0; pid == 0 && i < n; i++) {
		char request[16] = { 0 };
		int call = accept(fd, NULL, NULL);

		if (call < 0 || read(call, request, sizeof request - 1) < 0 ||
		    strcmp(request, "status\n") != 0 ||
		    write(call, answers[i], strlen(answers[i])) < 0)
			_exit(1);
		close(call);
	}
	if (pid == 0)
		_exit(0);
	close(fd);
	return pid;
}

static void
daemon_end(pid_t pid)
{
	char path[128];
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	snprintf(path, sizeof path, "%s/control", datadir);
	assert_int_equal(unlink(path), 0);
}

static void
test_status(void **state)
{
	static const char *const answers[] = {
		"{\"state\":\"sweeping\",\"done\":1,\"total\":4}\n",
		"{\"state\":\"sweeping\",\"done\":2,\"total\":4}\n",
		"not json\n",
		"{\"state\":\"sweeping\",\"done\":3,\"total\":4}\n",
		"{\"state\":\"over\",\"done\":4,\"total\":4}\n",
	};
	pid_t pid = daemon_start(answers, 5);
	int status;
	char *text = output(&command_status, &status, "");

	(void)state;
	assert_int_equal(status, TOOL_OK);
	has(text, "1 of 4  25.0%");
	assert_int_equal(lines_of(text), 1);
	free(text);
	text = output(&command_status, &status, "--json");
	assert_int_equal(status, TOOL_OK);
	assert_string_equal(
	    text, "{\"state\":\"sweeping\",\"done\":2,\"total\":4}\n");
	free(text);
	free(output(&command_status, &status, ""));
	assert_int_equal(status, TOOL_ERROR);
	text = output(&command_status, &status, "--watch");
	assert_int_equal(status, TOOL_OK);
	has(text, "3 of 4  75.0%");
	has(text, "over: 4 of 4  100.0%");
	assert_int_equal(lines_of(text), 2);
	free(text);
	daemon_end(pid);
}

/* Each long option that --help prints is explained in the manual. */
static void
test_manual(void **state)
{
	static const struct command *const all[] = { &command_status,
		&command_sweeps, &command_show, &command_dump, &command_stats,
		&command_feed, &command_check, &command_merge, &command_diff,
		&command_optout };
	char *manual = file_text("storage/mailsweep.1", NULL);
	unsigned options = 0;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		char *help = output(all[i], &status, "--help"), wanted[64];

		has(manual, all[i]->name);
		for (char *at = help; (at = strstr(at, "--")); options++) {
			int n =
			    (int)strspn(at += 2, "abcdefghijklmnopqrstuvwxyz-");

			snprintf(wanted, sizeof wanted, "Fl Fl %.*s", n, at);
			has(manual, wanted);
		}
		free(help);
	}
	assert_true(options > 40);
	free(manual);
}

static int
make_sample(void **state)
{
	(void)state;
	sample_make(datadir);
	return 0;
}

static int
remove_sample(void **state)
{
	(void)state;
	help_remove(datadir);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_dump_filters),
		cmocka_unit_test(test_filters_are_cuts),
		cmocka_unit_test(test_dump_exits),
		cmocka_unit_test(test_dump_silent),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_show_targets),
		cmocka_unit_test(test_show_holes),
		cmocka_unit_test(test_show_silent),
		cmocka_unit_test(test_sweeps),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_status_without_daemon),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_manual),
	};

	return cmocka_run_group_tests(tests, make_sample, remove_sample);
}
