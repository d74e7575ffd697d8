"""The signer: signs the ledger's head within a second of new records, and at least every minute.

Before it signs, it reads the new leaves again and hashes them again: one flipped bit in a stored hash, once signed,
would end the log, because no later head could be consistent with it.
"""

import asyncio
import logging
from datetime import timedelta
from time import monotonic
from typing import Final

from app.access.domain import SYSTEM
from app.alerting.notices.administration import head_unsigned
from app.alerting.notices.service import notify
from app.db.unit import Reader
from app.kit.clock import rfc3339
from app.kit.pace import give_way
from app.ledger import service as ledger
from app.ledger.domain import Head
from app.ledger.service import LedgerBroken
from app.runtime import Runtime
from app.sync.heads import store
from app.sync.heads.domain import Origin, PublicKey, SignedHead, origin_of
from app.sync.heads.keyfiles import SigningKeysRefused, folder_of, read_keys
from app.tlog import merkle
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import SigningKey
from app.tlog.signed import sign_checkpoint

logger = logging.getLogger(__name__)

RENEW_SECONDS: Final = 45.0
"""Age of the newest signature at which the same head is signed again: below the minute that the API promises."""

_PAUSE_SECONDS = 0.5
"""Shortest time between two heads, so that a busy ledger does not spend its processor on signatures."""

_PAGE = 2000
_MOST_LEAVES = 20_000
"""Leaves that one head adds at most, so that a round after a large import stays short."""

_APART = timedelta(seconds=2)
"""How far the clocks of two machines may differ; a head waits that long without a word."""

_LOOK_SECONDS = 60.0
"""Seconds between two looks, while this process can't sign, whether anybody does; and between two at missing keys."""


class CannotSign(Exception):
    """No head can be signed now, for a reason other than the ledger's content; the message gives the reason."""


class KeysAbsent(CannotSign):
    """This machine lacks a private key that signs heads; another machine may have it and sign."""


