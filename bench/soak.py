"""Whether nothing that was acknowledged is lost, and whether memory grows, under a mixed load that goes on (Linux).

    python -m bench.soak                                  # both engines, half an hour each
    python -m bench.soak --engines sqlite --minutes 60
    python -m bench.soak --quick --json                   # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed. Counters ask, single and in batches, officers
make urgent entries and search, a carrier sends lists, and streams are opened and closed again, all at a fixed pace that
a small machine bears; beside them `cekal import entries` takes over an older register, some lines every minute. A row
for each minute: the service's memory in MB (10^6), and what was answered until then. The slope is a straight line's
through the second half, in MB an hour: the first half fills caches and pools.

Alerts are raised all the time, and a stream, a long poll, a follower of the feed and a webhook's receiver note each of
them. When the minutes are over the processes (on PostgreSQL two) are killed in turn, `kill -9`, and started again,
while alerts are raised further. The account at the end compares what was acknowledged with what each reader has got:
an acknowledged alert that is missing makes the exit code 1.
"""

import argparse
import asyncio
import random
import sys
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import linear_regression
from typing import Any, Final

import msgspec

from app.kit.clock import system_clock
from bench.figures import percentile, shown, table
from bench.fleet import fleet
from bench.imports import Asker, Import, questions, urgent_of_today, write_register
from bench.processes import Cores, Server, split_cores
from bench.registers import ENGINES, Registers, fill_checks, fill_entries, opened, registers
from tests.support.account import Clients, accounting
from tests.support.actors import Actors
from tests.support.manifests import manifest_body

ENTRIES: Final = 2000
_ROLES: Final = ("checkpoint", "carrier", "verifier")
_DAY: Final = timedelta(days=1)
"""Time before the start in which so many travellers have asked as a process holds to count those of an entry."""
_PROCESSES: Final = {"sqlite": 1, "postgresql": 2}
_SETTLES: Final = 60.0
"""Seconds in which all must have arrived: twice the lease of a webhook that was under way when its process died."""
_SILENCE: Final = 20.0
"""Seconds without a byte, more than a heartbeat's pause, after which a reader opens another connection."""
_LISTENING: Final = 10.0
"""Seconds that a stream is open."""

_IMPORTED: Final = 500
"""Lines of each import."""
_IMPORT_EVERY: Final = 60.0
"""Seconds from the end of an import to the start of the next one."""

Json = dict[str, Any]


class Minute(msgspec.Struct, kw_only=True):
    """What the service used after some minutes; times in ms, memory in MB."""

    minute: float
    rss_mb: float
    answered: int
    check_p99_ms: float


class Listener(threading.Thread):
    """Opens a stream of alerts, listens for a while, leaves, and again."""

    def __init__(self, server: Server, key: str) -> None:
        super().__init__(daemon=True)
        self._server = server
        self._headers = {"Authorization": f"Bearer {key}"}
        self._ended = threading.Event()
        self.opened = 0

    def run(self) -> None:
        """Listen until `end`."""
        while not self._ended.is_set():
            connection = HTTPConnection("127.0.0.1", self._server.port, timeout=_LISTENING)
            try:
                connection.request("GET", "/v1/alerts/stream", headers=self._headers)
                if connection.getresponse().status == 200:
                    self.opened += 1
                self._ended.wait(_LISTENING)
            except (OSError, HTTPException):
                self._ended.wait(1.0)
            finally:
                connection.close()

    def end(self) -> None:
        """Stop listening."""
        self._ended.set()
        self.join()


