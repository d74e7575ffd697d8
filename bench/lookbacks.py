"""How long does it take to search a day's checks for the subject of an urgent entry, and does it hold others up?

    python -m bench.lookbacks                         # 200,000 checks, both engines
    python -m bench.lookbacks --quick --json          # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. The checks are made
up, two in three of them zones, names as frequent as the table of travellers' names says; one in the middle of the day
is the wanted person's, under a name spelled otherwise and with another passport.

The rows: a subject whose day of birth is known, whose year is, and one without a birth date. Measured are the
seconds of all rounds of the worker together, without the pauses between them, and how many of them this process kept
the processor busy, also a check; the longest time in which the event loop
could do nothing else, in milliseconds; and how many notices were told.
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from app.access.domain import SYSTEM
from app.border.lookbacks import store
from app.border.lookbacks.domain import Lookback
from app.border.lookbacks.service import look_back
from app.identity.births import Birth
from app.register.entries import store as entries
from app.register.entries.acts import Act
from app.register.entries.domain import State
from app.register.entries.subjects import Document, Subject
from app.runtime import Runtime
from bench.crowds import birth, by_frequency
from bench.figures import shown, table
from bench.registers import ENGINES, entry_of, fill_checks, opened, registers
from tests.support.bodies import mrz_of

CHECKS = 200_000
_DAY = timedelta(hours=23, minutes=30)
_TICK = 0.001
_NAME, _SPELLED_OTHERWISE = "Joko Wiralodra Tandirerung", "DJOKO WIRALODRA TANDIRERUNG"
_BORN = "1970-05-17"
SUBJECTS: dict[str, Birth | None] = {
    "day of birth": Birth(date=_BORN),
    "year of birth": Birth(date=_BORN[:4]),
    "no birth date": None,
}


def main() -> None:
    options = _options()
    with registers(options.place) as made:
        rows = [
            row
            for engine in options.engines
            for row in asyncio.run(
                _measure(asyncio.run(made.make(engine, f"past-{engine}")), engine, options.checks)
            )
        ]
    if options.json:
        print(json.dumps({"benchmark": "lookbacks", "checks": options.checks, "rows": rows}, indent=2))
        return
    head = [
        f"{options.checks:,} checks",
        "seconds",
        "of the processor",
        "us a check",
        "longest hold ms",
        "told",
    ]
    print(table(head, [_row(row, options.checks) for row in rows]))


async def _measure(settings: dict[str, str], engine: str, checks: int) -> list[dict[str, Any]]:
    async with opened(settings) as runtime:
        await fill_checks(runtime, checks, _questions(random.Random(1), wanted=checks // 2), _DAY)
        return [
            {"engine": engine, "subject": subject, **await _search(runtime, number, born)}
            for number, (subject, born) in enumerate(SUBJECTS.items())
        ]


def _questions(chance: random.Random, wanted: int) -> Any:
    naming = by_frequency()

    def question(number: int) -> str:
        name, born = (_SPELLED_OTHERWISE, _BORN) if number == wanted else (naming(chance), birth(chance).date)
        paper = {"number": f"C{number:07d}", "issuing_state": "IDN", "expires_on": "2031-01-31"}
        if number % 3:
            subject = {"full_name": name, "birth": {"date": born}, "sex": "male", "nationalities": ["IDN"]}
            return json.dumps({"direction": "exit", "mrz": mrz_of({**subject, "documents": [paper]})})
        person = {"name": name, "birth_date": born, "nationality": "IDN"}
        del paper["expires_on"]
        return json.dumps({"direction": "exit", "document": paper, "person": person})

    return question


async def _search(runtime: Runtime, number: int, born: Birth | None) -> dict[str, Any]:
    subject = Subject(
        full_name=_NAME,
        birth=born,
        nationalities=("IDN",),
        documents=(Document("passport", f"X{number}", "IDN"),),
    )
    async with runtime.writing(SYSTEM) as unit:
        made = entry_of(number, unit.now, lambda _: subject).replace(
            state=State.PROVISIONAL, urgent=True, in_force_from=unit.now
        )
        await entries.add(unit, made, Act.SUBMITTED_URGENTLY)
        await store.add(unit, [Lookback.of(made.id, unit.now)])
    told, rounds, began, worked = 0, 0, time.perf_counter(), time.process_time()
    async with holds() as held:
        while await _waits(runtime):
            told += await look_back(runtime)
            rounds += 1
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    return {
        "seconds": seconds,
        "cpu_seconds": worked,
        "rounds": rounds,
        "longest_hold_ms": 1000 * max(held),
        "told": told,
    }


async def _waits(runtime: Runtime) -> bool:
    async with runtime.reading(SYSTEM) as reader:
        return bool(await store.list_due(reader, None, 1))


@asynccontextmanager
async def holds() -> AsyncIterator[list[float]]:
    """How long others had to wait for their turn, each time."""
    holds = [0.0]

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(_TICK)
            holds.append(time.perf_counter() - began - _TICK)

    watching = asyncio.create_task(watch())
    try:
        yield holds
        await asyncio.sleep(2 * _TICK)  # or the last hold would not be seen
    finally:
        watching.cancel()


def _row(row: dict[str, Any], checks: int) -> list[str]:
    return [
        f"{row['engine']}, {row['subject']}",
        shown(row["seconds"], 1),
        shown(row["cpu_seconds"], 1),
        shown(1e6 * row["cpu_seconds"] / checks, 0),
        shown(row["longest_hold_ms"], 0),
        shown(row["told"]),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.lookbacks", description=__doc__.partition("\n")[0])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--checks", type=int, default=CHECKS)
    parser.add_argument("--place", type=Path, help="where databases lie; on a disk")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    options.checks = 300 if options.quick else options.checks
    return options


if __name__ == "__main__":
    main()
