"""What finding by name costs: adding an entry with its keys, looking a traveller up, comparing who is found.

    python -m bench.candidates                              # both engines, 10,000 and 100,000 entries
    python -m bench.candidates --sizes 10000 1000000        # takes about an hour
    python -m bench.candidates --engines sqlite --json

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. Entries and
travellers are made up, their names as frequent as the table of travellers' names says; no traveller is listed. The
statements are the service's own, asked without HTTP, one after the other, in this process.

The columns: milliseconds to add an entry, in a transaction of its own, without and with its name keys, and their ratio;
then for a traveller with a birth date, and again without one: candidates, milliseconds to find them (median and 99th
percentile), milliseconds of processor time to compare them all (median).
"""

import argparse
import asyncio
import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.access.domain import SYSTEM
from app.matching.assessment import assess
from app.matching.keys import StoredKeys, key_query
from app.matching.persons import QueriedPerson
from app.matching.policy import DEFAULT
from app.register.entries import store as entries
from app.register.entries.acts import Act
from app.register.entries.domain import Entry
from app.register.entries.names import index as name_keys
from app.register.entries.subjects import Subject
from app.runtime import Runtime
from bench.crowds import birth, by_frequency, people
from bench.figures import median, percentile, shown, table
from bench.registers import ENGINES, Registers, entry_of, fill_entries, opened, registers

_Made = tuple[
    list[name_keys.BirthKey], list[name_keys.NameForm], list[name_keys.NameKeySet], list[name_keys.NameKey]
]
_Making = Callable[[Sequence[Entry], Mapping[str, StoredKeys] | None], _Made]

_ADDED = 300
_TRAVELLERS = 500


def main() -> None:
    options = _options()
    with registers(options.place) as made:
        rows = [
            row for engine in options.engines for row in asyncio.run(_measure(made, engine, options.sizes))
        ]
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    head = [
        "",
        "add",
        "with keys",
        "ratio",
        "found",
        "find p50",
        "p99",
        "compare",
        "no birth: found",
        "p50",
        "p99",
    ]
    print(table(head, [_row(row) for row in rows]))


async def _measure(made: Registers, engine: str, sizes: list[int]) -> list[dict[str, Any]]:
    chance, rows, filled = random.Random(1), [], 0
    settings = await made.make(engine, f"names-{engine}")
    async with opened(settings) as runtime:
        for size in sorted(sizes):
            await fill_entries(runtime, size - filled, people(chance), start=filled)
            filled = size
            row: dict[str, Any] = {"engine": engine, "entries": size}
            row["add_ms"], row["add_with_keys_ms"] = await _adding(runtime, chance, filled)
            filled += 2 * _ADDED
            row["dated"] = await _finding(runtime, chance, dated=True)
            row["undated"] = await _finding(runtime, chance, dated=False)
            rows.append(row)
    return rows


async def _adding(runtime: Runtime, chance: random.Random, start: int) -> tuple[float, float]:
    """Milliseconds to add an entry without and with keys, in turns."""
    person: Callable[[int], Subject] = people(chance)
    with_keys: _Making = name_keys.made_of
    took: dict[bool, list[float]] = {False: [], True: []}

    def nothing(_entries: Sequence[Entry], _prepared: Mapping[str, StoredKeys] | None = None) -> _Made:
        """Make no keys."""
        return [], [], [], []

    try:
        for number in range(start, start + 2 * _ADDED):
            keyed = number % 2 == 1
            name_keys.made_of = with_keys if keyed else nothing  # type: ignore[assignment]  # what is measured
            began = time.perf_counter()
            async with runtime.writing(SYSTEM) as unit:
                await entries.add(unit, entry_of(number, unit.now, person), Act.APPROVED)
            took[keyed].append(1000 * (time.perf_counter() - began))
    finally:
        name_keys.made_of = with_keys  # type: ignore[assignment]  # put back
    return median(took[False]), median(took[True])


async def _finding(runtime: Runtime, chance: random.Random, *, dated: bool) -> dict[str, float]:
    name = by_frequency()
    found, finding, comparing = [], [], []
    for _ in range(_TRAVELLERS):
        asked = QueriedPerson.of([name(chance)], [birth(chance)] if dated else [])
        async with runtime.reading(SYSTEM) as reader:
            began = time.perf_counter()
            sought = key_query(asked)
            candidates = (await name_keys.look_up(reader, [sought])).rank(sought, DEFAULT.most_candidates)
            finding.append(1000 * (time.perf_counter() - began))
            forms = (await name_keys.list_forms(reader, candidates.ids)).values()
            people = [name_keys.unpacked(form) for form in forms]
        began = time.thread_time()
        for person in people:
            assess(asked, person)
        comparing.append(1000 * (time.thread_time() - began))
        found.append(len(candidates.ids))
    return {
        "found": median(found),
        "find_p50_ms": median(finding),
        "find_p99_ms": percentile(sorted(finding), 0.99),
        "compare_ms": median(comparing),
    }


def _row(row: dict[str, Any]) -> list[str]:
    add, keyed, dated, undated = row["add_ms"], row["add_with_keys_ms"], row["dated"], row["undated"]
    return [
        f"{row['engine']} {row['entries']:,}",
        shown(add, 2),
        shown(keyed, 2),
        shown(keyed / add, 1),
        shown(dated["found"]),
        *(shown(dated[key], 2) for key in ("find_p50_ms", "find_p99_ms", "compare_ms")),
        shown(undated["found"]),
        *(shown(undated[key], 2) for key in ("find_p50_ms", "find_p99_ms")),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.candidates", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--sizes", nargs="+", type=int, default=[10_000, 100_000], help="entries")
    parser.add_argument("--place", type=Path, help="a folder for the registers; by default a temporary one")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