class Importer(threading.Thread):
    """Takes over lines of an older register, others each time, until it is ended."""

    def __init__(self, settings: dict[str, str], folder: Path) -> None:
        super().__init__(daemon=True)
        self._settings, self._folder = settings, folder
        self._ended = threading.Event()
        self.imported = 0

    def run(self) -> None:
        """Import until `end`; an import that has begun is completed."""
        while not self._ended.is_set():
            path = self._folder / f"older-{self.imported}.ndjson"
            write_register(path, _IMPORTED, start=self.imported)
            importing = Import(self._settings, path, _IMPORTED)
            while importing.look():
                time.sleep(0.5)
            importing.expect_complete()
            path.unlink()
            self.imported += _IMPORTED
            self._ended.wait(_IMPORT_EVERY)

    def end(self) -> None:
        """Stop importing."""
        self._ended.set()
        self.join()


def _loads(server: Server, keys: dict[str, str]) -> list[Asker]:
    """Who asks what, and how often."""
    chance = random.Random(5)
    single = questions(chance)

    def batch() -> Json:
        return {"items": [single() for _ in range(20)]}

    def passengers() -> Json:
        asked = [{"reference": str(row), **single()} for row in range(20)]
        for each in asked:
            del each["direction"]
        departs = f"{system_clock():%Y-%m-%d}T23:30:00+07:00"
        return manifest_body(*asked, flight=f"GA{chance.randrange(1000)}", departs_at=departs)

    def search() -> Json:
        return {"name": single()["person"]["name"]}

    def asker(role: str, path: str, every: float, body: Callable[[], Json]) -> Asker:
        return Asker(server, keys[role], path, every, body)

    return [
        asker("checkpoint", "/v1/checks", 0.05, single),
        asker("checkpoint", "/v1/checks/batch", 2.0, batch),
        asker("carrier", "/v1/manifests", 5.0, passengers),
        asker("verifier", "/v1/entries/search", 2.0, search),
    ]


async def _prepare(made: Registers, engine: str) -> tuple[dict[str, str], dict[str, str], Clients]:
    """A register with some entries: the settings to use it with, keys by role, and who keeps the account."""
    settings = await made.make(engine, engine)
    async with opened(settings) as runtime:
        await fill_entries(runtime, ENTRIES)
        asked = questions(random.Random(6))
        await fill_checks(
            runtime, runtime.settings.breadth_sample, lambda _: msgspec.json.encode(asked()).decode(), _DAY
        )
        actors = Actors(runtime)
        keys = {role: (await actors.client(role)).key for role in _ROLES}
        return settings, keys, await Clients.made(actors)


def _watched(server: Server, askers: list[Asker], minutes: float, look: float) -> list[Minute]:
    began, rows, counted = time.monotonic(), list[Minute](), 0
    while (passed := time.monotonic() - began) < 60 * minutes:
        time.sleep(max(0.0, look * (len(rows) + 1) - passed))
        times = sorted(askers[0].took[counted:]) or [0.0]
        counted = len(askers[0].took)
        rows.append(
            Minute(
                minute=(time.monotonic() - began) / 60,
                rss_mb=server.process.memory_info().rss / 1e6,
                answered=sum(len(each.took) for each in askers),
                check_p99_ms=percentile(times, 0.99),
            )
        )
    return rows


