#!/usr/bin/python3
"""Reads the feeds with a CSV reader that is not ours.

    test/e2e/feeds.py DIRECTORY SERVERS.TSV GEO.CSV

Columns, dialect, file names, and that each row that belongs there is there:
what a file must hold follows from the laboratory's set-ups, not from our
records. Lines "ok WHAT" and "FAILED WHAT".
"""

import csv
import datetime
import io
import ipaddress
import os
import re
import sys

NUMBERS = {"port", "asn", "naics", "cert_length", "ssl_version"}
BOOLEAN = re.compile(r"[YN]?")
NAME = re.compile(r"(\d{4}-\d\d-\d\d)-(scan6?_\w+?)-(\w+)-(\w+)\.csv")
BROKEN = {"not_offered", "refused", "closed", "not_tls"}
# The filters of test/lab/lab.conf, said again.
RECIPIENTS = {
    "cert_de": lambda row: row["geo"] == "DE",
    "as64496": lambda row: row["asn"] == "64496",
    "campus": lambda row: row["ip"].startswith(("198.18.37.", "198.18.64.")),
    "testers": lambda row: "selfsigned" in row["subject_common_name"],
    "all": lambda row: True,
}
MEDIUM_ONLY = {"as64496"}


def say(good, what, why=""):
    print(f"{'ok' if good else 'FAILED'} {what}{'' if good else ': ' + why}")
    return good


def truth(path):
    """The (type, ip, port) that the set-ups give, for one who sees all."""
    rows = set()
    with open(path, encoding="ascii") as file:
        for line in file:
            if line.startswith("#"):
                continue
            _, ip, port, proto, starttls, findings, _, outcome = \
                line.rstrip("\n").split("\t")
            if outcome != "completed":
                continue
            scan = "scan6_" if ":" in ip else "scan_"
            rows.add((scan + proto, ip, port))
            if (proto != "smtp" and "cleartext_login" in findings.split(",")
                    and starttls in BROKEN):
                rows.add((f"{scan}{proto}_vulnerable", ip, port))
    return rows


def country_of(path):
    nets = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            if not line.startswith("#"):
                field = line.rstrip("\n").split(",")
                nets.append((ipaddress.ip_network(field[0]), field))
    nets.sort(key=lambda net: -net[0].prefixlen)

    def lookup(ip):
        addr = ipaddress.ip_address(ip)
        return next((f for n, f in nets if addr in n), None)
    return lookup


def dialect(raw, rows, columns):
    """What FEEDS.md 2 says of the bytes; the first thing that is wrong."""
    if raw.startswith(b"\xef\xbb\xbf") or b"\r" in raw:
        return "BOM or CR"
    text = raw.decode("utf-8")
    if not text.endswith("\n"):
        return "no line end at the end"
    if text.split("\n")[0] != ",".join(f'"{c}"' for c in columns):
        return "the header is not quoted"
    if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text):
        return "a control byte"
    # Written again by their rules it must be the same, byte for byte.
    out = io.StringIO()
    for row in [columns, *rows]:
        fields = []
        for name, value in zip(columns, row):
            bare = value == "" or (row is not columns and name in NUMBERS)
            fields.append(value if bare else
                          '"' + value.replace('"', '""') + '"')
        out.write(",".join(fields) + "\n")
    if out.getvalue() != text:
        first = next((a, b) for a, b in
                     zip(out.getvalue().split("\n"), text.split("\n"))
                     if a != b)
        return f"not written as the dialect says: {first[1][:200]}"
    return ""


def check_row(row, lookup):
    datetime.datetime.strptime(row["timestamp"], "%Y-%m-%d %H:%M:%S")
    assert str(ipaddress.ip_address(row["ip"])) == row["ip"], row["ip"]
    place = lookup(row["ip"])
    assert row["geo"] == place[1], (row["ip"], row["geo"], place)
    assert row["asn"] == place[4], (row["ip"], row["asn"], place)
    assert row["region"] == place[2].upper(), row["region"]
    assert row["city"] == place[3].upper(), row["city"]
    for name in NUMBERS & set(row):
        assert re.fullmatch(r"\d*", row[name]), (name, row[name])
    for name in ("cert_valid", "self_signed", "cert_expired",
                 "tlsv13_support"):
        if name in row:
            assert BOOLEAN.fullmatch(row[name]), (name, row[name])
    assert not row.get("jarm"), "jarm was not measured"
    if row.get("handshake"):
        assert re.fullmatch(r"TLSv1\.[0-3]", row["handshake"])
        assert row["cipher_suite"].startswith("TLS_"), row["cipher_suite"]
        assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}",
                            row["sha256_fingerprint"])


def read(path, columns_dir, lookup):
    """The rows of one file, judged; None when it is not a feed."""
    name = os.path.basename(path)
    match = NAME.fullmatch(name)
    if not say(match is not None, f"{name}: the name of a feed", "it is not"):
        return None
    day, kind, recipient, _ = match.groups()
    with open(os.path.join(columns_dir, kind + ".txt"),
              encoding="ascii") as file:
        official = file.read().split()
    with open(path, "rb") as file:
        raw = file.read()
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8"), newline=""),
                           strict=True))
    columns, rows = rows[0], rows[1:]
    say(columns[:len(official)] == official,
        f"{name}: the {len(official)} columns", str(columns))
    extra = columns[len(official):]
    say(all(c.startswith(("x_", "raw_cert")) for c in extra),
        f"{name}: ours come last", str(extra))
    wrong = dialect(raw, rows, columns)
    say(not wrong, f"{name}: the dialect", wrong)
    say(all(len(row) == len(columns) for row in rows) and rows,
        f"{name}: {len(rows)} rows, none of them short", "a row is short")
    rows = [dict(zip(columns, row)) for row in rows]
    try:
        for row in rows:
            check_row(row, lookup)
            assert row["timestamp"][:10] >= day
        say(True, f"{name}: the values")
    except (AssertionError, KeyError, ValueError) as error:
        say(False, f"{name}: the values", repr(error))
    return kind, recipient, rows


def main():
    directory, tsv, geo = sys.argv[1:4]
    here = os.path.dirname(os.path.abspath(__file__))
    columns_dir = os.path.join(here, "../../storage/feeds")
    lookup = country_of(geo)
    found = {}
    for name in sorted(os.listdir(directory)):
        result = read(os.path.join(directory, name), columns_dir, lookup)
        if result:
            kind, recipient, rows = result
            say((kind, recipient) not in found,
                f"{kind} for {recipient}: one file", "there are two")
            found[kind, recipient] = rows
    want = truth(tsv)
    for kind in sorted({row[0] for row in want}):
        rows = found.get((kind, "all"), [])
        got = [(kind, row["ip"], row["port"]) for row in rows]
        expected = {row for row in want if row[0] == kind}
        say(sorted(got) == sorted(expected),
            f"{kind}: the rows are those of the set-ups",
            f"too many {sorted(set(got) - expected)}, "
            f"missing {sorted(expected - set(got))}")
        for recipient, belongs in RECIPIENTS.items():
            if recipient in MEDIUM_ONLY and "_vulnerable" not in kind:
                mine = []
            else:
                mine = sorted((row["ip"], row["port"]) for row in rows
                              if belongs(row))
            theirs = sorted((row["ip"], row["port"])
                            for row in found.get((kind, recipient), []))
            say(mine == theirs, f"{kind}: what {recipient} gets",
                f"{theirs}, not {mine}")


main()
