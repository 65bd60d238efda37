#!/usr/bin/python3
"""Reads the account of the last sweep, and compares it with the other side.

    test/e2e/account.py ACCOUNT.json NAME[.NAME...]
    test/e2e/account.py ACCOUNT.json --against COUNTERS adopt|connect

ACCOUNT.json is what `mailsweep sweeps --json` printed, COUNTERS what
test/lab/counters did. Each line of the comparison is "ok WHAT" or "FAILED
WHAT"; every packet must be accounted for.
"""

import json
import sys


def load(path):
    """The newest sweep: the last line."""
    with open(path, encoding="utf-8") as file:
        return json.loads(file.read().splitlines()[-1])


def lookup(sweep, path):
    for name in path.split("."):
        sweep = sweep[name]
    return sweep


def read_counters(path):
    with open(path, encoding="ascii") as file:
        return {name: int(number)
                for name, number in (line.split() for line in file)}


def equations(event, seen, connect):
    """What each side counted of the same packets; all in whole numbers."""
    ours = event("syn_packets")
    second = event("adopted") + event("dial_failed") if connect else 0
    yield ("SYNs sent, and arrived there", ours + second, seen["syn_in"])
    yield ("targets, follow-ups and canaries are the SYNs",
           event("sent") + event("followups_sent") + event("canaries_sent")
           + event("sent_again") + event("seconds_sent"),
           ours)
    yield ("SYN-ACKs sent there, and taken here",
           seen["synack_out"],
           event("valid_synacks") + event("late") + second)
    yield ("closed ports there, and refusals here",
           seen["rst_out_refused"], event("rsts_received"))
    # By plain connect our kernel, which knows nothing of the raw SYNs, refuses
    # every answer to one; an adopted connection ends without a RST.
    refused = event("valid_synacks") + event("late") if connect else 0
    yield ("RSTs arrived there, and sent here",
           seen["rst_in"], event("rsts_sent") + refused)
    yield ("excluded network: packets arrived", seen["forbidden_in"], 0)
    yield ("SYNs to the canary port, and to ports never asked for",
           event("canaries_sent"), seen["syn_in_other"])
    yield ("bad cookies", event("bad_cookie"), 0)
    yield ("dropped by the capture", event("pcap_dropped"), 0)


def main():
    sweep = load(sys.argv[1])
    if sys.argv[2] != "--against":
        print(lookup(sweep, sys.argv[2]))
        return
    failed = False
    seen = read_counters(sys.argv[3])

    def event(name):
        return sweep["events"][name]

    for what, left, right in equations(event, seen, sys.argv[4] == "connect"):
        good = left == right
        failed |= not good
        print(f"{'ok     ' if good else 'FAILED '} {what}: {left}"
              f"{'' if good else f', not {right}'}")
    sys.exit(failed)


main()
