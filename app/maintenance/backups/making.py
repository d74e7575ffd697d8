"""Backing up a register: its state at one moment is copied, and the copy is checked on the disk before it counts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app import __version__
from app.access.pepper import pepper_path
from app.db.addresses import shown_address
from app.db.migrate import revision
from app.db.unit import Reader
from app.kit.stages import Stage
from app.ledger import service as ledger
from app.maintenance.backups import postgresql, sqlite
from app.maintenance.backups.folder import begin_file, complete, discard, prepare
from app.maintenance.backups.inventory import CountedFigures, Inventory, LedgerEnd, compare, describe_file
from app.runtime import Runtime
from app.settings import Settings


async def back_up(runtime: Runtime, folder: Path, stage: Stage) -> Inventory:
    """Back up a register, which a service may go on writing. Returns the inventory of the backup.

    Args:
        runtime: the runtime of the register.
        folder: the folder of the backup, new or empty.
        stage: called at the beginning of each stage, for the display of progress.

    Raises:
        BackupFailed: the folder is not empty, a program of PostgreSQL is missing or has failed, or the copy differs
            from the register.
        HeadMissing: the register was itself restored from a backup by hand, and `cekal restore` has not accepted it.
        OSError: a file can't be written.
    """
    on_sqlite = runtime.register.is_sqlite
    names = sqlite.NAMES if on_sqlite else (postgresql.NAME,)
    made = prepare(folder)
    try:
        targets = [begin_file(folder, name) for name in names]
        copied, found = await (_copy_files if on_sqlite else _dump)(runtime, targets, stage)
        inventory = Inventory(
            program=__version__,
            engine="sqlite" if on_sqlite else "postgresql",
            schema=copied.schema,
            moment=copied.moment,
            ledger=copied.ledger,
            rows=copied.rows,
            photos=found.photos,
            pepper=_pepper_location(runtime.settings),
            settings=listed(runtime.settings),
            files={name: describe_file(target) for name, target in zip(names, targets, strict=True)},
        )
        compare(inventory, found)
        complete(folder, names, inventory.encoded())
    except BaseException:
        discard(folder, names, made=made)
        raise
    return inventory


@dataclass(frozen=True, slots=True)
class _Copied:
    """The figures of a register at the moment at which it was copied."""

    moment: datetime
    schema: str
    ledger: LedgerEnd
    rows: dict[str, int]


async def _copied(moment: datetime, register: Reader, rows: dict[str, int]) -> _Copied:
    await ledger.require_head(register)
    head = await ledger.head(register)
    end = LedgerEnd(head.epoch, head.size, (await ledger.root_of(register, head.size)).hex())
    return _Copied(moment, str(await revision(register.connection)), end, rows)


async def _copy_files(
    runtime: Runtime, targets: Sequence[Path], stage: Stage
) -> tuple[_Copied, CountedFigures]:
    async with sqlite.open_snapshot(runtime) as moment:
        copied = await _copied(moment.at, moment.register, await sqlite.count(moment))
        with stage("Copying", "bytes") as report_progress:
            await sqlite.copy(moment, targets, report_progress)
    with stage("Checking", "records") as report_progress:
        return copied, sqlite.examine(targets, report_progress)


async def _dump(runtime: Runtime, targets: Sequence[Path], stage: Stage) -> tuple[_Copied, CountedFigures]:
    (target,) = targets
    async with postgresql.open_snapshot(runtime) as moment:
        copied = await _copied(moment.at, moment.register, await postgresql.count(moment.register.connection))
        with stage("Dumping", "bytes") as report_progress:
            await asyncio.to_thread(postgresql.dump, runtime.register.url, moment, target, report_progress)
    with stage("Checking", "rows") as report_progress:
        rows = sum(copied.rows.values())
        return copied, await asyncio.to_thread(
            postgresql.examine, target, moment.schema, rows, report_progress
        )


def listed(settings: Settings) -> dict[str, object]:
    """Return a deployment's settings by name, with each secret masked."""
    return {**settings.model_dump(mode="json"), "database_url": shown_address(settings.url)}


def _pepper_location(settings: Settings) -> str:
    return "CEKAL_KEY_PEPPER" if settings.key_pepper else str(pepper_path(settings).absolute())
