"""A process that writes much: a long journal is shortened, memory is given back, and others get their turn."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from app.db import journal
from app.db.database import Database
from app.db.engine import open_databases
from app.settings import Settings

ROW = 100_000
LIMIT = 1_000_000


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal that counts as long from a megabyte on."""
    monkeypatch.setattr(journal, "LONG", LIMIT)


async def opened(folder: Path) -> Database:
    """A register with one table."""
    register, _ = open_databases(Settings(env="test", data_dir=folder))
    async with register.writing() as connection:
        await connection.execute(text("CREATE TABLE one (data BLOB)"))
    return register


async def filled(register: Database, rows: int) -> None:
    async with register.writing() as connection:
        for _ in range(rows):
            await connection.execute(text(f"INSERT INTO one VALUES (zeroblob({ROW}))"))


async def asked(register: Database, pragma: str) -> int:
    async with register.reading() as connection:
        return int((await connection.execute(text(f"PRAGMA {pragma}"))).scalar_one())


@pytest.mark.usefixtures("short")
async def test_a_long_journal_is_brought_into_the_file_and_shortened(tmp_path: Path):
    register = await opened(tmp_path)
    wal, file = tmp_path / "register.db-wal", tmp_path / "register.db"
    async with register.bulk():
        await filled(register, LIMIT // ROW - 2)
        long, before = wal.stat().st_size, file.stat().st_size
        await filled(register, 3)
        assert (wal.stat().st_size, file.stat().st_size > LIMIT > before) == (0, True)
        await filled(register, 3)
        assert 0 < wal.stat().st_size < long
    assert not wal.exists()
    await register.dispose()


async def test_a_reader_keeps_a_journal_from_being_shortened_and_from_nothing_else(
    tmp_path: Path, short: None
):
    register = await opened(tmp_path)
    wal = tmp_path / "register.db-wal"
    other = sqlite3.connect(tmp_path / "register.db", isolation_level=None)
    async with register.bulk():
        other.execute("BEGIN")
        assert other.execute("SELECT count(*) FROM one").fetchone() == (0,)
        await filled(register, LIMIT // ROW + 1)
        assert wal.stat().st_size > LIMIT
        assert other.execute("SELECT count(*) FROM one").fetchone() == (0,)
        other.execute("COMMIT")
        await filled(register, 1)
        assert wal.stat().st_size == 0
    assert other.execute("SELECT count(*) FROM one").fetchone() == (LIMIT // ROW + 2,)
    other.close()
    await register.dispose()


async def test_memory_is_spent_within_the_block_only(tmp_path: Path):
    register = await opened(tmp_path)
    before = await asked(register, "cache_size"), await asked(register, "wal_autocheckpoint")
    async with register.bulk():
        assert await asked(register, "cache_size") < 10 * before[0] < 0  # in kibibytes, as SQLite has it
        assert await asked(register, "wal_autocheckpoint") == 0
        assert await asked(register, "synchronous") == 2
    assert (await asked(register, "cache_size"), await asked(register, "wal_autocheckpoint")) == before
    await register.dispose()


async def test_another_process_gets_the_lock_between_two_transactions(tmp_path: Path):
    register, other = await opened(tmp_path), (open_databases(Settings(env="test", data_dir=tmp_path)))[0]
    done: list[str] = []

    async def import_much() -> None:
        async with register.bulk():
            for _ in range(20):
                await filled(register, 1)
                done.append("step")

    async def urgent() -> None:
        await filled(other, 1)
        done.append("urgent")

    importing = asyncio.create_task(import_much())
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await urgent()
    await importing
    assert done.index("urgent") < 10
    await register.dispose()
    await other.dispose()
