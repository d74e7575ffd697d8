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
    """A head of the ledger with the register's signatures.

    Attributes:
        epoch: the ledger's epoch.
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
    """A public key of the register.

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
        """Return whether the key has not stopped signing at an instant; `made_at` is not compared."""
        return self.retires_at is None or at < self.retires_at


@dataclass(frozen=True, slots=True)
class Origin:
    """An origin under which heads were signed.

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
    """A key under an origin, and the period in which the key signed heads of this origin.

    Attributes:
        key: the public key, with the origin as its name.
        origin: the origin's name.
        used_from: the first instant of the period.
        used_until: the end of the period, exclusive, which may be in the future; None while no end is known.
    """

    key: VerifierKey
    origin: str
    used_from: datetime
    used_until: datetime | None


def checkpoint_of(head: SignedHead) -> Checkpoint:
    """Return the origin, size and root that a signed head states."""
    return Checkpoint.parse(Note.parse(head.note.encode()).text)


def origin_of(name: str, epoch: str) -> str:
    """Return the origin of the log of the register with this name in an epoch (API section 6)."""
    return f"{name}/{epoch}"


def uses(keys: Sequence[PublicKey], origins: Sequence[Origin]) -> list[KeyUse]:
    """Return each pair of a key and an origin whose heads the key signed, latest `used_from` first.

    Args:
        keys: all keys of the register, in any order.
        origins: all origins, earliest `used_from` first.
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
