/* classify.h: which protocol spoke first, by its first bytes. */
#ifndef PROBES_CLASSIFY_H
#define PROBES_CLASSIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/conf.h"
#include "storage/record.h"

/* POP3, IMAP or SMTP by the look of a first line; else unknown. */
enum protocol greeting_protocol(const uint8_t *, size_t len);

/* Too few bytes to tell: a mail protocol's greeting may begin so. */
bool greeting_begins(const uint8_t *, size_t len);

/* The name of what is no mail protocol: "ssh", "http" ... or "unknown". */
const char *classify(const uint8_t *, size_t len);

/* Does a 220 belong to something that is not SMTP? "ftp", "lmtp", or NULL. */
const char *greeting_not_smtp(const uint8_t *, size_t len);

#endif
