/* test_conf.c: the configuration file, and what it says of mistakes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/conf_reader.h"
#include "engine/ranges.h"
#include "engine/stats.h"

enum { ERRORS_MAX = 65536 };

/* A file that is complete; tests put mistakes behind it, from line 5 on. */
#define GOOD                                \
	"helo = scan.example.net\n"         \
	"contact = \"abuse@example.net\"\n" \
	"targets = 198.51.100.0/24\n"       \
	"exclude = 203.0.113.0/24\n"

static char errors[ERRORS_MAX];

/* conf_read_text with what it says on standard error kept. */
static int
read_text(const char *text, struct conf *conf, struct ranges **targets,
    struct ranges **excluded, struct recipients *to)
{
	int fd = memfd_create("errors", 0), old = dup(STDERR_FILENO), result;
	ssize_t n;

	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	result = conf_read_text("FILE", text, conf, targets, excluded, to);
	fflush(stderr);
	dup2(old, STDERR_FILENO);
	close(old);
	n = pread(fd, errors, sizeof errors - 1, 0);
	errors[n < 0 ? 0 : n] = '\0';
	close(fd);
	return result;
}

static void
refuses(const char *text, const char *said)
{
	struct ranges *t = NULL, *e = NULL;
	struct recipients to = { NULL, 0 };
	struct conf conf;

	assert_int_equal(read_text(text, &conf, &t, &e, &to), -1);
	if (strstr(errors, said) == NULL)
		fail_msg("of:\n%s\nsaid:\n%s\nnot: %s", text, errors, said);
}

static void
reads_a_small_file(void **state)
{
	struct ranges *t, *e;
	struct recipients to;
	struct conf c;

	(void)state;
	assert_int_equal(read_text(GOOD, &c, &t, &e, &to), 0);
	assert_string_equal(errors, "");
	assert_string_equal(c.helo, "scan.example.net");
	assert_string_equal(c.contact, "abuse@example.net");
	assert_int_equal(ranges_count(t), 256);
	assert_int_equal(ranges_count(e), 256);
	assert_int_equal(to.n, 0);
	ranges_free(t);
	ranges_free(e);
}

/* DESIGN.md 8 */
static void
knows_the_defaults(void **state)
{
	struct conf c;

	(void)state;
	assert_int_equal(read_text(GOOD, &c, NULL, NULL, NULL), 0);
	assert_int_equal(c.rate, 10000);
	assert_int_equal(c.greeting_smtp_ms, 60000);
	assert_int_equal(c.greeting_ms, 30000);
	assert_int_equal(c.reply_ms, 30000);
	assert_int_equal(c.handshake_ms, 15000);
	assert_int_equal(c.server_hello_ms, 10000);
	assert_int_equal(c.conversation_ms, 120000);
	assert_int_equal(c.line_max, 8192);
	assert_int_equal(c.reply_max, 65536);
	assert_int_equal(c.reply_lines_max, 512);
	assert_int_equal(c.conversation_max, 256 * 1024);
	assert_int_equal(c.min_rate, 16);
	assert_int_equal(c.min_rate_window_ms, 20000);
	assert_int_equal(c.retries, 3);
	assert_int_equal(c.retry_pause_ms, 30 * 60000);
	assert_int_equal(c.answer_window_ms, 10000);
	assert_int_equal(c.checkpoint_ms, 1000);
	assert_int_equal(c.sport_first, 40000);
	assert_int_equal(c.sport_last, 56383);
	assert_int_equal(c.per_host, 2);
	assert_int_equal(c.per_network, 16);
	assert_int_equal(c.follow, FOLLOW_ADOPT);
	assert_int_equal(c.tx, TX_AUTO);
	assert_int_equal(c.shards, 1);
	assert_in_range(c.probes, 1, STATS_PROBES_MAX);
	assert_int_equal(c.nports, 7);
	assert_int_equal(conf_port(&c, 465)->implicit_tls, 1);
	assert_int_equal(conf_port(&c, 465)->protocol, PROTOCOL_SMTP);
	assert_null(conf_port(&c, 80));
	assert_string_equal(c.schedule, "02:00");
	assert_string_equal(c.ca_bundle, "/etc/ssl/certs/ca-certificates.crt");
}

