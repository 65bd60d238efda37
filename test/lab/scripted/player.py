"""Plays a script, one connection after another, to whoever connects."""

import re
import socket
import ssl
import struct
import time

import hostile
import nulltls

# What transcripts call us, and what the laboratory's configuration does.
OURS = (("https://probe.example.org/", "https://scanner.lab.test/"),
        ("probe.example.org", "scanner.lab.test"))
HEAR_S = 45
QUIET_S = 0.4
VERSIONS = {"TLSv1.0": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1,
            "TLSv1.2": ssl.TLSVersion.TLSv1_2,
            "TLSv1.3": ssl.TLSVersion.TLSv1_3}
ALERT = 0x15


class Left(Exception):
    """The other side has gone, or did what the script does not know."""


def unescape(text):
    """\\xNN is a byte, \\\\ a backslash."""
    return re.sub(rb"\\x([0-9a-fA-F]{2})|\\(\\)",
                  lambda m: bytes([int(m[1], 16)]) if m[1] else b"\\",
                  text.encode("latin-1"))


def spoken(word, rest):
    """The bytes of a line that the server says, or None."""
    if word == "S:":
        return unescape(rest) + b"\r\n"
    if word == "L:":
        return unescape(rest) + b"\n"
    if word == "P:":
        return unescape(rest)
    if word == "REPEAT":
        count, _, text = rest.partition(" ")
        return (unescape(text) + b"\r\n") * int(count)
    return None


def read_script(path):
    """The parts of a script: each a list of (word, rest or bytes)."""
    parts = [[]]
    with open(path, encoding="latin-1") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if not line or line[0] in "#=" or line.startswith("PORT "):
                continue
            if line == "NEXT":
                parts.append([])
                continue
            word, _, rest = line.partition(" ")
            said = spoken(word, rest)
            steps = parts[-1]
            if said is None:
                steps.append((word, rest))
            elif steps and steps[-1][0] == "say":
                steps[-1] = "say", steps[-1][1] + said
            else:
                steps.append(("say", said))
    return parts


def options(rest):
    """Of a TLS step: version, or lowest-highest; cert=NAME, client, asks."""
    words = rest.split()
    found = {"version": words[0], "cert": "good"}
    for word in words[1:]:
        key, _, value = word.partition("=")
        found[key] = value
    return found


