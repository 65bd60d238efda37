#!/usr/bin/python3
"""Has each verdict of a sweep its evidence, a line that the server said?

    mailsweep dump -f FILE --transcript | test/e2e/evidence.py

A reader of its own: it takes the transcript alone, as an operator would who
was told of a finding, and knows nothing of how the verdict was reached. A line
`ok WHAT` for each kind of verdict, or `FAILED WHAT` for each row without.

Then it must fail: every verdict is said of rows that have none, and every row
that has one loses what its server said, and each of these forgeries is to be
refused.
"""

import collections
import json
import re
import sys

TLS_PORTS = {465, 993, 995}
SECURED = re.compile(r"TLSv1\.[0-3] ")
OBSOLETE = re.compile(r"TLSv1\.[01] ")
ASKS_TLS = re.compile(r"(?:\S+ )?(?:STLS|STARTTLS)$", re.I)
# The reply that ends an exchange: yes, no.
FINAL = {
    "pop3": (r"\+OK", r"-ERR"),
    "imap": (r"[a-z] OK\b", r"([a-z]|\*) (NO|BAD)\b"),
    # 421 is a farewell, whatever was asked.
    "smtp": (r"[23]\d\d( |$)", r"(?!421)[45]\d\d( |$)"),
}
SECOND = "second connection: "
# An alert that is about us, since we name no host (RFC 6066, 3).
ABOUT_US = "alert 112 "
ENDED = re.compile(r"(closed|reset) by the server$")
# A no that is for the moment or about us, and says nothing of TLS; 454 is none.
PASSES = re.compile(
    r"4\d\d|.*(too many|try again|\blater\b|temporar|\bbusy\b|\[IN-USE\]|"
    r"\[SYS/TEMP\]|\[UNAVAILABLE\]|shutting down|spamhaus|blocked using)", re.I)
OF_TLS = re.compile(r"454|.*(\b(TLS|SSL)\b|\bTLSv1|certificate)", re.I)
REFUSES_US = r"[45]\d\d[ -]|[45]\d\d$|-ERR|\* (BYE|NO|BAD)\b|BYE "


