#!/usr/bin/python3
"""Reads the account of the last sweep, and compares it with the other side.

    test/e2e/account.py ACCOUNT.json NAME
    test/e2e/account.py ACCOUNT.json --against COUNTERS adopt|connect

ACCOUNT.json is what `mailsweep sweeps --json` printed, COUNTERS what
test/lab/counters did. Each line of the comparison is "ok WHAT" or "FAILED
WHAT"; every packet must be accounted for.
"""

import json
import sys


def load(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        sweeps = json.loads(text)
    except json.JSONDecodeError:
        sweeps = [json.loads(line) for line in text.splitlines()]
    if isinstance(sweeps, dict):
        sweeps = sweeps.get("sweeps", [sweeps])
    return sweeps[-1]


def lookup(tree, name):
    """The first value of that name, wherever it stands."""
    if isinstance(tree, dict):
        if name in tree:
            return tree[name]
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            found = lookup(branch, name)
            if found is not None:
                return found
    return None


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
           event("sent") + event("followups_sent") + event("canaries_sent"),
           ours)
    yield ("SYN-ACKs sent there, and taken here",
           seen["synack_out"],
           event("valid_synacks") + event("late") + second)
    yield ("closed ports there, and refusals here",
           seen["rst_out_refused"], event("rsts_received"))
    yield ("excluded network: packets arrived", seen["forbidden_in"], 0)
    yield ("anything but TCP arrived", seen["not_tcp_in"], 0)
    yield ("ports never asked for", seen["syn_in_other"], 0)
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
        value = lookup(sweep, name)
        return 0 if value is None else int(value)

    for what, left, right in equations(event, seen, sys.argv[4] == "connect"):
        good = left == right
        failed |= not good
        print(f"{'ok     ' if good else 'FAILED '} {what}: {left}"
              f"{'' if good else f', not {right}'}")
    sys.exit(failed)


main()
