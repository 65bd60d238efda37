#!/usr/bin/python3
"""What a capture says of packets to those who opted out.

    test/e2e/optout.py [--latency | --conversations] FILE.pcap TIMES [MS...]

TIMES has lines "PREFIX NANOSECONDS": when the command returned. Prints "ok
WHAT" and "FAILED WHAT"; with --latency one line that measures: how long the
commands took (MS...) and how long behind their return the last packet left.
"""

import collections
import ipaddress
import struct
import sys

SECOND, MS = 10**9, 10**6
SYN, RST, ACK = 2, 4, 16
IPV4, IPV6, TCP = 0x0800, 0x86dd, 6


def packets(path):
    """(nanoseconds, destination as a number, family, flags) of TCP."""
    with open(path, "rb") as file:
        magic, = struct.unpack("<I", file.read(24)[:4])
        unit = 1 if magic == 0xa1b23c4d else 1000
        while len(head := file.read(16)) == 16:
            seconds, part, length, _ = struct.unpack("<4I", head)
            frame = file.read(length)
            kind, = struct.unpack_from("!H", frame, 12)
            if kind == IPV4 and frame[23] == TCP:
                at = 14 + (frame[14] & 15) * 4
                to, = struct.unpack_from("!I", frame, 30)
                yield seconds * SECOND + part * unit, to, 4, frame[at + 13]
            elif kind == IPV6 and frame[20] == TCP:
                high, low = struct.unpack_from("!2Q", frame, 38)
                yield (seconds * SECOND + part * unit, high << 64 | low, 6,
                       frame[54 + 13])


def read_times(path):
    """By family, bits and network: when it was said."""
    times = collections.defaultdict(dict)
    with open(path, encoding="ascii") as file:
        for line in file:
            text, when = line.split()
            net = ipaddress.ip_network(text)
            width = net.max_prefixlen - net.prefixlen
            times[net.version, width][
                int(net.network_address) >> width] = int(when)
    return times


def main():
    words = sys.argv[1:]
    latency = words[0] == "--latency"
    conversations = words[0] == "--conversations"
    path, times, *took = words[latency or conversations:]
    times = read_times(times)
    before = within = late = worst = 0
    whole = collections.Counter()
    flags_within, flags_late = collections.Counter(), collections.Counter()
    for when, to, family, flags in packets(path):
        whole[family] += 1
        said = [at for (version, width), nets in times.items()
                if version == family
                and (at := nets.get(to >> width)) is not None]
        if not said:
            continue
        behind = when - min(said)
        if behind <= 0:
            before += 1
        elif behind <= SECOND:
            within += 1
            flags_within[flags] += 1
            worst = max(worst, behind)
        else:
            late += 1
            flags_late[flags] += 1
            worst = max(worst, behind)
    if latency:
        print(f"bench: optout_latency_ms {max(map(int, took))} "
              f"(commands: {' '.join(took)}; the last packet "
              f"{worst / MS:.0f} ms behind one)")
        return
    least = 1000 if conversations else 100000
    enough = whole[4] > least and before > 100 and (
        not conversations or whole[6] > least)
    print("ok" if enough else "FAILED", "packets captured:", whole[4], "IPv4",
          whole[6], "IPv6,", before, "to them before")
    print("FAILED" if late else "ok", "packets to them later than a second:",
          late, dict(flags_late), "within it:", within, dict(flags_within))
    syns = sum(n for f, n in flags_within.items() if f & SYN)
    acks = sum(n for f, n in flags_within.items() if f & ACK and not f & RST)
    print("FAILED" if syns or acks else "ok",
          "after the command returned only RSTs:", syns, "SYNs", acks, "ACKs")


main()
