/* conf_recipient.c: the recipients of feeds in the configuration file. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/conf_reader.h"
#include "engine/log.h"
#include "engine/ranges.h"

const char *const recipient_options[] = { "contact", "asn", "cidr", "country",
	"domain", "types", "columns", "min_severity", "everything", "zip",
	NULL };

/* The report types of FEEDS.md 1, and the columns of ours that may follow. */
static const char *const types[] = { "scan_pop3", "scan_pop3_vulnerable",
	"scan_imap", "scan_imap_vulnerable", "scan_smtp",
	"scan_smtp_vulnerable", "scan6_pop3", "scan6_pop3_vulnerable",
	"scan6_imap", "scan6_imap_vulnerable", "scan6_smtp",
	"scan6_smtp_vulnerable", NULL };
static const char *const columns[] = { "x_starttls", "x_offered",
	"x_login_before", "x_capabilities", "x_product", "x_first_seen",
	"x_observations", "x_evidence", "x_sweep", "x_source_ip", "raw_cert",
	"raw_cert_chain", NULL };
static const char *const severities[] = { "info", "low", "medium", "high",
	"critical", NULL };
static const char *const truths[] = { "false", "true", NULL };

/* The list with room for one more element of a size. */
static void *
one_more(void *list, size_t n, size_t size)
{
	void *more = reallocarray(list, n + 1, size);

	if (more == NULL)
		fatal("no memory for the configuration");
	return more;
}

static void
add_string(char ***list, size_t *n, const char *text)
{
	*list = one_more(*list, *n, sizeof **list);
	if (((*list)[*n] = strdup(text)) == NULL)
		fatal("no memory for the configuration");
	(*n)++;
}

static bool
add_asn(struct recipient *to, const char *text, char expected[EXPECTED_MAX])
{
	uint64_t n;

	if (strncmp(text, "AS", 2) == 0)
		text += 2;
	if (!value_number(text, 1, UINT32_MAX, &n, expected))
		return false;
	to->asns = one_more(to->asns, to->nasns, sizeof *to->asns);
	to->asns[to->nasns++] = (uint32_t)n;
	return true;
}

static bool
add_country(struct recipient *to, const char *text, char expected[EXPECTED_MAX])
{
	snprintf(expected, EXPECTED_MAX, "two capital letters (ISO 3166)");
	if (strlen(text) != 2 || !isupper((unsigned char)text[0]) ||
	    !isupper((unsigned char)text[1]))
		return false;
	to->countries =
	    one_more(to->countries, to->ncountries, sizeof *to->countries);
	memcpy(to->countries[to->ncountries++], text, 3);
	return true;
}

static bool
add_domain(struct recipient *to, const char *text, char expected[EXPECTED_MAX])
{
	bool good = *text != '\0' && *text != '.';

	snprintf(expected, EXPECTED_MAX, "a domain, such as example.net");
	for (const char *c = text; *c != '\0'; c++)
		good = good && isascii((unsigned char)*c) &&
		    (isalnum((unsigned char)*c) || *c == '-' || *c == '.');
	if (good)
		add_string(&to->domains, &to->ndomains, text);
	return good;
}

/* One of the names of a list into a list of strings. */
static bool
add_choice(char ***list, size_t *n, const char *const *names, const char *text,
    char expected[EXPECTED_MAX])
{
	if (value_choice(text, names, expected) < 0)
		return false;
	add_string(list, n, text);
	return true;
}

static bool
take_truth(const char *text, bool *truth, char expected[EXPECTED_MAX])
{
	int choice = value_choice(text, truths, expected);

	*truth = choice == 1;
	return choice >= 0;
}

