/* refusal.h: what a server says that does not want us: not now, or never. */
#ifndef PROBES_REFUSAL_H
#define PROBES_REFUSAL_H

#include "probes/facts.h"

/*
 * From the transcript, once the dialog is over, into facts.refusal; and
 * HEAD_TRY_LATER when a greeting or a leave-taking was for now only. us: the
 * outcome is that it refused us.
 */
void refusal_find(struct facts *, bool us);

/* A no that is for now, or for us: it says nothing of what the server knows. */
bool refusal_is_ours(const uint8_t *line, size_t len);

/*
 * A no to STARTTLS that is such a one. 454 is none, and what speaks of TLS
 * itself is none: there the server has nothing to offer (RFC 3207 section 4).
 */
bool refusal_passes(const uint8_t *line, size_t len);

#endif
