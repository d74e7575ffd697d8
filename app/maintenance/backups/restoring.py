"""Restoring a backup, or accepting a database restored by other means: it is verified and begins a new epoch."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as with_values
from datetime import datetime
from pathlib import Path
from shutil import copyfile
from typing import Any
from urllib.parse import quote

import msgspec
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from app.access.clients.revocations import Ended, end_again, list_ended
from app.access.domain import SYSTEM
from app.access.pepper import PepperRefused, take_pepper
from app.border.checks.tables import check as check_table
from app.db import migrate
from app.db.addresses import driver_url
from app.db.engine import sqlite_files
from app.kit.stages import Stage
from app.ledger import service as ledger
from app.ledger.domain import Head
from app.maintenance.backups import places, postgresql, sqlite
from app.maintenance.backups.epochs import EpochBegun, begin_epoch
from app.maintenance.backups.folder import make_private
from app.maintenance.backups.inventory import (
    BackupFailed,
    Inventory,
    checks_among,
    compare,
    read_inventory,
    require_same,
)
from app.maintenance.backups.making import listed
from app.runtime import Runtime
from app.settings import Settings
from app.sync.heads.keeper import Conceded, keeper_of

Open = Callable[[Settings], Runtime]

_OF_THE_PLACE = frozenset({"database_url", "data_dir"})
"""Settings that state where a register is stored; they may differ between the backup and now."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The numbers of ledger records and of checks that the replaced register had beyond the backup."""

    records: int
    checks: int


@dataclass(frozen=True, slots=True)
class Restored:
    """The result of a restoration.

    Attributes:
        begun: the event of the new epoch.
        moment: the moment of the backup; for a database that was accepted, the time of the ledger's last record. Acts
            acknowledged after it may be lost.
        schema: the schema revision of the backup, if it was upgraded; else None.
        aside: the folder into which the files of the replaced register were moved; None if no files were moved.
        lost: the numbers of records and checks that the replaced register had beyond the backup; None if not known.
        ended_again: the number of accounts and keys that worked in the backup, had been ended in the replaced register,
            and were therefore ended in the restored one; None if not known.
        pepper: why this machine's pepper, the key of the keyed hashes, is refused; None if it is accepted.
        conceded: how many records existed according to the highest known signed head, and how many of them are lost;
            None if no such head of the former epoch is known.
        differing: the settings that differ between the backup and now: by name, the pair of the former and the present
            value.
    """

    begun: EpochBegun
    moment: datetime
    schema: str | None = None
    aside: Path | None = None
    lost: Lost | None = None
    ended_again: int | None = None
    pepper: str | None = None
    conceded: Conceded | None = None
    differing: dict[str, tuple[Any, Any]] = field(default_factory=dict)


async def accept(runtime: Runtime, stage: Stage) -> Restored:
    """Accept a database that was restored by other means: verify its ledger, and begin a new epoch.

    `stage` is called at the beginning of each stage, for the display of progress.

    Raises:
        SchemaOutdated: the schema belongs to another release.
        BackupFailed: the ledger's records, their number and their hashes contradict each other.
    """
    await migrate.require_newest(runtime.register, runtime.checks)
    async with runtime.reading(SYSTEM) as reader:
        head = await ledger.find_head(reader)
        try:
            with stage("Checking", "records") as report_progress:
                tree = await ledger.recompute(
                    reader, lambda done: report_progress(done, head.size if head else 0)
                )
            stored = await ledger.root_of(reader, tree.size)
        except (ledger.LedgerBroken, KeyError) as error:
            raise BackupFailed(f"The ledger is damaged: {error}.") from None
        later = await ledger.find_head(reader)  # on PostgreSQL a running service may append meanwhile
        counted = head is None or (later is not None and head.size <= tree.size <= later.size)
        if stored != tree.root() or not counted:
            raise BackupFailed(
                "The ledger is damaged: its records, their number and their hashes contradict each other."
            )
        last = await ledger.list_after(reader, tree.size - 1, 1) if tree.size else []
    async with runtime.writing(SYSTEM, always=True) as unit:
        moment = last[0].at if last else unit.now
        begun = await begin_epoch(unit, moment)
        conceded = await keeper_of(runtime).concede(unit, begun.old, begun.size)
    return Restored(begun, moment, pepper=await _pepper_refusal(runtime), conceded=conceded)


async def restore(settings: Settings, folder: Path, opened: Open, stage: Stage, *, replace: bool) -> Restored:
    """Restore a backup as the register of the given settings, in a new epoch.

    Args:
        settings: the settings that name the place of the register.
        folder: the folder of the backup.
        opened: returns the runtime of the register that given settings name.
        stage: called at the beginning of each stage, for the display of progress.
        replace: whether to replace a register that exists at this place: on SQLite its files are moved to a folder
            beside it, on PostgreSQL all tables of the schema are dropped. If False, such a register makes the
            restoration fail.

    Raises:
        BackupFailed: the backup is incomplete, damaged, of another engine or of a later release; a register exists
            and `replace` is False; on SQLite a register is in use; a program of PostgreSQL is missing or has failed.
        OSError: a file can't be read or written.
    """
    inventory = read_inventory(folder)
    _expect_suitable(inventory, settings)
    with stage("Reading", "bytes") as report_progress:
        require_same(folder, inventory, report_progress)
    put_back = _restore_files if inventory.engine == "sqlite" else _restore_dump
    restored = await put_back(_RestoreRequest(settings, folder, inventory, replace), opened, stage)
    return with_values(restored, differing=_differing(inventory.settings, listed(settings)))


