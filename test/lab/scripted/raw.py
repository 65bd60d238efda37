"""Answers SYNs with packets that no kernel would send.

Addresses whose script is raw:KIND. The kernel of the target side answers the
same SYNs with RST, since nobody listens: prepare() holds that back.
"""

import socket
import struct
import subprocess

MARK = 0x6d73
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SYN_ACK = SYN | ACK
ISS = 0x7ffffff0
WINDOW = 29200
SO_RCVBUFFORCE = 33
GREETING = b"554 5.3.2 raw.lab.test takes no mail\r\n"
MSS = b"\x02\x04\x05\xb4"
# Of options: a length of zero, one beyond the header, one that ends early, an
# MSS of three bytes, a window scale over 14, an unknown one, only padding.
OPTIONS = {
    "options-length-zero": b"\x02\x00\x05\xb4",
    "options-too-long": b"\x02\x28\x05\xb4",
    "options-cut": b"\x01\x01\x01\x02",
    "options-short-mss": b"\x02\x03\x05\x00",
    "options-scale-255": MSS + b"\x03\x03\xff\x00",
    "options-unknown": b"\xfd\x08abcdef",
    "options-forty": b"\x01" * 40,
}


def prepare(addresses):
    subprocess.run(["nft", "-f", "-"], check=True, text=True, input=f"""
table inet scripted_raw {{
	chain out {{
		type filter hook output priority -600; policy accept;
		meta mark != {MARK} meta l4proto tcp ip saddr {{ {
            ", ".join(sorted(addresses))} }} drop
	}}
}}
""")


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


class Peer:
    """One flow, as it was seen in a segment of the other side."""

    def __init__(self, sock, packet):
        self.sock = sock
        at = (packet[0] & 15) * 4
        self.theirs, self.ours = packet[12:16], packet[16:20]
        (self.sport, self.dport, self.seq, self.ack, offset,
         self.flags) = struct.unpack("!HHIIBB", packet[at:at + 14])
        self.data = packet[at + (offset >> 4) * 4:]

    def segment(self, flags, seq, options=b"", data=b"", offset=None,
                window=WINDOW, ack=None):
        if offset is None:
            offset = 5 + len(options) // 4
        head = struct.pack(
            "!HHIIBBHHH", self.dport, self.sport, seq,
            (self.seq + 1 if ack is None else ack) & 0xffffffff,
            offset << 4, flags, window, 0, 0)
        body = head + options + data
        pseudo = self.ours + self.theirs + struct.pack("!BBH", 0, 6,
                                                       len(body))
        total = checksum(pseudo + body)
        return body[:16] + struct.pack("!H", total) + body[18:]

    def send(self, body, fragment=0, number=0):
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), number,
                           fragment, 64, 6, 0, self.ours, self.theirs)
        self.sock.sendto(head + body, (socket.inet_ntoa(self.theirs), 0))


def syn_ack(peer, kind):
    """What answers the SYN."""
    whole = peer.segment(SYN_ACK, ISS, MSS)
    if kind in OPTIONS:
        peer.send(peer.segment(SYN_ACK, ISS, OPTIONS[kind]))
    elif kind == "rst-before":
        peer.send(peer.segment(RST | ACK, 0))
        peer.send(whole)
    elif kind == "rst-behind":
        peer.send(whole)
        peer.send(peer.segment(RST, ISS + 1))
    elif kind == "thrice":
        for _ in range(3):
            peer.send(whole)
    elif kind == "other-number":
        peer.send(whole)
        peer.send(peer.segment(SYN_ACK, ISS + 77777, MSS))
    elif kind == "header-short":
        peer.send(peer.segment(SYN_ACK, ISS, MSS, offset=4))
    elif kind == "header-cut":
        peer.send(peer.segment(SYN_ACK, ISS, offset=15))
    elif kind == "fragments":
        peer.send(whole[:8], 0x2000, 4711)
        peer.send(whole[8:], 1, 4711)
    elif kind == "wrong-ack":
        peer.send(peer.segment(SYN_ACK, ISS, MSS, ack=peer.seq + 2))
    elif kind == "no-window":
        peer.send(peer.segment(SYN_ACK, ISS, MSS, window=0))
    elif kind == "early":
        # RFC 9293 3.8.6: nobody may, before our ACK; some do.
        peer.send(whole)
        peer.send(peer.segment(ACK | PSH, ISS + 1, data=GREETING))
    else:
        peer.send(whole)


