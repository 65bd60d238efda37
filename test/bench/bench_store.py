#!/usr/bin/python3
"""What a store of ten million records costs: counted, sealed, told.

    test/bench/bench_store.py

As any user; nothing is sent. The stores are made once, by storegen, below
build/bench-store (BENCH_DIR), from a fixed seed: a sealed sweep, and the night
after it, ended and not yet sealed. These two stay for the next run, 33 GB, and
nothing else does; with what is made of them they take 50 GB, without which it
does not begin. BENCH_RECORDS=1000000 makes them smaller. Cold is: the pages of
the file were dropped (posix_fadvise) and are not there any more (mincore).

A process's memory is what it has of its own, mapped files not among it, and
that of those it has started.
"""

import contextlib
import ctypes
import hashlib
import json
import mmap
import os
import pathlib
import shutil
import sqlite3
import statistics
import subprocess
import threading
import time

TREE = pathlib.Path(__file__).resolve().parent.parent.parent
BIN = TREE / os.environ.get("BIN", "build/release")
RECORDS = int(os.environ.get("BENCH_RECORDS", "10000000"))
ROOT = pathlib.Path(os.environ.get("BENCH_DIR", TREE / "build/bench-store"))
DUMPED = min(RECORDS, 1_000_000)
RECIPIENTS, FILTERS = 1000, 10
SYSTEMS, FIRST_SYSTEM = 50000, 1000
CUTS = ("--by", "country,protocol")
MEASURED = 3
RECORD_NEEDS = 5000  # bytes of disk, the stores and what is made of them
libc = ctypes.CDLL(None, use_errno=True)


def say(name, value, unit):
    text = f"{value:.3f}" if value < 10 else f"{value:.1f}"
    print(f"bench: {name} {text} {unit}", flush=True)


# ---- processes ---------------------------------------------------------------

def words(path):
    with contextlib.suppress(OSError):
        return pathlib.Path(path).read_text("ascii").split()
    return []


def anonymous_kib(pid):
    """What a process and its children have, mapped files not among it."""
    status = words(f"/proc/{pid}/status")
    own = int(status[status.index("RssAnon:") + 1]) \
        if "RssAnon:" in status else 0
    return own + sum(anonymous_kib(child) for child in
                     words(f"/proc/{pid}/task/{pid}/children"))


