"""The keeper of the mark: notices a database that was put back to an earlier state, and moves the mark forward.

The mark is the highest signed head, in a file outside the database. Every process has a keeper, and each machine its
own mark. The keeper compares the database with the mark at the start and every second, and before a write that follows
a failure of the database. A process that finds a rollback notes it in the database, by which all others stop writing
too.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, cast

from app.access.domain import SYSTEM
from app.alerting.notices.administration import register_rolled_back
from app.alerting.notices.service import notify
from app.db.faults import outage
from app.db.rollback import Rollback
from app.db.unit import Reader, Unit
from app.ledger import service as ledger
from app.ledger.domain import Head, NotedRollback
from app.runtime import Runtime
from app.settings import Settings
from app.sync.heads import store
from app.sync.heads.domain import Origin, PublicKey, SignedHead, checkpoint_of, origin_of
from app.sync.heads.keyfiles import SigningKeysRefused, folder_of, read_keys
from app.sync.heads.markfile import Stamp, mark_path, read_mark, replace_mark, stamp_of
from app.sync.heads.marks import Mark, MarkRefused

logger = logging.getLogger(__name__)

_UNREAD: Final = Stamp(0, 0, -1)
"""The stamp of a file that has to be read in any case."""


@dataclass(frozen=True, slots=True)
class Conceded:
    """The records that a restored register has lost, as accepted by its operator.

    Attributes:
        known: the number of records of the highest signed head that is known.
        lost: how many records of that head the restored register lacks. None if it has as many records or more, but
            other ones.
    """

    known: int
    lost: int | None


class MarkKeeper:
    """Compares the database with the mark (the highest signed head) for one process, and updates the mark's file.

    Attributes:
        fault: why the mark can't be used or written, as a sentence without a full stop; None while it can.
        mark: the highest signed head that this process knows; None before the first.
        woken: an event that is set when `round` should be called at once: a head was signed, or a rollback was noticed.
    """

    def __init__(self, settings: Settings) -> None:
        self.fault: str | None = None
        self.mark: Mark | None = None
        self.woken = asyncio.Event()
        self._settings = settings
        self._path = mark_path(settings)
        self._stamp: Stamp | None = None
        self._text: bytes | None = None  # what the file held when it was read
        self._usable = True
        self._read_by: tuple[str, int] | None = None
        self._announced: str | None = None
        self._begun = False

    def remember(self, epoch: str, size: int) -> None:
        """Remember the size of a ledger that was larger than the database is now, so that `compare` reports a rollback.

        Args:
            epoch: the epoch of the ledger that was read.
            size: the number of records that it had then.
        """
        self._read_by = epoch, size

    async def compare(self, reader: Reader) -> Rollback | None:
        """Return the evidence that the database was rolled back to an earlier state; None without evidence.

        The evidence comes from the mark, from `remember`, or from a note that another process has stored in the
        database. A database whose ledger has no head is not judged: the result is None. A mark that can't be used is
        not evidence; `fault` then gives the reason.

        Args:
            reader: a transaction on the database.
        """
        # The mark first: until the database is read, another process may sign a larger head and raise the mark to it.
        await self._load(reader)
        mark = self.mark
        head = await ledger.find_head(reader)
        if head is None:
            return None
        found = await self._contradiction(reader, mark, head)
        if found is None and self._read_by is not None and self._read_by[0] == head.epoch:
            return Rollback("", self._read_by[1], head.size)
        if found is None and (noted := await ledger.find_rollback(reader, head.epoch)) is not None:
            self._announced = noted.epoch
            return Rollback(noted.origin, noted.size, head.size)
        return found

    async def round(self, runtime: Runtime) -> None:
        """Compare the database with the mark, then move the mark forward to the newest signed head, or stop all writes.

        Writes stop if the database was rolled back. The rollback is then noted in the database for other processes, and
        duty officers and admins are notified. Nothing is done for a ledger without a head.
        """
        async with runtime.reading(SYSTEM) as reader:
            rollback = await self.compare(reader)
            head = await ledger.find_head(reader)
            if head is None:
                return
            newest = None if rollback else await store.newest_head(reader, head.epoch)
        runtime.settle(rollback)
        if rollback is not None:
            await self._announce(runtime, head.epoch, rollback)
        elif newest is not None:
            await self._raise_to(newest)
        self._begun = True

    async def concede(self, unit: Unit, epoch: str | None, size: int) -> Conceded | None:
        """Accept that a restored register has fewer records than the mark, and return what is lost.

        The ended epoch is stored, and that its loss was accepted, so that `compare` accepts the new epoch.

        Args:
            unit: the transaction that begins the new epoch.
            epoch: the epoch that has ended; None if it is not known.
            size: the number of records of the restored register.

        Returns:
            What is lost; its `lost` is 0 if nothing is. None if there is nothing to compare with: the database has no
            note of a rollback in the ended epoch, and the mark is missing or is that of an earlier known epoch.
        """
        await self._load(unit)
        origins = {each.epoch for each in await store.list_origins(unit)}
        name = await store.find_name(unit)
        if epoch is not None and name is not None and epoch not in origins:
            await store.add_origin(unit, Origin(epoch, origin_of(name, epoch), unit.now))
        mark = self.mark
        if mark is None or (mark.epoch != epoch and mark.epoch in origins):
            noted = await ledger.find_rollback(unit, epoch) if epoch else None  # by another machine's mark
            return None if noted is None else Conceded(noted.size, max(0, noted.size - size))
        if mark.epoch == epoch and mark.size <= size:
            same = await _root(unit, mark.size) == mark.root
            return Conceded(mark.size, 0 if same else None)
        if mark.epoch != epoch:
            await ledger.note_rollback(unit, NotedRollback(epoch or mark.epoch, mark.origin, mark.size, size))
        return Conceded(mark.size, max(0, mark.size - size))

    async def reset(self, runtime: Runtime) -> Path | None:
        """Replace the mark by the newest signed head of the ledger's present epoch; call it after a restore.

        If no head of the epoch was signed yet, the mark is not replaced. A mark's file that can't be used is renamed
        first, in both cases. If the new file can't be written, `fault` gives the reason.

        Returns:
            The path to which an unusable file was renamed; None if the file was usable or missing.

        Raises:
            HeadMissing: the ledger has no head.
            OSError: the unusable file can't be renamed.
        """
        aside = None
        async with runtime.reading(SYSTEM) as reader:
            await self._load(reader)
            newest = await store.newest_head(reader, (await ledger.head(reader)).epoch)
        if not self._usable:
            aside = self._path.with_name(f"{self._path.name}.unusable-{datetime.now(UTC):%Y%m%dT%H%M%SZ}")
            self._path.rename(aside)
            self._stamp = self._text = self.fault = None
            self._usable = True
        if newest is not None:
            await self._raise_to(newest)
        return aside

    async def _load(self, reader: Reader) -> None:
        """Read the mark if the file has changed since it was last read."""
        try:
            stamp = stamp_of(self._path)
            if stamp == self._stamp and self._usable:
                return
            text = read_mark(self._path)
            if text is None:
                self._gone()
                return
            found = await self._opened(reader, text)
        except (OSError, MarkRefused) as error:
            why = error.strerror if isinstance(error, OSError) else error
            self._usable = False
            self._stumble(f"the mark {self._path} can't be used: {why}")
            return
        known = self.mark
        if known is None or found.epoch != known.epoch or found.size >= known.size:
            self.mark = found
        self._stamp, self._text, self._usable = stamp, text, True
        self._recover()

    def _gone(self) -> None:
        if self._stamp is not None:
            logger.warning("the mark was removed: it is written anew", extra={"file": str(self._path)})
        self._stamp, self._text, self._usable = None, None, True

    async def _opened(self, reader: Reader, text: bytes) -> Mark:
        """Return the mark that a text holds, signed by a key of the database or of this machine.

        A database that was put back may lack a key that was made since.

        Raises:
            MarkRefused: it is no signed checkpoint, another register's, or signed by none of the keys.
        """
        name, keys = await store.find_name(reader), await store.list_keys(reader)
        try:
            return Mark.open(text, name, keys)
        except MarkRefused:
            try:
                own = read_keys(folder_of(self._settings))
            except SigningKeysRefused:  # the signer says so
                own = []
            keys += [PublicKey(key.kind, key.public, reader.now, None) for key in own]
            return Mark.open(text, name, keys)

    @staticmethod
    async def _contradiction(reader: Reader, mark: Mark | None, head: Head) -> Rollback | None:
        root, former = None, set[str]()
        if mark is None:
            return None
        if mark.epoch == head.epoch and mark.size <= head.size:
            root = await _root(reader, mark.size)
        elif mark.epoch != head.epoch:
            former = {each.epoch for each in await store.list_origins(reader)}
            given_up = [each for each in await ledger.list_rollbacks(reader) if each.epoch != head.epoch]
            former |= {each.origin.rpartition("/")[2] for each in given_up}
        return mark.contradicts(head.epoch, head.size, root, former)

    async def _announce(self, runtime: Runtime, epoch: str, rollback: Rollback) -> None:
        """Note a rollback in the database, and notify duty officers and admins; once for all processes."""
        if self._announced == epoch or rollback.found is None:
            return
        noted = NotedRollback(epoch, rollback.origin, rollback.known, rollback.found)
        try:
            async with runtime.writing(SYSTEM, always=True) as unit:
                if await ledger.note_rollback(unit, noted):
                    await notify(unit, [register_rolled_back(epoch, unit.now)])
        except (
            Exception
        ) as error:  # a database that can't be written needs no note, and the next round tries again
            if outage(error) is None:
                raise
            return
        self._announced = epoch

    async def _raise_to(self, head: SignedHead) -> None:
        """Write the newest signed head to the file if it is higher than the mark, or another epoch's.

        A file that can't be used stays as it is.
        """
        mark = self.mark
        higher = mark is None or mark.epoch != head.epoch or head.size > mark.size
        lower = mark is not None and mark.epoch == head.epoch and head.size < mark.size
        if not self._usable or lower or not (higher or self._text is None):
            return
        if self._text is None and mark is None and self._begun is False:
            logger.warning(
                "there was no mark: it begins now", extra={"file": str(self._path), "size": head.size}
            )
        note = head.note.encode()
        try:
            if self._path.parent == self._settings.data_dir:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            stamp = await asyncio.to_thread(replace_mark, self._path, self._text, note)
        except OSError as error:
            self._stumble(f"the mark {self._path} can't be written: {error.strerror}")
            return
        if stamp is None:  # another process of this machine has written it, and the next round reads it
            self._stamp = _UNREAD
            return
        self.mark = Mark(checkpoint_of(head).origin, head.size, head.root)
        self._stamp, self._text = stamp, note
        self._recover()

    def _stumble(self, why: str) -> None:
        if self.fault != why:
            logger.critical(why)
        self.fault = why

    def _recover(self) -> None:
        if self.fault is not None:
            logger.warning("the mark is in order again", extra={"file": str(self._path)})
        self.fault = None


async def _root(reader: Reader, size: int) -> bytes | None:
    try:
        return await ledger.root_of(reader, size)
    except KeyError:  # a stored hash is missing, which contradicts every root
        return None


def keeper_of(runtime: Runtime) -> MarkKeeper:
    """Return this process's `MarkKeeper`, which compares the database with the highest signed head."""
    return cast(MarkKeeper, runtime.keeper)
