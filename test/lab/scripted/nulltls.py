"""A TLS 1.2 server that sends any bytes as its certificates.

OpenSSL sends nothing that it cannot parse itself; so this is TLS by hand,
with TLS_RSA_WITH_NULL_SHA256 (RFC 5246), which needs no cipher. A client
that offers everything has it in its list.
"""

import base64
import functools
import hashlib
import hmac
import os
import time

SUITE = b"\x00\x3b"
VERSION = b"\x03\x03"
CHANGE, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
SERVER_HELLO, CERTIFICATE, HELLO_DONE, FINISHED = 2, 11, 14, 20
MAC_LEN = 32
RECORD_MAX = 8192


# ---- DER ---------------------------------------------------------------------

def der(tag, *parts):
    body = b"".join(parts)
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + body


def der_read(data):
    """(tag, contents, rest)"""
    size, at = data[1], 2
    if size & 0x80:
        at += size & 0x7f
        size = int.from_bytes(data[2:at], "big")
    return data[0], data[at:at + size], data[at + size:]


def integer(number):
    """In two's complement, as short as it goes: a negative one too."""
    size = (number if number >= 0 else ~number).bit_length() // 8 + 1
    return der(2, number.to_bytes(size, "big", signed=True))


def oid(*arcs):
    out = bytes([arcs[0] * 40 + arcs[1]])
    for arc in arcs[2:]:
        part = bytes([arc & 0x7f])
        while arc := arc >> 7:
            part = bytes([arc & 0x7f | 0x80]) + part
        out += part
    return der(6, out)


def pem(path):
    """Every object of a PEM file."""
    found, inside = [], None
    with open(path, encoding="ascii") as lines:
        for line in lines:
            if line.startswith("-----BEGIN"):
                inside = ""
            elif line.startswith("-----END"):
                found.append(base64.b64decode(inside))
                inside = None
            elif inside is not None:
                inside += line
    return found


class Key:
    """An RSA key out of PKCS #1 or PKCS #8."""

    def __init__(self, path):
        _, body, _ = der_read(pem(path)[0])
        numbers = self.numbers(body)
        if len(numbers) < 9:
            _, _, rest = der_read(body)
            _, _, rest = der_read(rest)
            _, inner, _ = der_read(rest)
            _, body, _ = der_read(inner)
            numbers = self.numbers(body)
        self.n, self.e, self.d = numbers[1:4]
        self.size = (self.n.bit_length() + 7) // 8

    @staticmethod
    def numbers(body):
        found = []
        while body:
            tag, contents, body = der_read(body)
            if tag != 2:
                break
            found.append(int.from_bytes(contents, "big"))
        return found

    def decrypt(self, data):
        plain = pow(int.from_bytes(data, "big"), self.d, self.n)
        padded = plain.to_bytes(self.size, "big")
        return padded[padded.index(b"\0", 2) + 1:]

    def sign(self, data):
        info = der(0x30, der(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1),
                             der(5)), der(4, hashlib.sha256(data).digest()))
        padded = b"\0\1" + b"\xff" * (self.size - len(info) - 3) + b"\0" + info
        return pow(int.from_bytes(padded, "big"), self.d,
                   self.n).to_bytes(self.size, "big")

    def public(self):
        return der(0x30, der(0x30, oid(1, 2, 840, 113549, 1, 1, 1), der(5)),
                   der(3, b"\0", der(0x30, integer(self.n), integer(self.e))))


def certificate(key, serial=1, true=b"\xff", signature=None):
    """Self-signed, for junk.lab.test; `true` is what stands for TRUE."""
    algorithm = der(0x30, oid(1, 2, 840, 113549, 1, 1, 11), der(5))
    name = der(0x30, der(0x31, der(0x30, oid(2, 5, 4, 3),
                                   der(12, b"junk.lab.test"))))
    day = 86400
    dates = [time.strftime("%y%m%d%H%M%SZ", time.gmtime(time.time() + shift))
             for shift in (-30 * day, 300 * day)]
    basic = der(0x30, oid(2, 5, 29, 19), der(1, true), der(4, der(0x30)))
    signed = der(0x30, der(0xa0, integer(2)), integer(serial), algorithm, name,
                 der(0x30, *(der(23, date.encode()) for date in dates)), name,
                 key.public(), der(0xa3, der(0x30, basic)))
    return der(0x30, signed, algorithm,
               der(3, b"\0", signature or key.sign(signed)))


GARBAGE = b"this is no certificate at all"
# The certificates of a case, leaf first, from a key and a good certificate.
CHAINS = {
    "duplicates": lambda key, good: [good] * 5,
    "negative-serial": lambda key, good: [certificate(key, -5)],
    "long-serial": lambda key, good: [certificate(key, 1 << 400)],
    "not-der-leaf": lambda key, good: [certificate(key, true=b"\x01")],
    "not-der-behind": lambda key, good: [good, certificate(key, true=b"\x01")],
    "garbage-leaf": lambda key, good: [GARBAGE],
    "garbage-behind": lambda key, good: [good, GARBAGE],
    "trailing-bytes": lambda key, good: [good + b"\0\0\0\0"],
    "no-certificate": lambda key, good: [],
    # One signature for all: nobody asks behind the leaf.
    "many": lambda key, good: [good] + [
        certificate(key, n, signature=bytes(256)) for n in range(1, 40)],
}


