"""SQLite's files when they are new: whoever opens one while another process lays it waits."""

import asyncio
import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.db.engine import open_databases
from app.db.sqlite import SQLite
from app.settings import Settings

ATTEMPTS = 100


async def test_a_new_file_that_another_process_holds_is_waited_for(tmp_path: Path):
    register, checks = open_databases(Settings(env="test", data_dir=tmp_path))
    other = sqlite3.connect(tmp_path / "register.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")  # in the journal of a new file, not yet in WAL

    async def laid() -> None:
        async with register.writing() as connection:
            await connection.execute(text("CREATE TABLE one (id INTEGER)"))

    waiting = asyncio.create_task(laid())
    await asyncio.sleep(0.1)
    assert not waiting.done()
    other.execute("COMMIT")
    other.close()
    await waiting
    async with register.reading() as connection:
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
    await register.dispose()
    await checks.dispose()


async def test_new_files_and_their_folder_are_for_their_owner_alone(tmp_path: Path):
    folder = tmp_path / "data"
    former = os.umask(0)
    try:
        databases = open_databases(Settings(env="test", data_dir=folder))
        for database in databases:
            async with database.writing() as connection:
                await connection.execute(text("CREATE TABLE one (id INTEGER)"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
        for database in databases:
            await database.dispose()
    finally:
        os.umask(former)
    files = {
        f"{name}{journal}"
        for name in ("register.db", "register-checks.db")
        for journal in ("", "-wal", "-shm")
    }
    assert modes == {"data": 0o700, **dict.fromkeys(files, 0o600)}


async def test_the_lock_of_another_process_is_waited_for_beside_the_loop(tmp_path: Path):
    register, checks = open_databases(Settings(env="test", data_dir=tmp_path))
    assert isinstance(register, SQLite)
    async with register.writing() as connection:
        await connection.execute(text("CREATE TABLE one (id INTEGER)"))
    other = sqlite3.connect(tmp_path / "register.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    async def written() -> None:
        async with register.writing() as connection:
            await connection.execute(text("INSERT INTO one VALUES (1)"))

    waiting = asyncio.create_task(written())
    loop = asyncio.get_running_loop()
    took = 0.0
    for _ in range(ATTEMPTS):
        begun = loop.time()
        with pytest.raises(OperationalError, match="locked"):
            register._begin()
        took += loop.time() - begun
        await asyncio.sleep(0)
    assert not waiting.done()
    other.execute("ROLLBACK")
    other.close()
    await waiting
    await register.dispose()
    await checks.dispose()
    assert took < ATTEMPTS * 0.01, "each attempt fails at once; as a reader it would wait for 20 ms"
