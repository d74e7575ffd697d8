"""What does it cost to seal the query log, and does it hold others up?

    python -m bench.sealing                         # 100,000 checks, both engines
    python -m bench.sealing --quick --json          # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. The checks are made
up and already stored; measured is the worker's sealing of all of them, in batches of 10,000. CPU is that of a check in
microseconds: of this process, and of PostgreSQL with it. The rival reads the same columns of the same rows, page by
page through the same connections, and does nothing with them. The longest time in which the event loop could do nothing
else is in milliseconds.
"""

import argparse
import asyncio
import json
import time
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.access.domain import SYSTEM
from app.border.checks.tables import check
from app.kit.garbage import keep_loaded_objects
from app.runtime import Runtime
from app.sync.querylog.sealing import Sealer
from bench.figures import shown, table
from bench.lookbacks import holds
from bench.processes import Family
from bench.registers import ENGINES, fill_checks, opened, registers

CHECKS = 100_000
_PAGE = 500


def main() -> None:
    options = _options()
    rows = []
    with registers(options.place) as made:
        for engine in options.engines:
            settings = asyncio.run(made.make(engine, f"log-{engine}"))
            server = made.server()[1] if engine == "postgresql" else None
            rows += asyncio.run(_measure(settings, engine, options.checks, server))
    if options.json:
        print(json.dumps({"benchmark": "sealing", "checks": options.checks, "rows": rows}, indent=2))
        return
    head = [f"{options.checks:,} checks", "us a check", "with the database", "longest hold ms", "batches"]
    print(table(head, [_row(row) for row in rows]))


async def _measure(
    settings: dict[str, str], engine: str, checks: int, server: Family | None
) -> list[dict[str, Any]]:
    async with opened(settings) as runtime:
        await fill_checks(runtime, checks)
        keep_loaded_objects()  # as the service does
        return [
            {"engine": engine, "what": what, **await _timed(act(runtime), checks, server)}
            for what, act in (("a bare read", _read), ("sealing", _seal))
        ]


async def _timed(work: Any, checks: int, server: Family | None) -> dict[str, Any]:
    own, other = time.process_time(), server.cpu() if server else 0.0
    async with holds() as held:
        batches = await work
    own = time.process_time() - own
    other = server.cpu() - other if server else 0.0
    return {
        "us": 1e6 * own / checks,
        "us_with_database": 1e6 * (own + other) / checks,
        "longest_hold_ms": 1000 * max(held),
        "batches": batches,
    }


async def _read(runtime: Runtime) -> int:
    after = ""
    while True:
        async with runtime.reading_checks(SYSTEM) as reader:
            page = select(check).where(check.c.id > after).order_by(check.c.id).limit(_PAGE)
            rows = (await reader.run(page)).all()
        if not rows:
            return 0
        after = rows[-1].id
        await asyncio.sleep(0)


async def _seal(runtime: Runtime) -> int:
    return await Sealer(runtime).seal()


def _row(row: dict[str, Any]) -> list[str]:
    return [
        f"{row['engine']}, {row['what']}",
        shown(row["us"], 1),
        shown(row["us_with_database"], 1),
        shown(row["longest_hold_ms"], 0),
        shown(row["batches"]),
    ]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.sealing", description=__doc__.partition("\n")[0])
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