class Player:
    """One connection, from its first step to its last."""

    def __init__(self, sock, certs, log):
        self.sock = sock
        self.certs = certs
        self.log = log
        self.segment = self.pause_s = 0
        sock.settimeout(HEAR_S)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def play(self, steps):
        for word, rest in steps:
            getattr(self, "do_" + word.rstrip(":").lower())(rest)
        self.do_close("")

    # ---- bytes ------------------------------------------------------------

    def send(self, data):
        step = self.segment or max(len(data), 1)
        for at in range(0, len(data), step):
            self.sock.sendall(data[at:at + step])
            time.sleep(self.pause_s)

    def exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise Left("closed")
            data += more
        return data

    def line(self):
        """Byte by byte, so that nothing behind it is taken away."""
        data = b""
        while not data.endswith(b"\n"):
            data += self.exactly(1)
        return data

    def until_quiet(self):
        data = b""
        self.sock.settimeout(QUIET_S)
        try:
            while more := self.sock.recv(4096):
                data += more
        except TimeoutError:
            pass
        self.sock.settimeout(HEAR_S)
        return data

    # ---- what is said and heard ----------------------------------------------

    def do_say(self, data):
        self.send(data)

    def do_c(self, text):
        if not text:
            # What was meant for TLS lies before the empty line.
            time.sleep(QUIET_S)
            self.until_quiet()
            return
        for theirs, here in OURS:
            text = text.replace(theirs, here)
        heard = self.line()
        if heard != text.encode() + b"\r\n":
            self.log(f"WRONG: {heard!r} in place of {text!r}")
            raise Left("no way to go on")

    def do_segment(self, rest):
        self.segment, pause_ms = map(int, rest.split())
        self.pause_s = pause_ms / 1000

    def do_pause(self, ms):
        time.sleep(int(ms) / 1000)

    def do_drip(self, rest):
        ms, _, text = rest.partition(" ")
        while True:
            for byte in unescape(text):
                self.sock.sendall(bytes([byte]))
                time.sleep(int(ms) / 1000)

    def do_slow(self, _):
        self.do_drip("1000 x")

    def do_endless(self, text):
        data = unescape(text)
        data *= max(1, 16384 // len(data))
        while True:
            self.sock.sendall(data)

    def do_quiet(self, _):
        pass

    # ---- how it ends -----------------------------------------------------------

    def do_close(self, _):
        """FIN, and no RST for what has not been read."""
        self.do_half("")
        self.sock.settimeout(2)
        try:
            while self.sock.recv(4096):
                pass
        except TimeoutError:
            pass
        raise Left("done")

    def do_half(self, _):
        if isinstance(self.sock, (ssl.SSLSocket, nulltls.Connection)):
            self.sock = self.sock.unwrap()
        self.sock.shutdown(socket.SHUT_WR)

    def do_reset(self, _):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
        raise Left("reset")

    def do_timeout(self, _):
        while self.sock.recv(4096):
            pass
        raise Left("left by the other side")

    def do_deaf(self, _):
        time.sleep(HEAR_S)
        raise Left("deaf")

    # ---- TLS --------------------------------------------------------------------

    def context(self, rest):
        want = options(rest)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers(want.get("ciphers", "ALL") + ":@SECLEVEL=0")
        lowest, _, highest = want["version"].partition("-")
        context.minimum_version = VERSIONS[lowest]
        context.maximum_version = VERSIONS[highest or lowest]
        context.load_cert_chain(f"{self.certs}/{want['cert']}.pem",
                                f"{self.certs}/{want['cert']}.key")
        if "tickets" in want:
            context.num_tickets = int(want["tickets"])
        if "client" in want or "asks" in want:
            context.load_verify_locations(f"{self.certs}/ca.pem")
            context.verify_mode = (ssl.CERT_REQUIRED if "client" in want
                                   else ssl.CERT_OPTIONAL)
        return context

    def do_tls(self, rest):
        self.sock = self.context(rest).wrap_socket(
            self.sock, server_side=True, suppress_ragged_eofs=True)

    def do_hello(self, _):
        """Hears one record, which a ClientHello is."""
        head = self.exactly(5)
        return head + self.exactly(int.from_bytes(head[3:], "big"))

    def do_flight(self, rest):
        """The first N records of a real server's answer, then nothing."""
        count, _, rest = rest.partition(" ")
        inward, outward = ssl.MemoryBIO(), ssl.MemoryBIO()
        shaking = self.context(rest).wrap_bio(inward, outward,
                                              server_side=True)
        inward.write(self.do_hello(""))
        try:
            shaking.do_handshake()
        except ssl.SSLWantReadError:
            pass
        flight, at = outward.read(), 0
        for _ in range(int(count)):
            at += 5 + int.from_bytes(flight[at + 3:at + 5], "big")
        self.send(flight[:at])

    def do_records(self, _):
        """What the other side answers to a flight."""
        self.until_quiet()

    def do_alert(self, rest):
        """In place of a ServerHello, or behind what a FLIGHT has said."""
        number = int(rest.split()[0])
        self.do_hello("")
        self.send(bytes([ALERT, 3, 3, 0, 2, 2, number]))

    def do_begun(self, _):
        self.do_hello("")
        self.send(b"\x16\x03\x03\x00\x7a\x02\x00")

    def do_nulltls(self, chain):
        self.sock = nulltls.accept(self.sock, f"{self.certs}/goodrsa.key",
                                   nulltls.chain(chain, self.certs))

    # ---- what is meant to cost ---------------------------------------------------

    def do_dhe(self, bits):
        self.sock = hostile.dhe(self.sock, f"{self.certs}/goodrsa.key",
                                nulltls.chain("duplicates", self.certs)[:1],
                                int(bits))

    def do_flood(self, rest):
        """Records of a type, one after another."""
        kind, _, text = rest.partition(" ")
        while True:
            self.sock.write(int(kind), unescape(text))