static void
reads_every_kind_of_value(void **state)
{
	static const char text[] =
	    GOOD "rate = 2500 # packets\n"
		 "per_network = 4095\n"
		 "greeting = \"1500ms\"\n"
		 "retry_pause = 2h\n"
		 "map_size = 2G\n"
		 "checkpoint = 10m\n"
		 "retention = 90d\n"
		 "source_ports = 50000-60000\n"
		 "source = { 192.0.2.1, // two\n\t2001:db8::1 }\n"
		 "ports = { \"2525/smtp\", /* odd */ 995/pop3s }\n"
		 "gateway_mac = 02:00:5e:10:00:01\n"
		 "tx = libnet\nfollow = connect\nshard = 2/5\n"
		 "log_level = debug\nseed = 18446744073709551615\n"
		 "resolver = \"[2001:db8::1]:5353\"\n";
	struct conf c;
	struct addr six;

	(void)state;
	assert_int_equal(read_text(text, &c, NULL, NULL, NULL), 0);
	assert_int_equal(c.rate, 2500);
	assert_int_equal(c.per_network, 4095);
	assert_int_equal(c.greeting_ms, 1500);
	assert_int_equal(c.retry_pause_ms, 7200000);
	assert_true(c.map_size == (uint64_t)2 << 30);
	assert_int_equal(c.checkpoint_ms, 600000);
	assert_int_equal(c.retention_days, 90);
	assert_int_equal(c.sport_first, 50000);
	assert_int_equal(c.sport_last, 60000);
	assert_int_equal(c.nsources, 2);
	assert_int_equal(addr_parse("2001:db8::1", &six), 0);
	assert_int_equal(addr_cmp(&c.sources[1], &six), 0);
	assert_int_equal(c.nports, 2);
	assert_int_equal(c.ports[0].port, 2525);
	assert_int_equal(c.ports[1].implicit_tls, 1);
	assert_string_equal(c.gateway_mac, "02:00:5e:10:00:01");
	assert_int_equal(c.tx, TX_LIBNET);
	assert_int_equal(c.follow, FOLLOW_CONNECT);
	assert_int_equal(c.shard, 2);
	assert_int_equal(c.shards, 5);
	assert_int_equal(c.log_level, 3);
	assert_true(c.seed == UINT64_MAX);
	assert_int_equal(addr_cmp(&c.resolver, &six), 0);
	assert_int_equal(c.resolver_port, 5353);
}

static void
reads_a_resolver(void **state)
{
	static const struct {
		const char *text, *shown;
	} good[] = {
		{ "192.0.2.53", "192.0.2.53:53" },
		{ "192.0.2.53:5353", "192.0.2.53:5353" },
		{ "2001:db8::53", "[2001:db8::53]:53" },
		{ "[2001:db8::53]", "[2001:db8::53]:53" },
		{ "[2001:db8::53]:1", "[2001:db8::53]:1" },
		{ "127.0.0.1:65535", "127.0.0.1:65535" },
	};
	static const char *const bad[] = { "localhost",
		"192.0.2.53:", "192.0.2.53:0", "192.0.2.53:65536",
		"192.0.2.53:53x", "[2001:db8::53]53", "[2001:db8::53",
		"2001:db8::53]:53", "[2001:db8::53]:", "192.0.2.53 ", ":53",
		"[]:53", "", "[" };
	char text[ADDR_TEXT_MAX + 512], shown[TARGET_TEXT_MAX];
	struct conf c;

	(void)state;
	assert_int_equal(read_text(GOOD, &c, NULL, NULL, NULL), 0);
	assert_int_equal(c.resolver_port, 0); /* off */
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct target t;

		snprintf(text, sizeof text, GOOD "resolver = \"%s\"\n",
		    good[i].text);
		assert_int_equal(read_text(text, &c, NULL, NULL, NULL), 0);
		t = (struct target){ c.resolver, c.resolver_port };
		assert_string_equal(target_text(&t, shown), good[i].shown);
	}
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, GOOD "resolver = \"%s\"\n", bad[i]);
		refuses(text, "FILE:5: resolver: \"");
	}
}

static void
reads_recipients(void **state)
{
	static const char text[] = GOOD
	    "recipient cert_x {\n contact = a@example.org\n asn = {1, AS2}\n"
	    " cidr = { 192.0.2.0/24, 2001:db8::/32 }\n country = {NL, \"DE\"}\n"
	    " domain = example.net\n types = scan_pop3\n"
	    " columns = {x_product, x_sweep}\n min_severity = medium\n}\n"
	    "recipient own { everything = true }\n";
	struct recipients to;
	const struct recipient *r;

	(void)state;
	assert_int_equal(read_text(text, NULL, NULL, NULL, &to), 0);
	assert_int_equal(to.n, 2);
	r = &to.v[0];
	assert_string_equal(r->name, "cert_x");
	assert_string_equal(r->contact, "a@example.org");
	assert_int_equal(r->nasns, 2);
	assert_int_equal(r->asns[1], 2);
	assert_int_equal(ranges_pieces(r->prefixes), 2);
	assert_int_equal(r->ncountries, 2);
	assert_string_equal(r->countries[1], "DE");
	assert_int_equal(r->ndomains, 1);
	assert_int_equal(r->ntypes, 1);
	assert_int_equal(r->ncolumns, 2);
	assert_string_equal(r->columns[1], "x_sweep");
	assert_int_equal(r->min_severity, 2);
	assert_false(r->everything);
	assert_true(to.v[1].everything);
	recipients_free(&to);
}

