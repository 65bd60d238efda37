#!/usr/bin/python3
"""The kernel's TCP counters of adopted connections beside connected ones.

    test/e2e/counters.py WHAT ADOPTED_BEFORE ADOPTED_AFTER \\
        CONNECTED_BEFORE CONNECTED_AFTER SESSIONS [NAME...]

The files are of `nstat -az`. A line for each counter, "ok ..." or "FAILED
...": adopted connections may have no more than the connected ones, but for
chance: three standard deviations of such a count, and a twentieth of the
sessions.
"""

import math
import sys

# What each of them would be a fault of: segments sent again, time-outs,
# resets and aborts, segments that fit nowhere, and sums that are wrong.
FAULTS = (
    "TcpRetransSegs", "TcpExtTCPTimeouts", "TcpExtTCPSpuriousRTOs",
    "TcpExtTCPSpuriousRtxHostQueues", "TcpOutRsts", "TcpEstabResets",
    "TcpExtTCPAbortOnData", "TcpExtTCPAbortOnClose",
    "TcpExtTCPAbortOnTimeout", "TcpExtTCPAbortOnMemory",
    "TcpExtTCPAbortFailed", "TcpInErrs", "TcpExtTCPRcvQDrop",
    "TcpExtTCPZeroWindowDrop", "TcpExtPAWSEstab", "TcpExtTCPOFODrop",
    "TcpExtTCPChallengeACK", "TcpExtTCPSYNChallenge")


def read(path):
    with open(path, encoding="ascii") as file:
        rows = (line.split() for line in file if not line.startswith("#"))
        return {row[0]: int(row[1]) for row in rows}


def grown(before, after):
    a, b = read(before), read(after)
    return {name: b[name] - a.get(name, 0) for name in b}


def main():
    what, sessions = sys.argv[1], int(sys.argv[6])
    adopted, connected = grown(*sys.argv[2:4]), grown(*sys.argv[4:6])
    faultless = 0
    for name in FAULTS:
        if name not in adopted:
            print(f"FAILED {what}: no counter {name}")
            continue
        a, c = adopted[name], connected[name]
        if a == 0 and c == 0:
            faultless += 1
            continue
        right = a <= c + 3 * math.sqrt(c) + sessions // 20
        print(f'{"ok" if right else "FAILED"} {what}: {name} {a}, '
              f'connected {c}')
    if faultless > 0:
        print(f"ok {what}: {faultless} counters of faults at zero")
    # That the weather was there: both saw it.
    for name in sys.argv[7:]:
        right = adopted[name] >= sessions // 8 and \
            connected[name] >= sessions // 8
        print(f'{"ok" if right else "FAILED"} {what}: {name} '
              f'{adopted[name]}, connected {connected[name]}: it was felt')


main()
