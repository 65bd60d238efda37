#!/usr/bin/python3
"""What a capture on the target's side says of the handshakes.

    test/e2e/capture.py FILE.pcap SCANNER_ADDRESS...

Prints "name number" lines. A flow is one source port of the scanner's and one
address and port of the target's; a target is an address and port.

    syns            SYN segments from the scanner
    targets         distinct targets of them
    closed_syns_max most SYNs that any target without a SYN-ACK got
    answered        targets that sent a SYN-ACK
    answered_syns_N targets that sent one, by how many SYNs they got
    handshakes_N    the same, by how many flows of theirs got an ACK
    unanswered      flows with a SYN-ACK that got neither ACK nor RST
    rst_at_once     flows whose SYN-ACK got a RST and never an ACK
    data_flows      flows in which the target said something
    strange         frames that are neither TCP nor how neighbours are found
"""

import collections
import ipaddress
import struct
import sys

FIN, SYN, RST, ACK = 1, 2, 4, 16
ETHERNET, ARP, IPV4, IPV6, TCP, ICMPV6 = 1, 0x0806, 0x0800, 0x86dd, 6, 58
# Behind a hop-by-hop header: the listener reports of neighbour discovery.
HOP_BY_HOP = 0
MAGIC = {0xa1b2c3d4, 0xa1b23c4d}


def timed_frames(path):
    """(seconds, frame) of each."""
    with open(path, "rb") as file:
        head = file.read(24)
        fraction = 1e-9 if 0xa1b23c4d in struct.unpack(
            "<I", head[:4]) + struct.unpack(">I", head[:4]) else 1e-6
        order = "<" if struct.unpack("<I", head[:4])[0] in MAGIC else ">"
        assert struct.unpack(order + "I", head[20:24])[0] == ETHERNET
        while len(head := file.read(16)) == 16:
            whole, part, length, original = struct.unpack(order + "4I", head)
            assert length == original, "cut short"
            yield whole + part * fraction, file.read(length)


def frames(path):
    return (frame for _, frame in timed_frames(path))


def segment(frame):
    """(source, sport, destination, dport, flags, bytes of data) or None."""
    kind = struct.unpack_from("!H", frame, 12)[0]
    packet = frame[14:]
    if kind == IPV4:
        if packet[9] != TCP:
            return None
        header = (packet[0] & 15) * 4
        total = struct.unpack_from("!H", packet, 2)[0]
        source, destination = packet[12:16], packet[16:20]
    elif kind == IPV6:
        if packet[6] != TCP:
            return None
        header = 40
        total = 40 + struct.unpack_from("!H", packet, 4)[0]
        source, destination = packet[8:24], packet[24:40]
    else:
        return None
    sport, dport = struct.unpack_from("!HH", packet, header)
    offset = (packet[header + 12] >> 4) * 4
    return (ipaddress.ip_address(source), sport,
            ipaddress.ip_address(destination), dport,
            packet[header + 13], total - header - offset)


def is_strange(frame):
    kind = struct.unpack_from("!H", frame, 12)[0]
    if kind == IPV6:
        return frame[20] not in (TCP, ICMPV6, HOP_BY_HOP)
    return kind != ARP and not (kind == IPV4 and frame[23] == TCP)


class Flow:
    def __init__(self):
        self.syns = self.synacks = self.acks = self.rsts = self.data = 0


def read(path, scanner):
    flows = collections.defaultdict(Flow)
    strange = 0
    for frame in frames(path):
        found = segment(frame)
        if not found:
            strange += is_strange(frame)
            continue
        source, sport, destination, dport, flags, data = found
        if source in scanner:
            flow = flows[destination, dport, sport]
            if flags & RST:
                flow.rsts += 1
            elif flags & SYN:
                flow.syns += 1
            elif flags & ACK:
                flow.acks += 1
        else:
            flow = flows[source, sport, dport]
            flow.synacks += flags & (SYN | ACK) == SYN | ACK
            flow.data += data > 0
    return flows, strange


def main():
    scanner = {ipaddress.ip_address(text) for text in sys.argv[2:]}
    flows, strange = read(sys.argv[1], scanner)
    targets = collections.defaultdict(list)
    for (addr, port, _), flow in flows.items():
        targets[addr, port].append(flow)
    facts = collections.Counter()
    facts["syns"] = sum(flow.syns for flow in flows.values())
    facts["targets"] = len(targets)
    facts["strange"] = strange
    for name in ("closed_syns_max", "answered", "unanswered", "rst_at_once",
                 "data_flows"):
        facts[name] = 0
    for mine in targets.values():
        syns = sum(flow.syns for flow in mine)
        if not any(flow.synacks for flow in mine):
            facts["closed_syns_max"] = max(facts["closed_syns_max"], syns)
            continue
        facts["answered"] += 1
        facts[f"answered_syns_{syns}"] += 1
        facts[f"handshakes_{sum(flow.acks > 0 for flow in mine)}"] += 1
    for flow in flows.values():
        facts["data_flows"] += flow.data > 0
        if flow.synacks:
            facts["unanswered"] += not (flow.acks or flow.rsts)
            facts["rst_at_once"] += bool(flow.rsts and not flow.acks)
    for name, number in facts.items():
        print(name, number)


if __name__ == "__main__":
    main()
