"""Signed heads, the keys that sign them, and the origins under which they signed (no I/O)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import KeyKind, VerifierKey
from app.tlog.notes import Note

DEFAULT_NAME = "cekal.local"
"""The register's name where no setting gives one."""

OVERLAP = timedelta(days=30)
"""How long a former key still signs beside its successor, so that readers have time to learn the new one."""


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head of the ledger (its number of records and their Merkle root) with the register's signatures.

    Attributes:
        epoch: the ledger's epoch: a random id, made with the register and at every restore.
        size: the ledger's number of records.
        root: the Merkle root of the first `size` records.
        signed_at: when the head was signed.
        note: the C2SP checkpoint with its signatures, as text.
    """

    epoch: str
    size: int
    root: bytes
    signed_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key of the register, which signs heads of the ledger.

    Attributes:
        kind: the algorithm of the key.
        public: the bytes of the key.
        made_at: when the key began to sign heads.
        retires_at: when the key stops signing heads; None while it has no successor.
    """

    kind: KeyKind
    public: bytes
    made_at: datetime
    retires_at: datetime | None

    def is_active(self, at: datetime) -> bool:
        """Return whether the key signs at the instant `at`: true if it has no `retires_at`, or a later one.

        `made_at` is not compared: the result is true for instants before it.
        """
        return self.retires_at is None or at < self.retires_at


@dataclass(frozen=True, slots=True)
class Origin:
    """A name that the ledger's log has in its heads during one epoch.

    Attributes:
        epoch: the epoch of the ledger.
        name: the origin as heads contain it: the register's name, a slash and the epoch.
        used_from: since when heads were signed under it.
    """

    epoch: str
    name: str
    used_from: datetime


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A public key and an origin, with the period in which the key signed heads under this origin.

    Attributes:
        key: the public key; the name in it is the origin.
        origin: the origin: the register's name, a slash and the epoch.
        used_from: the first instant of the period.
        used_until: the end of the period, exclusive, which may be in the future; None while no end is known.
    """

    key: VerifierKey
    origin: str
    used_from: datetime
    used_until: datetime | None


def checkpoint_of(head: SignedHead) -> Checkpoint:
    """Return the origin, size and root that are read from the note of a signed head.

    Raises:
        NoteMalformed: the note is not a checkpoint.
    """
    return Checkpoint.parse(Note.parse(head.note.encode()).text)


def origin_of(name: str, epoch: str) -> str:
    """Return the origin that heads contain: the register's name, a slash and the ledger's epoch."""
    return f"{name}/{epoch}"


def uses(keys: Sequence[PublicKey], origins: Sequence[Origin]) -> list[KeyUse]:
    """Combine each key with each origin under which it signed heads, and return the pairs, latest `used_from` first.

    A key signed under an origin if the period of the key and that of the origin overlap or touch.

    Args:
        keys: all keys of the register, in any order.
        origins: all origins, earliest `used_from` first; each ends when the next begins.
    """
    found = []
    ends = [*(each.used_from for each in origins[1:]), None]
    for origin, origin_end in zip(origins, ends, strict=True):
        for key in keys:
            begin = max(key.made_at, origin.used_from)
            known = [end for end in (key.retires_at, origin_end) if end is not None]
            end = min(known, default=None)
            if end is None or begin <= end:
                found.append(KeyUse(VerifierKey(origin.name, key.kind, key.public), origin.name, begin, end))
    return sorted(found, key=lambda use: (use.used_from, use.key.kind), reverse=True)
