"""What happens to a sweep under torture: each event is over when it returns."""

import os
import signal
import subprocess
import time

HERE = "/proc"


def command_line(pid):
    try:
        with open(f"{HERE}/{pid}/cmdline", "rb") as file:
            return file.read().split(b"\0")[:-1]
    except OSError:
        return []


def role_of(words):
    """What a process is to the daemon, or None: it is not of it."""
    name = os.path.basename(words[0]) if words else b""
    if name == b"nft" and b"-i" in words:
        return "nft"
    if name != b"mailsweepd":
        return None
    if b"--role" in words:
        return words[words.index(b"--role") + 1].decode()
    return "parent"


def processes():
    """(pid, role) of the daemon and all that it started."""
    found = []
    for pid in filter(str.isdigit, os.listdir(HERE)):
        role = role_of(command_line(pid))
        if role is not None:
            found.append((int(pid), role))
    return sorted(found)


def send(pid, number):
    try:
        os.kill(pid, number)
        return True
    except ProcessLookupError:
        return False


def ip(*words, inside=()):
    subprocess.run([*inside, "ip", *words], check=True)


class World:
    """Where events happen: the namespaces, and the disk of the store."""

    def __init__(self, draw, disk):
        self.draw = draw
        self.disk = disk
        self.target = os.environ["LAB_TARGET"].split()
        self.kills = 0
        self.log = []

    def say(self, text):
        self.log.append(text)

    def pause(self, least, most):
        seconds = self.draw.uniform(least, most)
        time.sleep(seconds)
        return seconds

    # ---- what can happen; each says how long answers may have been missed

    def kill_one(self):
        there = processes()
        if not there:
            return None
        pid, role = self.draw.choice(there)
        if not send(pid, signal.SIGKILL):
            return None
        self.kills += 1
        self.say(f"kill {role}")
        return 0

    def kill_all(self):
        there = processes()
        hit = sum(send(pid, signal.SIGKILL) for pid, _ in there)
        if hit == 0:
            return None
        self.kills += 1
        self.say("kill all")
        return 0

    def ask_to_stop(self):
        """A service manager's stop; what is open is finished."""
        for pid, role in processes():
            if role == "parent":
                send(pid, signal.SIGTERM)
                self.say("terminate")
                return 0
        return None

    def stop_one(self):
        there = [p for p in processes() if p[1] != "nft"]
        if not there:
            return None
        pid, role = self.draw.choice(there)
        if not send(pid, signal.SIGSTOP):
            return None
        seconds = self.pause(0.1, 3)
        send(pid, signal.SIGCONT)
        self.say(f"stop {role} {seconds:.1f} s")
        return seconds

    def fill_disk(self):
        name = os.path.join(self.disk, "filler")
        space = os.statvfs(self.disk)
        with open(name, "wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0,
                                   max(space.f_bavail * space.f_frsize, 1))
            except OSError:
                pass
        seconds = self.pause(0.5, 4)
        os.unlink(name)
        self.say(f"disk full {seconds:.1f} s")
        return seconds

    def unplug(self):
        """The far end of the cable: the card says that it has no carrier."""
        ip("link", "set", "net0", "down", inside=self.target)
        seconds = self.pause(0.3, 3)
        ip("link", "set", "net0", "up", inside=self.target)
        ip("-6", "addr", "replace", f"{os.environ['LAB_GW6']}/64", "dev",
           "net0", "nodad", inside=self.target)
        self.say(f"unplugged {seconds:.1f} s")
        return seconds

    def down(self):
        """Our own end, and what a network manager does afterwards."""
        dev, gw4 = os.environ["LAB_IF"], os.environ["LAB_GW4"]
        gw6 = os.environ["LAB_GW6"]
        ip("link", "set", dev, "down")
        seconds = self.pause(0.3, 3)
        ip("link", "set", dev, "up")
        ip("-6", "addr", "replace", f"{os.environ['LAB_SRC6']}/64", "dev",
           dev, "nodad")
        for net in ("10.0.0.0/8", "198.18.0.0/15"):
            ip("route", "replace", net, "via", gw4)
        for net in ("fd0a::/16", "fd00:198:18::/64"):
            ip("-6", "route", "replace", net, "via", gw6, "dev", dev)
        self.say(f"link down {seconds:.1f} s")
        return seconds


# How often each comes, out of all.
EVENTS = (
    (World.kill_one, 8),
    (World.kill_all, 3),
    (World.ask_to_stop, 1),
    (World.stop_one, 4),
    (World.fill_disk, 2),
    (World.unplug, 2),
    (World.down, 2),
)
KILLS = ((World.kill_one, 3), (World.kill_all, 1))


def draw_event(world, events):
    return world.draw.choices([e for e, _ in events],
                              [n for _, n in events])[0]
