"""Databases for tests: migrated once a run by our own revisions, then copied afresh for every test.

All processes of a run (pytest's own, and xdist's workers) share one `Run`. Nothing is made before a test asks
for it, and whoever asks first makes it for all.
"""

import asyncio
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeVar
from uuid import uuid4

import asyncpg

from app.border.checks.partitions import make_months
from app.initialise import initialise
from app.settings import Settings
from app.wiring import wired_runtime
from tests.support import postgres
from tests.support.clock import SettableClock

T = TypeVar("T")

PEPPER = "the pepper of every register that is copied from a template"

SIGNING_KEYS = "TESTS_SIGNING_KEYS"
"""The variable of the environment with the folder of the templates' signing keys."""

ENGINES = ("sqlite", "postgresql")

_ROOM = 2**31
_TEMPLATE = "cekal_template"
_SQLITE_FILES = ("register.db", "register-checks.db")


class TemplateFailed(Exception):
    """The databases that tests are copied from could not be made; the message says why."""


class Run:
    """What the processes of one test run share: a folder, and in it the templates and the server.

    The process that begins the run holds a pipe open; the PostgreSQL server ends when that process does.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._alive: int | None = None

    @classmethod
    def begin(cls) -> Self:
        """Begin a run, as its first process."""
        run = cls(Path(tempfile.mkdtemp(prefix="cekal-tests-", dir=_fast_place())))
        run.folder.chmod(0o711)  # the server, whose folder lies below, may run as another user
        os.mkfifo(run.folder / "alive")
        run._alive = os.open(run.folder / "alive", os.O_RDWR)
        return run

    def end(self) -> None:
        """End the run: stop the server and remove every file."""
        assert self._alive is not None, "only the process that began a run ends it"
        os.close(self._alive)
        self._alive = None
        if (self.folder / "postgresql").exists():
            postgres.wait_until_ended(self.folder / "postgresql")
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def signing_keys(self) -> Path:
        """The folder of the private keys that sign the heads of every register that is copied from a template."""
        return self.folder / "signing-keys"

    @contextmanager
    def sqlite(self) -> Iterator[str]:
        """The address of a fresh register of SQLite files, for the block's length."""
        template = self._once("sqlite", self._lay_sqlite)
        folder = Path(tempfile.mkdtemp(prefix="register-", dir=self.folder))
        for name in _SQLITE_FILES:
            shutil.copy(template / name, folder / name)  # with its mode, 0600
        try:
            yield f"sqlite:///{folder / _SQLITE_FILES[0]}"
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def postgresql(self) -> Iterator[str]:
        """The address of a fresh register on PostgreSQL, for the block's length."""
        server = self.server()
        name = f"cekal_{uuid4().hex[:12]}"
        finished(_tell(server, f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE} STRATEGY FILE_COPY"))
        try:
            yield f"{server}/{name}"
        finally:
            finished(_tell(server, f"DROP DATABASE {name} WITH (FORCE)"))

    @contextmanager
    def empty_database(self) -> Iterator[str]:
        """The address of a database on PostgreSQL in which there is nothing, for the block's length."""
        server, name = self.server(), f"empty_{uuid4().hex[:12]}"
        finished(_tell(server, f"CREATE DATABASE {name}"))
        try:
            yield f"{server}/{name}"
        finally:
            finished(_tell(server, f"DROP DATABASE {name} WITH (FORCE)"))

    def server(self) -> str:
        """The address of the run's PostgreSQL server, which holds the migrated template."""
        self._once("postgresql", self._start_postgresql)
        return (self.folder / "address").read_text()

    def _once(self, name: str, make: Callable[[Path], None]) -> Path:
        """A folder and what is in it: made here, unless another process has made or is making it.

        Raises:
            TemplateFailed: it could not be made, here or there; it is not tried again.
        """
        folder, failure = self.folder / name, self.folder / f"{name}.failed"
        with (self.folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if failure.exists():
                raise TemplateFailed(failure.read_text())
            if not folder.exists():
                folder.mkdir()
                try:
                    make(folder)
                except Exception as error:
                    failure.write_text(f"{name}: {error}")
                    raise
        return folder

    def _lay_sqlite(self, folder: Path) -> None:
        finished(found(f"sqlite:///{folder / _SQLITE_FILES[0]}", self.signing_keys))

    def _start_postgresql(self, folder: Path) -> None:
        alive = os.open(self.folder / "alive", os.O_RDONLY)
        try:
            server = postgres.start(folder, alive)
        finally:
            os.close(alive)
        try:
            finished(_tell(server, f"CREATE DATABASE {_TEMPLATE}"))
            finished(found(f"{server}/{_TEMPLATE}", self.signing_keys))
        except Exception:
            postgres.stop(folder)
            raise
        (self.folder / "address").write_text(server)


def _fast_place() -> Path | None:
    """A file system in memory, if there is a roomy one: there a fresh database takes a tenth of the time."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM:
        return memory
    return None


async def found(address: str, keys: Path) -> None:
    """Found a register in an empty database, with the pepper and the signing keys of all of them."""
    settings = Settings(env="test", database_url=address, key_pepper=PEPPER, signing_keys=keys)
    runtime = wired_runtime(settings)
    try:
        await initialise(runtime)
    finally:
        await runtime.close()
    in_tests = wired_runtime(settings, SettableClock())
    try:
        await make_months(
            in_tests
        )  # as if founded when every test begins, also for a role that may make no table
    finally:
        await in_tests.close()


async def _tell(server: str, statement: str) -> None:
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(statement)
    finally:
        with suppress(OSError, asyncpg.PostgresError):
            await connection.close(timeout=2)


def finished(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of some asynchronous work, done on a loop of its own so that the test's is left alone."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(work)