def _expect_suitable(inventory: Inventory, settings: Settings) -> None:
    engine = "sqlite" if driver_url(settings.url).get_backend_name() == "sqlite" else "postgresql"
    if inventory.engine != engine:
        raise BackupFailed(
            f"The backup is of a register on {inventory.engine}, and CEKAL_DATABASE_URL names one on {engine}."
        )
    if inventory.schema > migrate.NEWEST:
        raise BackupFailed(
            f"The backup has schema {inventory.schema}, and this program knows {migrate.NEWEST}: "
            f"it was made by release {inventory.program}, which can restore it."
        )


@dataclass(frozen=True, slots=True)
class _RestoreRequest:
    """The arguments of a restoration."""

    settings: Settings
    folder: Path
    inventory: Inventory
    replace: bool


async def _restore_files(requested: _RestoreRequest, opened: Open, stage: Stage) -> Restored:
    inventory, files = requested.inventory, sqlite_files(driver_url(requested.settings.url))
    if places.any_exists(files) and not requested.replace:
        raise BackupFailed(f"There is a register at {files[0]} already: --replace puts it aside.")
    with places.locked_exclusively(files):
        pass  # fails early, before anything is copied
    former = await _read_former(opened(requested.settings)) if places.any_exists(files) else None
    with places.stage_folder(files) as staged:
        ready = [staged / path.name for path in files]
        for name, path in zip(sqlite.NAMES, ready, strict=True):
            copyfile(requested.folder / name, make_private(path))
        with stage("Checking", "records") as report_progress:
            compare(inventory, sqlite.examine(ready, report_progress))
        address = "sqlite:///" + quote(str(ready[0]))
        runtime = opened(requested.settings.model_copy(update={"database_url": address}))
        try:
            restored = await _activate(runtime, inventory, former)
        finally:
            await runtime.close()
        for path in ready:
            places.merge_journal(path)
        with places.locked_exclusively(files):
            aside = places.swap(files, staged)
    return with_values(restored, aside=aside)


async def _restore_dump(requested: _RestoreRequest, opened: Open, stage: Stage) -> Restored:
    inventory = requested.inventory
    place = await _find_place(opened(requested.settings))
    if place.tables and not requested.replace:
        raise BackupFailed("There are tables in this database already: --replace drops them.")
    former = await _read_former(opened(requested.settings)) if place.tables else None
    url, dump = driver_url(requested.settings.url), requested.folder / postgresql.NAME
    with stage("Writing", "bytes") as report_progress:
        await asyncio.to_thread(postgresql.restore_dump, url, dump, place, inventory.rows, report_progress)
    runtime = opened(requested.settings)
    try:
        async with runtime.reading(SYSTEM) as reader:
            with stage("Checking", "records") as report_progress:
                found = await postgresql.examine_database(reader, report_progress)
            counted = {**found.rows, **inventory.rows}  # when it was written; a running service may add rows
            compare(inventory, msgspec.structs.replace(found, rows=counted))
        restored = await _activate(runtime, inventory, former)
        async with runtime.writing(SYSTEM, always=True) as unit:
            await unit.connection.exec_driver_sql(
                "ANALYZE"
            )  # else the server plans statements without statistics of the tables
    finally:
        await runtime.close()
    return restored


async def _find_place(runtime: Runtime) -> postgresql.Place:
    try:
        async with runtime.reading(SYSTEM) as reader:
            return await postgresql.find_place(reader.connection)
    finally:
        await runtime.close()


@dataclass(frozen=True, slots=True)
class _Former:
    """The state of the register that is replaced: its ledger's head, its number of checks, its ended accounts."""

    head: Head
    checks: int
    ended: Ended


async def _read_former(runtime: Runtime) -> _Former | None:
    """Return the state of the register to be replaced; None if it can't be read. Closes the runtime."""
    try:
        async with runtime.reading(SYSTEM) as register, runtime.checks_beside(register) as checks:
            head = await ledger.find_head(register)
            count = (await checks.run(select(func.count()).select_from(check_table))).scalar_one()
            return None if head is None else _Former(head, count, await list_ended(register))
    except (DBAPIError, sqlite3.Error):  # the register has another schema or is damaged
        return None
    finally:
        await runtime.close()


def _lost(inventory: Inventory, former: _Former | None) -> Lost | None:
    if former is None or former.head.epoch != inventory.ledger.epoch:
        return None
    records, checks = former.head.size - inventory.ledger.size, former.checks - checks_among(inventory.rows)
    return Lost(max(0, records), max(0, checks))


async def _activate(runtime: Runtime, inventory: Inventory, former: _Former | None) -> Restored:
    """Upgrade the schema of a restored register, and begin its new epoch.

    Accounts and keys that had been ended in the replaced register are ended again.
    """
    await migrate.upgrade(runtime.register, runtime.checks)
    async with runtime.writing(SYSTEM, always=True) as unit:
        again = await end_again(unit, former.ended) if former else 0
        begun = await begin_epoch(unit, inventory.moment, inventory.ledger.epoch)
        conceded = await keeper_of(runtime).concede(unit, begun.old, begun.size)
    older = inventory.schema if inventory.schema != migrate.NEWEST else None
    return Restored(
        begun,
        inventory.moment,
        older,
        lost=_lost(inventory, former),
        ended_again=again if former else None,
        pepper=await _pepper_refusal(runtime),
        conceded=conceded,
    )


async def _pepper_refusal(runtime: Runtime) -> str | None:
    try:
        await take_pepper(runtime)
    except PepperRefused as refused:
        return str(refused)
    return None


def _differing(then: dict[str, Any], now: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        name: (value, now[name])
        for name, value in then.items()
        if name in now and name not in _OF_THE_PLACE and value != now[name]
    }
