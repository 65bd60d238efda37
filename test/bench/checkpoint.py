#!/usr/bin/python3
"""What checkpoints cost: sweeps with one a second beside sweeps without.

    sudo make bench-checkpoint
    test/bench/checkpoint.py instructions       (needs no root)

Pairs take turns; what is printed is the median of the pairs' ratios.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

NET = os.environ.get("CHECKPOINT_NET", "10.0.0.0/12")
RATE = int(os.environ.get("CHECKPOINT_RATE", "150000"))
PAIRS = int(os.environ.get("CHECKPOINT_PAIRS", "5"))
BIN = os.environ.get("BIN", "build/release")
WITH, WITHOUT = 1, 600          # seconds between two checkpoints
CONVERSATIONS = 64              # of bench/pool_cpu pool_probe
TALKERS = 0.003                 # of targets, as in checkpoint.c
SETUP = '. test/internet/lib.sh; internet_configure "$@"'


def figure(name, value, unit):
    print(f"bench: {name} {value:.4f} {unit}", flush=True)


# ---- CPU: the real thing, in the simulated internet

def sweep(work, seconds):
    """CPU of the daemon and all its processes a million targets; commits."""
    conf, log = f"{work}/bench.conf", f"{work}/log"
    subprocess.run(
        ["bash", "-c", SETUP, "configure", conf, f'targets = {{ "{NET}" }}',
         f"rate = {RATE}", "seed = 7", "map_size = 1G",
         f'store = "{work}/store"', f'control = "{work}/control"',
         f'checkpoint = "{seconds}s"'], check=True)
    shutil.rmtree(f"{work}/store", ignore_errors=True)
    with open(log, "wb") as out:
        daemon = subprocess.Popen([f"{BIN}/mailsweepd", "-1", "-f", conf],
                                  stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=out)
        _, status, used = os.wait4(daemon.pid, 0)
    if status != 0:
        with open(log, encoding="utf-8") as out:
            sys.exit(out.read())
    account = json.loads(subprocess.run(
        [f"{BIN}/mailsweep", "sweeps", "--json", "-f", conf], check=True,
        stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1])
    return ((used.ru_utime + used.ru_stime) * 1e6
            / account["settled"]["sent"], account["events"]["commits"])


def cpu(work):
    with_, without, commits = [], [], set()
    for _ in range(PAIRS):
        for seconds, to in ((WITH, with_), (WITHOUT, without)):
            used, n = sweep(work, seconds)
            to.append(used)
            commits.add(n)
    figure("checkpoint_commits", max(commits), f"beside-{min(commits)}")
    figure("checkpoint_cpu", statistics.median(with_), "s/Mtarget")
    figure("checkpoint_cpu_without", statistics.median(without), "s/Mtarget")
    figure("checkpoint_cost_cpu",
           statistics.median(a / b for a, b in zip(with_, without)), "ratio")


# ---- instructions: what runs in user space, by callgrind

def callgrind(work, *command, options=()):
    """What it printed, and {pid: instructions}."""
    out = subprocess.run(
        ["valgrind", "-q", "--tool=callgrind", *options,
         f"--callgrind-out-file={work}/cg.%p", *command],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    counts = {}
    for name in os.listdir(work):
        if name.startswith("cg."):
            with open(f"{work}/{name}", encoding="ascii") as file:
                counts[int(name[3:])] = int(
                    re.search(r"^totals: (\d+)", file.read(), re.M)[1])
            os.unlink(f"{work}/{name}")
    return out, counts


def pipeline(work, seconds):
    """Instructions a target: its SYN and store's share."""
    directory = f"{work}/store"
    shutil.rmtree(directory, ignore_errors=True)
    os.mkdir(directory)
    out, counts = callgrind(work, f"{BIN}/bench/checkpoint",
                            str(seconds * 1000), directory)
    send, store, targets, _ = map(int, out.split())
    return (counts[send] + counts[store]) / targets


def instructions(work):
    _, counts = callgrind(work, f"{BIN}/bench/pool_cpu", "pool_probe",
                          options=["--toggle-collect=timed"])
    talk = TALKERS * sum(counts.values()) / CONVERSATIONS
    pairs = [(pipeline(work, WITH), pipeline(work, WITHOUT))
             for _ in range(PAIRS)]
    figure("checkpoint_instructions",
           statistics.median(a for a, _ in pairs) + talk, "/target")
    figure("checkpoint_instructions_talk", talk, "/target")
    figure("checkpoint_cost_instructions_silent",
           statistics.median(a / b for a, b in pairs), "ratio")
    figure("checkpoint_cost_instructions",
           statistics.median((a + talk) / (b + talk) for a, b in pairs),
           "ratio")


def main():
    parts = sys.argv[1:] or ["cpu", "instructions"]
    if "cpu" in parts and "SIM_DIR" not in os.environ:
        os.execv("test/internet/run",
                 ["test/internet/run", "port=110", "open=0.01", "greet=0.3",
                  "--", __file__, *parts])
    with tempfile.TemporaryDirectory(dir="build") as work:
        os.chmod(work, 0o755)
        for part in parts:
            {"cpu": cpu, "instructions": instructions}[part](work)


main()
