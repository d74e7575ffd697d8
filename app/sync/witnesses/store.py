"""SQL statements on witnesses and their cosignatures."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, or_, select, update

from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.sync.witnesses.domain import Cosignature, Cosigner, PushedHead, WitnessState
from app.sync.witnesses.tables import cosignature, log_witness
from app.tlog.keys import VerifierKey
from app.tlog.notes import Note, Signature

_PAGE = 50
_KNOWN = [column for column in log_witness.c if column.name != "claimed_until"]


async def list_states(reader: Reader) -> dict[str, WitnessState]:
    """Return the stored states of witnesses, by address; a witness that was never sent a head may be missing."""
    rows = await reader.run(select(*_KNOWN))
    return {row.url: WitnessState(*row) for row in rows}


async def claim(unit: Unit, known: WitnessState, until: datetime) -> bool:
    """Claim a witness for this process, which alone sends heads to it then. Returns whether it was claimed.

    The witness is not claimed while another claim runs, or if its stored state differs from `known`, because another
    process may have sent it a head since `known` was read.

    Args:
        unit: the transaction.
        known: the witness's state, as the caller has read it.
        until: when the claim ends, unless `save_state` ends it before.
    """
    new = {**asdict(WitnessState(known.url)), "claimed_until": None}
    await unit.run(unit.inserting(log_witness).values(new).on_conflict_do_nothing())
    free = or_(log_witness.c.claimed_until.is_(None), log_witness.c.claimed_until <= unit.now)
    claimed = await unit.run(
        update(log_witness)
        .where(
            log_witness.c.url == known.url,
            free,
            log_witness.c.epoch == known.epoch,
            log_witness.c.size == known.size,
            log_witness.c.head_signed_at.is_not_distinct_from(known.head_signed_at),
            log_witness.c.failures == known.failures,
        )
        .values(claimed_until=until)
        .returning(log_witness.c.url)
    )
    return claimed.first() is not None


async def save_state(unit: Unit, state: WitnessState) -> None:
    """Store what is known of a witness, and end the claim on it, so that other processes may claim it."""
    values = {**asdict(state), "claimed_until": None}
    changed = {name: value for name, value in values.items() if name != "url"}
    await unit.run(
        unit.inserting(log_witness)
        .values(values)
        .on_conflict_do_update(index_elements=[log_witness.c.url], set_=changed)
    )


async def save_cosignatures(unit: Unit, head: PushedHead, found: Sequence[Cosignature]) -> None:
    """Store cosignatures of a head; each replaces a stored cosignature of the same head and key."""
    for each in found:
        vkey = str(each.key)
        place = {
            "epoch": head.epoch,
            "size": head.size,
            "fingerprint": fingerprint(vkey),
        }
        changed = {"name": each.key.name, "vkey": vkey, "data": each.data, "signed_at": each.signed_at}
        await unit.run(
            unit.inserting(cosignature)
            .values(**place, **changed)
            .on_conflict_do_update(index_elements=[cosignature.c[name] for name in place], set_=changed)
        )


async def list_cosigners(reader: Reader, epoch: str, size: int) -> list[Cosigner]:
    """Return the keys that cosigned the head of this epoch and size, by witness name, then by time of the signature.

    The result is empty for an unknown head.
    """
    rows = await reader.run(
        select(cosignature.c.name, cosignature.c.vkey, cosignature.c.signed_at)
        .where(cosignature.c.epoch == epoch, cosignature.c.size == size)
        .order_by(cosignature.c.name, cosignature.c.signed_at)
    )
    return [Cosigner(*row) for row in rows]


class StoredCosignature(NamedTuple):
    """A witness's signature of a head, as it is stored; it was verified before it was stored.

    Attributes:
        size: the size of the head that it signs.
        name: the witness's name.
        vkey: the witness's key, as text.
        data: the signature, with its time.
        signed_at: the time of the signature.
    """

    size: int
    name: str
    vkey: str
    data: bytes
    signed_at: datetime


async def list_cosignatures(reader: Reader, epoch: str, sizes: Collection[int]) -> list[StoredCosignature]:
    """Return the stored cosignatures of the heads with these sizes in an epoch, by size.

    A size without cosignatures adds none.
    """
    columns = [cosignature.c[name] for name in StoredCosignature._fields]
    statement = select(*columns).where(cosignature.c.epoch == epoch, cosignature.c.size.in_(sorted(sizes)))
    return [StoredCosignature(*row) for row in await reader.run(statement.order_by(cosignature.c.size))]


async def page_cosigned_sizes(
    reader: Reader, epoch: str, after: int, keys: Collection[VerifierKey], least: int
) -> list[int]:
    """Return at most 50 sizes of heads that enough witnesses have cosigned, smallest first; empty at the end.

    Args:
        reader: the transaction.
        epoch: the epoch of the heads.
        after: only sizes above this one are returned.
        keys: the keys of witnesses that count.
        least: how many of these keys must have cosigned the head.
    """
    statement = (
        select(cosignature.c.size)
        .where(
            cosignature.c.epoch == epoch,
            cosignature.c.size > after,
            any_of(cosignature.c.fingerprint, "keys"),
        )
        .group_by(cosignature.c.size)
        .having(func.count() >= least)
        .order_by(cosignature.c.size)
        .limit(_PAGE)
    )
    named = {"keys": sorted(fingerprint(str(key)) for key in keys)}
    return list((await reader.run(statement, named)).scalars())


async def cosigned_note(reader: Reader, epoch: str, size: int, note: Note) -> Note:
    """Return `note`, the note of the head of this epoch and size, with the head's stored cosignatures appended.

    Raises:
        KeyMalformed: the stored text of a witness's key can't be read.
    """
    rows = await reader.run(
        select(cosignature.c.vkey, cosignature.c.data)
        .where(cosignature.c.epoch == epoch, cosignature.c.size == size)
        .order_by(cosignature.c.name, cosignature.c.fingerprint)
    )
    keys = [(VerifierKey.parse(vkey), bytes(data)) for vkey, data in rows]
    lines = [Signature(key.name, key.key_id, data) for key, data in keys]
    return Note(note.text, (*note.signatures, *lines))


def fingerprint(vkey: str) -> str:
    """Return the fingerprint that identifies a witness's key in the table: SHA-256 of the vkey, in hexadecimal."""
    return hashlib.sha256(vkey.encode()).hexdigest()