@functools.cache
def chain(kind, certs):
    return CHAINS[kind](Key(f"{certs}/goodrsa.key"),
                        pem(f"{certs}/goodrsa.pem")[0])


# ---- TLS ---------------------------------------------------------------------

def prf(secret, label, seed, size):
    seed = label + seed
    out, a = b"", seed
    while len(out) < size:
        a = hmac.digest(secret, a, "sha256")
        out += hmac.digest(secret, a + seed, "sha256")
    return out[:size]


class Connection:
    """Like a socket, once the handshake is done."""

    def __init__(self, sock):
        self.sock = sock
        self.read_mac = self.write_mac = None
        self.read_n = self.write_n = 0
        self.shaken = self.left = b""

    def settimeout(self, seconds):
        self.sock.settimeout(seconds)

    def unwrap(self):
        self.write(ALERT, b"\1\0")
        return self.sock

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.sock.recv(size - len(data))
            if not more:
                raise OSError("closed inside TLS")
            data += more
        return data

    @staticmethod
    def mac(key, number, kind, data):
        return hmac.digest(key, number.to_bytes(8, "big") + bytes([kind]) +
                           VERSION + len(data).to_bytes(2, "big") + data,
                           "sha256")

    def write(self, kind, data):
        if self.write_mac:
            data += self.mac(self.write_mac, self.write_n, kind, data)
            self.write_n += 1
        self.sock.sendall(bytes([kind]) + VERSION +
                          len(data).to_bytes(2, "big") + data)

    def read(self, wanted):
        """The next record, which must be of that kind."""
        head = self.exactly(5)
        data = self.exactly(int.from_bytes(head[3:], "big"))
        if self.read_mac:
            data, mac = data[:-MAC_LEN], data[-MAC_LEN:]
            if mac != self.mac(self.read_mac, self.read_n, head[0], data):
                raise OSError("a wrong MAC")
            self.read_n += 1
        if head[0] == ALERT and data[1] == 0:
            return b""
        if head[0] != wanted:
            raise OSError(f"record of type {head[0]}: {data[:16]!r}")
        return data

    def say(self, kind, body):
        message = bytes([kind]) + len(body).to_bytes(3, "big") + body
        self.shaken += message
        for at in range(0, len(message), RECORD_MAX):
            self.write(HANDSHAKE, message[at:at + RECORD_MAX])

    def hear(self):
        message = self.read(HANDSHAKE)
        self.shaken += message
        return message

    def finished(self, master, who):
        return prf(master, who + b" finished",
                   hashlib.sha256(self.shaken).digest(), 12)

    def sendall(self, data):
        for at in range(0, len(data), RECORD_MAX):
            self.write(DATA, data[at:at + RECORD_MAX])

    def recv(self, size):
        if not self.left:
            self.left = self.read(DATA)
        data, self.left = self.left[:size], self.left[size:]
        return data

    def close(self):
        self.sock.close()


def offered(hello):
    """Whether our suite stands in a ClientHello."""
    at = 38 + 1 + hello[38]
    size = int.from_bytes(hello[at:at + 2], "big")
    listed = hello[at + 2:at + 2 + size]
    return SUITE in (listed[i:i + 2] for i in range(0, size, 2))


def accept(sock, key_path, certificates):
    key = Key(key_path)
    c = Connection(sock)
    hello = c.hear()
    if not offered(hello):
        c.write(ALERT, b"\2\x28")
        raise OSError("a suite without encryption is not on offer")
    theirs, ours = hello[6:38], os.urandom(32)
    c.say(SERVER_HELLO, VERSION + ours + b"\0" + SUITE + b"\0")
    listed = b"".join(len(der_).to_bytes(3, "big") + der_
                      for der_ in certificates)
    c.say(CERTIFICATE, len(listed).to_bytes(3, "big") + listed)
    c.say(HELLO_DONE, b"")
    premaster = key.decrypt(c.hear()[6:])
    master = prf(premaster, b"master secret", theirs + ours, 48)
    keys = prf(master, b"key expansion", ours + theirs, 2 * MAC_LEN)
    c.read(CHANGE)
    c.read_mac = keys[:MAC_LEN]
    wanted = c.finished(master, b"client")
    if c.hear()[4:] != wanted:
        raise OSError("a wrong Finished")
    c.write(CHANGE, b"\1")
    c.write_mac = keys[MAC_LEN:]
    c.say(FINISHED, c.finished(master, b"server"))
    return c
