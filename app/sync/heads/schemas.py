"""The JSON models of signed heads and signing keys (API section 6)."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, Literal, Self

from app.sync.heads.domain import KeyUse, SignedHead, checkpoint_of
from app.sync.witnesses.domain import Cosigner
from app.tlog.keys import KeyKind
from app.web.wire import Moment, WireOut

Algorithm = Literal["ed25519", "timed-ed25519", "timed-ml-dsa-44"]
_ALGORITHMS: Final[dict[KeyKind, Algorithm]] = {
    KeyKind.ED25519: "ed25519",
    KeyKind.TIMED_ED25519: "timed-ed25519",
    KeyKind.TIMED_ML_DSA_44: "timed-ml-dsa-44",
}


class WitnessOut(WireOut):
    """A witness that cosigned a head."""

    name: str
    """The witness's name, as in its signature lines."""
    signed_at: Moment
    """When the witness last cosigned the head, by its own clock."""


class HeadOut(WireOut):
    """The ledger's newest signed head."""

    origin: str
    """The log's name: the register's name and its epoch. A restored register has another."""
    epoch: str
    """The ledger's epoch: each cursor of the feed begins with it, and a restored register has another."""
    size: int
    """The number of records, which is also the last one's sequence."""
    root: str
    """The Merkle root of these records (RFC 9162 section 2.1.1), in hexadecimal."""
    checkpoint: str
    """The C2SP checkpoint: origin, size and root, with the signatures of the register and of its witnesses so far."""
    signed_at: Moment
    """When the head was signed; the timed signatures contain this time, in whole seconds."""
    valid_until: Moment
    """Until when the head counts as fresh. A newer head is there long before, unless signing has stopped."""
    witnesses: list[WitnessOut]
    """The witnesses that cosigned this head so far; a witness that does not lag cosigns within seconds."""

    @classmethod
    def of(cls, head: SignedHead, valid: timedelta, cosigners: Iterable[Cosigner]) -> Self:
        """Convert a signed head with its cosigners to the API's model; `valid_until` is `valid` after the signature."""
        latest: dict[str, datetime] = {}
        for each in cosigners:  # a witness may have several keys
            latest[each.name] = max(each.signed_at, latest.get(each.name, each.signed_at))
        checkpoint = checkpoint_of(head)
        return cls(
            origin=checkpoint.origin,
            epoch=head.epoch,
            size=head.size,
            root=head.root.hex(),
            checkpoint=head.note,
            signed_at=head.signed_at,
            valid_until=head.signed_at + valid,
            witnesses=[WitnessOut(name=name, signed_at=at) for name, at in latest.items()],
        )


class SigningKeyOut(WireOut):
    """A public key of the register, and the period in which it signed heads under one origin."""

    algorithm: Algorithm
    """How the key signs. `ed25519` signs a note's text (C2SP signed-note). The timed algorithms also sign the time
    (C2SP tlog-cosignature)."""
    vkey: str
    """The key as a C2SP vkey, which note verifiers read."""
    key_id: str
    """The key's id in signature lines, eight hexadecimal digits."""
    origin: str
    """The origin of the heads that the key signed."""
    used_from: Moment
    """When the key began to sign heads of this origin."""
    used_until: Moment | None
    """When the key stopped signing heads of this origin, or when it will stop; null while no end is known."""

    @classmethod
    def of(cls, use: KeyUse) -> Self:
        """Convert a key with its origin and period to the API's model."""
        return cls(
            algorithm=_ALGORITHMS[use.key.kind],
            vkey=str(use.key),
            key_id=use.key.key_id.hex(),
            origin=use.origin,
            used_from=use.used_from,
            used_until=use.used_until,
        )


class SigningKeysOut(WireOut):
    """Every public key that has signed heads of this register."""

    items: list[SigningKeyOut]
    """The keys, the newest use first."""
