/* json_out.c: rows and certificates as JSON. */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "storage/json_out.h"
#include "storage/text.h"
#include "storage/tls_names.h"

void
json_put_bytes(
    struct json_object *o, const char *key, const void *bytes, size_t len)
{
	struct buf text = { 0 };

	text_add(&text, bytes, len);
	json_put_string(o, key, buf_text(&text));
	buf_free(&text);
}

void
json_put_string(struct json_object *o, const char *key, const char *s)
{
	json_object_object_add(o, key, json_object_new_string(s));
}

void
json_put_number(struct json_object *o, const char *key, uint64_t n)
{
	json_object_object_add(o, key, json_object_new_uint64(n));
}

void
json_put_bool(struct json_object *o, const char *key, bool yes)
{
	json_object_object_add(o, key, json_object_new_boolean(yes));
}

static void
put_field(
    struct json_object *o, const char *key, const struct row *r, enum tag tag)
{
	struct field f;

	if (row_field(r, tag, &f))
		json_put_bytes(o, key, f.bytes, f.len);
}

/* All fields with a tag, in order, as an array. */
static void
put_list(
    struct json_object *o, const char *key, const struct row *r, enum tag tag)
{
	struct json_object *list = json_object_new_array();
	struct field f;
	uint32_t at = 0;

	while (r->body && body_next(r->body, r->len, &at, &f)) {
		struct buf text = { 0 };

		if (f.tag != tag)
			continue;
		text_add(&text, f.bytes, f.len);
		json_object_array_add(
		    list, json_object_new_string(buf_text(&text)));
		buf_free(&text);
	}
	json_object_object_add(o, key, list);
}

static void
put_hex(struct json_object *o, const char *key, const uint8_t *bytes)
{
	struct buf text = { 0 };

	text_hex(&text, bytes, SHA256_LEN);
	json_put_string(o, key, text.s);
	buf_free(&text);
}

static void
put_findings(struct json_object *o, const char *key, uint32_t findings)
{
	struct json_object *list = json_object_new_array();

	for (int i = 0; i < FINDING_COUNT; i++)
		if (findings >> i & 1)
			json_object_array_add(
			    list, json_object_new_string(finding_names[i]));
	json_object_object_add(o, key, list);
}

/* A number's name, or "0x1234" for one that has none. */
static void
put_named(
    struct json_object *o, const char *key, const char *name, uint16_t number)
{
	char text[8];

	if (number == 0)
		return;
	snprintf(text, sizeof text, "0x%04x", number);
	json_put_string(o, key, name ? name : text);
}

/* Those that were accepted, when they were asked for one by one. */
static void
put_versions(struct json_object *o, const struct row *r)
{
	struct json_object *list;
	struct field f;
	uint16_t version;

	if (!row_field(r, TAG_TLS_VERSIONS, &f))
		return;
	list = json_object_new_array();
	for (uint32_t i = 0; i + sizeof version <= f.len; i += sizeof version) {
		memcpy(&version, f.bytes + i, sizeof version);
		json_object_array_add(
		    list, json_object_new_string(tls_version_name(version)));
	}
	json_object_object_add(o, "versions", list);
}

static struct json_object *
tls_object(const struct row *r)
{
	const struct head *h = &r->head;
	struct json_object *o = json_object_new_object();

	json_put_string(o, "version", tls_version_name(h->tls_version));
	put_versions(o, r);
	put_named(o, "cipher", cipher_name(h->cipher), h->cipher);
	json_put_number(o, "cipher_number", h->cipher);
	put_named(o, "group", group_name(h->group), h->group);
	json_put_number(o, "group_bits", h->group_bits);
	put_named(o, "signature", sigalg_name(h->peer_sigalg), h->peer_sigalg);
	json_put_bool(o, "ticket", h->flags & HEAD_TICKET);
	json_put_number(o, "ms", h->tls_ms);
	json_put_string(o, "chain", chain_names[h->chain]);
	json_put_number(o, "chain_length", h->chain_len);
	json_put_bool(o, "name_match", h->flags & HEAD_NAME_MATCH);
	json_put_string(o, "key_type", key_names[h->key_type]);
	json_put_number(o, "key_bits", h->key_bits);
	return o;
}

/* Each name that there is: is the leaf good for it? */
static void
put_matches(struct json_object *o, const struct row *r)
{
	struct json_object *matches = json_object_new_object();
	struct field f;

	for (int i = 0; i < CLAIMED_NAMES; i++)
		if (row_field(r, claimed_names[i].tag, &f))
			json_put_bool(matches, claimed_names[i].key,
			    r->head.names & claimed_names[i].bit);
	json_object_object_add(o, "cert_good_for", matches);
}