class Dialog:
    """A transcript in exchanges: what we said, and what came back.

    second: of the second connection that tried an injection.
    """

    def __init__(self, row, second=False):
        self.row = row
        self.proto = row["protocol"]
        self.exchanges = [("", [])]  # the greeting answers nothing
        self.before_tls = None  # exchanges in clear
        self.secured = ""  # what TLS became
        self.tls_error = False
        self.ended = False  # by the server, in clear or in the handshake
        self.after = []
        entries = row.get("transcript") or []
        cut = next((n for n, one in enumerate(entries) if one["who"] == "N"
                    and one["line"].startswith(SECOND)), len(entries))
        for entry in entries[cut + 1:] if second else entries[:cut]:
            self.take(entry["who"], entry["line"])
        if self.before_tls is None:
            self.before_tls = self.exchanges

    def take(self, who, line):
        if who == "T" and SECURED.match(line) and self.before_tls is None:
            self.secured = line
            self.before_tls = self.exchanges
            self.exchanges = [("", [])]
        elif who == "T":
            self.tls_error = ABOUT_US not in line
        elif who == "N":
            self.ended = not self.secured and bool(ENDED.match(line))
        elif who == "C":
            self.exchanges.append((line, []))
        elif who == "S":
            self.exchanges[-1][1].append(line)
            self.after += [line] if self.secured else []

    def said(self):
        """All that the server said in clear."""
        return [line for _, lines in self.before_tls for line in lines]

    def greeting(self):
        """The status of the greeting; empty lines before it mean nothing."""
        lines = [line for line in self.before_tls[0][1] if line]
        return lines[0] if lines else ""

    def asked(self, pattern):
        """Replies in clear to the commands that match."""
        return [(at, lines) for at, (said, lines) in enumerate(self.before_tls)
                if re.match(pattern, said, re.I)]

    def answer(self, lines, yes):
        """The first line that ends a reply so."""
        pattern = FINAL.get(self.proto, ("$^", "$^"))[0 if yes else 1]
        return next((n for n, line in enumerate(lines)
                     if re.match(pattern, line, re.I)), None)

    def capabilities(self):
        """Lists on offer in clear, each as words; None where none came."""
        if self.proto == "pop3":
            for _, lines in self.asked("CAPA$"):
                if self.answer(lines, True) == 0 and "." in lines:
                    return [line.upper() for line in
                            lines[1:lines.index(".")]]
        elif self.proto == "smtp":
            for _, lines in self.asked("EHLO "):
                if self.answer(lines, True) is not None:
                    return [line[4:].upper() for line in lines
                            if re.match(r"2\d\d[ -]", line)][1:]
        elif self.proto == "imap":
            lists = [line.split()[2:] for _, lines in self.asked(r"\S+ CAPA")
                     for line in lines
                     if re.match(r"\* CAPABILITY\b", line, re.I)]
            found = re.match(r"\* \w+ +\[CAPABILITY ([^]]*)\]",
                             self.greeting(), re.I)
            tagged = [line for _, lines in self.asked(r"\S+ CAPA")
                      for line in lines]
            tagged = re.match(r"\w OK +\[CAPABILITY ([^]]*)\]",
                              tagged[-1] if tagged else "", re.I)
            if not lists and (tagged or found):
                lists = [(tagged or found)[1].split()]
            if lists:
                return [word.upper() for one in lists for word in one]
        return None

    def offers_tls(self):
        """On offer in clear: in a list, or in the greeting's own."""
        words = [re.split(r"[ =]", one)[0] for one in
                 self.capabilities() or ()]
        found = re.match(r"\* \w+ +\[CAPABILITY ([^]]*)\]", self.greeting(),
                         re.I)
        words += found[1].upper().split() if found else []
        return "STLS" in words or "STARTTLS" in words

    def tls_reply(self):
        """What came back when TLS was asked for; None: it was not."""
        for said, lines in self.before_tls:
            if ASKS_TLS.match(said):
                return lines
        return None

    def refuses_tls(self):
        """It said no to STARTTLS, and meant it."""
        lines = self.tls_reply() or []
        at = self.answer(lines, False)
        return at is not None and (
            bool(OF_TLS.match(lines[at])) or not PASSES.match(lines[at]))

    def stray_lines(self):
        lines = self.tls_reply() or []
        for said, more in self.before_tls[1:]:
            # An injected command stands in one write with STARTTLS.
            if lines == [] and said and not ASKS_TLS.match(said):
                lines = more
        yes = self.answer(lines, True)
        return lines[yes + 1:] if yes is not None else []


def no_tls(d):
    if not d.refuses_tls() or d.offers_tls():
        return False
    if d.proto == "pop3" and d.capabilities() is None:
        return any(d.answer(lines, False) == 0 for _, lines in d.asked("CAPA"))
    return d.capabilities() is not None


def cleartext_login(d):
    if not re.match(r"\+OK|\* OK|220", d.greeting(), re.I):
        return False
    words = d.capabilities()
    if d.proto == "pop3":
        if words is None:
            return any(d.answer(lines, False) == 0 and
                       not re.search("TLS|SSL", lines[0], re.I)
                       for _, lines in d.asked("CAPA"))
        # Without a mechanism, STLS at hand and no APOP, USER would be refused.
        mechanisms = [word for word in words if re.match(r"SASL\b", word)]
        if (mechanisms and not any(word[4:].strip() for word in mechanisms)
                and d.offers_tls() and not re.search("<.*@.*>", d.greeting())):
            return False
        return any(re.match(r"USER\b|SASL .*\b(PLAIN|LOGIN)\b", word)
                   for word in words)
    if words is None:
        return False
    if d.proto == "imap":
        return not {"LOGINDISABLED", "XTLSREQUIRED"} & set(words)
    return any(re.match(r"AUTH[ =].*\b(PLAIN|LOGIN)\b", word)
               for word in words)


def starttls_broken(d):
    reply = d.tls_reply()
    if reply is None or not d.offers_tls() or d.secured and not d.tls_error:
        return False
    if d.refuses_tls():
        return True
    # It said yes, and no TLS came: an alert, clear text or an end are noted.
    return d.answer(reply, True) is not None and (
        d.tls_error or d.ended or bool(d.stray_lines()))


