"""A PostgreSQL server with an asynchronous stand-by, apart from the run's own: for tests that kill servers."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg

from tests.support import postgres
from tests.support.databases import finished, found
from tests.support.waiting import until_answered

_SETTINGS: Final = {
    "wal_level": "replica",
    "max_wal_senders": "4",
    "synchronous_commit": "on",  # or a server that crashes loses what it has acknowledged
    "max_connections": "100",
}
_NAME: Final = "register"


@dataclass(frozen=True, slots=True)
class Pair:
    """A primary, its stand-by, and a register on them.

    Attributes:
        primary: the register's address at the primary.
        standby: the same at the stand-by.
        both: the address that names both and leads to the one that takes writes.
    """

    primary: str
    standby: str
    both: str
    _folder: Path

    async def kill_primary(self) -> None:
        """End the primary at once, with its data."""
        _kill(self._folder / "primary")
        postgres.wait_until_ended(self._folder / "primary")

    async def crash_primary(self) -> None:
        """Kill one of the primary's backends: the server ends all the others and recovers from its log.

        Returns once it takes connections again.
        """
        connection = await asyncpg.connect(self.primary)
        os.kill(await connection.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)
        connection.terminate()
        await until_answered(lambda: _takes_connections(self.primary), postgres.PATIENCE)

    async def part(self) -> None:
        """Let the stand-by follow no more, once it has what the primary has committed."""
        here = await asyncpg.connect(self.primary)
        there = await asyncpg.connect(self.standby)
        try:
            end = await here.fetchval("SELECT pg_current_wal_lsn()")
            while not await there.fetchval("SELECT pg_last_wal_replay_lsn() >= $1", end):
                pass
            await there.execute("ALTER SYSTEM SET primary_conninfo = ''")
            await there.execute("SELECT pg_reload_conf()")
            while await there.fetchval("SELECT count(*) FROM pg_stat_wal_receiver"):
                pass
        finally:
            await here.close()
            await there.close()

    async def promote(self) -> None:
        """Make the stand-by the primary."""
        there = await asyncpg.connect(self.standby)
        try:
            assert await there.fetchval("SELECT pg_promote()")
        finally:
            await there.close()


@contextmanager
def pair(folder: Path, keys: Path) -> Iterator[Pair]:
    """Two servers with a register, for the block's length.

    Args:
        folder: an empty folder that other users may enter.
        keys: the signing keys of the register.
    """
    reading, writing = os.pipe()
    folders = [folder / "primary", folder / "standby"]
    try:
        for each in folders:
            each.mkdir()
        primary = postgres.start(folders[0], reading, **_SETTINGS)
        finished(_create(primary))
        finished(found(f"{primary}/{_NAME}", keys))
        standby = postgres.start(folders[1], reading, primary=primary, **_SETTINGS)
        ports = ",".join(each.rpartition(":")[2] for each in (primary, standby))
        both = (
            f"postgresql://postgres@/{_NAME}?host=127.0.0.1,127.0.0.1&port={ports}"
            "&target_session_attrs=read-write"
        )
        yield Pair(f"{primary}/{_NAME}", f"{standby}/{_NAME}", both, folder)
    finally:
        os.close(writing)
        os.close(reading)
        for each in folders:
            postgres.wait_until_ended(each)


async def _takes_connections(address: str) -> bool:
    try:
        await (await asyncpg.connect(address)).close()
    except (OSError, asyncpg.PostgresError):
        return False
    return True


def _kill(folder: Path) -> None:
    os.kill(int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0]), signal.SIGKILL)


async def _create(server: str) -> None:
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(f"CREATE DATABASE {_NAME}")
    finally:
        await connection.close()