static void
put_tls(struct json_object *o, const struct row *r)
{
	const struct head *h = &r->head;
	char text[TIME_TEXT_MAX];

	if (h->tls_version != 0)
		json_object_object_add(o, "tls", tls_object(r));
	if (h->alert_side != 0) {
		const char *name = alert_name(h->alert);

		json_put_number(o, "alert", h->alert);
		json_put_string(o, "alert_name", name ? name : "");
		json_put_string(
		    o, "alert_side", h->alert_side == 1 ? "theirs" : "ours");
	}
	put_field(o, "tls_error", r, TAG_TLS_ERROR);
	if (!head_has_leaf(h))
		return;
	put_hex(o, "cert_sha256", h->leaf);
	if (h->flags & HEAD_CHAIN_PARSED)
		put_matches(o, r);
	if (h->not_after != 0) {
		json_put_string(
		    o, "cert_not_before", text_seconds(h->not_before, text));
		json_put_string(
		    o, "cert_not_after", text_seconds(h->not_after, text));
	}
}

static void
put_chain(struct json_object *o, const struct row *r)
{
	struct json_object *list = json_object_new_array();
	struct field f;

	if (row_field(r, TAG_CHAIN, &f))
		for (uint32_t i = 0; i + SHA256_LEN <= f.len; i += SHA256_LEN) {
			struct buf text = { 0 };

			text_hex(&text, f.bytes + i, SHA256_LEN);
			json_object_array_add(
			    list, json_object_new_string(text.s));
			buf_free(&text);
		}
	json_object_object_add(o, "chain_sha256", list);
}

static void
put_where(struct json_object *o, const struct row *r)
{
	const struct head *h = &r->head;
	char country[3] = { h->country[0], h->country[1], '\0' };

	json_put_string(o, "country", country);
	put_field(o, "region", r, TAG_REGION);
	put_field(o, "city", r, TAG_CITY);
	json_put_number(o, "asn", h->asn);
	put_field(o, "as_name", r, TAG_AS_NAME);
	put_field(o, "naics", r, TAG_NAICS);
	put_field(o, "sector", r, TAG_SECTOR);
}

static void
put_transcript(struct json_object *o, const struct row *r)
{
	struct json_object *list = json_object_new_array();
	struct field f;
	struct entry e;
	uint32_t at = 0;

	while (r->body && body_next(r->body, r->len, &at, &f)) {
		struct json_object *line;
		char who[2] = { 0 };

		if (!field_entry(&f, &e))
			continue;
		line = json_object_new_object();
		who[0] = (char)e.speaker;
		json_put_number(line, "ms", e.ms);
		json_put_bytes(line, "who", who, 1);
		json_put_bytes(line, "line", e.bytes, e.len);
		json_object_array_add(list, line);
	}
	json_object_object_add(o, "transcript", list);
}

static void
put_times(struct json_object *o, const struct head *h)
{
	char text[TIME_TEXT_MAX];

	json_put_string(o, "time", text_time_iso(h->time_us, text));
	if (h->first_seen_us)
		json_put_string(
		    o, "first_seen", text_time_iso(h->first_seen_us, text));
	if (h->last_seen_us)
		json_put_string(
		    o, "last_seen", text_time_iso(h->last_seen_us, text));
	if (h->open_since)
		json_put_string(o, "exposed_since",
		    text_seconds((int64_t)h->open_since, text));
	json_put_number(o, "observations", h->observations);
	json_put_string(o, "change", change_names[h->change]);
	json_put_number(o, "rtt_us", h->rtt_us);
	json_put_number(o, "greeting_ms", h->greeting_ms);
	json_put_number(o, "duration_ms", h->duration_ms);
}

static void
put_network(struct json_object *o, const struct head *h)
{
	struct addr source;
	char text[ADDR_TEXT_MAX];

	memcpy(source.b, h->source, sizeof source.b);
	json_put_string(o, "source_ip", addr_text(&source, text));
	json_put_number(o, "source_port", h->sport);
	json_put_number(o, "ttl", h->ttl);
	json_put_number(o, "window", h->window);
	json_put_number(o, "mss", h->mss);
	json_put_number(o, "attempt", h->attempt);
	json_put_bool(o, "adopted", h->flags & HEAD_ADOPTED);
}

static void
put_dialog(struct json_object *o, const struct row *r)
{
	const struct head *h = &r->head;

	put_field(o, "greeting", r, TAG_GREETING);
	if (h->code)
		json_put_number(o, "code", h->code);
	put_list(o, "capabilities_before", r, TAG_CAPABILITY_BEFORE);
	put_list(o, "capabilities_after", r, TAG_CAPABILITY_AFTER);
	put_field(o, "sasl_before", r, TAG_SASL_BEFORE);
	put_field(o, "sasl_after", r, TAG_SASL_AFTER);
	put_field(o, "starttls_reply", r, TAG_STARTTLS_REPLY);
	put_field(o, "stray", r, TAG_STRAY);
	put_field(o, "greeting_name", r, TAG_GREETING_NAME);
	put_field(o, "ehlo_name", r, TAG_EHLO_NAME);
	put_field(o, "product", r, TAG_PRODUCT);
	put_field(o, "version", r, TAG_VERSION);
	put_field(o, "implementation", r, TAG_IMPLEMENTATION);
	put_field(o, "other_protocol", r, TAG_OTHER_PROTOCOL);
	json_put_bool(o, "login_before_tls", h->flags & HEAD_LOGIN_BEFORE);
	json_put_bool(o, "apop", h->flags & HEAD_APOP);
	json_put_bool(o, "lf_only", h->flags & HEAD_LF_ONLY);
	json_put_bool(o, "helo_only", h->flags & HEAD_HELO_ONLY);
	json_put_bool(o, "truncated", h->flags & HEAD_TRUNCATED);
	json_put_bool(o, "try_later", h->flags & HEAD_TRY_LATER);
	json_put_number(o, "confirmed", h->confirmed);
}

