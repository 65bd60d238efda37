/* buffer.h: what the kernel may hold of a connection that nobody has read. */
#ifndef ENGINE_BUFFER_H
#define ENGINE_BUFFER_H

#include <stdbool.h>

/*
 * A buffer that is set does not grow: what a server sends without end is
 * bounded by what we read and this, and not by net.ipv4.tcp_rmem.
 */
void buffer_limit(int fd);

/*
 * Does a new socket's buffer hold what our SYN's window promises, and no more
 * than one that is set? It grows only with what is read: then whoever reads
 * may limit it once there was much.
 */
bool buffer_fits(int fd);

#endif
