#!/usr/bin/python3
"""Reads feed files with a CSV reader that is not ours.

    test/unit/feed_roundtrip.py DIRECTORY COLUMNS BANNER

File names pass the expressions of Shadowserver's tools, columns are those of
COLUMNS/<type>.txt, and what is read and written again by the rules of the
dialect is the same bytes. Every row has the banner BANNER. Prints "N files, N
rows"; stops with a message at the first thing that is wrong.
"""

import csv
import io
import os
import re
import sys

# IntelMQ, bots/parsers/shadowserver; AbuseIO, config/Shadowserver.php.
INTELMQ = re.compile(r"^(?:\d{4}-\d{2}-\d{2}-)?(\w+)(-\w+)*\.csv$")
ABUSEIO = re.compile(r"(?:\d{4})-(?:\d{2})-(?:\d{2})-(.*)-[^\-]+-[^\-]+.csv")
NUMBERS = {"port", "asn", "naics", "cert_length", "ssl_version"}


def quoted(value):
    return '"' + value.replace('"', '""') + '"'


def written(columns, rows):
    """The same by the rules: text quoted, numbers bare, nothing for none."""
    lines = [",".join(quoted(c) for c in columns)]
    for row in rows:
        lines.append(",".join(
            value if value == "" or name in NUMBERS else quoted(value)
            for name, value in zip(columns, row)))
    return "".join(line + "\n" for line in lines)


def check(directory, name, columns_dir, banner):
    kind = INTELMQ.search(name)
    assert kind, f"{name}: not IntelMQ's"
    assert ABUSEIO.fullmatch(name), f"{name}: not AbuseIO's"
    assert ABUSEIO.fullmatch(name).group(1) == kind.group(1) or \
        name[11:].startswith(ABUSEIO.fullmatch(name).group(1)), name
    report = ABUSEIO.fullmatch(name).group(1)
    with open(os.path.join(columns_dir, report + ".txt"),
              encoding="ascii") as file:
        official = file.read().split("\n")[:-1]
    with open(os.path.join(directory, name), "rb") as file:
        raw = file.read()
    text = raw.decode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    columns, rows = rows[0], rows[1:]
    assert columns[:len(official)] == official, f"{name}: {columns}"
    assert all(c.startswith("x_") for c in columns[len(official):]), columns
    assert all(len(row) == len(columns) for row in rows), f"{name}: short"
    assert rows, f"{name}: no rows, and a file"
    assert written(columns, rows) == text, f"{name}: another dialect"
    targets = [(row[2], row[4]) for row in rows]
    assert len(set(targets)) == len(targets), f"{name}: a row twice"
    for row in rows:
        row = dict(zip(columns, row))
        assert row["banner"] == banner, row["banner"]
        assert row["protocol"] == "tcp", row["protocol"]
        assert row["tag"].split(";")[0] == report.split("_")[1], row["tag"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d",
                            row["timestamp"]), row["timestamp"]
    return len(rows)


def main():
    directory, columns_dir, banner = sys.argv[1:4]
    names = sorted(os.listdir(directory))
    rows = sum(check(directory, n, columns_dir, banner) for n in names)
    print(f"{len(names)} files, {rows} rows")


main()
