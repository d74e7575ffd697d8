"""Does a backup that is made beside a busy service lack anything that was acknowledged, or have anything later?

    python -m bench.backups                          # both engines, twenty backups each
    python -m bench.backups --engines sqlite --tries 5
    python -m bench.backups --quick --json           # a smoke run: one backup for each engine

Run it from the root of the repository with the `test` extra installed. Four officers make urgent entries and four
counters ask about their subjects, one after the other, while `cekal backup` runs. Each backup is restored elsewhere and
compared with the answers: what was acknowledged before its moment is in it, what was asked for after its moment is not,
no check names an entry or a state of the register that it does not have. The command fails where one of these does
not hold.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
from pathlib import Path

import msgspec

from app.access.pepper import take_pepper
from app.settings import Settings
from app.wiring import wired_runtime
from bench.figures import shown, table
from bench.registers import ENGINES, Registers, registers
from tests.support.actors import Actors
from tests.support.backups import Load, Tally, back_up_under_load, tally
from tests.support.clock import SettableClock
from tests.support.postgres import programs_folder
from tests.support.processes import process

TRIES = 20


def main() -> None:
    options = _options()
    os.environ["PATH"] = f"{programs_folder()}{os.pathsep}{os.environ['PATH']}"
    with registers(options.place) as made:
        found = {engine: asyncio.run(_try(made, engine, options.tries)) for engine in options.engines}
    tallies = {engine: each for engine, (each, _) in found.items()}
    refused = {engine: each for engine, (_, each) in found.items()}
    if options.json:
        rows = {
            engine: [msgspec.to_builtins(each) for each in each_one] for engine, each_one in tallies.items()
        }
        print(json.dumps({"benchmark": "backups", "tries": rows, "refused": refused}))
    else:
        print(_shown(tallies))
    if any(refused.values()) or not all(each.holds for some in tallies.values() for each in some):
        print(f"It does not hold. {refused}", file=sys.stderr)
        sys.exit(1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES)
    parser.add_argument("--tries", type=int, default=TRIES)
    parser.add_argument("--place", type=Path, default=None, help="a folder on a disk")
    parser.add_argument("--quick", action="store_true", help="one backup for each engine")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.tries = 1
    return options


async def _try(made: Registers, engine: str, tries: int) -> tuple[list[Tally], list[str]]:
    """Back up one register so often while it is at work; gives a tally of each, and the answers that were refusals."""
    given = await made.make(engine, engine)
    settings = Settings(
        env="test",
        database_url=given["CEKAL_DATABASE_URL"],
        data_dir=Path(given["CEKAL_DATA_DIR"]),
    )
    clock, folder = SettableClock(), made.folder / f"work-{engine}"
    folder.mkdir()
    runtime = wired_runtime(settings, clock)
    try:
        await take_pepper(runtime)
        load = await Load.of(Actors(runtime))
    finally:
        await runtime.close()
    tallies = []
    async with process(settings, folder, data_dir=str(settings.data_dir), key_pepper="") as service:
        for number in range(tries):
            kept = folder / f"backup-{number}"
            took = await back_up_under_load(load, service.http, settings, kept)
            place = await made.empty(engine, f"restored-{number}")
            new = settings.model_copy(update={"database_url": place["CEKAL_DATABASE_URL"]})
            tallies.append(await tally(load, kept, new, clock, took))
            shutil.rmtree(kept)
            shutil.rmtree(place["CEKAL_DATA_DIR"])
    return tallies, load.refused


def _shown(tallies: dict[str, list[Tally]]) -> str:
    head = (
        "engine",
        "backups",
        "entries before",
        "missing",
        "checks before",
        "missing",
        "too late",
        "unmatched",
        "acts meanwhile",
        "seconds",
    )
    rows = [
        (
            engine,
            shown(len(some)),
            shown(sum(each.entries for each in some)),
            shown(sum(each.missing_entries for each in some)),
            shown(sum(each.checks for each in some)),
            shown(sum(each.missing_checks for each in some)),
            shown(sum(each.too_late for each in some)),
            shown(sum(each.unmatched for each in some)),
            shown(sum(each.meanwhile for each in some)),
            shown(max(each.seconds for each in some), 1),
        )
        for engine, some in tallies.items()
    ]
    return table(head, rows)


if __name__ == "__main__":
    main()
