"""The snapshots of this machine: files that are made on request, and removed when they must no longer be shown.

A file is made once for each scope and each sealed digest, by one process of the machine at a time. Its name contains
the ledger's epoch, the digest's sequence, and the number of withdrawals of entries (erasures and seals) at that time.
Once one of the three has changed, the file is not served any more, and removed.
"""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import msgspec

from app.access.domain import SYSTEM
from app.actor import Actor
from app.db.addresses import libpq_address
from app.db.database import Database
from app.db.unit import Reader
from app.errors import Unavailable
from app.ledger import service as ledger
from app.ledger.domain import Closures
from app.ledger.service import LedgerBroken
from app.runtime import Runtime
from app.sync.feed.domain import within_scope
from app.sync.feed.rendering import members_of, text_of
from app.sync.heads.domain import checkpoint_of
from app.sync.heads.service import with_cosignatures
from app.sync.snapshots.domain import hashes, leaves_of, reader_in
from app.sync.snapshots.making import Order
from app.sync.snapshots.service import Current, compute, find_current
from app.sync.snapshots.starting import have_made

logger = logging.getLogger(__name__)

FOLDER: Final = "snapshots"
_SHORT: Final = 12
"""Characters of a fingerprint in a name and a tag."""

_END: Final = ".ndjson.zst"
_BEGUN: Final = ".begun"
_LOCK: Final = "lock"
_TIDY_SECONDS: Final = 2.0
"""Seconds between two looks at files that may be shown no more; requests look for themselves."""

PATIENCE_SECONDS: Final = 5.0
"""Seconds that a request waits for a snapshot that is being made."""

_AGAIN_SECONDS: Final = 5

_AT_ONCE: Final = 1000
"""Records about entries that are read at once for a file: some milliseconds, and about a megabyte."""


class Withdrawn(Exception):
    """An entry in a snapshot was erased or sealed while the file was made, so that the file must not be shown."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot, that is the register's state at a sequence as lines of JSON, in a file of this machine.

    Attributes:
        path: the file, which is compressed.
        made_of: the ledger's epoch, the sequence of the state, and the number of withdrawals (`Current.withdrawn`) when
            the file was made; the file may only be shown while all three are current.
        scope: which personal parts it contains (see `scope_of`).
        fingerprint: the first digits of the SHA-256 of the file's bytes, in hexadecimal.
        length: bytes of the lines, before compression.
    """

    path: Path
    made_of: tuple[str, int, int]
    scope: str
    fingerprint: str
    length: int

    @property
    def etag(self) -> str:
        """The strong `ETag` of the file: the sequence and the fingerprint, joined by a dash, in quotes."""
        return f'"{self.made_of[1]}-{self.fingerprint}"'

    @property
    def size(self) -> int:
        """The number of bytes of the file. Raises FileNotFoundError once it is removed."""
        return self.path.stat().st_size

    @classmethod
    def named(cls, path: Path) -> Self:
        """Return the snapshot in a file; its members are read from the file's name, which `name_of` has made.

        Raises:
            ValueError: the name was not made by `name_of`.
        """
        scope, epoch, sequence, withdrawn, fingerprint, length = path.name.removesuffix(_END).split("~")
        return cls(path, (epoch, int(sequence), int(withdrawn)), scope, fingerprint, int(length))


def name_of(current: Current, scope: str, fingerprint: str, length: int) -> str:
    """Return the name of a snapshot's file, which contains all members of `Snapshot` except the path.

    Args:
        current: the state from which the snapshot is made.
        scope: which personal parts it contains (see `scope_of`).
        fingerprint: the SHA-256 of the file's bytes, in hexadecimal; the name has its first digits.
        length: bytes of the lines, before compression.
    """
    parts = (scope, current.epoch, current.sequence, current.withdrawn, fingerprint[:_SHORT], length)
    return "~".join(map(str, parts)) + _END