class Signer:
    """Signs the ledger's heads for one process; the worker's lock ensures that only one process does it at a time.

    Attributes:
        failing: why this process can't sign; None if nothing has failed since it last signed.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.failing: str | None = None
        self._runtime = runtime
        self._tree: merkle.Tree | None = None
        self._signed: SignedHead | None = None
        self._signed_at = self._looked_at = -_LOOK_SECONDS
        self._absent = False
        self._unsigned = False  # whether it was logged that nobody signs

    async def sign(self) -> SignedHead | None:
        """Sign and store the ledger's head if it has new records, or if the newest signature is 45 s old.

        After a large import, the signed head may have only part of the new records; the next calls sign the rest.
        Nothing is signed, and `failing` gives the reason, while the clock is doubted or behind the newest head's time;
        while this machine lacks a key or can't use a key's file; while the register has no name; and while the ledger
        contradicts itself.

        Returns:
            The signed head; None if nothing was signed, because it was not necessary or not possible.

        Raises:
            RolledBack: the database lacks a head that was signed.
            HeadMissing: the ledger has no head.
        """
        if self._absent and monotonic() - self._looked_at < _LOOK_SECONDS:
            return None
        try:
            signed = await self._sign()
        except (CannotSign, LedgerBroken, SigningKeysRefused) as error:
            await self._note(error)
            return None
        if signed is not None and self.failing is not None:
            logger.log(logging.WARNING if self._unsigned else logging.INFO, "heads are signed here again")
            self.failing, self._absent, self._unsigned = None, False, False
        return signed

    async def _sign(self) -> SignedHead | None:
        if (doubt := self._runtime.doubt()) is not None:
            raise CannotSign(f"the clock is in doubt: {doubt}")
        await asyncio.sleep(max(0.0, self._signed_at + _PAUSE_SECONDS - monotonic()))
        async with self._runtime.reading(SYSTEM) as reader:
            head = await ledger.head(reader)
            last = await store.newest_head(reader, head.epoch)
            await self._expect_current(reader, head, last)
            fresh = last is not None and (reader.now - last.signed_at).total_seconds() < RENEW_SECONDS
            if last is not None and fresh and last.size == head.size:
                return None
            if last is not None and reader.now < last.signed_at:  # to a witness it would look like a rollback
                if last.signed_at - reader.now <= _APART:
                    return None
                raise CannotSign(f"the newest head was signed at {rfc3339(last.signed_at)}, which is not yet")
            name = await store.find_name(reader)
            keys = self._private([key for key in await store.list_keys(reader) if key.is_active(reader.now)])
            tree = await self._verified(reader, head, last)
        if name is None:
            raise CannotSign("the register has no name: run `cekal migrate`")
        origin, now = origin_of(name, head.epoch), self._runtime.clock()
        checkpoint = Checkpoint(origin, tree.size, tree.root())
        # in a thread and before the transaction: seven milliseconds in which nobody else could write or be answered
        note = await asyncio.to_thread(sign_checkpoint, checkpoint, keys, int(now.timestamp()))
        signed = SignedHead(head.epoch, tree.size, checkpoint.root, now, str(note))
        async with self._runtime.irreversible(SYSTEM) as unit:
            if last is None and head.epoch not in {each.epoch for each in await store.list_origins(unit)}:
                await store.add_origin(unit, Origin(head.epoch, origin, now))
            await store.save_head(unit, signed)
        self._tree, self._signed, self._signed_at = tree, signed, monotonic()
        return signed

    async def _expect_current(self, reader: Reader, head: Head, last: SignedHead | None) -> None:
        """Raise RolledBack if the database lacks a head that was signed: the next one would contradict it."""
        own = self._signed
        if own is not None and own.epoch == head.epoch and (last is None or last.size < own.size):
            self._runtime.keeper.remember(own.epoch, own.size)
        rollback = await self._runtime.keeper.compare(reader)
        if rollback is not None:
            self._runtime.settle(rollback)
            raise rollback.refusal()

    async def _verified(self, reader: Reader, head: Head, last: SignedHead | None) -> merkle.Tree:
        """Return the tree of the next head, whose new leaves were read and hashed again.

        Raises:
            LedgerBroken: the leaves, the stored hashes and the last signed head contradict each other.
        """
        if last is not None and last.size > head.size:
            raise LedgerBroken(f"a head of {last.size} records was signed, and the ledger has {head.size}")
        tree = await self._begin(reader, last)
        end = min(head.size, tree.size + _MOST_LEAVES)
        while tree.size < end:
            leaves = await ledger.list_leaves(reader, tree.size, min(_PAGE, end - tree.size))
            if not leaves:
                raise LedgerBroken(f"the ledger has no record {tree.size + 1}")
            for sequence, leaf in leaves:
                if sequence != tree.size + 1:
                    raise LedgerBroken(f"the ledger has no record {tree.size + 1}")
                tree.add(merkle.leaf_hash(leaf.encode()))
            if tree.size < end:
                await give_way()
        if tree.root() != await self._stored_root(reader, tree.size):
            raise LedgerBroken(
                f"the leaves and the stored hashes of {tree.size} records contradict each other"
            )
        return tree

    async def _begin(self, reader: Reader, last: SignedHead | None) -> merkle.Tree:
        """Return the tree of the last signed head; an empty one before the first."""
        if last is None:
            return merkle.Tree()
        if self._tree is not None and (self._tree.size, self._tree.root()) == (last.size, last.root):
            return self._tree.copy()
        peaks = merkle.peaks(last.size)
        stored = await ledger.nodes(reader, peaks)
        tree = merkle.Tree.resume(last.size, [stored.get(peak, b"") for peak in peaks])
        if tree.root() != last.root:
            raise LedgerBroken(f"the stored hashes contradict the signed head of {last.size} records")
        return tree

    async def _stored_root(self, reader: Reader, size: int) -> bytes | None:
        peaks = merkle.peaks(size)
        stored = await ledger.nodes(reader, peaks)
        return merkle.root([stored[peak] for peak in peaks]) if len(stored) == len(peaks) else None

    def _private(self, active: list[PublicKey]) -> list[SigningKey]:
        """Return the private keys that sign now.

        Raises:
            KeysAbsent: one of them is not on this machine.
            SigningKeysRefused: a file in the folder can't be used.
        """
        folder = folder_of(self._runtime.settings)
        here = {(key.kind, key.public): key for key in read_keys(folder)}
        missing = [key.kind.name for key in active if (key.kind, key.public) not in here]
        if missing or not active:
            absent = ", ".join(missing) or "every key"
            raise KeysAbsent(
                f"{folder} does not hold {absent}: copy the folder from the machine that made it"
            )
        return [here[key.kind, key.public] for key in active]

    async def _note(self, error: Exception) -> None:
        """Note why this process signs no head: logged when it begins, and when nobody else signs any more.

        A machine without the keys beside one that has them is as it should be. The admins are notified once no head is
        valid any more.
        """
        begins, self.failing, self._absent = self.failing is None, str(error), isinstance(error, KeysAbsent)
        if not begins and monotonic() - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = monotonic()
        async with self._runtime.writing(SYSTEM) as unit:
            last = await store.newest_head(unit, (await ledger.head(unit)).epoch)
            valid = timedelta(seconds=self._runtime.settings.head_valid_seconds)
            expired = last is None or unit.now - last.signed_at > valid
            if expired:
                await notify(unit, [head_unsigned(unit.now)])
        if (expired or not self._absent) and not self._unsigned:
            self._unsigned = True
            logger.error("no head is signed", extra={"why": self.failing})
        elif begins:
            logger.info("another machine signs the heads", extra={"why": self.failing})
