/* json_out.h: rows and certificates as JSON. */
#ifndef STORAGE_JSON_OUT_H
#define STORAGE_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>

#include "storage/cert_fields.h"
#include "storage/row.h"

struct json_object;

/* The object's new member; bytes go through the one mapping (text.h). */
void json_put_bytes(
    struct json_object *, const char *key, const void *, size_t len);
void json_put_string(struct json_object *, const char *key, const char *);
void json_put_number(struct json_object *, const char *key, uint64_t);
void json_put_bool(struct json_object *, const char *key, bool);

/* A row: the caller's to put. transcript: with every line of the dialog. */
struct json_object *json_row(const struct row *, bool transcript);
/* One that answered and said nothing: there is no row of it. */
struct json_object *json_silent(
    const struct target *, uint64_t when_us, bool phantom);
struct json_object *json_cert(const struct cert_fields *);

/* Print on a line of its own (indented when pretty) and let go. */
void json_print(struct json_object *, bool pretty);

#endif