class Snapshots:
    """Makes, finds and removes the files of snapshots on this machine; processes with the same data folder share them.

    Attributes:
        folder: the folder of the files; it is made when needed.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.folder = runtime.settings.data_dir / FOLDER
        self._runtime = runtime
        self._making: dict[str, asyncio.Task[Snapshot]] = {}

    async def run(self) -> None:
        """Call `tidy` every few seconds until cancelled; at the end, cancel the making of files."""
        try:
            while True:
                try:
                    await self.tidy()
                except Exception as error:  # the next look may succeed
                    if not self._runtime.outages.failed(error):
                        logger.exception("old snapshots can't be removed now")
                await asyncio.sleep(_TIDY_SECONDS)
        finally:
            for task in self._making.values():
                task.cancel()
            await asyncio.gather(*self._making.values(), return_exceptions=True)

    async def tidy(self) -> None:
        """Remove every file that must no longer be shown.

        Such a file was made in another epoch, from an older digest, or before an entry in it was erased or sealed.
        """
        files = self._list()
        if not files:
            return
        async with self._runtime.reading(SYSTEM) as reader:
            current = await find_current(reader)
        for each in files:
            if current is None or each.made_of != _made_of(current):
                each.path.unlink(missing_ok=True)

    async def make(self, scope: str) -> Snapshot:
        """Make the file of the newest snapshot for a scope, unless it exists, and return the snapshot.

        Simultaneous calls wait for the same file. The work goes on if a caller stops waiting, so that a later call
        finds the file.

        Raises:
            Unavailable: the file is not ready after 5 s, or can't be made now, for example without a signed head.
        """
        task = self._making.get(scope)
        if task is None:
            task = self._making[scope] = asyncio.create_task(self._make(scope))
            task.add_done_callback(lambda _: self._making.pop(scope, None))
        await asyncio.wait((task,), timeout=PATIENCE_SECONDS)
        if not task.done() or task.cancelled() or task.exception() is not None:
            raise Unavailable("The snapshot is being made, or can't be made now.", retry_after=_AGAIN_SECONDS)
        return task.result()

    async def _make(self, scope: str) -> Snapshot:
        try:
            async with self._alone():
                return await self._make_alone(scope)
        except Withdrawn:
            logger.info(
                "a snapshot was given up: something in it was erased or sealed", extra={"scope": scope}
            )
            raise
        except Exception as error:
            if not self._runtime.outages.failed(error):
                logger.exception("a snapshot can't be made", extra={"scope": scope})
            raise

    async def _make_alone(self, scope: str) -> Snapshot:
        """Make the newest snapshot of a scope, unless another process just has."""
        async with self._runtime.reading(SYSTEM) as reader:
            current = await find_current(reader)
            if current is None:
                raise Unavailable("There is no signed head of this ledger.", retry_after=_AGAIN_SECONDS)
            if (found := self.find(current, scope)) is not None:
                return found
            first, last, leaves = await _frame(reader, current, reader_in(scope))
            statements = ledger.driver_statements(reader.connection.dialect)
        if leaves is None:
            leaves = await self._compute_leaves(current)
        begun = self.folder / f"{secrets.token_hex(8)}{_BEGUN}"
        order = Order(
            path=str(begun),
            scope=scope,
            sequence=current.sequence,
            first=first,
            last=last,
            database=address_of(self._runtime.register),
            is_sqlite=self._runtime.register.is_sqlite,
            seconds=self._runtime.settings.database_seconds,
            statements=statements,
            at_once=_AT_ONCE,
        )
        try:
            made = await have_made(order)
            if (made.leaves, made.records) != (leaves, current.sealed.digest.records):
                raise LedgerBroken(f"the records at {current.sequence} are not those whose digest was sealed")
            async with self._runtime.reading(SYSTEM) as reader:
                if await ledger.count_withdrawn(reader, current.sequence) != current.withdrawn:
                    raise Withdrawn
            path = begun.replace(self.folder / name_of(current, scope, made.fingerprint, made.length))
        finally:
            begun.unlink(missing_ok=True)
        logger.info(
            "a snapshot was made",
            extra={"scope": scope, "sequence": current.sequence, "records": made.records},
        )
        return Snapshot.named(path)

    async def _compute_leaves(self, current: Current) -> str:
        """Compute the hash of the state's leaves that the record of an older digest lacks.

        Raises:
            LedgerBroken: the state is not the one whose digest was sealed.
        """
        computed = await compute(self._runtime, current.sequence)
        if computed.digest != current.sealed.digest:
            raise LedgerBroken(f"the records at {current.sequence} are not those whose digest was sealed")
        return computed.leaves

    def find(self, current: Current, scope: str) -> Snapshot | None:
        """Return the snapshot of a scope whose file was made from the state `current`; None if there is no file."""
        made_of = _made_of(current)
        return next((each for each in self._list() if (each.made_of, each.scope) == (made_of, scope)), None)

    def _list(self) -> list[Snapshot]:
        """Return the snapshots in the folder; files with names that `name_of` has not made are ignored, and stay."""
        found = []
        for path in self.folder.glob(f"*{_END}"):
            with suppress(ValueError):
                found.append(Snapshot.named(path))
        return found

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Wait until no other process with this folder makes a snapshot, and keep the others waiting for the block.

        The lock ends with the process; what a killed one has begun is removed here.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            while not _locked(descriptor):  # noqa: ASYNC110 - the lock is of another process
                await asyncio.sleep(0.1)
            for path in self.folder.glob(f"*{_BEGUN}"):
                path.unlink(missing_ok=True)
            yield
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    if os.name != "posix":
        return True
    import fcntl

    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


def address_of(database: Database) -> str:
    """Return what `Order.database` has: the URI of SQLite's file, to be read only, or PostgreSQL's address."""
    if database.is_sqlite:
        return f"{Path(str(database.url.database)).absolute().as_uri()}?mode=ro"
    return libpq_address(database.url)


def _made_of(current: Current) -> tuple[str, int, int]:
    return current.epoch, current.sequence, current.withdrawn


async def _frame(reader: Reader, current: Current, by: Actor) -> tuple[bytes, bytes, str | None]:
    """Return the first and the last line of a snapshot, and the hash of the leaves of its records.

    `SnapshotBeginOut` and `SnapshotEndOut` describe the lines, and `leaves_of` the hash.

    Raises:
        LedgerBroken: the digest is not the one that its record seals.
    """
    digest, seal = current.sealed.digest, current.sealed.seal
    head = await with_cosignatures(reader, current.head)
    (proof,) = await ledger.prove(reader, [seal], head.size)
    (record,) = await ledger.list_after(reader, seal - 1, 1)
    if record.leaf.get("seal") != digest.seal:
        raise LedgerBroken(f"the digest at {current.sequence} is not the one that record {seal} seals")
    first = {
        "origin": checkpoint_of(head).origin,
        "cursor": f"{current.epoch}.{current.sequence}",
        "sequence": current.sequence,
        "count": digest.records,
    }
    last = {
        "count": digest.records,
        "entries": digest.entries,
        "digest": digest.root.hex(),
        "seal": members_of(text_of(record), in_scope=within_scope(None, None, by, Closures())),
        "size": proof.size,
        "path": hashes(proof.path),
        "checkpoint": head.note,
    }
    return msgspec.json.encode(first), msgspec.json.encode(last), leaves_of(record.leaf)
