"""What does an officer's worklist cost, and a round of the clocks, at twenty thousand live entries?

    python -m bench.worklist                          # 20,000 entries, both engines
    python -m bench.worklist --quick --json           # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. The register is
filled through its own stores: entries that end evenly over half a year, half of them KPK's, with the proof of
delivery on record for nineteen of twenty; requests that wait; and what a first round of the clocks tells. Measured
is the time of the use cases themselves, without HTTP: `tasks` and `told` for each role, and one quiet round.
"""

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.actor import Actor
from app.alerting.notices import rounds
from app.alerting.notices.service import list_latest
from app.casework.worklist import service
from app.kit.clock import day_begins, day_ends, legal_day
from app.kit.ids import new_id
from app.register.entries import store as entries
from app.register.entries.acts import Act
from app.register.entries.domain import Entry, State
from app.register.entries.duties import store as recorded
from app.register.entries.duties.store import Duty
from app.runtime import Runtime
from bench.figures import median, shown, table
from bench.registers import ENGINES, entry_of, opened, registers

LIVE = 20_000
WAITING = 300
"""Of each: requests to verify, and to approve."""

_AGENCIES = ("KPK", "KPK", "KEJAGUNG", "POLRI")
_DAYS = 180
_AT_ONCE = 1000
_PROVED = 19
_ROUNDS = 9

READERS = {
    "submitter": Actor("cli_1", "P1", frozenset({"submitter"}), "KPK"),
    "verifier": Actor("cli_2", "P2", frozenset({"verifier"}), "KPK"),
    "approver": Actor("cli_3", "P3", frozenset({"approver"}), "IMIGRASI", "KANIM-MEDAN"),
    "duty_officer": Actor("cli_4", "P4", frozenset({"duty_officer"}), "IMIGRASI", "KANIM-MEDAN"),
}


async def fill(runtime: Runtime, live: int, waiting: int) -> None:
    """Entries in force and requests that wait, with most of the duties done."""
    wanted = [State.ACTIVE] * live + [State.SUBMITTED] * waiting + [State.VERIFIED] * waiting
    for begin in range(0, len(wanted), _AT_ONCE):
        async with runtime.writing(SYSTEM) as unit:
            some = [
                _entry(number, wanted[number], unit.now)
                for number in range(begin, min(begin + _AT_ONCE, len(wanted)))
            ]
            await entries.add_all(unit, [(each, None) for each in some], Act.APPROVED)
            proved = [each for i, each in enumerate(some) if each.state is State.ACTIVE and i % 20 < _PROVED]
            for each in proved:
                for name in ("deliver_to_person", "deliver_to_minister", "withdraw_passport"):
                    await recorded.add(unit, each.id, _proof(name, each, unit.now))
    if not runtime.register.is_sqlite:
        async with runtime.writing(SYSTEM) as unit:
            await unit.run(text("ANALYZE"))


def _entry(number: int, state: State, now: datetime) -> Entry:
    """The n-th entry: one that has run for some days of its half year, or a request of last week."""
    today = legal_day(now)
    base = entry_of(number, now)
    begins = today - timedelta(days=number % _DAYS)
    ends = begins + timedelta(days=_DAYS)
    made = day_begins(begins) if state is State.ACTIVE else now - timedelta(days=number % 7)
    in_force = (day_begins(begins), day_ends(ends)) if state is State.ACTIVE else (None, None)
    return base.replace(
        id=new_id("ent", made),
        state=state,
        agency=_AGENCIES[number % len(_AGENCIES)],
        basis=msgspec.structs.replace(base.basis, issued_on=legal_day(made)),
        starts_on=begins,
        ends_on=ends,
        in_force_from=in_force[0],
        in_force_until=in_force[1],
        received_at=made,
        created_at=made,
        updated_at=made,
    )


def _proof(name: str, entry: Entry, now: datetime) -> Duty:
    done_at = day_begins(entry.basis.issued_on) + timedelta(days=2)
    return Duty(
        name=name,
        version=1,
        done_at=done_at,
        reference="Receipt",
        note=None,
        by="cli_1",
        person="P1",
        recorded_at=now,
    )


async def timed(act: Callable[[], Awaitable[Any]]) -> float:
    """The median of some runs, in milliseconds."""
    times = []
    for _ in range(_ROUNDS):
        begin = time.perf_counter()
        await act()
        times.append((time.perf_counter() - begin) * 1000)
    return median(times)


async def measure(runtime: Runtime) -> dict[str, float]:
    """Milliseconds of each reader's list and of the clocks' rounds."""
    figures = {}
    for name, actor in READERS.items():

        async def read(actor: Actor = actor) -> None:
            async with runtime.reading(actor) as reader:
                await service.tasks(reader, runtime.settings, await service.list_sealed(reader))
                await list_latest(reader, 50)

        figures[name] = await timed(read)
    figures["quiet warn"] = await timed(lambda: rounds.notify_ends_soon(runtime))
    figures["quiet notify_overdue"] = await timed(lambda: rounds.notify_overdue(runtime))
    return figures


async def run(engines: list[str], live: int, waiting: int, folder: Path | None) -> dict[str, Any]:
    """Fill and measure on each engine."""
    report: dict[str, Any] = {"benchmark": "worklist", "entries": live, "figures": {}}
    with registers(folder) as made:
        for engine in engines:
            async with opened(await made.make(engine, f"worklist-{engine}")) as runtime:
                await fill(runtime, live, waiting)
                begin = time.perf_counter()
                told = await rounds.notify_ends_soon(runtime) + await rounds.notify_overdue(runtime)
                first = (time.perf_counter() - begin) * 1000
                figures = {**await measure(runtime), "first round": first, "notices told": float(told)}
                report["figures"][engine] = figures
    return report


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--entries", type=int, default=LIVE)
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    live, waiting = (200, 10) if given.quick else (given.entries, WAITING)
    report = asyncio.run(run(given.engines, live, waiting, given.folder))
    if given.json:
        print(msgspec.json.encode(report).decode())
        return
    names = next(iter(report["figures"].values()))
    rows = [[name, *(shown(report["figures"][e][name], 1) for e in given.engines)] for name in names]
    print(f"{live:,} live entries; milliseconds, median of {_ROUNDS}")
    print(table(["", *given.engines], rows))


if __name__ == "__main__":
    main()
