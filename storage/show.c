/* show.c: one row, readable: what `mailsweep show` prints. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "storage/feed.h"
#include "storage/show.h"
#include "storage/text.h"
#include "storage/tls_names.h"

/* clang-format off */
static const char *const sentences[FINDING_COUNT] = {
	[FINDING_NO_TLS] =
	    "TLS was not offered, and was refused when asked for.",
	[FINDING_CLEARTEXT_LOGIN] =
	    "A password login is on offer before TLS.",
	[FINDING_STARTTLS_BROKEN] =
	    "STARTTLS was offered and then did not work.",
	[FINDING_STRAY_PLAINTEXT] =
	    "Bytes in clear came after the reply to STARTTLS.",
	[FINDING_OBSOLETE_TLS] =
	    "TLS 1.1 or older was negotiated although 1.3 was offered.",
	[FINDING_WEAK_KEY] =
	    "The key is short: RSA or DH under 2048 bits, EC under 224.",
	[FINDING_WEAK_SIGNATURE] =
	    "A certificate is signed with MD5 or SHA-1.",
	[FINDING_EXPIRED] = "The certificate had expired.",
	[FINDING_NOT_YET_VALID] = "The certificate was not valid yet.",
	[FINDING_SELF_SIGNED] = "The certificate is signed by itself.",
	[FINDING_UNTRUSTED] =
	    "The chain does not lead to an authority we know.",
	[FINDING_TLS_ON_CLEARTEXT_PORT] =
	    "TLS is spoken from the first byte, on a port that begins clear.",
	[FINDING_CLEARTEXT_ON_TLS_PORT] =
	    "The server speaks in clear on a port that is for TLS.",
	[FINDING_MASKED] =
	    "Something on the way rewrites the dialog (220 ****, XXXXXXXA).",
	[FINDING_REFUSED_US] =
	    "The server did not want to talk to us; it says nothing of TLS.",
	[FINDING_PREAUTH] =
	    "The connection is logged in without a password.",
	[FINDING_OTHER_PROTOCOL] = "Another protocol answers on this port.",
	[FINDING_PHANTOM] =
	    "The address, or one of its network, answers on every port.",
	[FINDING_STARTTLS_INJECTION] =
	    "A command sent in clear behind STARTTLS was answered inside TLS.",
};
/* clang-format on */

const char *
finding_sentence(enum finding f)
{
	return sentences[f];
}