struct json_object *
json_row(const struct row *r, bool transcript)
{
	const struct head *h = &r->head;
	struct json_object *o = json_object_new_object();
	char text[ADDR_TEXT_MAX];

	json_put_string(o, "ip", addr_text(&r->target.addr, text));
	json_put_number(o, "port", r->target.port);
	put_field(o, "ptr", r, TAG_PTR);
	json_put_bool(o, "ptr_confirmed", h->flags & HEAD_PTR_CONFIRMED);
	json_put_string(o, "protocol", protocol_names[h->protocol]);
	json_put_string(o, "port_protocol", protocol_names[h->port_protocol]);
	json_put_string(o, "outcome", outcome_names[h->outcome]);
	json_put_string(o, "starttls", starttls_names[h->starttls]);
	/* null: the capabilities could not be asked for */
	json_object_object_add(o, "offered",
	    h->flags & HEAD_ASKED_OFFER
		? json_object_new_boolean((h->flags & HEAD_OFFERED) != 0)
		: NULL);
	put_findings(o, "findings", h->findings);
	put_tls(o, r);
	put_chain(o, r);
	put_dialog(o, r);
	put_where(o, r);
	put_times(o, h);
	put_network(o, h);
	if (transcript)
		put_transcript(o, r);
	return o;
}

struct json_object *
json_silent(const struct target *t, uint64_t when_us, bool phantom)
{
	struct json_object *o = json_object_new_object();
	char text[ADDR_TEXT_MAX];

	json_put_string(o, "ip", addr_text(&t->addr, text));
	json_put_number(o, "port", t->port);
	json_put_string(o, "protocol", protocol_names[PROTOCOL_UNKNOWN]);
	json_put_string(o, "outcome", outcome_names[OUTCOME_SILENT]);
	json_put_string(o, "starttls", starttls_names[STARTTLS_NONE]);
	put_findings(o, "findings", phantom ? 1u << FINDING_PHANTOM : 0);
	json_put_string(o, "time", text_time_iso(when_us, text));
	return o;
}

static struct json_object *
name_object(char *const part[NAME_PARTS], const char *line)
{
	static const char *const keys[NAME_PARTS] = { "business_category",
		"common_name", "country", "email_address", "given_name",
		"locality_name", "organization_name", "organization_unit_name",
		"postal_code", "serial_number", "state_or_province_name",
		"street_address", "surname" };
	struct json_object *o = json_object_new_object();

	json_put_string(o, "name", line ? line : "");
	for (int i = 0; i < NAME_PARTS; i++)
		if (part[i])
			json_put_string(o, keys[i], part[i]);
	return o;
}

struct json_object *
json_cert(const struct cert_fields *f)
{
	struct json_object *o = json_object_new_object(), *names;
	char text[TIME_TEXT_MAX];

	json_put_bool(o, "parsed", f->parsed);
	json_put_string(o, "sha256", f->sha256 ? f->sha256 : "");
	json_put_string(o, "sha1", f->sha1 ? f->sha1 : "");
	if (!f->parsed)
		return o;
	json_object_object_add(
	    o, "subject", name_object(f->subject, f->subject_line));
	json_object_object_add(
	    o, "issuer", name_object(f->issuer, f->issuer_line));
	names = json_object_new_array();
	for (size_t i = 0; i < f->nnames; i++)
		json_object_array_add(
		    names, json_object_new_string(f->names[i]));
	json_object_object_add(o, "names", names);
	json_put_string(o, "serial", f->serial ? f->serial : "");
	json_put_string(o, "not_before", text_seconds(f->not_before, text));
	json_put_string(o, "not_after", text_seconds(f->not_after, text));
	json_put_string(
	    o, "key_algorithm", f->key_algorithm ? f->key_algorithm : "");
	json_put_number(o, "key_bits", f->key_bits);
	json_put_string(o, "signature_algorithm",
	    f->signature_algorithm ? f->signature_algorithm : "");
	return o;
}

void
json_print(struct json_object *o, bool pretty)
{
	puts(json_object_to_json_string_ext(o,
	    JSON_C_TO_STRING_NOSLASHESCAPE |
		(pretty ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
			: JSON_C_TO_STRING_PLAIN)));
	json_object_put(o);
}
