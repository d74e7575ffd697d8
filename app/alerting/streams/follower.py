"""Interfaces of the followers, which read new rows from the database and publish them to a hub of streams."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Heartbeat
from app.db.unit import Reader
from app.ledger.domain import Head, Record


class LedgerFollower(Protocol):
    """The part of the ledger's follower that every stream depends on.

    Attributes:
        head: the ledger's head as last read; None before the first read.
        access_version: the access version up to which streams with revoked keys were closed.
        rollback_reason: why nothing is streamed any more, when the database was restored or replaced; else None.
    """

    head: Head | None
    access_version: int
    rollback_reason: str | None

    @property
    def degraded(self) -> bool:
        """Whether the last successful reading of the ledger is too old."""


class Follower(Protocol):
    """Reads new rows of a numbered table other than the ledger, and publishes them to a hub of its own."""

    hub: Hub

    async def start(self, reader: Reader) -> None:
        """Read the table's present end, so that following begins after it."""

    async def read_on(self) -> None:
        """Read the new rows and publish them to the hub."""

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the table's last number."""


class RecordFollower(Protocol):
    """A follower that gets the ledger's records from the ledger's own follower, which reads them once for all."""

    hub: Hub

    def begin(self, head: Head) -> None:
        """Begin after the ledger's head; the first record that is handed over follows it."""

    def take(self, records: Sequence[Record]) -> None:
        """Keep the records that follow those of the last call without a gap, for `read_on`; must return at once."""

    async def read_on(self) -> None:
        """Publish the accepted records to the hub."""

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the number of the last published record."""


def ledger_of(scope: Mapping[str, Any]) -> LedgerFollower:
    """Return the ledger's follower of this process; `scope` is a request, or its ASGI scope."""
    return cast(LedgerFollower, scope["app"].state.process.tail)
