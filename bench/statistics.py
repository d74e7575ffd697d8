"""How long does a year of statistics take, and how long does it keep the service's loop from others?

    python -m bench.statistics                          # both engines, 20,000 entries, a million checks
    python -m bench.statistics --checks 100000 --json   # fewer
    python -m bench.statistics --quick                  # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. A heartbeat
sleeps for a millisecond again and again while a table is counted. What is told is how late it ever woke, and how
late in the worst hundredth of its wakings: so long would another request have waited. The same is told for a time
in which nothing is counted, which is what the machine itself does to a sleeper.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable
from pathlib import Path
from time import perf_counter
from typing import Any

from app.access.domain import Role
from app.actor import Actor
from app.casework.statistics.figures import Dimension
from app.casework.statistics.service import count
from bench.registers import ENGINES, Registers, fill_checks, fill_entries, opened, registers

_AUDITOR = Actor("cli_bench", "BENCH", frozenset({Role.AUDITOR.value}))
_TABLES = (
    (Dimension.MONTH,),
    (Dimension.PROVINCE,),
    (Dimension.AGENCY, Dimension.PROVINCE),
)
_REST = 0.001
_IDLE = 5.0


async def _heartbeat(late: list[float]) -> None:
    while True:
        begun = perf_counter()
        await asyncio.sleep(_REST)
        late.append(perf_counter() - begun - _REST)


async def _measure(
    made: Registers, engine: str, entries: int, checks: int, idle: float
) -> list[dict[str, Any]]:
    rows = []
    async with opened(await made.make(engine, engine)) as runtime:
        await fill_entries(runtime, entries)
        await fill_checks(runtime, checks)
        rows.append({"engine": engine, "what": "nothing", **await _beaten(asyncio.sleep(idle))})
        for by in _TABLES:
            counted = count(runtime, _AUDITOR, None, None, by)
            rows.append({"engine": engine, "what": " x ".join(by), **await _beaten(counted)})
    return rows


async def _beaten(work: Awaitable[object]) -> dict[str, float]:
    """How long some work took, and how late the heart beat meanwhile."""
    late: list[float] = []
    heart = asyncio.create_task(_heartbeat(late))
    begun = perf_counter()
    await work
    took = perf_counter() - begun
    heart.cancel()
    late.sort()
    return {
        "seconds": round(took, 2),
        "late_median_ms": round(late[len(late) // 2] * 1000, 1),
        "late_p99_ms": round(late[len(late) * 99 // 100] * 1000, 1),
        "late_worst_ms": round(late[-1] * 1000, 1),
    }


def main() -> int:
    """Measure and print; the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--checks", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="a smoke run: few of both")
    parser.add_argument("--place", type=Path, help="a folder on a disk")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.quick:
        given.entries, given.checks = 30, 100
    rows = []
    with registers(given.place) as made:
        for engine in ENGINES:
            rows += asyncio.run(
                _measure(made, engine, given.entries, given.checks, 0.1 if given.quick else _IDLE)
            )
    if given.json:
        print(json.dumps({"benchmark": "statistics", "rows": rows}))
        return 0
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
