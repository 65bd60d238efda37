#!/usr/bin/python3
"""Sweeps under torture, inside a laboratory with the simulated internet.

    test/torture/run [--seconds N] [--seed N] [--sweeps N] [--events N]
        [--kills]

Each sweep is started again whenever it ends before it is sealed, as a service
manager does, and is checked when it is: README.md lists the checks. Every
other sweep knows kills only, so that what is sent again can be held against
the bound for each of them.
"""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import threading
import time

import events

WINDOW_S = 2        # answer_window
COMMIT_S = 1        # between two checkpoints
STARTS_MAX = 60     # of one sweep
RESTART_S = 0.5     # as a service manager would wait
SWEEP_MAX_S = 240
DISK = "256m"
BIN = os.environ.get("BIN", "build/release")


def output(*words, check=True):
    return subprocess.run(words, check=check, text=True, errors="replace",
                          stdout=subprocess.PIPE).stdout


def simnet(command, *words):
    return output(f"{os.environ['SIM_BUILD']}/simnet", command,
                  *([words[0]] if words[:1] == ("-z",) else []),
                  os.environ["SIM_DIR"],
                  *[w for w in words if w != "-z"])


def counters():
    """What arrived at the far end since the last time."""
    there = collections.Counter()
    for text in (simnet("counters", "-z"), output("test/lab/counters", "-z")):
        for line in text.splitlines():
            name, number = line.split()
            there[name] += int(number)
    return there


def real_servers():
    """By address: name, and what comes of STLS on port 110."""
    there = {}
    with open(f"{os.environ['LAB_DIR']}/servers.tsv",
              encoding="ascii") as file:
        for line in file:
            name, ip, port, _, starttls = line.split("\t")[:5]
            if (name in os.environ["LAB_SERVERS"].split(",")
                    and port == "110"):
                there[ip] = name, starttls
    return there


