/*
 * cert_match.h: is a certificate good for the name of a host? Store is not a
 * place to take a stranger's certificate apart, so the DER is only walked to
 * its names, in place, and nothing is made of it.
 */
#ifndef STORAGE_CERT_MATCH_H
#define STORAGE_CERT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * As RFC 6125 and RFC 9525, 6.3 have it: DNS names of subjectAltName; where it
 * has none the common names (RFC 6125, 6.4.4: much mail software does). Case
 * does not count; A-labels are compared as they are. A star is the whole of
 * the left-most label, stands for one label, and two or more follow. What is
 * no host name (an IP address, a byte that no name has) fits nothing; neither
 * does anything where the certificate is not DER or has two subjectAltNames.
 */
bool cert_match(
    const uint8_t *der, size_t len, const void *host, size_t host_len);

#endif