def slope(rows: list[Minute]) -> float | None:
    """MB an hour, of a straight line through the second half; None for too few rows."""
    later = rows[len(rows) // 2 :]
    if len(later) < 2:
        return None
    return 60 * linear_regression([each.minute for each in later], [each.rss_mb for each in later]).slope


def _load(
    server: Server, keys: dict[str, str], settings: dict[str, str], options: argparse.Namespace
) -> Json:
    """Load a process for the minutes that are asked for; gives what it used, and what was not answered well."""
    askers, listeners = _loads(server, keys), [Listener(server, keys["checkpoint"]) for _ in range(8)]
    importer = Importer(settings, Path(settings["CEKAL_DATA_DIR"]))
    everybody: tuple[Asker | Listener | Importer, ...] = (*askers, *listeners, importer)
    for each in everybody:
        each.start()
    rows = _watched(server, askers, options.minutes, options.look)
    for each in everybody:
        each.end()
    return {
        "minutes": msgspec.to_builtins(rows),
        "mb_an_hour": slope(rows),
        "streams_opened": sum(each.opened for each in listeners),
        "lines_imported": importer.imported,
        "failures": {why: count for each in askers for why, count in each.failures.items()},
    }


async def _soak(made: Registers, engine: str, cores: Cores, options: argparse.Namespace) -> Json:
    """Load one engine, kill its processes, and compare."""
    settings, keys, clients = await _prepare(made, engine)
    served = {**settings, "CEKAL_LOG_LEVEL": "WARNING", "CEKAL_WEBHOOK_NETWORKS": "127.0.0.0/8"}
    with fleet(_PROCESSES[engine], engine, made.folder, cores, served) as running:
        async with accounting(running.addresses, clients, urgent_of_today, _SILENCE) as account:
            ended = asyncio.Event()
            raising = asyncio.create_task(account.write_until(ended, options.raise_every))
            loaded = await asyncio.to_thread(_load, running.servers[0], keys, settings, options)
            for number in range(options.kills):
                await asyncio.sleep(options.calm)
                await asyncio.to_thread(running.kill, number % len(running.servers))
            await asyncio.sleep(options.calm)
            ended.set()
            await raising
            await account.settle(_SETTLES)
    return {
        "engine": engine,
        **loaded,
        "kills": options.kills,
        "acknowledged": len(account.acknowledged),
        "gaps": account.gaps,
        "readers": msgspec.to_builtins(account.report()),
    }


def measure(options: argparse.Namespace) -> Json:
    """Run everything; gives the report."""
    cores = split_cores()
    with registers(options.folder) as made:
        results = [asyncio.run(_soak(made, engine, cores, options)) for engine in options.engines]
    return {"benchmark": "soak", "results": results}


def lost(result: Json) -> list[str]:
    """What an engine's readers lack of what was acknowledged, in words; empty where they have everything."""
    said = [
        f"{each['missing']} missing at the {each['reader']}" for each in result["readers"] if each["missing"]
    ]
    return said + ([f"{result['gaps']} gaps in the feed"] if result["gaps"] else [])


def _print(report: Json) -> None:
    for result in report["results"]:
        rows = [
            (
                f"{row['minute']:.1f}",
                shown(row["rss_mb"], 1),
                shown(row["answered"]),
                shown(row["check_p99_ms"], 1),
            )
            for row in result["minutes"]
        ]
        print(f"\n{result['engine']}: {shown(result['mb_an_hour'], 1)} MB an hour in the second half.\n")
        print(table(("minute", "MB", "answered", "check p99"), rows))
        print(f"\n{result['acknowledged']} alerts acknowledged, {result['kills']} kills.\n")
        kept = [
            (
                each["reader"],
                shown(each["received"]),
                shown(each["missing"]),
                shown(each["duplicates"]),
                shown(each["latest_ms"]),
            )
            for each in result["readers"]
        ]
        print(table(("reader", "received", "missing", "duplicates", "latest ms"), kept))


def main() -> int:
    """The command; 1 when something was refused, or when something that was acknowledged is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--minutes", type=float, default=30.0, help="for each engine")
    parser.add_argument("--kills", type=int, default=6, help="kills of a process, when the minutes are over")
    parser.add_argument("--folder", type=Path, help="where databases are kept")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    options.look, options.raise_every, options.calm = 60.0, 2.0, 10.0
    if options.quick:
        options.minutes, options.look, options.raise_every, options.calm = 0.1, 2.0, 0.1, 0.5
        options.kills = 1
    report = measure(options)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    failed = [result["failures"] for result in report["results"] if result["failures"]]
    if failed:
        print(f"not every answer was a success: {failed}", file=sys.stderr)
    missing = {result["engine"]: lost(result) for result in report["results"] if lost(result)}
    if missing:
        print(f"acknowledged, and lost: {missing}", file=sys.stderr)
    return 1 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())
