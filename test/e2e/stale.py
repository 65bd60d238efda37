#!/usr/bin/python3
"""Leaves a server with connections whose other end is gone without a word.

    test/e2e/stale.py SOURCE FIRST_PORT SLICE ATTEMPTS ADDRESS PORT

A connection is opened, and its greeting heard, from each source port that a
first try of a sweep could leave from: of the range of 1024 ports that begins
with FIRST_PORT, all of that slice, attempts 0 to ATTEMPTS - 1, kind plain
(engine/cookie.h). Our end then vanishes (TCP_REPAIR): the server's stays
established. Prints how many.
"""

import socket
import sys

TCP_REPAIR = 19
HASHES = 8  # 10 bits of offset: incarnation 2, attempt 2, kind 3, hash 3


def main():
    source, target = sys.argv[1], (sys.argv[5], int(sys.argv[6]))
    first, piece, attempts = map(int, sys.argv[2:5])
    held = []
    for attempt in range(attempts):
        for low in range(HASHES):
            port = first + (piece << 8 | attempt << 6 | low)
            s = socket.socket()
            s.bind((source, port))
            s.settimeout(10)
            s.connect(target)
            held.append(s)
    for s in held:
        if not s.recv(512):
            sys.exit(f"{target}: no greeting")
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        s.close()
    print(len(held))


main()
