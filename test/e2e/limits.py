#!/usr/bin/python3
"""Connections at once, to a host and to a /24, in a capture of a whole run.

    test/e2e/limits.py FILE.pcap SCANNER_ADDRESS PER_HOST PER_NETWORK SLOW

SLOW is a network whose hosts are slow: of its connections a third or more are
to end when all others are over, else it has held them up. A connection lasts from our first segment behind the SYN to our FIN or RST.
Prints "ok" or "FAILED" lines; it fails when a limit was passed at any moment,
and when neither was ever reached (then nothing was shown).
"""

import collections
import ipaddress
import sys

import capture


def events(path, scanner):
    """(target, begins) in the order of the capture."""
    opened, closed = set(), set()
    for frame in capture.frames(path):
        found = capture.segment(frame)
        if found is None or str(found[0]) != scanner:
            continue
        flow, flags = (found[2], found[3], found[1]), found[4]
        if flags & (capture.FIN | capture.RST):
            closed.add(flow)
            if flow in opened:
                opened.remove(flow)
                yield flow[0], False
        elif not flags & capture.SYN and flow not in opened | closed:
            opened.add(flow)
            yield flow[0], True


def main():
    path, scanner = sys.argv[1:3]
    limits = {32: int(sys.argv[3]), 24: int(sys.argv[4])}
    slow = ipaddress.ip_network(sys.argv[5])
    names = {32: "a host", 24: "a /24"}
    now = {bits: collections.Counter() for bits in limits}
    most = dict.fromkeys(limits, 0)
    passed = dict.fromkeys(limits, 0)
    connections, ended, left = 0, 0, 0
    for target, begins in events(path, scanner):
        connections += begins
        for bits, limit in limits.items():
            net = ipaddress.ip_network(f"{target}/{bits}", strict=False)
            now[bits][net] += 1 if begins else -1
            most[bits] = max(most[bits], now[bits][net])
            passed[bits] += begins and now[bits][net] > limit
        if not begins:
            ended += target in slow
            left = left + 1 if target in slow else 0
    for bits, limit in limits.items():
        good = passed[bits] == 0 and most[bits] == limit
        print(f"{'ok     ' if good else 'FAILED '} connections at once to "
              f"{names[bits]}: at most {most[bits]} of {limit}, "
              f"{passed[bits]} violations in {connections}")
    print(f"{'ok     ' if 3 * left >= ended > 0 else 'FAILED '} of {ended} "
          f"slow ones {left} ended after all others")


main()
