"""What do further processes bring? One, two and four `cekal serve` on one PostgreSQL, in turn (Linux).

    python -m bench.scaling                          # three rounds of each, 500 streams
    python -m bench.scaling --processes 1 2 --spread
    python -m bench.scaling --quick --json           # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. Each process has a
port of its own, as a machine has behind a balancer, and all cores serve all. Sixty-four connections of each process ask
checks, as every further machine serves further gates, each again as soon as it is answered. They have done so for
twenty seconds before, unmeasured, in which a new process draws its sample of travellers and seals what the last one
left; the measured half minute has two rounds of sealing. With `--spread` the sixty-four are spread over all processes:
the batches of each are smaller then, and what a batch costs beside its checks is paid more often.

Then an officer posts urgent entries at the first process; all streams are open at the last one, so an alert crosses by
the ledger. The numbers of processes take turns.

The columns: checks a second, and as a ratio to those of one process; the processes' CPU a check in microseconds, and as
a ratio; PostgreSQL's CPU a check; p99 of a check; milliseconds from an urgent entry's request until the last stream has
the alert, and as a ratio. Generator, PostgreSQL and processes share the cores: on two cores two processes can't be
twice as fast.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.access.tables import checkpoint
from bench.alerts import Broadcast, draw_photo, get_request, post_request, urgent_entry
from bench.checks import asks, generate
from bench.figures import median, shown, table
from bench.load import Outcome, Task
from bench.processes import Cores, Family, Noise, Server, raise_file_limit, serving_cekal
from bench.registers import Registers, fill_entries, opened, registers
from tests.support.actors import Actors


class Round(msgspec.Struct, kw_only=True):
    """What some processes did in one round; CPU in microseconds a check."""

    rate: float
    cpu_us: float
    database_us: float
    p99_ms: float
    last_ms: list[float]
    failures: list[str]


class Register(msgspec.Struct, kw_only=True):
    """A register on PostgreSQL: the settings to serve it with, and the keys of its callers."""

    settings: dict[str, str]
    asker: str
    officer: str
    places: list[str]


async def _prepare(made: Registers, options: argparse.Namespace) -> Register:
    settings = await made.make("postgresql", "scaling")
    async with opened(settings) as runtime:
        actors = Actors(runtime)
        asker, officer = await actors.client("checkpoint"), await actors.client("submitter")
        async with runtime.reading(SYSTEM) as reader:
            codes = (await reader.run(select(checkpoint.c.code).order_by(checkpoint.c.code))).scalars().all()
        places = [
            (await actors.client("checkpoint", checkpoint=code, gateway=True)).key
            for code in codes[: options.places]
        ]
        await fill_entries(runtime, options.entries)
    return Register(settings=settings, asker=asker.key, officer=officer.key, places=places)


@contextmanager
def _processes(made: Registers, register: Register, number: int, cores: Cores) -> Iterator[list[Server]]:
    """So many processes of the service for the block's length."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(serving_cekal(f"scaling-{each}", made.folder, cores, register.settings))
            for each in range(number)
        ]


