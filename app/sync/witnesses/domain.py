"""Witnesses, their cosignatures and what is known of each (no I/O)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.tlog.keys import VerifierKey
from app.tlog.policy import Policy

PATIENCE: Final = 10.0
"""Seconds that one attempt may take, with all its calls."""

FIRST_DELAY: Final = timedelta(seconds=2)
"""Pause after the first failure of a witness."""

LONGEST_DELAY: Final = timedelta(seconds=60)
"""Longest pause before a witness that failed is tried again."""

LATE: Final = timedelta(seconds=90)
"""Time after which a witness without a new cosignature lags. Each minute a head is signed and sent to it."""


@dataclass(frozen=True, slots=True)
class PushedHead:
    """A signed head in the form in which it is sent to witnesses.

    Attributes:
        epoch: the ledger's epoch.
        size: the head's number of records.
        signed_at: when the head was signed.
        note: the C2SP checkpoint with the register's signatures.
    """

    epoch: str
    size: int
    signed_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness of the policy: one address, with all keys that the policy has for this address.

    Attributes:
        url: the address to which heads are sent, without `/add-checkpoint` and without a slash at the end.
        keys: the public keys of the witness.
    """

    url: str
    keys: tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified signature of a head by a witness.

    Attributes:
        key: the witness's key.
        data: the signature, with its time.
        signed_at: the time of the signature, by the witness's clock.
    """

    key: VerifierKey
    data: bytes
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's key that cosigned a certain head.

    Attributes:
        name: the witness's name, as in signature lines.
        vkey: the key, as text.
        signed_at: when it last cosigned this head, by the witness's clock.
    """

    name: str
    vkey: str
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class WitnessState:
    """What the register knows of one witness: which head it cosigned last, and its failures since.

    Attributes:
        url: its address.
        epoch: the epoch of the head that the witness cosigned last; empty before the first.
        size: the size of that head; 0 before the first.
        head_signed_at: when the register signed that head; None before the first.
        cosigned_at: when the witness cosigned that head; None before the first.
        failures: number of failed attempts since `cosigned_at`.
        failing_since: when the first of these attempts failed; None without a failure.
        failure: the reason of the last failure; empty without one.
        retry_at: the time before which no attempt is made; None without a failure.
    """

    url: str
    epoch: str = ""
    size: int = 0
    head_signed_at: datetime | None = None
    cosigned_at: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    failure: str = ""
    retry_at: datetime | None = None

    def size_in(self, epoch: str) -> int:
        """Return the size of the head that the witness cosigned last; 0 if that head is not of this epoch."""
        return self.size if self.epoch == epoch else 0

    def wants(self, head: PushedHead, now: datetime) -> bool:
        """Return whether `head`, the newest signed head, must be sent to the witness at the time `now`.

        It must be sent if the witness has not cosigned it, or if the register has signed it again since. Before
        `retry_at` the result is False.
        """
        if self.retry_at is not None and now < self.retry_at:
            return False
        new = self.epoch != head.epoch or self.size != head.size
        return new or self.head_signed_at is None or self.head_signed_at < head.signed_at

    def lags(self, head: PushedHead, now: datetime) -> bool:
        """Return whether the witness has been failing or behind for over 90 s (`LATE`).

        A failing witness has failed attempts since its last cosignature; the first of them counts. Another witness is
        behind if it has not cosigned a head as large as `head`; the time when `head` was signed counts.

        Args:
            head: the newest signed head.
            now: the present instant.
        """
        if self.failing_since is not None:
            return now - self.failing_since > LATE
        behind = self.size_in(head.epoch) < head.size or self.cosigned_at is None
        return behind and now - head.signed_at > LATE


class PushFailed(Exception):
    """A witness did not cosign a head that was sent to it; the message gives the reason."""


def delay(failures: int) -> timedelta:
    """Return how long to wait before the next attempt, after this number of failures in a row.

    It is 2 s after the first failure and twice as long after each further one, but at most a minute.
    """
    return min(FIRST_DELAY * (1 << min(failures - 1, 10)), LONGEST_DELAY)


def witnesses_of(policy: Policy) -> list[Witness]:
    """Return the witnesses of a policy that have an address, in the policy's order.

    Witnesses of the policy with the same address become one witness with several keys.
    """
    keys: dict[str, list[VerifierKey]] = {}
    for peer in policy.witnesses.values():
        if peer.url:
            keys.setdefault(peer.url.rstrip("/"), []).append(peer.key)
    return [Witness(url, tuple(some)) for url, some in keys.items()]