/* Everything but cidr, which reports on its own. */
static bool
take_option(struct recipient *to, const char *option, const char *text,
    char expected[EXPECTED_MAX])
{
	int choice;

	if (strcmp(option, "contact") == 0)
		return value_contact(
		    text, to->contact, sizeof to->contact, expected);
	if (strcmp(option, "asn") == 0)
		return add_asn(to, text, expected);
	if (strcmp(option, "country") == 0)
		return add_country(to, text, expected);
	if (strcmp(option, "domain") == 0)
		return add_domain(to, text, expected);
	if (strcmp(option, "types") == 0)
		return add_choice(
		    &to->types, &to->ntypes, types, text, expected);
	if (strcmp(option, "columns") == 0)
		return add_choice(
		    &to->columns, &to->ncolumns, columns, text, expected);
	if (strcmp(option, "min_severity") == 0) {
		choice = value_choice(text, severities, expected);
		to->min_severity = (uint8_t)(choice < 0 ? 0 : choice);
		return choice >= 0;
	}
	if (strcmp(option, "everything") == 0)
		return take_truth(text, &to->everything, expected);
	if (strcmp(option, "zip") == 0)
		return take_truth(text, &to->zip, expected);
	return true; /* unknown: already reported */
}

static void
take_word(struct reader *r, struct recipient *to, const struct word *w)
{
	char expected[EXPECTED_MAX];

	if (strcmp(w->option, "cidr") == 0) {
		if (to->prefixes == NULL &&
		    (to->prefixes = ranges_new()) == NULL)
			fatal("no memory for the configuration");
		list_add(r, w, to->prefixes);
	} else if (!take_option(to, w->option, w->text, expected)) {
		reader_mistake(r, r->file, w->line,
		    "recipient %s: %s: \"%s\", expected %s", w->section,
		    w->option, w->text, expected);
	}
}

/* At the section's end: its name, its filters. */
static void
finish(struct reader *r, struct recipient *to, const struct word *end)
{
	bool filter = to->nasns > 0 || to->prefixes != NULL ||
	    to->ncountries > 0 || to->ndomains > 0;
	bool good =
	    strlen(end->section) > 0 && strlen(end->section) < sizeof to->name;

	for (const char *c = end->section; *c != '\0'; c++)
		good = good && isascii((unsigned char)*c) &&
		    (isalnum((unsigned char)*c) || *c == '_');
	if (!good)
		reader_mistake(r, r->file, end->line,
		    "recipient \"%s\", expected 1 to %zu letters, digits or _",
		    end->section, sizeof to->name - 1);
	else
		memcpy(to->name, end->section, strlen(end->section) + 1);
	if (filter == to->everything)
		reader_mistake(r, r->file, end->line,
		    "recipient %s: %s, expected asn, cidr, country or domain, "
		    "or else everything = true",
		    end->section,
		    filter ? "both a filter and everything" : "no filter");
	if (to->prefixes != NULL && ranges_seal(to->prefixes) < 0)
		reader_mistake(r, r->file, end->line,
		    "recipient %s: cidr, expected at most 2^48 addresses",
		    end->section);
}

void
recipients_take(
    struct reader *r, const struct words *words, struct recipients *all)
{
	bool open = false; /* the last of all is being filled */

	for (size_t i = 0; i < words->n; i++) {
		const struct word *w = &words->v[i];

		if (w->section == NULL)
			continue;
		if (!open) {
			all->v = one_more(all->v, all->n, sizeof *all->v);
			memset(&all->v[all->n++], 0, sizeof *all->v);
			open = true;
		}
		if (w->option != NULL) {
			take_word(r, &all->v[all->n - 1], w);
			continue;
		}
		finish(r, &all->v[all->n - 1], w);
		open = false;
	}
}

static void
free_strings(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void
recipients_free(struct recipients *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct recipient *r = &all->v[i];

		free(r->asns);
		ranges_free(r->prefixes);
		free(r->countries);
		free_strings(r->domains, r->ndomains);
		free_strings(r->types, r->ntypes);
		free_strings(r->columns, r->ncolumns);
	}
	free(all->v);
	all->v = NULL;
	all->n = 0;
}
