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
    """A head of the ledger that was signed.

    Attributes:
        epoch: the ledger's epoch.
        size: number of records.
        root: the Merkle root of these records.
        signed_at: when it was signed.
        note: the C2SP checkpoint with its signatures.
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
        kind: its algorithm.
        public: the key.
        made_at: when it began to sign.
        retires_at: when it stops signing, once a successor was made; else None.
    """

    kind: KeyKind
    public: bytes
    made_at: datetime
    retires_at: datetime | None

    def is_active(self, at: datetime) -> bool:
        """Whether it signs heads at an instant."""
        return self.retires_at is None or at < self.retires_at


@dataclass(frozen=True, slots=True)
class Origin:
    """An origin under which heads were signed: the register's name and an epoch, from an instant on."""

    epoch: str
    name: str
    used_from: datetime


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key under an origin, and when it signed heads of that origin.

    Attributes:
        used_until: the end, exclusive, which may lie ahead; None while none is known.
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
    """Return each key under each origin that it signed, the newest first.

    Args:
        keys: all keys of the register.
        origins: all origins, in the order of their begin.
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
