/* buffer.h: what the kernel may hold of a connection that nobody has read. */
#ifndef ENGINE_BUFFER_H
#define ENGINE_BUFFER_H

/*
 * For SO_RCVBUF. A buffer that is set does not grow: what a server sends
 * without end is bounded by what we read and this. The kernel's own grows with
 * what is read, and with segments that leave gaps, which nobody can read, up to
 * net.ipv4.tcp_rmem: 24 MB for 30,000 bytes.
 */
extern const int buffer_bytes;

void buffer_limit(int fd);

#endif