def _ask(
    servers: list[Server], database: Family, register: Register, options: argparse.Namespace
) -> dict[str, Any]:
    """Ask checks of all processes at the same time. Returns the figures of the round."""
    requests = asks(register.asker, options.entries, mrz=False)

    def ask_all(seconds: float) -> list[Outcome]:
        tasks = [
            Task(
                port=server.port,
                requests=requests,
                connections=max(1, options.connections // len(servers))
                if options.spread
                else options.connections,
                warm_up=0.0,
                seconds=seconds,
            )
            for server in servers
        ]
        with ThreadPoolExecutor(len(tasks)) as pool:
            return list(pool.map(generate, tasks))

    ask_all(options.warm_up)  # a process loads code, prepares statements and fills caches only once
    before = sum(server.cpu() for server in servers), database.cpu()
    outcomes = ask_all(options.seconds)
    after = sum(server.cpu() for server in servers), database.cpu()
    each = 1e6 / max(1, sum(outcome.served for outcome in outcomes))
    return {
        "rate": sum(outcome.answered / outcome.seconds for outcome in outcomes),
        "cpu_us": (after[0] - before[0]) * each,
        "database_us": (after[1] - before[1]) * each,
        "p99_ms": max(outcome.p99_ms or 0.0 for outcome in outcomes),
        "failures": [f"check: {name}" for outcome in outcomes for name in outcome.failures],
    }


def _alert(
    servers: list[Server], register: Register, posts: Callable[[int], bytes], options: argparse.Namespace
) -> tuple[list[float], list[str]]:
    """Post urgent entries at the first process. Returns when the last stream at the last one had each, and failures."""
    streams = [get_request("/v1/alerts/stream", key) for key in register.places]
    broadcast = Broadcast("alerts", servers[-1], streams, posts, poster=servers[0])
    broadcast.open(options.streams)
    for _ in range(options.alerts + 1):
        broadcast.run()
    broadcast.close()
    return [reached.last_ms for reached in broadcast.rounds[1:]], broadcast.failures()


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything; gives the report."""
    everywhere = frozenset(os.sched_getaffinity(0))
    cores = Cores(everywhere, everywhere)
    raise_file_limit(options.streams + 1000)
    photo, numbers = draw_photo(), count(1)
    rounds: dict[int, list[Round]] = {number: [] for number in options.processes}
    with registers(options.folder) as made:
        register = asyncio.run(_prepare(made, options))
        _, database = made.server()

        def posts(_: int) -> bytes:
            number = next(numbers)
            body = msgspec.json.encode(urgent_entry(number, photo))
            headers = (f"Authorization: Bearer {register.officer}", f"Idempotency-Key: bench-{number}")
            return post_request("/v1/urgent-entries", body, *headers, "Content-Type: application/json")

        noise = Noise(*made.servers())
        for _ in range(options.rounds):
            for number in options.processes:
                with _processes(made, register, number, cores) as servers:
                    asked = _ask(servers, database, register, options)
                    last_ms, failures = _alert(servers, register, posts, options)
                asked["failures"] += failures
                rounds[number].append(Round(last_ms=last_ms, **asked))
        others = noise.share()
    return {
        "benchmark": "scaling",
        "cores": len(everywhere),
        "others_cores": round(others, 2),
        "load": [round(each, 1) for each in os.getloadavg()],
        "streams": options.streams,
        "rows": _rows(rounds),
    }


def _rows(rounds: dict[int, list[Round]]) -> list[dict[str, Any]]:
    def middle(number: int) -> dict[str, float]:
        own = rounds[number]
        figures = {
            name: median([getattr(each, name) for each in own])
            for name in ("rate", "cpu_us", "database_us", "p99_ms")
        }
        return figures | {"last_ms": median([each for one in own for each in one.last_ms])}

    one = middle(min(rounds))
    return [
        {
            "processes": number,
            **(own := middle(number)),
            "to_one": {name: own[name] / one[name] for name in ("rate", "cpu_us", "last_ms")},
            "failures": sorted({failure for each in rounds[number] for failure in each.failures}),
        }
        for number in rounds
    ]


def _print(report: dict[str, Any]) -> None:
    head = ("processes", "checks/s", "/one", "CPU", "/one", "PG CPU", "p99 ms", "last ms", "/one")
    lines = [
        (
            str(row["processes"]),
            shown(row["rate"]),
            shown(row["to_one"]["rate"], 2),
            shown(row["cpu_us"]),
            shown(row["to_one"]["cpu_us"], 2),
            shown(row["database_us"]),
            shown(row["p99_ms"], 1),
            shown(row["last_ms"], 1),
            shown(row["to_one"]["last_ms"], 2),
        )
        for row in report["rows"]
    ]
    print(
        f"\n{report['cores']} cores, {report['streams']:,} streams; others used {report['others_cores']} cores, load "
        f"{report['load']}.\n"
    )
    print(table(head, lines))


def main() -> int:
    """The command; 1 when a check failed, a post was not accepted, or a stream was not reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--warm-up", type=float, default=20.0)
    parser.add_argument("--connections", type=int, default=64, help="of each process")
    parser.add_argument("--spread", action="store_true", help="so many connections of all processes together")
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--alerts", type=int, default=5, help="urgent entries of each round")
    parser.add_argument("--places", type=int, default=100, help="how many checkpoints listen")
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.processes, options.rounds, options.seconds, options.warm_up = [1, 2], 1, 0.3, 0.1
        options.connections, options.entries, options.streams, options.alerts, options.places = (
            8,
            50,
            20,
            1,
            3,
        )
    report = measure(options)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    failed = {row["processes"]: row["failures"] for row in report["rows"] if row["failures"]}
    for number, failures in failed.items():
        print(f"{number} processes: {'; '.join(failures)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
