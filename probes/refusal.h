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

#endif
