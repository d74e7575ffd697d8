"""The signed heads that papers quote: which head a letter's code shows, and how long a paper waits for one."""

import asyncio
from collections.abc import Collection
from time import monotonic
from typing import Final

from app.actor import Actor
from app.casework.papers import store
from app.casework.papers.domain import LetterHead, Standing
from app.casework.papers.letter import code
from app.db.unit import Reader, Unit
from app.kit.canonical import canonical
from app.ledger.domain import Record
from app.ledger.service import LedgerBroken, prove
from app.runtime import Runtime
from app.sync.heads.covering import ALL_KINDS, covering_head
from app.sync.witnesses.service import policy_in_use
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind
from app.tlog.policy import Policy

IN_CODES: Final = frozenset({KeyKind.TIMED_ED25519})
"""Kinds of signatures that a letter's code holds."""

_PAUSE: Final = 0.2
"""Seconds between two looks for a head."""


async def await_head(
    runtime: Runtime, actor: Actor, sequence: int, kinds: Collection[KeyKind] = ALL_KINDS
) -> None:
    """Wait until a signed head of the ledger covers a record and has the quorum of witnesses.

    Returns without the quorum after `letter_wait_seconds`, when the process is closing, or when a head covers the
    record and no quorum is possible. Each look for a head is a transaction of its own, so that no connection is held
    during the wait.

    Args:
        runtime: the process's databases, clock and settings.
        actor: the actor that asks for a paper.
        sequence: the record's number.
        kinds: the kinds of keys whose cosignatures count for the quorum.
    """
    policy = policy_in_use(runtime.settings.witness_policy)
    until = monotonic() + runtime.settings.letter_wait_seconds
    while True:
        async with runtime.reading(actor) as reader:
            head = await covering_head(reader, sequence, policy, kinds)
        if head is not None and (head.quorum is not None or _reachable(policy, kinds) is None):
            return
        if monotonic() >= until or runtime.closing:
            return
        await asyncio.sleep(_PAUSE)


async def fix_head(unit: Unit, record: Record, policy: Policy) -> LetterHead | None:
    """Return the signed ledger head that the letter of a record shows; if it is final, store it for later copies.

    A stored head with the quorum of witnesses is never replaced. A head without the quorum is stored only if no quorum
    is possible (`UNWITNESSED`, `BEYOND`), and is replaced once a head with the quorum exists. A `PENDING` head is not
    stored, so that the next copy of the letter may show another head.

    Args:
        unit: the transaction.
        record: the letter's record.
        policy: the register's keys, and the quorum of witnesses.

    Returns:
        The head; None if no signed head covers the record yet.

    Raises:
        LedgerBroken: the ledger's stored hashes contradict the signed head.
    """
    kept = await store.find_letter_head(unit, record.sequence)
    if kept is not None and kept.standing is Standing.WITNESSED:
        return kept
    head = await _head_of(unit, record, policy)
    if head is None or (kept is not None and head.standing is not Standing.WITNESSED):
        return kept
    if not head.is_final:
        return head
    await store.save_letter_head(unit, record.sequence, head)
    return await store.find_letter_head(unit, record.sequence)


async def _head_of(reader: Reader, record: Record, policy: Policy) -> LetterHead | None:
    """Return the head that a letter shows when it is made now, or None where none covers its record."""
    found = await covering_head(reader, record.sequence, policy, IN_CODES)
    logs = () if found is None else [key for key in found.logs if key.kind in IN_CODES]
    if found is None or not logs:
        return None
    log = logs[0]
    size = found.checkpoint.size
    alone = LetterHead(Standing.UNWITNESSED, size, code.chosen(found.note, log, ()))
    most = _reachable(policy, IN_CODES)
    if most == ():
        return alone
    if found.quorum is None:
        standing = Standing.PENDING if most else Standing.BEYOND
        return LetterHead(standing, size, alone.note)
    note = code.chosen(found.note, log, found.quorum)
    data = code.content(canonical(record.leaf), await path_of(reader, record, found.checkpoint), note)
    if len(data) > code.LARGEST:
        return LetterHead(Standing.BEYOND, size, alone.note)
    return LetterHead(Standing.WITNESSED, size, note)


async def path_of(reader: Reader, record: Record, head: Checkpoint) -> list[bytes]:
    """Return the audit path of a record, from its leaf upwards, to the root of a signed head.

    Raises:
        LedgerBroken: the ledger's stored hashes lead to another root.
    """
    (inclusion,) = await prove(reader, [record.sequence], head.size)
    if inclusion.root != head.root:
        raise LedgerBroken(f"the stored hashes contradict the signed head of {head.size} records")
    return inclusion.path


def _reachable(policy: Policy, kinds: Collection[KeyKind]) -> tuple[object, ...] | None:
    """Return the fewest witnesses of some kinds that would be a quorum; None where all of them are none."""
    keys = (peer.key for peer in policy.witnesses.values() if peer.key.kind in kinds)
    return policy.fewest(keys)