static void
names_file_line_word_and_what_was_expected(void **state)
{
	static const struct {
		const char *text, *said;
	} bad[] = {
		{ "rate = fast\n",
		    "FILE:5: rate: \"fast\", expected a whole number from 1 "
		    "to 100000000\n" },
		{ "rate = 0\n", "FILE:5: rate: \"0\"" },
		{ "rate = -1\n", "FILE:5: rate: \"-1\"" },
		{ "rate = 99999999999999999999\n", "FILE:5: rate" },
		{ "# a\n/* b\n*/ // c\nreply = 10\n",
		    "FILE:8: reply: \"10\", expected a time with its unit "
		    "(ms, s, m, h, d), from 1s to 1h\n" },
		{ "reply = 2h\n", "FILE:5: reply: \"2h\"" },
		{ "line_max = 8Q\n", "FILE:5: line_max: \"8Q\"" },
		{ "ports = { 25/smtp,\n 110/ftp }\n",
		    "FILE:6: ports: \"110/ftp\", expected PORT/PROTOCOL" },
		{ "ports = { 25/smtp, 25/pop3 }\n", "expected each port once" },
		{ "ports = 0/smtp\n", "FILE:5: ports: \"0/smtp\"" },
		{ "ports = 65536/smtp\n", "FILE:5: ports: \"65536/smtp\"" },
		{ "source = localhost\n", "FILE:5: source: \"localhost\"" },
		{ "source_ports = 50000-50001\n", "at least 1024 ports" },
		{ "source_ports = 80-5000\n", "FILE:5: source_ports" },
		{ "gateway_mac = 1:2:3:4:5:6\n", "FILE:5: gateway_mac" },
		{ "tx = pigeon\n",
		    "FILE:5: tx: \"pigeon\", expected auto, packet, libnet, "
		    "xdp "
		    "or live\n" },
		{ "follow = both\n", "expected adopt or connect\n" },
		{ "schedule = 24:00\n", "FILE:5: schedule: \"24:00\"" },
		{ "schedule = 2:00\n", "FILE:5: schedule: \"2:00\"" },
		{ "shard = 4/4\n", "FILE:5: shard: \"4/4\"" },
		{ "retries = 4\n", "FILE:5: retries: \"4\"" },
		{ "per_network = 4096\n", "number from 1 to 4095\n" },
		{ "sensor = \"a b\"\n", "FILE:5: sensor: \"a b\"" },
		{ "retention = 90\n", "FILE:5: retention: \"90\"" },
		{ "rate = {1, 2}\n", "\"2\" is one value too many" },
		{ "rate = 1\nrate = 2\n", "FILE:6: rate: \"2\" is one value" },
		{ "speed = 3\n", "FILE:5: speed: no such option\n" },
		{ "targets = 10.0.0.0/33\n",
		    "FILE:5: targets: \"10.0.0.0/33\"" },
		{ "targets = {}\n", "FILE:5: {}: an empty list" },
		{ "exclude = none\n", "FILE:5: exclude: \"none\", expected" },
		{ "targets = @/nonexistent\n",
		    "FILE:5: @/nonexistent: cannot be read" },
		{ "targets = @/\n", "FILE:5: @/: cannot be read" },
		{ "store = \"/a\n\n", "FILE:5: \" without the other one" },
		{ "recipient x {\n asn = 1\n\n", "FILE:5: { without a }" },
		{ "\n}\n", "FILE:6: } without a {" },
		{ "rate\n", "FILE:6: " },
		{ "recipient { asn = 1 }\n", "FILE:5: missing title" },
		{ "recipient a { asn = 1 }\nrecipient a { asn = 2 }\n",
		    "FILE:6: found duplicate title 'a'" },
		{ "recipient a-b { asn = 1 }\n", "FILE:5: recipient \"a-b\"" },
		{ "recipient a { }\n", "recipient a: no filter" },
		{ "recipient a { asn = 1 everything = true }\n",
		    "both a filter and everything" },
		{ "recipient a { asn = x }\n", "recipient a: asn: \"x\"" },
		{ "recipient a { country = nl }\n", "country: \"nl\"" },
		{ "recipient a { domain = \"a b\" }\n", "domain: \"a b\"" },
		{ "recipient a { types = scan_ftp }\n", "types: \"scan_ftp\"" },
		{ "recipient a { columns = x }\n", "columns: \"x\"" },
		{ "recipient a { cidr = x }\n", "FILE:5: cidr: \"x\"" },
		{ "recipient a { min_severity = 3 }\n", "info, low, medium" },
		{ "recipient a { everything = yes }\n", "false or true" },
		/* Found by fuzz_recipients: the rest was left out silently. */
		{ "recipient a { asn = 1\n\"\" = 2\n}\n",
		    "cannot be read on, expected NAME = VALUE" },
		{ "recipient a { rate = 3 asn = 1 }\n",
		    "FILE:5: rate: no such option of a recipient" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char text[1024];

		snprintf(text, sizeof text, "%s%s", GOOD, bad[i].text);
		refuses(text, bad[i].said);
	}
}

static void
reports_several_mistakes_at_once(void **state)
{
	const char *text = GOOD "rate = fast\nspeed = 3\n\npace = {1,2}\n"
				"reply = soon\nrecipient a { asn = q }\n";

	(void)state;
	refuses(text, "FILE:5: rate: \"fast\"");
	refuses(text, "FILE:6: speed: no such option\n");
	refuses(text, "FILE:8: pace: no such option\n");
	refuses(text, "FILE:9: reply: \"soon\"");
	refuses(text, "FILE:10: recipient a: asn: \"q\"");
}

static void
does_not_start_without_the_three(void **state)
{
	(void)state;
	refuses("contact = a@example.net\ntargets = 192.0.2.1\n",
	    "FILE: helo: missing, expected ");
	refuses("helo = a.example.net\ntargets = 192.0.2.1\n",
	    "FILE: contact: missing, expected ");
	refuses("helo = a.example.net\ncontact = a@example.net\n",
	    "FILE: targets: missing, expected ");
	refuses(GOOD "targets = fe80::/10\n",
	    "FILE: targets: expected at most 2^48 addresses");
	refuses("helo = localhost\n", "FILE:1: helo: \"localhost\"");
	refuses("helo = 192.0.2.1\n", "FILE:1: helo: \"192.0.2.1\"");
	refuses("helo = \"a..example\"\n", "FILE:1: helo");
	refuses("helo = \"-a.example\"\n", "FILE:1: helo");
	refuses("contact = nobody\n", "FILE:1: contact: \"nobody\"");
	refuses("contact = \"a@example.net\\nQUIT\"\n", "FILE:1: contact");
	refuses("contact = 'a\"@example.net'\n", "FILE:1: contact");
	refuses("contact = \"https://\"\n", "FILE:1: contact");
}

static void
file_of(char path[32], const char *text)
{
	int fd;

	snprintf(path, 32, "/tmp/test_conf.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
reads_lists_from_files(void **state)
{
	char path[32], text[256], said[128];
	struct ranges *t, *e;
	struct conf c;

	(void)state;
	file_of(path, "# a list\n192.0.2.0/31 # two\n\n  198.51.100.9\r\n");
	snprintf(text, sizeof text,
	    "helo = a.example.net\ncontact = a@example.net\n"
	    "targets = { @%s, 10.0.0.1 }\nexclude = @%s\n",
	    path, path);
	assert_int_equal(read_text(text, &c, &t, &e, NULL), 0);
	assert_int_equal(ranges_count(t), 4);
	assert_int_equal(ranges_count(e), 3);
	ranges_free(t);
	ranges_free(e);
	unlink(path);

	/* The list's own file and line. */
	file_of(path, "192.0.2.0/31\n\nmailhost\n");
	snprintf(text, sizeof text, GOOD "targets = @%s\n", path);
	snprintf(said, sizeof said, "%s:3: \"mailhost\", expected ", path);
	refuses(text, said);
	unlink(path);

	/* An exclusion file that excludes nothing. */
	file_of(path, "# nothing\n");
	snprintf(text, sizeof text,
	    "helo = a.example.net\ncontact = a@example.net\n"
	    "targets = 10.0.0.1\nexclude = @%s\n",
	    path);
	refuses(text, "FILE: exclude: holds no address");
	unlink(path);
}

static void
reads_a_file_and_refuses_one_that_is_none(void **state)
{
	struct recipients to;
	struct conf c;

	(void)state;
	assert_int_equal(
	    conf_read("conf/mailsweep.conf.example", &c, NULL, NULL, &to), 0);
	assert_string_equal(c.file, "conf/mailsweep.conf.example");
	assert_int_equal(to.n, 2);
	recipients_free(&to);
}

/* Each option stands in the example, so that none is a secret. */
static void
the_example_shows_the_defaults(void **state)
{
	char *text = conf_slurp("conf/mailsweep.conf.example"), *s;
	struct conf shown, plain;

	(void)state;
	assert_non_null(text);
	assert_int_equal(read_text(text, &plain, NULL, NULL, NULL), 0);
	for (s = text; *s != '\0'; s++)
		if (*s == '#' && (s == text || s[-1] == '\n') &&
		    (s[1] >= 'a' && s[1] <= 'z'))
			*s = ' ';
	/* The second half of the commented port list. */
	while ((s = strstr(text, "\n#    \"")) != NULL)
		s[1] = ' ';
	assert_int_equal(read_text(text, &shown, NULL, NULL, NULL), 0);
	assert_string_equal(errors, "");
	assert_int_equal(shown.rate, plain.rate);
	assert_int_equal(shown.waiting_max, plain.waiting_max);
	assert_int_equal(shown.capture_buffer, plain.capture_buffer);
	assert_int_equal(plain.capture_buffer, 24 << 20);
	assert_int_equal(shown.uid_base, plain.uid_base);
	assert_int_equal(shown.map_size, plain.map_size);
	assert_int_equal(shown.limit_pause_ms, plain.limit_pause_ms);
	assert_string_equal(shown.geo_region_path, plain.geo_region_path);
	assert_memory_equal(shown.ports, plain.ports, sizeof plain.ports);
	assert_string_equal(shown.interface, "eth0");
	free(text);
}

static void
stands_in(const char *text, const char *format, const char *option)
{
	char line[64];

	snprintf(line, sizeof line, format, option);
	if (strstr(text, line) == NULL)
		fail_msg("%s is not there", line);
}

static void
every_option_is_in_example_and_manual(void **state)
{
	char *example = conf_slurp("conf/mailsweep.conf.example");
	char *manual = conf_slurp("conf/mailsweep.conf.5");
	const char *name;

	(void)state;
	assert_non_null(example);
	assert_non_null(manual);
	for (size_t i = 0; (name = conf_option(i)) != NULL; i++) {
		stands_in(example, "%s = ", name);
		stands_in(manual, "%s", name);
	}
	for (size_t i = 0; recipient_options[i] != NULL; i++) {
		stands_in(example, "\t%s = ", recipient_options[i]);
		stands_in(manual, "%s", recipient_options[i]);
	}
	free(example);
	free(manual);
}

static void
goes_to_the_children_and_back(void **state)
{
	struct ranges *t, *e, *t2, *e2;
	struct conf c, c2;
	char *products;
	int fd = memfd_create("snapshot", 0);

	(void)state;
	assert_int_equal(read_text(GOOD, &c, &t, &e, NULL), 0);
	assert_int_equal(conf_save(fd, &c, t, e, "a table"), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(conf_load(fd, &c2, &t2, &e2, &products), 0);
		assert_string_equal(products, "a table");
		free(products);
		assert_memory_equal(&c, &c2, sizeof c);
		assert_int_equal(ranges_count(t2), 256);
		assert_int_equal(ranges_common(e, e2), 256);
		ranges_free(t2);
		ranges_free(e2);
	}
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_int_equal(conf_load(fd, &c2, &t2, &e2, &products), -1);
	close(fd);
	ranges_free(t);
	ranges_free(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_small_file),
		cmocka_unit_test(knows_the_defaults),
		cmocka_unit_test(reads_every_kind_of_value),
		cmocka_unit_test(reads_a_resolver),
		cmocka_unit_test(reads_recipients),
		cmocka_unit_test(names_file_line_word_and_what_was_expected),
		cmocka_unit_test(reports_several_mistakes_at_once),
		cmocka_unit_test(does_not_start_without_the_three),
		cmocka_unit_test(reads_lists_from_files),
		cmocka_unit_test(reads_a_file_and_refuses_one_that_is_none),
		cmocka_unit_test(the_example_shows_the_defaults),
		cmocka_unit_test(every_option_is_in_example_and_manual),
		cmocka_unit_test(goes_to_the_children_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
