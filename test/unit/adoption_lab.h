/* adoption_lab.h: two network namespaces, and a mail server in the other. */
#ifndef TEST_ADOPTION_LAB_H
#define TEST_ADOPTION_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POP3 = 110, IMAPS = 993, SILENT = 25, CLOSED = 143 };
enum { BIG = 1 << 20, WAIT_MS = 3000 };
#define GREETING "+OK one two three\r\n"

/* What a server tells the test: one letter a event. */
enum {
	SAYS_READY = 'R',
	SAYS_ACCEPTED = 'a',
	SAYS_CLEAN = 'c',
	SAYS_RESET = 'r'
};

/*
 * For cmocka_run_group_tests: this process moves into a network namespace of
 * its own; nothing but a veth pair leads to the server's. Nothing without
 * root.
 */
int lab_up(void **state);
int lab_down(void **state);

/* What the server says next, or 0 when it says nothing in time. */
char hear_server(int wait_ms);

/* Set "net.ipv4.this=that" on the server's side. */
void set_there(const char *);

/* End the program when it is not so; before and outside of tests. */
void must(bool what, const char *why);

/* All bytes, or false. */
bool write_all(int fd, const void *, size_t len);
bool read_all(int fd, void *, size_t len);

/* The BIG bytes that GIVE gives and TAKE takes. */
void fill(uint8_t *big);

#endif
