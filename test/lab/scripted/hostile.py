#!/usr/bin/python3
"""Servers that mean to cost us something: for test/e2e/hostile.sh.

    hostile.py TRUTH CERTS HOSTS    writes the truth of HOSTS hosts of each
                                    kind, and certificates that OpenSSL serves

As a module: chains for NULLTLS, and a key exchange that costs the most.
"""

import base64
import os
import random
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import nulltls  # noqa: E402  (the path first)
from nulltls import der, integer, oid  # noqa: E402

SHA256_RSA = der(0x30, oid(1, 2, 840, 113549, 1, 1, 11), der(5))
EC_KEY = oid(1, 2, 840, 10045, 2, 1)
PRIME_FIELD = oid(1, 2, 840, 10045, 1, 1)
DHE_RSA = b"\x00\x33"  # TLS_DHE_RSA_WITH_AES_128_CBC_SHA
KEY_EXCHANGE = 12
DATES = der(0x30, der(23, b"260101000000Z"), der(23, b"340101000000Z"))


def number(bits):
    """Always the same, odd, and of exactly so many bits."""
    return random.Random(bits).getrandbits(bits) | 1 << (bits - 1) | 1


def rsa(bits):
    return der(0x30, der(0x30, oid(1, 2, 840, 113549, 1, 1, 1), der(5)),
               der(3, b"\0", der(0x30, integer(number(bits)),
                                 integer(65537))))


def explicit_curve(bits=661):
    """Over a field that is none, with a point whose root is to be drawn."""
    size = (bits + 7) // 8
    point = der(4, b"\2" + number(bits - 8).to_bytes(size, "big"))
    element = der(4, number(bits - 4).to_bytes(size, "big"))
    curve = der(0x30, integer(1),
                der(0x30, PRIME_FIELD, integer(number(bits))),
                der(0x30, element, element), point,
                integer(number(bits - 2)), integer(1))
    return der(0x30, der(0x30, EC_KEY, curve),
               der(3, b"\0\2" + number(bits - 8).to_bytes(size, "big")))


def name(text):
    return der(0x30, der(0x31, der(0x30, oid(2, 5, 4, 3),
                                   der(12, text.encode()))))


def certificate(key, subject, issuer, names=0, signer=None):
    """Signed by none, if there is no signer: what a stranger may send."""
    listed = der(0x30, *(der(0x82, f"h{n}.hostile.lab.test".encode())
                         for n in range(names)))
    basic = der(0x30, oid(2, 5, 29, 19), der(1, b"\xff"),
                der(4, der(0x30, der(1, b"\xff"))))
    more = [der(0x30, oid(2, 5, 29, 17), der(4, listed))] if names else []
    signed = der(0x30, der(0xa0, integer(2)), integer(number(64)),
                 SHA256_RSA, name(issuer), DATES, name(subject), key,
                 der(0xa3, der(0x30, basic, *more)))
    return der(0x30, signed, SHA256_RSA, der(
        3, b"\0", signer.sign(signed) if signer else bytes(2048)))


def links(count, bits, cycle=False):
    """Each the issuer of the one before; the last of nobody, or the first."""
    return [certificate(rsa(bits + n), f"link {n}", f"link {n + 1}"
                        if n + 1 < count or not cycle else "link 0")
            for n in range(count)]


nulltls.CHAINS.update({
    "huge": lambda key, good: [certificate(
        key.public(), "huge", "huge", 38000, key)],
    "many-names": lambda key, good: [certificate(
        key.public(), "names", "names", 3600, key)],
    "rsa16384": lambda key, good: [certificate(rsa(16384), "a", "a")],
    "explicit-curve": lambda key, good: [certificate(
        explicit_curve(), "curve", "curve")],
    "cyclic": lambda key, good: links(4, 16370, cycle=True),
    "near-limit": lambda key, good: links(22, 16300),
    "over-limit": lambda key, good: links(60, 16300),
})


def dhe(sock, key_path, certificates, bits):
    """As far as the client's own share, which is what costs."""
    key, c = nulltls.Key(key_path), nulltls.Connection(sock)
    theirs, ours = c.hear()[6:38], os.urandom(32)
    c.say(nulltls.SERVER_HELLO,
          nulltls.VERSION + ours + b"\0" + DHE_RSA + b"\0")
    listed = b"".join(len(it).to_bytes(3, "big") + it for it in certificates)
    c.say(nulltls.CERTIFICATE, len(listed).to_bytes(3, "big") + listed)
    size = (bits + 7) // 8
    params = b"".join(len(it).to_bytes(2, "big") + it for it in (
        number(bits).to_bytes(size, "big"), b"\2",
        number(bits - 3).to_bytes(size, "big")))
    signature = key.sign(theirs + ours + params)
    c.say(KEY_EXCHANGE, params + b"\4\1" +
          len(signature).to_bytes(2, "big") + signature)
    c.say(nulltls.HELLO_DONE, b"")
    return c


# Script, port, and what may come of it; one address for each host.
KINDS = (
    ("endless-greeting", 25), ("endless-line", 25), ("endless-ehlo", 25),
    ("endless-capa", 110), ("endless-untagged", 143), ("endless-in-tls", 993),
    ("endless-stray", 25), ("endless-certificate", 465),
    ("endless-goodbye", 25), ("tarpit-greeting", 25), ("tarpit-reply", 143),
    ("tarpit-tls", 993), ("tarpit-in-tls", 995), ("deaf", 25),
    ("hostile-huge", 465), ("hostile-many-names", 465),
    ("hostile-rsa16384", 465), ("hostile-explicit-curve", 465),
    ("hostile-cyclic", 465), ("hostile-near-limit", 465),
    ("hostile-over-limit", 465), ("hostile-huge-13", 465),
    ("hostile-many-13", 465), ("hostile-dhe-10000", 465),
    ("hostile-dhe-8192", 465), ("hostile-hello-requests", 465),
    ("hostile-empty-records", 465), ("hostile-warnings", 465),
    ("hostile-tickets", 465),
)
FIRST = 100


def truth(hosts):
    for n, (script, port) in enumerate(KINDS):
        for host in range(1, hosts + 1):
            yield (f"{script}.{host}", f"198.18.{FIRST + n}.{host}",
                   str(port), *"------", script, "-")


def write_pem(path, certificates):
    with open(path, "w", encoding="ascii") as file:
        for one in certificates:
            text = base64.b64encode(one).decode()
            lines = [text[at:at + 64] for at in range(0, len(text), 64)]
            print("-----BEGIN CERTIFICATE-----", *lines,
                  "-----END CERTIFICATE-----", sep="\n", file=file)


def main():
    path, certs, hosts = sys.argv[1:]
    key = nulltls.Key(f"{certs}/goodrsa.key")
    good = nulltls.pem(f"{certs}/goodrsa.pem")[0]
    write_pem(f"{certs}/huge.pem", nulltls.CHAINS["huge"](key, good))
    write_pem(f"{certs}/many.pem", [good] + links(50, 16000))
    for made in ("huge", "many"):
        with open(f"{certs}/goodrsa.key", encoding="ascii") as file:
            text = file.read()
        with open(f"{certs}/{made}.key", "w", encoding="ascii") as file:
            file.write(text)
    with open(path, "w", encoding="ascii") as file:
        for field in truth(int(hosts)):
            print(*field, sep="\t", file=file)


if __name__ == "__main__":
    main()
