"""What a full check costs as the register grows: document, name and birth date, through HTTP, stored (Linux).

    python -m bench.screening                                  # both engines, 10,000 and 100,000 entries
    python -m bench.screening --sizes 10000 100000 1000000     # the whole curve: an hour to fill
    python -m bench.screening --quick --json                   # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. Entries and
travellers are made up, their names as frequent as the table of travellers' names says; no traveller is listed. Each
register has a server of its own with one core; all of them take turns, first with questions about a document alone,
then with full ones. Trust the ratios.

The columns: CPU of the server and of PostgreSQL for a check by document alone, and for a full one, in microseconds;
the full one's as a ratio to the document's, and to its own in the smallest register (server and PostgreSQL together);
its latency in milliseconds with few connections, and the ratio of the 99th percentile to the median; memory of the
server in MB.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bench.checks import Asked, request_of
from bench.crowds import birth, by_frequency, people
from bench.figures import median, shown, table
from bench.processes import Noise, serving_cekal, split_cores
from bench.registers import ENGINES, Registers, fill_entries, opened, passport, registers
from tests.support.actors import Actors

_QUESTIONS = 4096


class Curve(msgspec.Struct):
    """One register: how it answers both kinds of questions."""

    engine: str
    entries: int
    document: Asked
    full: Asked


def questions(key: str, *, full: bool) -> list[bytes]:
    """Whole requests about travellers; none of them is listed."""
    chance, name = random.Random(2), by_frequency()
    requests = []
    for _ in range(_QUESTIONS):
        number = passport(chance.randrange(10**7) + 5 * 10**7)
        question: dict[str, Any] = {
            "direction": "exit",
            "document": {"number": number, "issuing_state": "IDN", "type": "passport"},
        }
        if full:
            question["person"] = {
                "name": name(chance),
                "birth_date": birth(chance).date,
                "nationality": "IDN",
            }
        requests.append(request_of(key, question))
    return requests


async def _prepare(made: Registers, engine: str, entries: int) -> tuple[dict[str, str], str]:
    settings = await made.make(engine, f"{engine}-{entries}")
    async with opened(settings) as runtime:
        caller = await Actors(runtime).client("checkpoint")
        await fill_entries(runtime, entries, people(random.Random(1)))
    return settings, caller.key


@contextmanager
def _curves(options: argparse.Namespace, made: Registers) -> Iterator[list[Curve]]:
    """Every register, served, for the block's length."""
    cores = split_cores()
    with ExitStack() as stack:
        curves = []
        for engine in options.engines:
            database = made.server()[1] if engine == "postgresql" else None
            for entries in sorted(options.sizes):
                settings, key = asyncio.run(_prepare(made, engine, entries))
                settings["CEKAL_LOG_LEVEL"] = "WARNING"
                name = f"{engine}-{entries}"
                server = stack.enter_context(serving_cekal(name, made.folder, cores, settings))
                document, full = (
                    Asked(f"{name}, {kind}", server, questions(key, full=kind == "full"), database)
                    for kind in ("document", "full")
                )
                curves.append(Curve(engine, entries, document, full))
        yield curves


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Run everything; gives the report."""
    with registers(options.folder) as made, _curves(options, made) as curves:
        noise = Noise(*made.servers())
        for _ in range(options.rounds):
            for curve in curves:
                curve.document.run(options)
                curve.full.run(options)
        others = noise.share()
    smallest = {curve.engine: _cost(curve.full) for curve in reversed(curves)}
    return {
        "benchmark": "screening",
        "connections": options.connections,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "others_cores": round(others, 2),
        "curve": [_row(curve, smallest[curve.engine]) for curve in curves],
    }


def _cost(asked: Asked) -> float:
    """Microseconds of CPU a check, the server's and PostgreSQL's together; the median of the rounds."""
    return median([(each.cpu_us or 0.0) + (each.database_us or 0.0) for each in asked.rounds])


def _row(curve: Curve, smallest: float) -> dict[str, Any]:
    document, full = curve.document.rounds, curve.full.rounds
    failures = {name: count for each in (*document, *full) for name, count in each.failures.items()}
    return {
        "engine": curve.engine,
        "entries": curve.entries,
        "document_cpu_us": median([each.cpu_us or 0.0 for each in document]),
        "document_database_us": median([each.database_us or 0.0 for each in document]),
        "full_cpu_us": median([each.cpu_us or 0.0 for each in full]),
        "full_database_us": median([each.database_us or 0.0 for each in full]),
        "to_document": _cost(curve.full) / _cost(curve.document),
        "to_smallest": _cost(curve.full) / smallest,
        "p50_ms": median([each.p50_ms for each in full if each.p50_ms]),
        "p99_ms": median([each.p99_ms for each in full if each.p99_ms]),
        "p99_to_p50": median([each.p99_ms / each.p50_ms for each in full if each.p50_ms and each.p99_ms]),
        "rss_mb": full[-1].rss_mb,
        "failures": failures,
    }


def _print(report: dict[str, Any]) -> None:
    head = ("", "document", "PG", "full", "PG", "/document", "/smallest", "p50", "p99", "p99/p50", "MB")
    rows = [
        (
            f"{row['engine']} {row['entries']:,}",
            shown(row["document_cpu_us"]),
            shown(row["document_database_us"]),
            shown(row["full_cpu_us"]),
            shown(row["full_database_us"]),
            shown(row["to_document"], 1),
            shown(row["to_smallest"], 1),
            shown(row["p50_ms"], 2),
            shown(row["p99_ms"], 2),
            shown(row["p99_to_p50"], 1),
            shown(row["rss_mb"]),
        )
        for row in report["curve"]
    ]
    print(
        f"\nFull checks, stored: {report['connections']} connections, medians of {report['rounds']} rounds of "
        f"{report['seconds']} s; others used {report['others_cores']} cores.\n"
    )
    print(table(head, rows))


def main() -> int:
    """The command; 1 when any answer was not 200."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000], help="entries")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0, help="length of a round")
    parser.add_argument(
        "--warm-up", type=float, default=1.0, help="seconds before each round that don't count"
    )
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.warm_up, options.sizes = 1, 0.4, 0.1, [50, 100]
    report = measure(options)
    if options.json:
        print(msgspec.json.encode(report).decode())
    else:
        _print(report)
    failed = {
        f"{row['engine']} {row['entries']}": row["failures"] for row in report["curve"] if row["failures"]
    }
    if failed:
        print(f"not every answer was 200: {failed}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
