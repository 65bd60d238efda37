"""Judges what hostile servers have cost: see hostile.sh.

    hostile.py DIR HOSTS CONVERSATION_MAX
"""

import json
import sys

CONVERSATION_MS = 20000
LATE_MS = 3000  # of timers and farewell
KERNEL_MAX = 384 << 10  # a receive buffer, beyond what we read, and headers
LINES_MAX = 2048
GOOD_MS = 8000
MEMORY_KIB = 320  # of a conversation, when all are open at once
CPU_S = 0.1  # of a conversation


def verdict(is_so, text):
    print("ok" if is_so else "FAILED", text)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def heard(path):
    """Bytes on the wire, by address."""
    for item in json.loads(read(path))["nftables"]:
        if "set" in item:
            return {one["elem"]["val"]: one["elem"]["counter"]["bytes"]
                    for one in item["set"]["elem"]}
    return {}


def worst(rows, what, of):
    row = max(rows, key=of)
    return of(row), f"{what}: at most {of(row)} ({row['ip']})"


def main():
    folder, hosts, conversation_max = (sys.argv[1], int(sys.argv[2]),
                                       int(sys.argv[3]))
    rows = [json.loads(line)
            for line in read(folder + "/dump.jsonl").splitlines()]
    names = {}
    for part in ("hostile", "good"):
        for line in read(f"{folder}/{part}.tsv").splitlines():
            field = line.split("\t")
            names[field[1]] = field[0].split(".")[0]
    good = [row for row in rows if row["ip"].startswith("198.18.90.")]
    bad = [row for row in rows if row not in good]
    verdict(len(bad) >= hosts * 29 + 10, f"hostile conversations: {len(bad)}")
    right = [row for row in good if row["outcome"] == "completed"
             and row["starttls"] == "completed" and not row["findings"]]
    verdict(len(right) == 20, f"good servers judged: {len(right)}")
    most, text = worst(good, "milliseconds for a good server",
                       lambda row: row.get("duration_ms", 0))
    verdict(most <= GOOD_MS, text)
    most, text = worst(bad, "milliseconds of a conversation",
                       lambda row: row.get("duration_ms", 0))
    verdict(most <= CONVERSATION_MS + LATE_MS, text)
    most, text = worst(bad, "lines kept",
                       lambda row: len(row.get("transcript", ())))
    verdict(most <= LINES_MAX, text)
    sent = heard(folder + "/bytes.json")
    most, text = worst(bad, "bytes on the wire",
                       lambda row: sent.get(row["ip"], 0))
    verdict(conversation_max / 2 < most <= conversation_max + KERNEL_MAX,
            text)
    wrong = [row for row in bad if set(row["findings"]) &
             {"no_tls", "cleartext_login"} and
             names.get(row["ip"]) not in ("endless-goodbye",)]
    verdict(not wrong, f"verdicts without evidence: {len(wrong)}")
    probes = json.loads(read(folder + "/watched.json"))
    grown = sum(one["rss_most"] - one["rss_first"] for one in probes)
    verdict(grown <= MEMORY_KIB * len(bad),
            f"KiB that the probe grew by: {grown}, {grown // len(bad)} each")
    cpu = sum(one["cpu_s"] for one in probes)
    verdict(0 < cpu <= CPU_S * len(bad), f"seconds of processor: {cpu:.1f}, "
            f"{1000 * cpu / len(bad):.0f} ms each")


main()
