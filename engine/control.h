/* control.h: the socket that `mailsweep status` asks. */
#ifndef ENGINE_CONTROL_H
#define ENGINE_CONTROL_H

#include <poll.h>

struct control_socket;

enum { CONTROL_POLL_MAX = 9 };

/* The answer to one request line: a line of its own, malloc'd; or NULL. */
typedef char *control_answer(const char *request, void *context);

/* A socket at path that only this user may connect to. NULL with errno. */
struct control_socket *control_open(const char *path);
void control_close(struct control_socket *);

unsigned control_poll(const struct control_socket *, struct pollfd *);

/* Accept, read, answer; never blocks. */
void control_turn(
    struct control_socket *, control_answer *answer, void *context);

#endif
