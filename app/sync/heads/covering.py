"""The signed head that a paper quotes: the first one that covers a record and has the quorum of witnesses."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from app.db.unit import Reader
from app.ledger import service as ledger
from app.sync.heads import store
from app.sync.heads.domain import SignedHead
from app.sync.witnesses.service import cosigned_note, page_cosigned_sizes
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, SignatureInvalid, VerifierKey
from app.tlog.notes import Note, NoteMalformed
from app.tlog.policy import Policy
from app.tlog.signed import open_checkpoint

ALL_KINDS: Final = frozenset(KeyKind)


@dataclass(frozen=True, slots=True)
class CoveringHead:
    """A signed head of the ledger whose tree contains a certain record, with its verified signatures.

    Attributes:
        checkpoint: the head's origin, size and root.
        note: the signed text: first the register's signatures, then the cosignatures that the head has so far.
        logs: the register's keys whose signatures were verified, in the note's order.
        quorum: the smallest set of keys that satisfies the witness policy, from the witnesses whose cosignatures were
            verified; empty if the policy demands no witness; None if the cosignatures do not suffice.
    """

    checkpoint: Checkpoint
    note: Note
    logs: tuple[VerifierKey, ...]
    quorum: tuple[VerifierKey, ...] | None


async def covering_head(
    reader: Reader, sequence: int, policy: Policy, kinds: Collection[KeyKind] = ALL_KINDS
) -> CoveringHead | None:
    """Return the smallest signed head that contains a record and has enough cosignatures of witnesses.

    If no such head has enough, the result is the smallest head that contains the record, with `quorum` None.

    Args:
        reader: the transaction.
        sequence: the record's number.
        policy: the witness policy: which witnesses are trusted, and how many of these must have cosigned.
        kinds: cosignatures by keys of other kinds are ignored.

    Returns:
        The head, of the ledger's present epoch; None if no head contains the record yet, or if a signature of the
        smallest one is wrong.

    Raises:
        HeadMissing: the ledger has no head.
    """
    epoch = (await ledger.head(reader)).epoch
    witnesses = [peer.key for peer in policy.witnesses.values() if peer.key.kind in kinds]
    fewest = policy.fewest(witnesses)
    after = sequence - 1
    while fewest:
        sizes = await page_cosigned_sizes(reader, epoch, after, witnesses, len(fewest))
        for size in sizes:
            head = await store.head_of_size(reader, epoch, size)
            found = None if head is None else await _opened(reader, head, policy, witnesses)
            if found is not None and found.quorum is not None:
                return found
        if not sizes:
            break
        after = sizes[-1]
    head = await store.first_head_covering(reader, epoch, sequence)
    return None if head is None else await _opened(reader, head, policy, witnesses)


async def _opened(
    reader: Reader, head: SignedHead, policy: Policy, witnesses: Collection[VerifierKey]
) -> CoveringHead | None:
    """Verify a head's signatures and cosignatures. Returns None where one is wrong."""
    own = [use.key for use in await store.list_uses(reader) if use.origin.endswith(f"/{head.epoch}")]
    try:
        note = await cosigned_note(reader, head.epoch, head.size, Note.parse(head.note.encode()))
        opened = open_checkpoint(note, [*own, *witnesses])
    except (NoteMalformed, SignatureInvalid):
        return None
    logs = tuple(key for key in opened.signed if key in own)
    if not logs or (opened.checkpoint.size, opened.checkpoint.root) != (head.size, head.root):
        return None
    return CoveringHead(opened.checkpoint, note, logs, policy.fewest(opened.signed))