def masked(d):
    return any(re.search(r"\*\*\*\*|^250[ -]X{3,}[A-Z]$", line)
               for line in d.said())


def refused_us(d):
    if re.match(REFUSES_US, d.greeting(), re.I):
        return True
    return any(re.match(r"421|\* BYE", line, re.I)
               for said, lines in d.before_tls
               if not re.search(r"(QUIT|LOGOUT|STLS|STARTTLS)$", said)
               for line in lines)


def injection(d):
    """More answers inside TLS than there were commands."""
    d = Dialog(d.row, second=True)
    wanted = {"pop3": r"\+OK|-ERR", "imap": r"i (OK|NO|BAD)",
              "smtp": r"[2-5]\d\d( |$)"}.get(d.proto, "$^")
    answers = [line for line in d.after if re.match(wanted, line, re.I)]
    return len(answers) >= (1 if d.proto == "imap" else 2)


EVIDENCE = {
    "no_tls": no_tls,
    "cleartext_login": cleartext_login,
    "starttls_broken": starttls_broken,
    "stray_plaintext": lambda d: bool(d.stray_lines()) and (
        bool(d.secured) or d.tls_error),
    "obsolete_tls": lambda d: bool(OBSOLETE.match(d.secured)),
    "tls_on_cleartext_port": lambda d: d.row["port"] not in TLS_PORTS and (
        bool(d.secured) and len(d.before_tls) == 1 and not d.said() or
        any(line.startswith((r"\x15\x03", r"\x16\x03"))
            for line in d.said())),
    "cleartext_on_tls_port": lambda d: d.row["port"] in TLS_PORTS and
        bool(re.match(r"\d\d\d[ -]|\+OK|-ERR|\* ", d.greeting())),
    "masked": masked,
    "refused_us": refused_us,
    "preauth": lambda d: bool(re.match(r"\* PREAUTH\b", d.greeting(), re.I)),
    "other_protocol": lambda d: bool(d.said() or d.secured and d.after) and
        d.proto == "unknown",
    "starttls_injection": injection,
}


def verdicts(row):
    """What the row claims that a line must bear out."""
    claims = [one for one in row.get("findings") or () if one in EVIDENCE]
    if row.get("starttls") == "not_offered":
        claims.append("not_offered")
    return claims


def is_borne_out(row, claim):
    return (EVIDENCE["no_tls"] if claim == "not_offered"
            else EVIDENCE[claim])(Dialog(row))


def forged(rows):
    """Rows that claim too much: (how, row, claim)."""
    for row in rows:
        claims = verdicts(row)
        lines = row.get("transcript") or []
        # Any bytes bear out that it was another protocol.
        for claim in EVIDENCE.keys() - {"other_protocol"}:
            if claim not in claims and (row["starttls"], claim) != (
                    "not_offered", "no_tls"):
                yield "said of a row that has none", row, claim
        for claim in claims:
            yield "without a transcript", {**row, "transcript": []}, claim
            yield ("without what the server said", {**row, "transcript": [
                one for one in lines if one["who"] in "CN"]}, claim)


def where(row):
    return f"{row['ip']} port {row['port']}"


def main():
    rows = [json.loads(line) for line in sys.stdin]
    have, lack = collections.Counter(), []
    for row in rows:
        for claim in verdicts(row):
            if is_borne_out(row, claim):
                have[claim] += 1
            else:
                lack.append(f"{claim} without evidence: {where(row)}")
    for claim, n in sorted(have.items()):
        print(f"ok evidence of {claim}, in {n} rows")
    refused, taken = collections.Counter(), []
    for how, row, claim in forged(rows):
        if is_borne_out(row, claim):
            taken.append(f"forged, and taken: {claim} {how}: {where(row)}")
        else:
            refused[how] += 1
    for how, n in sorted(refused.items()):
        print(f"ok forged verdicts {how}: {n} refused")
    for what in lack + taken:
        print(f"FAILED {what}")
    sys.exit(1 if lack or taken or not have or not refused else 0)


main()
