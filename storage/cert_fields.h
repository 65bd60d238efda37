/* cert_fields.h: a certificate as texts that people and feeds read. */
#ifndef STORAGE_CERT_FIELDS_H
#define STORAGE_CERT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Attributes of a distinguished name, in the order of the feeds' columns. */
enum name_part {
	NAME_BUSINESS_CATEGORY,
	NAME_COMMON_NAME,
	NAME_COUNTRY,
	NAME_EMAIL,
	NAME_GIVEN_NAME,
	NAME_LOCALITY,
	NAME_ORGANIZATION,
	NAME_UNIT,
	NAME_POSTAL_CODE,
	NAME_SERIAL_NUMBER,
	NAME_STATE,
	NAME_STREET,
	NAME_SURNAME,
	NAME_PARTS
};

/*
 * All texts are mapped (text.h). Fingerprints are there for any bytes; the
 * rest only when parsed. Absent parts are NULL.
 */
struct cert_fields {
	bool parsed;
	char *md5, *sha1, *sha256, *sha512; /* UPPER:WITH:COLONS */
	char *issuer[NAME_PARTS], *subject[NAME_PARTS];
	char *issuer_line, *subject_line; /* RFC 2253 order, for reading */
	char *serial; /* upper-case hex */
	const char *key_algorithm; /* OpenSSL's long names */
	const char *signature_algorithm;
	unsigned key_bits;
	int version; /* zero-based: 2 is X.509 v3 */
	int64_t not_before, not_after; /* seconds since 1970 */
	char **names; /* DNS names: alternative ones, then the CN */
	size_t nnames;
};

/* Fills *f from DER; the caller frees it with cert_fields_free. */
void cert_fields_read(struct cert_fields *f, const uint8_t *der, size_t len);
void cert_fields_free(struct cert_fields *f);

/* The first name that is a host's own: no wildcard. False: none. */
bool cert_fields_hostname(
    const struct cert_fields *f, const char **name, size_t *len);

#endif