class Sweep:
    """One sweep, from its configuration to its checks."""

    def __init__(self, number, draw, work, kills_only):
        self.draw = draw
        self.dir = os.path.join(work, f"sweep{number}")
        self.conf = self.dir + ".conf"
        self.log = self.dir + ".log"
        self.net = f"10.{draw.randrange(1, 250)}.{draw.randrange(4) * 64}.0/18"
        self.rate = draw.choice((1500, 2500, 4000))
        self.kills_only = kills_only or number % 2 == 0
        self.starts = 0
        self.failures = []

    def configure(self):
        self.servers = real_servers()
        targets = ", ".join(f'"{t}"' for t in [self.net, *self.servers])
        options = [
            f"targets = {{ {targets} }}", f"rate = {self.rate}",
            f"seed = {self.draw.getrandbits(31)}",
            f'store = "{self.dir}"', f'control = "{self.dir}.control"',
            f"tx_threads = {self.draw.choice((1, 2))}",
            f"canary = {self.draw.choice(('off', 'one_per_24', 'every'))}",
            f"probes = {self.draw.choice((1, 2))}",
            f"answer_window = {WINDOW_S}s", "greeting = 1s", "reply = 2s",
            "conversation = 4s", "retry_pause = 1s", "limit_pause = 1s",
            "hello_after_silence = off", "per_network = 256",
            'ports = { "110/pop3" }', "map_size = 256M"]
        output("test/lab/configure", self.conf, *options)

    def fail(self, text):
        self.failures.append(text)

    # ---- its life

    def is_sealed(self):
        return (not os.path.exists(f"{self.dir}/live/data.mdb")
                and bool(os.listdir(f"{self.dir}/sealed")
                         if os.path.isdir(f"{self.dir}/sealed") else []))

    def run(self):
        """Started again until it is sealed, as a service manager would."""
        end = time.monotonic() + SWEEP_MAX_S
        with open(self.log, "ab") as log:
            while not self.is_sealed():
                if self.starts == STARTS_MAX or time.monotonic() > end:
                    self.fail(f"not sealed after {self.starts} starts")
                    return
                self.starts += 1
                daemon = subprocess.Popen(
                    [f"{BIN}/mailsweepd", "-1", "-f", self.conf],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
                try:
                    self.status = daemon.wait(max(end - time.monotonic(), 1))
                except subprocess.TimeoutExpired:
                    self.fail("it hangs")
                    daemon.kill()
                    return
                log.write(b"-- ended, %d\n" % self.status)
                log.flush()
                self.await_nobody()
                time.sleep(RESTART_S)
                if self.status == 2:
                    self.fail("it refuses to start")
                    return

    def await_nobody(self):
        """No process and no rule of it may be left, within two seconds."""
        end = time.monotonic() + 2
        while True:
            left = events.processes()
            rules = output("nft", "list", "ruleset")
            if not left and not rules:
                return
            if time.monotonic() > end:
                break
            time.sleep(0.02)
        self.fail(f"left behind: {[r for _, r in left]} {rules!r}")
        for pid, _ in left:
            events.send(pid, 9)

    # ---- what must hold afterwards

    def account(self):
        text = output(f"{BIN}/mailsweep", "sweeps", "--json", "-f", self.conf)
        return json.loads(text.splitlines()[-1])

    def tool(self, *words):
        return subprocess.run([f"{BIN}/mailsweep", *words, "-f", self.conf],
                              text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def judge(self, rows):
        """A real server is what it is, or its conversations were all lost."""
        for row in rows:
            name, starttls = self.servers.get(row["ip"], (None, None))
            if name is not None and row["outcome"] != "lost" and (
                    row["outcome"], row["starttls"]) != (
                        "completed", starttls):
                self.fail(f"{name} {row['ip']}: {row['outcome']}, "
                          f"{row['starttls']}")

    def check(self):
        """(lost, duplicates, targets)"""
        sound = self.tool("check")
        if sound.returncode != 0:
            self.fail(f"mailsweep check: {sound.stdout.strip()}")
        account = self.account()
        if self.status != 0 or not account["balanced"]:
            self.fail(f"exit status {self.status}, account balanced: "
                      f"{account['balanced']}")
        targets = 16384 + len(self.servers)
        if account["settled"]["sent"] != targets:
            self.fail(f"{account['settled']['sent']} targets sent, "
                      f"not {targets}")
        rows = [json.loads(line) for line in
                self.tool("dump", "--silent").stdout.splitlines()]
        found = collections.Counter(row["ip"] for row in rows)
        wanted = set(simnet("list", self.net).split()) | set(self.servers)
        for ip in set(found) - wanted:
            self.fail(f"{ip} has a row, and does not answer")
        duplicates = sum(found.values()) - len(found)
        self.outcomes = collections.Counter(r["outcome"] for r in rows)
        lost = wanted - set(found)
        if lost:
            self.fail(f"no row: {' '.join(sorted(lost)[:10])}")
        self.judge(rows)
        return len(lost), duplicates, targets


def torment(world, sweep, wanted, over):
    """Events until the sweep is over, or there were enough of them."""
    missed = 0
    menu = events.KILLS if sweep.kills_only else events.EVENTS
    while wanted > 0 and not over.wait(world.draw.expovariate(1 / 1.2)):
        lasted = events.draw_event(world, menu)(world)
        if lasted is not None:
            wanted -= 1
            missed += lasted + WINDOW_S + COMMIT_S
    sweep.bound = missed * sweep.rate


def one(number, world, args, work):
    sweep = Sweep(number, world.draw, work, args.kills)
    sweep.configure()
    counters()
    world.log, kills, over = [], world.kills, threading.Event()
    tormentor = threading.Thread(
        target=torment, args=(world, sweep, args.events, over))
    tormentor.start()
    sweep.run()
    over.set()
    tormentor.join()
    there = counters()
    lost, duplicates, targets = 0, 0, 0
    if not sweep.failures:
        lost, duplicates, targets = sweep.check()
    again = there["syn"] + there["syn_in"] - targets
    if targets and again > sweep.bound:
        sweep.fail(f"{again} SYNs more than targets, at most {sweep.bound:.0f}"
                   " were to be expected")
    bad = sweep.failures or lost or duplicates
    print(f"{'FAILED ' if bad else 'ok     '} sweep {number}: {sweep.net}, "
          f"{sweep.rate}/s, {sweep.starts} starts, {world.kills - kills} "
          f"kills; {lost} lost, {duplicates} duplicates, {again} sent again; "
          f"{'; '.join(world.log)}")
    for text in sweep.failures:
        print(f"        {text}")
    if bad:
        print(open(sweep.log, encoding="utf-8", errors="replace").read()[-4000:])
    sys.stdout.flush()
    return bool(bad), lost, duplicates, again, targets


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=150)
    parser.add_argument("--sweeps", type=int, default=100000)
    parser.add_argument("--events", type=int, default=6, help="a sweep")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kills", action="store_true", help="kills only")
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.getrandbits(31)
    print(f"seed {seed}")
    disk = os.path.join(os.environ["LAB_DIR"], "small")
    os.makedirs(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0755",
                    "small", disk], check=True)
    world = events.World(random.Random(seed), disk)
    end = time.monotonic() + args.seconds
    bad = lost = duplicates = again = targets = number = 0
    while number < args.sweeps and (time.monotonic() < end or number == 0):
        number += 1
        result = one(number, world, args, disk)
        bad += result[0]
        lost += result[1]
        duplicates += result[2]
        again += result[3]
        targets += result[4]
        for name in os.listdir(disk):
            if not name.endswith(".log"):
                subprocess.run(["rm", "-rf", os.path.join(disk, name)],
                               check=True)
    print(f"{number} sweeps, {bad} of them failed")
    print(f"torture: {world.kills} kills, {lost} lost, {duplicates} "
          f"duplicates, {100 * again / max(targets, 1):.1f} % sent again")
    sys.exit(bad != 0)


main()
