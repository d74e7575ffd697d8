"""How fast is a snapshot made, beside a bare export of the same rows, and in how much memory? Linux.

    python -m bench.snapshots                       # 100,000 entries, both engines
    python -m bench.snapshots --entries 1000000 --rounds 1
    python -m bench.snapshots --quick --json        # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. One reader of
Immigration's scope, whose personal parts are all shown. Measured, in turns with the rival:

- *seal*: from an admin's order until a signed head covers the digest's seal, once; the worker polls once a second.
- *make*: from the first request of a snapshot that is not there until its answer begins: read, rendered, compressed,
  held against the digest, on the disk.
- *send*: from there until its last byte.
- *bare*: the same rows read in order by another process, which does nothing with them: a SELECT of the standard
  library's sqlite3, and COPY to standard output on PostgreSQL.
- *checks*: the time that one check after another takes, in ms, by a client with one connection: median and 99th
  percentile, before, and while snapshots are made. They are measured in rounds of their own.
- *copy*: docs/examples/integrator.py takes all of the lines into an empty copy (SQLite) and verifies every leaf, every
  personal part, the digest and its proof.
- *import*: the same lines into the same table, each parsed, and nothing verified.

CPU is that of a record in microseconds, the database's included; on a busy machine trust it rather than the seconds.
MB are those of the server process: before, and the most until the end, with the process that makes the snapshot. The
server and that process may use every core; the client of the bench waits meanwhile.
"""

import argparse
import asyncio
import http.client
import json
import runpy
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from bench.feed import copy_rows, filled, select_rows
from bench.figures import median, percentile, shown, table
from bench.processes import Cores, Server, serving_cekal, split_cores
from bench.registers import ENGINES, Registers, opened, registers
from tests.support.actors import Actors

_CHUNK = 1 << 18
_QUIET_SECONDS = 5.0
_PATH = "/v1/snapshot"


def _asked(server: Server, method: str, key: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    connection.request(method, _PATH, headers={"Authorization": f"Bearer {key}"})
    return connection


def _made(server: Server, key: str) -> tuple[float, int]:
    """Ask until the snapshot is there, and read it; gives the moment at which its answer began, and its bytes."""
    while True:
        with closing(_asked(server, "GET", key)) as connection, connection.getresponse() as answer:
            if answer.status == 200:
                begun, size = time.perf_counter(), 0
                while data := answer.read1(_CHUNK):
                    size += len(data)
                return begun, size
            answer.read()
            time.sleep(0.02)


def _copied(server: Server, key: str, folder: Path) -> tuple[float, float]:
    """Take the snapshot's lines into two empty copies; gives the seconds with and without verification."""
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)) as connection:
        headers = {"Authorization": f"Bearer {key}", "Accept": "application/x-ndjson"}
        connection.request("GET", _PATH, headers=headers)
        lines = connection.getresponse().read().splitlines(keepends=True)
    copy = runpy.run_path("docs/examples/integrator.py")["Copy"](
        folder / f"{time.monotonic_ns()}-verified.db"
    )
    begin = time.perf_counter()
    copy.begin(lines)
    verified, begin = time.perf_counter() - begin, time.perf_counter()
    with closing(sqlite3.connect(folder / f"{time.monotonic_ns()}-bare.db", isolation_level=None)) as bare:
        bare.execute("PRAGMA journal_mode=WAL")
        bare.execute("CREATE TABLE entry (id TEXT PRIMARY KEY, version INT, content TEXT)")
        bare.execute("BEGIN")
        for record in map(json.loads, lines[1:-1]):
            content = json.dumps({"leaf": record["leaf"], "personal": record["personal"]})
            row = (record["entry_id"], record["version"], content)
            bare.execute("INSERT INTO entry VALUES (?, ?, ?)", row)
        bare.execute("COMMIT")
    if copy.count() != len(lines) - 2:
        raise RuntimeError(f"the copy has {copy.count()} entries of {len(lines) - 2}")
    return verified, time.perf_counter() - begin


@contextmanager
def _watched(server: Server) -> Iterator[Callable[[], float]]:
    """Watch the server's memory for the block; gives a function with the most MB so far."""
    most, ended = [server.rss()], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            used = server.rss()
            for child in server.process.children():
                with suppress(psutil.NoSuchProcess):
                    used += child.memory_info().rss / 1e6
            most.append(used)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield lambda: max(most)
    finally:
        ended.set()
        thread.join()


async def _keys(settings: dict[str, str]) -> tuple[str, str]:
    """An admin's key, and a counter's."""
    async with opened(settings) as runtime:
        actors = Actors(runtime)
        return (await actors.client("admin")).key, (await actors.client("checkpoint", checkpoint="CGK")).key


