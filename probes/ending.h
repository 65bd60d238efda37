/* ending.h: what a conversation that is over leaves in its record. */
#ifndef PROBES_ENDING_H
#define PROBES_ENDING_H

#include "probes/conversation.h"

/* Fill the head from the contact and TLS, and conclude. */
void conversation_conclude(struct conversation *);

/* Room in the body for a line of so many bytes and what is made of it. */
void conversation_room(struct conversation *, size_t line);

/* The same for lines of ours, so many bytes together. */
void conversation_said_room(struct conversation *, size_t line);

#endif
