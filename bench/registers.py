"""Registers to measure on: founded by the service's own migrations, filled through its own stores."""

import os
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import psutil
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.border.checks import store as checks
from app.identity.births import Birth
from app.initialise import initialise
from app.kit.clock import day_begins, day_ends, legal_day
from app.kit.ids import new_id
from app.register.entries import store as entries
from app.register.entries.acts import Act
from app.register.entries.domain import Basis, Entry, Measure, State
from app.register.entries.subjects import Citizenship, Document, Subject
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from bench.processes import Family
from tests.support import postgres

ENGINES = ("sqlite", "postgresql")

_AT_ONCE = 1000
"""Rows a transaction while filling."""

_DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "autovacuum": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
}
"""PostgreSQL's own defaults, which a test's server does without; and the memory that a large register is given."""

_FILLING_CACHE = -1_000_000
"""SQLite's cache while a register is filled, in kibibytes (negative, as SQLite has it)."""


class Registers:
    """Makes registers on either engine, on a disk; the PostgreSQL server starts when it is first asked for."""

    def __init__(self, folder: Path, alive: int) -> None:
        self.folder = folder
        self._alive = alive
        self._server: str | None = None

    async def make(self, engine: str, name: str) -> dict[str, str]:
        """A fresh register; gives the settings with which Cekal is served on it."""
        settings = await self.empty(engine, name)
        async with opened(settings) as runtime:
            await initialise(runtime)
        return settings

    async def empty(self, engine: str, name: str) -> dict[str, str]:
        """A place for a register; gives the settings with which one is founded, or restored, there."""
        folder = self.folder / f"register-{name}"
        folder.mkdir()
        url = f"sqlite:///{folder / 'register.db'}"
        if engine == "postgresql":
            url = await self._database(f"bench_{name}".replace("-", "_"))
        return {"CEKAL_DATABASE_URL": url, "CEKAL_DATA_DIR": str(folder)}

    async def _database(self, name: str) -> str:
        server, _ = self.server()
        connection = await asyncpg.connect(f"{server}/postgres")
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()
        return f"{server}/{name}"

    def server(self) -> tuple[str, Family]:
        """The PostgreSQL server's address, and what to read its CPU time from."""
        folder = self.folder / "postgresql"
        if self._server is None:
            folder.mkdir()
            self._server = postgres.start(folder, self._alive)
        status = folder / "data" / "postmaster.pid"
        return self._server, Family(psutil.Process(int(status.read_text().split("\n", 1)[0])))

    def servers(self) -> list[Family]:
        """What to read the PostgreSQL server's CPU time from, if it runs."""
        return [] if self._server is None else [self.server()[1]]

    def end(self) -> None:
        """Wait until the server, whose pipe has been closed, has ended."""
        if self._server is not None:
            postgres.wait_until_ended(self.folder / "postgresql")


@contextmanager
def registers(place: Path | None) -> Iterator[Registers]:
    """Registers for the block's length, in a temporary folder.

    Args:
        place: where that folder lies. In memory a commit costs nothing, so it must be a disk.
    """
    postgres._SETTINGS.update(_DURABLE)  # noqa: SLF001 - a benchmark measures commits that last
    folder = Path(tempfile.mkdtemp(prefix="cekal-bench-", dir=place))
    folder.chmod(0o711)  # the server, whose folder lies below, may run as another user
    reading, writing = os.pipe()
    made = Registers(folder, reading)
    try:
        yield made
    finally:
        os.close(writing)
        os.close(reading)
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def opened(settings: dict[str, str]) -> AsyncIterator[Runtime]:
    """A Runtime on a register for the block's length."""
    runtime = wired_runtime(
        Settings(database_url=settings["CEKAL_DATABASE_URL"], data_dir=Path(settings["CEKAL_DATA_DIR"]))
    )
    try:
        yield runtime
    finally:
        await runtime.close()


def passport(number: int) -> str:
    """The passport number of the n-th listed person."""
    return f"B{number:08d}"


async def fill_entries(
    runtime: Runtime, count: int, subject: Callable[[int], Subject] | None = None, *, start: int = 0
) -> None:
    """List so many exit bans of citizens, each with one passport, in force now; `subject` makes the n-th person."""
    for begin in range(start, start + count, _AT_ONCE):
        async with runtime.writing(SYSTEM) as unit:
            if unit.is_sqlite:
                await unit.connection.exec_driver_sql(f"PRAGMA cache_size={_FILLING_CACHE}")
            some = range(begin, min(start + count, begin + _AT_ONCE))
            await entries.add_all(unit, [(entry_of(n, unit.now, subject), None) for n in some], Act.APPROVED)
    if not runtime.register.is_sqlite:  # autovacuum would do this within a minute; SQLite has to do without
        async with runtime.writing(SYSTEM) as unit:
            await unit.run(text("ANALYZE"))


def entry_of(number: int, now: datetime, subject: Callable[[int], Subject] | None = None) -> Entry:
    """The n-th entry, in force since today."""
    today = legal_day(now)
    until = today + timedelta(days=170)
    return Entry(
        id=new_id("ent", now),
        version=1,
        state=State.ACTIVE,
        measure=Measure.PREVENTION,
        agency="KPK",
        citizenship=Citizenship.WNI,
        subject=(subject or _plain)(number),
        basis=Basis(
            instrument="order",
            number=f"R-{number}/BENCH",
            issued_on=today,
            law="UU 19/2019 art. 12(2)a",
            reason_code="corruption",
            reason="Penyidikan",
            case_reference=f"SPRINDIK-{number}",
            stage="investigation",
            subject_status="suspect",
        ),
        starts_on=today,
        ends_on=until,
        in_force_from=day_begins(today),
        in_force_until=day_ends(until),
        submitted_by="bench",
        authors=("bench",),
        received_at=now,
        created_at=now,
        updated_at=now,
    )


def _plain(number: int) -> Subject:
    return Subject(
        full_name=f"Contoh Nomor {number}",
        sex="male",
        birth=Birth(date="1970-05-17"),
        birth_place="Semarang",
        nationalities=("IDN",),
        documents=(Document("passport", passport(number), "IDN"),),
    )


async def fill_checks(
    runtime: Runtime,
    count: int,
    question: Callable[[int], str] | None = None,
    within: timedelta | None = None,
) -> None:
    """Store so many past checks as the service would have: evenly up to now; `question` says what the n-th asked."""
    now = datetime.now(UTC)
    apart = within / count if within else timedelta(seconds=1)
    for begin in range(count, 0, -_AT_ONCE):
        some = range(begin, max(0, begin - _AT_ONCE), -1)
        rows = [_check(now - n * apart, (question or _plainly_asked)(n)) for n in some]
        async with runtime.writing_checks(SYSTEM) as unit:
            await checks.add(unit, rows, [])


def _plainly_asked(_number: int) -> str:
    number = f"C{secrets.randbelow(10**8):08d}"
    return f'{{"direction":"exit","document":{{"number":"{number}","issuing_state":"IDN"}}}}'


def _check(at: datetime, question: str) -> checks.Record:
    return checks.Record(
        id=new_id("chk", at),
        at=at,
        client_id="cli_bench",
        checkpoint="CGK",
        kind="counter",
        direction="exit",
        outcome="clear",
        hit_id=None,
        sequence=0,
        question=question,
        document_hash=secrets.token_bytes(32),
        matches=None,
        clearances=None,
        noted=None,
        truncated=False,
    )