static void line(const char *label, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
line(const char *label, const char *fmt, ...)
{
	va_list ap;

	printf("  %-14s ", label);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* A field on a line of its own, when it is there. */
static void
show_field(const char *label, const struct row *r, enum tag tag)
{
	struct buf text = { 0 };

	row_text(r, tag, &text);
	if (text.len > 0)
		line(label, "%s", text.s);
	buf_free(&text);
}

static void
show_list(const char *label, const struct row *r, enum tag tag)
{
	struct field f;
	uint32_t at = 0;

	while (r->body && body_next(r->body, r->len, &at, &f)) {
		struct buf text = { 0 };

		if (f.tag != tag)
			continue;
		text_add(&text, f.bytes, f.len);
		line(label, "%s", buf_text(&text));
		buf_free(&text);
		label = "";
	}
}

static void
show_where(const struct row *r)
{
	const struct head *h = &r->head;
	struct buf text = { 0 };
	static const enum tag places[] = { TAG_REGION, TAG_CITY, TAG_SECTOR };
	struct field f;

	buf_add(&text, h->country, sizeof h->country);
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (row_field(r, places[i], &f)) {
			buf_puts(&text, ", ");
			text_add(&text, f.bytes, f.len);
		}
	if (h->asn != 0)
		buf_printf(&text, "; AS%" PRIu32 " ", h->asn);
	row_text(r, TAG_AS_NAME, &text);
	line("where", "%s", text.s);
	buf_free(&text);
}

static void
show_name(const struct row *r)
{
	struct buf text = { 0 };

	row_text(r, TAG_PTR, &text);
	if (text.len > 0)
		line("PTR name", "%s (%s)", text.s,
		    r->head.flags & HEAD_PTR_CONFIRMED
			? "leads back to this address"
			: "does not lead back to this address");
	buf_free(&text);
}

static void
show_product(const struct row *r)
{
	struct buf text = { 0 };
	struct field f;

	row_text(r, TAG_PRODUCT, &text);
	if (row_field(r, TAG_VERSION, &f)) {
		buf_putc(&text, ' ');
		text_add(&text, f.bytes, f.len);
	}
	if (text.len > 0)
		line("product", "%s", text.s);
	buf_free(&text);
}

static void
show_starttls(const struct row *r)
{
	const struct head *h = &r->head;
	struct buf text = { 0 };

	line("STARTTLS", "%s (offered: %s)%s", starttls_names[h->starttls],
	    !(h->flags & HEAD_ASKED_OFFER) ? "could not be asked"
		: h->flags & HEAD_OFFERED  ? "yes"
					   : "no",
	    h->confirmed > 0 ? ", seen again on a second connection" : "");
	feed_evidence(r, &text);
	if (text.len > 0)
		line("evidence", "%s", text.s);
	buf_free(&text);
	show_field("stray bytes", r, TAG_STRAY);
}

static void
show_dialog(const struct row *r)
{
	const struct head *h = &r->head;

	show_field("greeting", r, TAG_GREETING);
	if (h->code != 0)
		line("code", "%u", h->code);
	show_field("greeting name", r, TAG_GREETING_NAME);
	show_field("EHLO name", r, TAG_EHLO_NAME);
	show_field("protocol is", r, TAG_OTHER_PROTOCOL);
	show_product(r);
	show_field("implementation", r, TAG_IMPLEMENTATION);
	show_starttls(r);
	if (head_is_service(h) && !(h->flags & HEAD_IMPLICIT))
		line("login in clear", "%s",
		    h->flags & HEAD_LOGIN_BEFORE ? "yes" : "no");
	show_list("before TLS", r, TAG_CAPABILITY_BEFORE);
	show_field("SASL before", r, TAG_SASL_BEFORE);
	show_list("after TLS", r, TAG_CAPABILITY_AFTER);
	show_field("SASL after", r, TAG_SASL_AFTER);
	line("notes", "%s%s%s%s%s",
	    h->flags & HEAD_ADOPTED ? "adopted" : "connected",
	    h->flags & HEAD_APOP ? ", APOP" : "",
	    h->flags & HEAD_LF_ONLY ? ", lines end in LF only" : "",
	    h->flags & HEAD_HELO_ONLY ? ", EHLO refused and HELO taken" : "",
	    h->flags & HEAD_TRUNCATED ? ", something did not fit" : "");
}

/* A name, or the number where it has none. */
static const char *
name_or_number(const char *name, uint16_t number, char text[8])
{
	snprintf(text, 8, "0x%04x", number);
	return name ? name : text;
}

/* Accepted on connections of their own. */
static void
show_versions(const struct row *r)
{
	struct buf text = { 0 };
	struct field f;
	uint16_t version;

	if (!row_field(r, TAG_TLS_VERSIONS, &f))
		return;
	for (uint32_t i = 0; i + sizeof version <= f.len; i += sizeof version) {
		memcpy(&version, f.bytes + i, sizeof version);
		buf_printf(&text, "%s%s", i > 0 ? ", " : "",
		    tls_version_name(version));
	}
	line("TLS versions", "%s", buf_text(&text));
	buf_free(&text);
}

/* What the leaf was compared with, and whether it is good for it. */
static void
show_matches(const struct row *r)
{
	struct buf text = { 0 };
	struct field f;

	for (int i = 0; i < CLAIMED_NAMES; i++) {
		const struct claimed_name *n = &claimed_names[i];

		if (row_field(r, n->tag, &f))
			buf_printf(&text, "%s%s %s", text.len > 0 ? ", " : "",
			    n->label, r->head.names & n->bit ? "yes" : "no");
	}
	line("good for", "%s",
	    text.len > 0 ? text.s : "no name of this host is known");
	buf_free(&text);
}

static void
show_tls(const struct row *r)
{
	const struct head *h = &r->head;
	char cipher[8], group[8], sigalg[8];
	const char *alert = alert_name(h->alert);

	if (h->tls_version != 0) {
		line("TLS", "%s, %s, %" PRIu32 " ms%s",
		    tls_version_name(h->tls_version),
		    name_or_number(cipher_name(h->cipher), h->cipher, cipher),
		    h->tls_ms,
		    h->flags & HEAD_TICKET ? ", session ticket" : "");
		if (h->group != 0 || h->group_bits != 0)
			line("key exchange", "%s, %u bits",
			    name_or_number(
				group_name(h->group), h->group, group),
			    h->group_bits);
		if (h->peer_sigalg != 0)
			line("signed with", "%s",
			    name_or_number(sigalg_name(h->peer_sigalg),
				h->peer_sigalg, sigalg));
	}
	show_versions(r);
	if (h->alert_side != 0)
		line("alert", "%u %s, %s", h->alert, alert ? alert : "",
		    h->alert_side == 1 ? "theirs" : "ours");
	show_field("TLS error", r, TAG_TLS_ERROR);
	if (h->chain != CHAIN_NONE)
		line("chain", "%s, %u certificates", chain_names[h->chain],
		    h->chain_len);
	if (h->flags & HEAD_CHAIN_PARSED)
		show_matches(r);
}

static void
show_advice(const struct advice *a)
{
	if (!a)
		return;
	if (a->risk)
		line("", "    risk: %s", a->risk);
	for (size_t i = 0; i < a->ntodo; i++)
		line("", "    do: %s", a->todo[i]);
	if (a->ask)
		line("", "    ask: %s", a->ask);
	if (a->source)
		line("", "    source: %s", a->source);
}

void
show_finding(const char *label, enum finding f, const struct advices *advices)
{
	char subject[64];

	line(label, "%s: %s", finding_names[f], sentences[f]);
	snprintf(subject, sizeof subject, "finding %s", finding_names[f]);
	show_advice(advice_find(advices, subject));
}

/* A version tells of a hole only as far as the banner goes. */
static const char *
show_holes(
    const struct row *r, const struct show_tables *tables, const char *label)
{
	const struct hole *matched[HOLES_MATCHED_MAX];
	size_t n = feed_holes(r, tables->holes, matched);

	for (size_t i = 0; i < n; i++) {
		line(label, "banner-version: %s, by the version in the banner.",
		    matched[i]->cve);
		line("", "    source: %s", matched[i]->source);
		label = "";
	}
	if (n > 0)
		show_advice(advice_find(tables->advices, "tag banner-version"));
	return label;
}

static void
show_findings(const struct row *r, const struct show_tables *tables)
{
	const char *label = "findings";

	for (int i = 0; i < FINDING_COUNT; i++) {
		if (!head_has(&r->head, (enum finding)i))
			continue;
		show_finding(label, (enum finding)i, tables->advices);
		label = "";
	}
	label = show_holes(r, tables, label);
	if (label[0])
		line(label, "none");
}

static void
show_times(const struct head *h)
{
	char text[TIME_TEXT_MAX], from[TARGET_TEXT_MAX];
	struct target source = { .port = h->sport };

	memcpy(source.addr.b, h->source, sizeof source.addr.b);
	line("measured", "%s UTC from %s", text_time(h->time_us, text),
	    target_text(&source, from));
	if (h->first_seen_us)
		line("first seen", "%s UTC, %" PRIu32 " sweeps, %s",
		    text_time(h->first_seen_us, text), h->observations,
		    change_names[h->change]);
	if (h->open_since)
		line("exposed since", "%s UTC",
		    text_seconds((int64_t)h->open_since, text));
	line("took",
	    "round trip %.3f ms, greeting after %" PRIu32 " ms, all %" PRIu32
	    " ms, attempt %u",
	    (double)h->rtt_us / 1000, h->greeting_ms, h->duration_ms,
	    h->attempt);
	line("SYN-ACK", "TTL %u, window %u, MSS %u, scale %d", h->ttl,
	    h->window, h->mss, h->wscale == 255 ? -1 : h->wscale);
}

static void
show_transcript(const struct row *r)
{
	struct field f;
	struct entry e;
	uint32_t at = 0;
	bool any = false;

	while (r->body && body_next(r->body, r->len, &at, &f)) {
		struct buf text = { 0 };

		if (!field_entry(&f, &e))
			continue;
		if (!any)
			puts("  transcript (seconds since the SYN-ACK)");
		any = true;
		text_add(&text, e.bytes, e.len);
		printf("    %8.3f %c %s\n", e.ms / 1000.0,
		    e.speaker == SPEAKER_SERVER || e.speaker == SPEAKER_CLIENT
			? (char)e.speaker
			: e.speaker == SPEAKER_TLS ? 'T'
						   : '-',
		    buf_text(&text));
		buf_free(&text);
	}
}

void
show_row(const struct row *r, struct store *s, const struct show_tables *tables)
{
	const struct head *h = &r->head;
	char target[TARGET_TEXT_MAX];

	printf("%s  %s  %s\n", target_text(&r->target, target),
	    protocol_names[h->protocol], outcome_names[h->outcome]);
	show_name(r);
	show_where(r);
	show_times(h);
	show_dialog(r);
	show_tls(r);
	show_chain(r, s);
	show_findings(r, tables);
	show_transcript(r);
}