def _checks(server: Server, key: str, going_on: Callable[[], bool]) -> list[float]:
    """Check one traveller after another as long as that goes on; gives what each took, in ms, in rising order."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = {"direction": "exit", "document": {"number": "C0000000", "issuing_state": "IDN"}}
    taken = []
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as connection:
        while going_on():
            begin = time.perf_counter()
            connection.request("POST", "/v1/checks", json.dumps(body), headers)
            with connection.getresponse() as answer:
                if answer.status != 200:
                    raise RuntimeError(answer.read().decode())
                answer.read()
            taken.append((time.perf_counter() - begin) * 1e3)
            time.sleep(0.002)
    return sorted(taken)


def _checks_beside(
    server: Server, folder: Path, keys: tuple[str, str], rounds: int
) -> tuple[list[float], list[float]]:
    """Check travellers without and while snapshots are made, for so many snapshots; gives both, in ms."""
    reader, counter = keys
    until = time.perf_counter() + _QUIET_SECONDS
    alone = _checks(server, counter, lambda: time.perf_counter() < until)
    beside: list[float] = []
    for _ in range(rounds):
        _remove_snapshots(folder)
        making = threading.Thread(target=_made, args=(server, reader))
        making.start()
        beside += _checks(server, counter, making.is_alive)
    return alone, sorted(beside)


def _remove_snapshots(folder: Path) -> None:
    for file in folder.glob("snapshots/*.zst"):
        file.unlink()


def _measure(options: argparse.Namespace, cores: Cores, made: Registers, engine: str) -> dict[str, Any]:
    name = f"{engine}-snapshot"
    settings = asyncio.run(made.make(engine, name))
    url = settings["CEKAL_DATABASE_URL"]
    folder = Path(settings["CEKAL_DATA_DIR"])
    reader = asyncio.run(filled(settings, options.entries))
    admin, counter = asyncio.run(_keys(settings))
    everywhere = Cores(cores.server | cores.others, cores.others)
    kinds = ("bare", "bare_cpu", "make", "make_cpu", "send", "copy", "import")
    figures: dict[str, list[float]] = {each: [] for each in kinds}
    size, failures = 0, list[str]()

    def database_cpu() -> float:
        return made.server()[1].cpu() if engine == "postgresql" else 0.0

    with serving_cekal(name, made.folder, everywhere, settings) as server, _watched(server) as most:
        before, begin = server.rss(), time.perf_counter()
        with closing(_asked(server, "POST", admin)) as connection, connection.getresponse() as answer:
            assert answer.status == 202, answer.read()
        while True:
            with closing(_asked(server, "HEAD", reader)) as connection, connection.getresponse() as answer:
                if answer.status != 404:
                    break
            time.sleep(0.1)
        seal = time.perf_counter() - begin
        for _ in range(options.rounds):
            begin, used = time.perf_counter(), time.process_time() + database_cpu()
            rows = select_rows(url) if engine == "sqlite" else asyncio.run(copy_rows(url))
            figures["bare"].append(time.perf_counter() - begin)
            figures["bare_cpu"].append(time.process_time() + database_cpu() - used)
            _remove_snapshots(folder)
            begin, used = time.perf_counter(), server.cpu() + database_cpu()
            begun, size = _made(server, reader)
            figures["make"].append(begun - begin)
            figures["send"].append(time.perf_counter() - begun)
            figures["make_cpu"].append(server.cpu() + database_cpu() - used)
            copied, imported = _copied(server, reader, made.folder)
            figures["copy"].append(copied)
            figures["import"].append(imported)
            if rows < options.entries:
                failures.append(f"{rows} rows of {options.entries} entries")
        highest = most()
        alone, beside = _checks_beside(server, folder, (reader, counter), options.rounds)
    found = {each: median(values) for each, values in figures.items()}
    return {
        "engine": engine,
        "entries": options.entries,
        "seal_seconds": seal,
        "bare_seconds": found["bare"],
        "make_seconds": found["make"],
        "send_seconds": found["send"],
        "to_bare": found["make"] / found["bare"],
        "copy_seconds": found["copy"],
        "import_seconds": found["import"],
        "to_import": found["copy"] / found["import"],
        "bare_cpu_us": found["bare_cpu"] / options.entries * 1e6,
        "make_cpu_us": found["make_cpu"] / options.entries * 1e6,
        "mb": size / 1e6,
        "rss_mb": [before, highest],
        "checks_ms": [percentile(each, part) for each in (alone, beside) for part in (0.5, 0.99)],
        "failures": failures,
    }


def _print(results: Sequence[dict[str, Any]]) -> None:
    names = ("seal", "bare", "make", "send")
    lines = [
        (
            result["engine"],
            shown(result["entries"]),
            *(shown(result[f"{each}_seconds"], 2) for each in names),
            shown(result["to_bare"], 1),
            shown(result["copy_seconds"], 2),
            shown(result["to_import"], 1),
            shown(result["bare_cpu_us"], 1),
            shown(result["make_cpu_us"], 1),
            shown(result["mb"], 1),
            " to ".join(f"{mb:.0f}" for mb in result["rss_mb"]),
            "{:.1f}, {:.1f}; {:.1f}, {:.1f}".format(*result["checks_ms"]),
        )
        for result in results
    ]
    heads = (
        "engine",
        "entries",
        *(f"{each} s" for each in names),
        "/bare",
        "copy s",
        "/import",
        "bare CPU",
        "CPU",
        "MB file",
        "MB",
        "checks",
    )
    print(table(heads, lines))


def main() -> int:
    """The command; 1 when a snapshot was not whole."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--entries", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.entries, options.rounds = 500, 1
    cores = split_cores()
    with registers(options.folder) as made:
        results = [_measure(options, cores, made, each) for each in options.engines]
    if options.json:
        print(msgspec.json.encode({"benchmark": "snapshots", "results": results}).decode())
    else:
        _print(results)
    failures = [failure for result in results for failure in result["failures"]]
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