def greet(peer, kind):
    """After the ACK: a refusal, so that nothing more is to be said."""
    half = len(GREETING) // 2

    def part(begin, end):
        peer.send(peer.segment(ACK | PSH, ISS + 1 + begin,
                               data=GREETING[begin:end], ack=peer.seq))

    if kind == "swapped":
        part(half, None)
        part(0, half)
    elif kind == "overlapping":
        part(0, half)
        part(0, half)
        part(half - 5, None)
    elif kind == "other-content":
        # What came first counts, in packet as in the kernel.
        part(0, half)
        peer.send(peer.segment(ACK | PSH, ISS + 1, data=b"220 x" + bytes(9),
                               ack=peer.seq))
        part(half, None)
    elif kind == "backwards":
        for at in reversed(range(len(GREETING))):
            part(at, at + 1)
    elif kind == "fin-first":
        peer.send(peer.segment(ACK | FIN, END, ack=peer.seq))
        part(half, None)
        part(0, half)
    elif kind == "fin-ahead-of-all":
        peer.send(peer.segment(ACK | FIN | PSH, ISS + 1 + half,
                               data=GREETING[half:], ack=peer.seq))
        part(0, half)
    elif kind == "synack-between":
        part(0, half)
        peer.send(peer.segment(SYN_ACK, ISS, MSS, ack=peer.seq))
        part(half, None)
    elif kind == "out-of-window":
        peer.send(peer.segment(ACK | PSH, ISS + 1 + (1 << 24),
                               data=b"220 far away\r\n", ack=peer.seq))
        peer.send(peer.segment(ACK | PSH, ISS - 999,
                               data=b"220 long ago\r\n", ack=peer.seq))
        part(0, None)
    elif kind == "one-byte-twice":
        for at in range(len(GREETING)):
            part(at, at + 1)
            part(at, at + 1)
    else:
        part(0, None)


SILENT = ("everywhere", "no-window", "rst-behind")
END = ISS + 1 + len(GREETING)
AGAIN_S = 0.3
AGAIN_MAX = 10


class Flow:
    """What was greeted: how much of it has been acknowledged."""

    def __init__(self, peer):
        self.peer, self.acked, self.left = peer, ISS + 1, AGAIN_MAX

    def again(self):
        if self.acked < END and self.left > 0:
            self.left -= 1
            self.peer.send(self.peer.segment(
                ACK | PSH, self.acked, data=GREETING[self.acked - ISS - 1:],
                ack=self.peer.seq))


def heard(peer, kind, flows, tell):
    who = (peer.theirs, peer.sport, peer.ours, peer.dport)
    if peer.flags & RST:
        flows.pop(who, None)
    elif peer.flags & SYN:
        tell(f"raw {kind} {peer.sport} to {peer.dport}: SYN")
        syn_ack(peer, kind)
    elif kind in SILENT:
        return
    elif who not in flows and peer.ack == ISS + 1:
        flows[who] = Flow(peer)
        greet(peer, kind)
    elif who in flows:
        flows[who].acked = max(flows[who].acked, peer.ack)
        if peer.data or peer.flags & FIN:
            ack = peer.seq + len(peer.data) + (peer.flags & FIN)
            peer.send(peer.segment(ACK | FIN, END, ack=ack))


def answer(kinds, tell):
    """Never returns; kinds: what is odd, by address, and the one port."""
    kinds = {socket.inet_aton(addr): it for addr, it in kinds.items()}
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, MARK)
    # Every segment of the laboratory passes here.
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 26)
    sock.settimeout(AGAIN_S)
    flows = {}
    while True:
        try:
            packet = sock.recv(65535)
        except TimeoutError:
            for flow in flows.values():
                flow.again()
            continue
        kind, port = kinds.get(packet[16:20], (None, None))
        if kind is None or len(packet) < 40:
            continue
        peer = Peer(sock, packet)
        if peer.dport == port or kind == "everywhere":
            heard(peer, kind, flows, tell)
        elif peer.flags & SYN:
            peer.send(peer.segment(RST | ACK, 0))
