"""Can a carrier learn from the time of its answer that a person is banned from leaving, which its answer hides?

    python -m bench.secrecy                           # 40 pairs of 300 rows, both engines
    python -m bench.secrecy --quick --json            # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. A carrier sends
pairs of manifests, each of many rows that show one document: in one of each pair the document is that of a person with
an exit ban, in the other nobody's. Both are answered `board` in every row. A spy guesses that the later answer of a
pair is the one about the ban.

Measured are the share of the pairs in which that guess is right (0.5 is what chance gives), and the medians of both
times in milliseconds. The rows: one person in all rows, and another name and birth date in each row.
"""

import argparse
import asyncio
import http.client
import json
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from app.identity.births import Birth
from app.register.entries.subjects import Document, Subject
from bench.crowds import birth, by_frequency
from bench.figures import median, shown, table
from bench.processes import Server, serving_cekal, split_cores
from bench.registers import ENGINES, fill_entries, opened, passport, registers
from tests.support.actors import Actors

ENTRIES: Final = 1000
ROWS: Final = 300
PAIRS: Final = 40
_WARM_UP: Final = 3
_naming = by_frequency()
_SHAPES: Final = ("one person", "a name a row")


def main() -> None:
    options = _options()
    cores = split_cores()
    report: list[dict[str, Any]] = []
    with registers(options.place) as made:
        for engine in options.engines:
            settings = asyncio.run(made.make(engine, f"secrecy-{engine}"))
            key = asyncio.run(_prepare(settings))
            with serving_cekal(f"secrecy-{engine}", made.folder, cores, settings) as server:
                report += [{"engine": engine, **_measure(server, key, shape, options)} for shape in _SHAPES]
    if options.json:
        print(json.dumps({"benchmark": "secrecy", "rows": report}, indent=2))
        return
    head = [f"{options.pairs} pairs of {options.rows} rows", "told apart", "with a ban, ms", "without, ms"]
    print(table(head, [_line(row) for row in report]))


async def _prepare(settings: dict[str, str]) -> str:
    async with opened(settings) as runtime:
        await fill_entries(runtime, ENTRIES, _listed)
        return (await Actors(runtime).client("carrier")).key


def _listed(number: int) -> Subject:
    """The n-th listed person."""
    name, born = _person(random.Random(number))
    papers = (Document("passport", passport(number), "IDN"),)
    return Subject(full_name=name, birth=Birth(date=born), nationalities=("IDN",), documents=papers)


def _person(chance: random.Random) -> tuple[str, str]:
    """A name and a birth date as travellers have them."""
    return _naming(chance), str(birth(chance).date)


def _measure(server: Server, key: str, shape: str, options: argparse.Namespace) -> dict[str, Any]:
    chance = random.Random(shape)
    times: dict[bool, list[float]] = {True: [], False: []}
    for pair in range(-_WARM_UP, options.pairs):
        for banned in chance.sample((True, False), 2):
            listed = chance.randrange(ENTRIES)
            number = passport(listed if banned else ENTRIES + chance.randrange(10**6))
            whose = random.Random(listed) if banned else chance
            persons = [_person(whose)] * options.rows
            if shape != _SHAPES[0]:
                persons = [_person(chance) for _ in persons]
            seconds = _send(server, key, _manifest(number, persons, chance))
            if pair >= 0:
                times[banned].append(1000 * seconds)
    later = [with_ban > without for with_ban, without in zip(times[True], times[False], strict=True)]
    return {
        "shape": shape,
        "told_apart": sum(later) / len(later),
        "with_ban_ms": median(times[True]),
        "without_ms": median(times[False]),
    }


def _manifest(number: str, persons: Sequence[tuple[str, str]], chance: random.Random) -> bytes:
    """A list of persons who all show one document, on a journey of their own."""
    departs = datetime.now(UTC) + timedelta(hours=chance.uniform(5, 500))
    passengers = [
        {
            "reference": str(row),
            "document": {"number": number, "issuing_state": "IDN"},
            "person": {"name": name, "birth_date": born, "nationality": "IDN"},
        }
        for row, (name, born) in enumerate(persons)
    ]
    journey = {"direction": "exit", "departs_at": departs.isoformat(), "from": "CGK", "to": "SIN"}
    return json.dumps({"flight": f"GA{chance.randrange(1000)}", **journey, "passengers": passengers}).encode()


def _send(server: Server, key: str, body: bytes) -> float:
    """Send a manifest; how many seconds its answer took."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.connect()
        began = time.perf_counter()
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection.request("POST", "/v1/manifests", body, headers)
        answer = connection.getresponse()
        told = json.loads(answer.read())
        seconds = time.perf_counter() - began
    finally:
        connection.close()
    if answer.status != http.client.CREATED or {item["status"] for item in told["items"]} != {"board"}:
        raise RuntimeError(f"a manifest was answered {answer.status}: {told}")
    return seconds


def _line(row: dict[str, Any]) -> list[str]:
    figures = (shown(row["told_apart"], 2), shown(row["with_ban_ms"]), shown(row["without_ms"]))
    return [f"{row['engine']}, {row['shape']}", *figures]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.secrecy", description=__doc__.partition("\n")[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--pairs", type=int, default=PAIRS)
    parser.add_argument("--place", type=Path, help="where databases lie; on a disk")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.pairs = 20, 2
    return options


if __name__ == "__main__":
    main()
