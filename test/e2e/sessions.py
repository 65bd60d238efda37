#!/usr/bin/python3
"""Counts, in the servers' own logs, the sessions that the scanner had.

    test/e2e/sessions.py LOGS SERVERS.TSV STARTED SCANNER_ADDRESS...

One line a set-up, "ok NAME: N" or "FAILED NAME: N, not M"; right is one
session for each port that a server listens on, two where it is silent.
"""

import glob
import os
import re
import sys

# What a line that stands for one session begins with, by kind of server; %s
# is the scanner's address.
PATTERNS = {
    "postfix": r"%(name)s/smtpd\[\d+\]: connect from \S*\[%(addr)s\]",
    "exim": r" SMTP connection from \[%(addr)s\]\S* .*connection count",
    "dovecot": r"-login: Info: .*\brip=%(addr)s,",
    "forbidden": r"%(addr)s",
    "silent": r"^%(addr)s:\d+ accepted",
}


# By outcome; who stays silent is offered TLS on a second connection.
SESSIONS = {"refused": 0, "forbidden": 0, "silent": 2}


def kind_of(name):
    return re.match(r"[a-z]+", name).group()


def lines_of(logs, name):
    pattern = "postfix.log" if kind_of(name) == "postfix" else name + "[.-]*"
    for path in glob.glob(os.path.join(logs, pattern)):
        with open(path, encoding="utf-8", errors="replace") as file:
            yield from file


def sessions(logs, name, scanner):
    pattern = PATTERNS[kind_of(name)]
    found = [re.compile(pattern % {"name": name, "addr": re.escape(addr)})
             for addr in scanner]
    return sum(any(f.search(line) for f in found)
               for line in lines_of(logs, name))


def main():
    logs, truth, started = sys.argv[1:4]
    with open(started, encoding="ascii") as file:
        names = sorted(set(file.read().split()))
    with open(truth, encoding="ascii") as file:
        rows = [line.rstrip("\n").split("\t") for line in file
                if not line.startswith("#")]
    failed = False
    for name in names:
        want = sum(SESSIONS.get(row[7], 1) for row in rows if row[0] == name)
        got = sessions(logs, name, sys.argv[4:])
        failed |= got != want
        print(f"ok {name}: {got} sessions in its log" if got == want else
              f"FAILED {name}: {got} sessions in its log, not {want}")
    sys.exit(failed)


main()
