#!/usr/bin/python3
"""The time between connections to a host, in a capture of a whole run.

    test/e2e/pause.py FILE.pcap SCANNER_ADDRESS SECONDS

A connection begins with our first segment behind the SYN that is no RST.
Prints "ok" or "FAILED" lines; it fails when two began closer to each other,
but for SLACK between an answer's capture and our ACK to it, and when no host
had two.
"""

import sys

import capture

SLACK = 0.05


def main():
    path, scanner, pause = sys.argv[1], sys.argv[2], float(sys.argv[3])
    seen, last, gaps = set(), {}, []
    for when, frame in capture.timed_frames(path):
        found = capture.segment(frame)
        if found is None or str(found[0]) != scanner or \
                found[4] & (capture.SYN | capture.RST):
            continue
        flow, host = (found[2], found[3], found[1]), found[2]
        if flow in seen:
            continue
        seen.add(flow)
        if host in last:
            gaps.append(when - last[host])
        last[host] = when
    early = sum(gap < pause - SLACK for gap in gaps)
    good = gaps and early == 0
    print(f"{'ok     ' if good else 'FAILED '} {len(gaps)} times between "
          f"connections to a host: {early} under {pause} s, the least "
          f"{min(gaps, default=0):.3f} s")


main()
