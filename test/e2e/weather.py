#!/usr/bin/python3
"""What a network does to the segments of a peer, in user space.

    test/e2e/weather.py WHAT DEVICE OUT MAC

Makes the tun device DEVICE; what is routed there leaves by OUT, in frames for
MAC, as WHAT says: clear, late, shuffled, twice, narrow (small windows) or
storm, which is all of them. What becomes of a segment is drawn from its own
numbers. "up" is said when it stands; SIGTERM ends it.
"""

import fcntl
import heapq
import os
import random
import select
import socket
import struct
import sys
import time
import zlib

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
MTU = 140                       # so that most replies are several segments
SYN, FIN_SYN_RST = 2, 7
AGAIN_S = 0.0002               # how far behind the second copy is
NARROW_SYN, NARROW = 128, 1     # windows: unscaled, and then scaled by 7


def delays(what, rnd):
    """Seconds after which a copy of a segment leaves, for each copy."""
    first = 0.0
    if what in ("late", "storm"):
        first += rnd.uniform(0.1, 0.3)
    if what in ("shuffled", "storm"):
        first += rnd.choice((0, 0, 0.02, 0.06))
    if what in ("twice", "storm"):
        return (first, first + AGAIN_S)
    return (first,)


def narrowed(packet):
    """With a window that a command fits into, and a ClientHello does not."""
    at = (packet[0] & 15) * 4
    flags, = struct.unpack_from("!B", packet, at + 13)
    was, check = struct.unpack_from("!HH", packet, at + 14)
    window = min(was, NARROW_SYN if flags & SYN else NARROW)
    # RFC 1624, equation 3
    total = (~check & 0xffff) + (~was & 0xffff) + window
    total = (total & 0xffff) + (total >> 16)
    total = (total & 0xffff) + (total >> 16)
    out = bytearray(packet)
    struct.pack_into("!HH", out, at + 14, window, ~total & 0xffff)
    return bytes(out)


def tun(name):
    fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(fd, TUNSETIFF,
                struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return fd


def main():
    what, device, out, mac = sys.argv[1:5]
    fd = tun(device)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    to = (out, 0x0800, 0, 0, bytes.fromhex(mac.replace(":", "")))
    os.system(f"ip link set {device} mtu {MTU} up")
    print("up", flush=True)
    queue, n = [], 0
    while True:
        now = time.monotonic()
        while queue and queue[0][0] <= now:
            wire.sendto(heapq.heappop(queue)[2], to)
        wait = max(queue[0][0] - now, 0) if queue else None
        if not select.select([fd], [], [], wait)[0]:
            continue
        packet = os.read(fd, 2048)
        if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
            continue
        if what in ("narrow", "storm"):
            packet = narrowed(packet)
        rnd = random.Random(zlib.crc32(packet[12:]))
        for delay in delays(what, rnd):
            heapq.heappush(queue, (time.monotonic() + delay, n, packet))
            n += 1


main()