def run(*command, output=subprocess.DEVNULL):
    """Seconds, and the most MB that it and its children had."""
    begun = time.monotonic()
    with subprocess.Popen([str(word) for word in command],
                          stdout=output) as process:
        most, over = [0], threading.Event()

        def watch():
            while not over.wait(0.02):
                most[0] = max(most[0], anonymous_kib(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        status = process.wait()
        seconds = time.monotonic() - begun
        over.set()
        watcher.join()
    if status != 0:
        raise SystemExit(f"{command[0]}: status {status}")
    return seconds, most[0] * 1024 / 1e6


# ---- pages -------------------------------------------------------------------

def resident(path):
    """How many pages of a file are in memory."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        pages = mmap.mmap(file.fileno(), size, flags=mmap.MAP_PRIVATE,
                          prot=mmap.PROT_READ | mmap.PROT_WRITE)
    there = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
    base = ctypes.c_char.from_buffer(pages)
    failed = libc.mincore(ctypes.c_void_p(ctypes.addressof(base)),
                          ctypes.c_size_t(size), there)
    del base
    pages.close()
    if failed:
        raise OSError(ctypes.get_errno(), "mincore")
    return sum(byte & 1 for byte in bytes(there))


def drop(path):
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    left = resident(path)
    if left:
        raise SystemExit(f"{path}: {left} pages are still in memory")


def cold(path, *command):
    """The median of a few, each cold; and the memory."""
    runs = []
    for _ in range(MEASURED):
        drop(path)
        runs.append(run(*command))
    return statistics.median(seconds for seconds, _ in runs), \
        max(memory for _, memory in runs)


# ---- the stores --------------------------------------------------------------

def generation():
    """What the stores depend on; other rows, other stores."""
    made = hashlib.sha256(str(RECORDS).encode())
    for name in sorted(TREE.glob("test/bench/storegen*")):
        made.update(name.read_bytes())
    for name in ("layout.h", "record.h", "builder.c", "builder_pages.c",
                 "store_write.c", "live_texts.c"):
        made.update((TREE / "storage" / name).read_bytes())
    return made.hexdigest()


def on_disk(path):
    """Bytes, a file with two names once."""
    files = {file.stat().st_ino: file.stat().st_blocks * 512
             for file in path.rglob("*") if file.is_file()}
    return sum(files.values())


def check_room():
    ROOT.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(ROOT).free + on_disk(ROOT)
    if free < RECORDS * RECORD_NEEDS:
        raise SystemExit(
            f"{ROOT}: room for {free / 1e9:.1f} GB, expected "
            f"{RECORDS * RECORD_NEEDS / 1e9:.1f} for {RECORDS} records; "
            "BENCH_DIR=DIR is elsewhere, BENCH_RECORDS=N is smaller")


def generate(store, kept):
    stamp = ROOT / "generation"
    if stamp.exists() and stamp.read_text("ascii") == generation():
        return
    shutil.rmtree(ROOT, ignore_errors=True)
    kept.mkdir(parents=True)
    say("generate_sealed_s",
        run(BIN / "bench/storegen", "sealed", store, RECORDS)[0], "s")
    seconds = run(BIN / "bench/storegen", "live", store, RECORDS)[0]
    say("generate_live_s", seconds, "s")
    os.link(store / "live/data.mdb", kept / "data.mdb")
    stamp.write_text(generation(), "ascii")
    os.sync()  # else the disk writes them while others are measured


def unseal(store, kept):
    """The sweep has just ended: its file again, and none that was sealed."""
    sweeps = sorted((store / "sealed").glob("*.mdb"))
    for sealed in sweeps[1:]:
        sealed.unlink()
    shutil.rmtree(store / "live", ignore_errors=True)
    (store / "live").mkdir()
    os.link(kept / "data.mdb", store / "live/data.mdb")
    for name in ("feeds", "summary", "heads.sqlite", "dump.json"):
        if (ROOT / name).is_dir():
            shutil.rmtree(ROOT / name)
        else:
            (ROOT / name).unlink(missing_ok=True)
    return sweeps[0]


# ---- who is told -------------------------------------------------------------

def prefixes(number):
    """Three of a recipient, of 16 to 24 bits, many of which overlap."""
    for i in range(3):
        at = (number * 7919 + i * 104729) % 56832 + 256
        bits = 16 + (number + i) % 9
        third = (number * 31 % 256) if bits == 24 else 0
        yield f'"{at >> 8}.{at & 255}.{third}.0/{bits}"' if bits in (16, 24) \
            else f'"{at >> 8}.{at & 255}.0.0/{bits}"'


def recipients(path):
    """A thousand with ten filters each: AS, prefixes, a domain or a country."""
    countries = ["NL", "IT", "ES", "CH", "UA", "CZ", "NO", "RO", "HU", "AR",
                 "CL", "TH", "MY", "SG", "TW", "PH", "IE", "PT", "GR", "BG"]
    text = ['helo = "bench.example.net"', 'contact = "bench@example.net"',
            f'store = "{path.parent}"', 'targets = { "192.0.2.0/24" }',
            'exclude = { "192.0.2.1" }']
    for n in range(RECIPIENTS):
        systems = ", ".join(
            str(FIRST_SYSTEM + (n * 37 + i * 7331) % SYSTEMS)
            for i in range(FILTERS - 4))
        last = f'country = {{ "{countries[n // 50]}" }}' if n % 50 == 0 else \
            f'domain = {{ "as{FIRST_SYSTEM + n * 49 % SYSTEMS}.example.net" }}'
        text.append(f'recipient r{n} {{\n\tcontact = "r{n}@example.net"\n'
                    f'\tasn = {{ {systems} }}\n'
                    f'\tcidr = {{ {", ".join(prefixes(n))} }}\n\t{last}\n}}')
    path.write_text("\n".join(text) + "\n", "ascii")


def feeds(store):
    """Cold: the pages of the sweep were dropped before the table was read."""
    conf, directory = store / "bench.conf", ROOT / "feeds"
    recipients(conf)
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    summary = ROOT / "summary"
    with open(summary, "w", encoding="ascii") as output:
        seconds, memory = run(BIN / "mailsweep", "feed", "-f", conf, "-d",
                              store, "-o", directory, "--json", output=output)
    files = [json.loads(line) for line in open(summary, encoding="ascii")]
    types = {file["type"].replace("scan6", "scan") for file in files}
    say("feeds_1000_s", seconds, "s")
    say("feeds_rows", sum(file["rows"] for file in files), "rows")
    say("feeds_files", len(files), "files")
    say("feeds_types", len(types), "types")
    shutil.rmtree(directory)
    return memory


# ---- beside others -----------------------------------------------------------

def by_sqlite(store):
    """A table of the same heads, in the columns that are counted."""
    base = ROOT / "heads.sqlite"
    base.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(base)) as db:
        db.execute("PRAGMA journal_mode = off")
        db.execute("PRAGMA synchronous = off")
        db.execute("CREATE TABLE heads (country TEXT, asn INTEGER, port "
                   "INTEGER, protocol TEXT, starttls INTEGER, findings "
                   "INTEGER)")
        with subprocess.Popen([str(BIN / "bench/storegen"), "heads",
                               str(store)], stdout=subprocess.PIPE,
                              text=True) as heads:
            db.executemany("INSERT INTO heads VALUES (?, ?, ?, ?, ?, ?)",
                           (line.split(",") for line in heads.stdout))
        db.commit()
    drop(base)
    begun = time.monotonic()
    with contextlib.closing(sqlite3.connect(base)) as db:
        rows = db.execute(
            "SELECT country, protocol, count(*), sum(starttls = 1), "
            "sum(starttls = 8), sum(starttls = 9), sum(findings & 1), "
            "sum(findings >> 1 & 1), sum(findings >> 17 & 1) FROM heads "
            "GROUP BY country, protocol").fetchall()
    seconds = time.monotonic() - begun
    if sum(row[2] for row in rows) != RECORDS:
        raise SystemExit("sqlite counted other rows")
    base.unlink()
    return seconds


COUNT_JSON = """
import collections, json, sys
counts = collections.Counter()
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    key = row.get("country"), row["protocol"]
    counts[key] += 1
    counts[key, row["starttls"]] += 1
    for finding in row["findings"]:
        counts[key, finding] += 1
"""


def by_json(store, sweep):
    """Python over what `mailsweep dump` says of a million, scaled."""
    dumped = ROOT / "dump.json"
    with open(dumped, "wb") as file:
        with subprocess.Popen([str(BIN / "mailsweep"), "dump", "-d",
                               str(store), "--sweep", sweep],
                              stdout=subprocess.PIPE) as dump:
            for _ in range(DUMPED):
                file.write(dump.stdout.readline())
            dump.stdout.close()
            dump.wait()
    seconds = run("python3", "-c", COUNT_JSON, dumped)[0]
    dumped.unlink()
    return seconds * RECORDS / DUMPED


# ---- all of it ---------------------------------------------------------------

def measure(store, before):
    tool = (BIN / "mailsweep", "stats", "-d", store)
    memory = {}
    counted, memory["stats"] = cold(before, *tool, "--sweep", before.stem,
                                    *CUTS)
    say("stats_cold_s", counted, "s")
    say("record_bytes", before.stat().st_size / RECORDS, "bytes")
    seconds, memory["seal"] = run(BIN / "bench/storegen", "seal", store,
                                  RECORDS)
    say("seal_10m_s", seconds * 10_000_000 / RECORDS, "s")
    sealed = sorted((store / "sealed").glob("*.mdb"))[-1]
    say("sealed_record_bytes", sealed.stat().st_size / RECORDS, "bytes")
    seconds, memory["ready"] = cold(sealed, *tool, *CUTS)
    say("stats_ready_s", seconds, "s")
    memory["feed"] = feeds(store)
    for name, megabytes in memory.items():
        say(f"tools_rss_{name}_mb", megabytes, "MB")
    say("tools_rss_mb", max(memory.values()), "MB")
    say("stats_sqlite_vs_ours", by_sqlite(store) / counted, "times")
    say("stats_json_vs_ours", by_json(store, before.stem) / counted, "times")


def main():
    store, kept = ROOT / "store", ROOT / "kept"
    check_room()
    generate(store, kept)
    try:
        measure(store, unseal(store, kept))
    finally:
        unseal(store, kept)
        print(f"kept for the next run: {ROOT}, {on_disk(ROOT) / 1e9:.1f} GB")


if __name__ == "__main__":
    main()
