#!/usr/bin/python3
"""Watches a sweep under load, and says what came of it.

    pool.py watch PID CONF OUT [SECONDS]
                                    a line of JSON every half second, to OUT,
                                    until process PID ends; it is ended when
                                    SYNs have gone out for so long
    pool.py steady OUT [FROM TO]    of the time in which the completed part
                                    went from FROM to TO (0.1, 0.9): CPU us a
                                    conversation, the same in pieces of
                                    pool_pace, conversations a second,
                                    most open, the probes' memory for each of
                                    them, what others had of our CPU and what
                                    the machine did not give (parts of it), one
                                    "name value" a line. From 0 to 1: the
                                    whole run, so nothing is half done at
                                    either end. 4s 9s: of these seconds, since
                                    the first SYN
    pool.py roles OUT [FROM TO]     CPU us a conversation of each role
    pool.py kernel OUT              kernel memory (slabs) for each socket, ours
                                    and the servers', when most were there
    pool.py smooth OUT              how SYN/s moved once the pool was full:
                                    mean, and standard deviation, least and
                                    most as parts of it
    pool.py rates OUT               seconds, SYN/s, completed/s, open, waiting
                                    (for a greeting, for a probe), pressure,
                                    limit, a line each
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time

OUR_CPU = 1  # bench_pool.sh starts the sweep there
ROLES = {"parent", "packet", "send", "dial", "probe", "store"}


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(p) for p in f.read().split()]
    except OSError:
        return []


def role(pid):
    with open(f"/proc/{pid}/cmdline", encoding="ascii") as f:
        words = f.read().split("\0")
    if "--role" in words:
        return words[words.index("--role") + 1]
    return "nft" if words[0] == "nft" else "parent"


def cpu_us(pid):
    """What all threads had of the processors (sched-stats)."""
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        path = f"/proc/{pid}/task/{task}/schedstat"
        with open(path, encoding="ascii") as f:
            total += int(f.read().split()[0])
    return total / 1000


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        found = re.search(r"RssAnon:\s+(\d+)", f.read())
    return int(found.group(1)) if found else 0


def processor_us(number):
    """What CPU `number` did since the machine began, and what it was denied
    by those it shares the hardware with (proc(5): steal)."""
    with open("/proc/stat", encoding="ascii") as f:
        found = re.search(rf"^cpu{number} (.*)$", f.read(), re.M)
    user, nice, system, _, _, irq, softirq, steal = (
        int(ticks) * 1e6 / os.sysconf("SC_CLK_TCK")
        for ticks in found.group(1).split()[:8])
    return user + nice + system + irq + softirq, steal


def slabs():
    """What the kernel holds in slabs, and how many TCP sockets are there."""
    with open("/proc/meminfo", encoding="ascii") as f:
        kib = int(re.search(r"^Slab:\s+(\d+)", f.read(), re.M).group(1))
    with open("/proc/slabinfo", encoding="ascii") as f:
        found = re.search(r"^TCP\s+(\d+)", f.read(), re.M)
    return kib, int(found.group(1)) if found else 0


def sample(root):
    """CPU by role, memory of the probes. A child has its parent's name until
    it executes itself, so no name is remembered."""
    cpu, memory, todo = {}, 0, [root]
    while todo:
        pid = todo.pop()
        todo += children(pid)
        try:
            name = role(pid)
            cpu[name] = cpu.get(name, 0) + cpu_us(pid)
            if name == "probe":
                memory += resident_kib(pid)
        except OSError:
            continue
    return cpu, memory


class Pace:
    """What a piece of a TLS client's work takes on our CPU just now: CPU us.
    Its speed changes by a third within a minute, ours with it."""

    def __init__(self, bin_dir):
        self.rest = b""
        self.child = subprocess.Popen(
            ["taskset", "-c", str(OUR_CPU), f"{bin_dir}/bench/pool_pace"],
            stdout=subprocess.PIPE)
        os.set_blocking(self.child.stdout.fileno(), False)

    def since(self):
        """The median of the pieces since the last call."""
        text = self.rest + (self.child.stdout.read() or b"")
        text, _, self.rest = text.rpartition(b"\n")
        pieces = [float(word) for word in text.split()]
        return statistics.median(pieces) if pieces else None


def watch(root, conf, out, seconds):
    bin_dir = os.environ.get("BIN", "build/release")
    pace = Pace(bin_dir)
    begin, first, told = time.monotonic(), None, 0
    with open(out, "w", encoding="ascii") as file:
        while os.path.exists(f"/proc/{root}"):
            status = subprocess.run(
                [f"{bin_dir}/mailsweep", "status", "-f", conf, "--json"],
                capture_output=True, check=False, text=True)
            now = time.monotonic() - begin
            cpu, memory = sample(root)
            busy, steal = processor_us(OUR_CPU)
            slab_kib, sockets = slabs()
            state = json.loads(status.stdout or "{}")
            if "total" in state:
                print(json.dumps({"t": now, "cpu": cpu, "rss_kib": memory,
                                  "pace": pace.since(),
                                  "busy": busy, "steal": steal,
                                  "slab_kib": slab_kib, "sockets": sockets,
                                  "total": state["total"],
                                  "n": state["counters"]}),
                      file=file, flush=True)
                if first is None and state["counters"]["syn_packets"] > 0:
                    first = now
            time.sleep(0.5)
            # Told twice, it waits for nothing.
            if seconds and told < 2 and first and now - first > seconds:
                os.kill(root, signal.SIGTERM)
                told += 1


def load(path):
    with open(path, encoding="ascii") as file:
        return [json.loads(line) for line in file]


def between(samples, first, last):
    begin = next((s["t"] for s in samples if s["n"]["syn_packets"] > 0), 0)
    return [s for s in samples if first <= s["t"] - begin <= last]


def window(samples, first, last):
    """The first and the last sample of the part in which so much ended, or
    of these seconds."""
    if first.endswith("s"):
        part = between(samples, float(first[:-1]), float(last[:-1]))
        if len(part) < 2 or ROLES - part[0]["cpu"].keys():
            sys.exit("pool.py: too short a run")
        return part
    first, last = float(first), float(last)
    end = max(s["n"]["done"] + s["n"]["silent"] for s in samples)
    part = [s for s in samples
            if first * end <= s["n"]["done"] + s["n"]["silent"] <= last * end]
    if len(part) < 2:
        sys.exit("pool.py: no steady part: too short a run")
    return [s for s in part if ROLES <= s["cpu"].keys()]


def steady(part, idle_kib):
    a, b = part[0], part[-1]
    done = b["n"]["dialogs"] - a["n"]["dialogs"]
    seconds = b["t"] - a["t"]
    cpu = sum(b["cpu"].values()) - sum(a["cpu"].values())
    pace = statistics.mean(s["pace"] for s in part[1:] if s["pace"])
    print("us", round(cpu / max(done, 1), 1))
    print("pace", round(pace, 1))
    print("paced", round(cpu / max(done, 1) / pace, 4))
    print("per_s", round(done / seconds, 1))
    print("busy", round(cpu / seconds / 1e6, 3))
    print("seconds", round(seconds, 1))
    others = b["busy"] - a["busy"] - cpu
    print("others", round(max(others, 0) / seconds / 1e6, 3))
    print("steal", round((b["steal"] - a["steal"]) / seconds / 1e6, 3))
    print("open", max(s["n"]["conversations_open"] for s in part))
    fullest = max(part, key=lambda s: s["n"]["conversations_open"])
    print("bytes", round((fullest["rss_kib"] - idle_kib) * 1024 /
                         max(fullest["n"]["conversations_open"], 1)))


def kernel(samples):
    a, b = samples[0], max(samples, key=lambda s: s["sockets"])
    sockets = b["sockets"] - a["sockets"]
    print("sockets", sockets)
    print("bytes", round((b["slab_kib"] - a["slab_kib"]) * 1024 /
                         max(sockets, 1)))


def roles(part):
    a, b = part[0], part[-1]
    done = max(b["n"]["dialogs"] - a["n"]["dialogs"], 1)
    for name in b["cpu"]:
        used = b["cpu"][name] - a["cpu"].get(name, 0)
        print(name, round(used / done, 2))


def ahead(sample):
    """Handed on, and begun by no probe yet."""
    n = sample["n"]
    return (n["handed_on"] - n["dial_failed"] - n["dial_withdrawn"] -
            n["conversations"])


def rates(samples):
    print("# seconds SYN/s completed/s open waiting ahead pressure limit")
    for a, b in zip(samples, samples[1:]):
        dt = b["t"] - a["t"]
        syn = (b["n"]["syn_packets"] - a["n"]["syn_packets"]) / dt
        done = (b["n"]["dialogs"] - a["n"]["dialogs"]) / dt
        print(f'{b["t"]:.1f} {syn:.0f} {done:.0f} '
              f'{b["n"]["conversations_open"]} {b["n"]["waiting"]} {ahead(b)} '
              f'{b["n"]["pressure"]} {b["n"].get("syn_limit", 0)}')


def smooth(samples):
    """Of the time in which SYNs go out: how the rate moved, once it has come
    down and until it is broken off."""
    rate, done = [], []
    for a, b in zip(samples, samples[1:]):
        if b["n"]["sent"] < b["total"]:
            rate.append((b["n"]["syn_packets"] - a["n"]["syn_packets"]) /
                        (b["t"] - a["t"]))
            done.append((b["n"]["dialogs"] - a["n"]["dialogs"]) /
                        (b["t"] - a["t"]))
    rate = rate[len(rate) // 2:-2]
    done = done[len(done) // 2:-2]
    mean = sum(rate) / len(rate)
    spread = (sum((r - mean) ** 2 for r in rate) / len(rate)) ** 0.5
    print("mean", round(mean, 1), "SYN/s")
    print("done", round(sum(done) / len(done), 1), "1/s")
    print("spread", round(spread / mean, 3), "of the mean")
    print("least", round(min(rate) / mean, 3), "of the mean")
    print("most", round(max(rate) / mean, 3), "of the mean")
    print("ahead", max(ahead(s) for s in samples), "connections")


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    what, args = sys.argv[1], sys.argv[2:]
    if what == "watch":
        watch(int(args[0]), args[1], args[2],
              float(args[3]) if len(args) > 3 else None)
        return
    samples = load(args[0])
    first, last = args[1:3] or ("0.1", "0.9")
    if what == "rates":
        rates(samples)
    elif what == "smooth":
        smooth(samples)
    elif what == "kernel":
        kernel(samples)
    elif what == "roles":
        roles(window(samples, first, last))
    else:
        steady(window(samples, first, last), samples[0]["rss_kib"])


main()
