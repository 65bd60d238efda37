#!/usr/bin/python3
"""Looks into the mailboxes that scripts/nightly has filled.

    test/e2e/nightly.py BOXES FEEDS CONF

Lines "ok WHAT" and "FAILED WHAT".
"""

import io
import mailbox
import os
import re
import sys
import zipfile

SECTIONS = ("What it means, and what to do", "How it was measured",
            "For example", "To be left out")


def say(good, what, why=""):
    print(f"{'ok' if good else 'FAILED'} {what}{'' if good else ': ' + why}")


def contacts(path):
    """{address: recipient} of the configuration."""
    with open(path, encoding="ascii") as file:
        return {address: name for name, address in re.findall(
            r"^recipient (\w+) \{.*?contact = \"([^\"]+)\"", file.read(),
            re.M | re.S)}


def look(message, recipient, feeds):
    """The name of the file that it brought."""
    parts = list(message.walk())
    text = parts[1].get_payload(decode=True).decode("utf-8")
    attached = parts[2]
    name = attached.get_filename()
    data = attached.get_payload(decode=True)
    with open(os.path.join(feeds, name), "rb") as file:
        say(file.read() == data, f"{name}: attached as it is", "it differs")
    if name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            say(archive.namelist() == [name[:-4]], f"{name}: one file in it",
                str(archive.namelist()))
            say(archive.testzip() is None, f"{name}: whole", "it is damaged")
            data = archive.read(name[:-4])
    rows = data.decode("utf-8").count("\n") - 1
    lines = data.decode("utf-8").split("\n")[1:-1]
    addresses = {line.split(",")[2].strip('"') for line in lines}
    say(re.fullmatch(rf"(Accessible|Vulnerable) (POP3|IMAP|SMTP)( \(IPv6\))? "
                     rf"report for {recipient}, \d{{4}}-\d\d-\d\d",
                     message["Subject"]) is not None,
        f"{name}: subject", str(message["Subject"]))
    count = re.search(r"^(\d+) services? on (\d+) IPv[46] address", text, re.M)
    say(count is not None and
        [int(n) for n in count.groups()] == [rows, len(addresses)],
        f"{name}: the counts of the text are those of the file",
        f"{count and count.groups()}, not {rows}, {len(addresses)}")
    missing = [s for s in SECTIONS if f"\n{s}\n" not in text]
    say(not missing, f"{name}: what belongs into the text", str(missing))
    example = re.search(r"^([0-9a-f.:]+) port (\d+), ", text, re.M)
    say(example is not None and example[1] in addresses,
        f"{name}: the example is in the file", str(example))
    say(f"File: {name}\n" in text, f"{name}: the text names it", text[:200])
    say("203.0.113.2" in text or "fd00:198:20::2" in text,
        f"{name}: from where", "our address is not there")
    say("https://scanner.lab.test/" in text, f"{name}: whom to write to",
        "no contact")
    return name


def main():
    boxes, feeds, conf = sys.argv[1:4]
    brought = []
    for address, recipient in contacts(conf).items():
        path = os.path.join(boxes, address)
        mine = [name for name in os.listdir(feeds)
                if re.search(rf"-{recipient}-\w+\.csv(\.zip)?$", name)]
        messages = list(mailbox.mbox(path, create=False)) \
            if os.path.exists(path) else []
        got = sorted(look(message, recipient, feeds) for message in messages)
        say(got == sorted(mine), f"{address}: one message a type",
            f"{got}, not {sorted(mine)}")
        say(all(message["Return-path"] == "<scans@lab.test>"
                for message in messages), f"{address}: the sender", "")
        brought += got
    say(any(name.endswith(".zip") for name in brought), "one is packed", "")
    say(len(set(os.listdir(boxes)) - set(contacts(conf))) == 0,
        "nobody else has mail", str(os.listdir(boxes)))


main()
