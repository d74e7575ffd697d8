"""Interfaces of the followers, which read new rows from the database and publish them to a hub of streams."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Heartbeat
from app.db.unit import Reader
from app.ledger.domain import Head, Record


class LedgerFollower(Protocol):
    """The part of the ledger's follower that streams read: how far and how lately it has followed the ledger.

    Attributes:
        head: the ledger's head as last read; None before the first read.
        access_version: the access version up to which streams with revoked keys were closed.
        rollback_reason: why nothing is streamed any more, if the database was restored or replaced; else None.
    """

    head: Head | None
    access_version: int
    rollback_reason: str | None

    @property
    def degraded(self) -> bool:
        """Whether the last successful reading of the ledger is too old, so that streams may lack events."""


class Follower(Protocol):
    """Reads new rows of a numbered table other than the ledger, and publishes them to a hub of its own."""

    hub: Hub

    async def start(self, reader: Reader) -> None:
        """Read the number of the table's last row, after which `read_on` begins."""

    async def read_on(self) -> None:
        """Read the rows that are new since the last call, and publish them to the hub."""

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the table's last number."""


class RecordFollower(Protocol):
    """Publishes the ledger's records to a hub of its own; the ledger's follower reads and hands over the records."""

    hub: Hub

    def begin(self, head: Head) -> None:
        """Begin after this head of the ledger; the first record that `take` gets follows it."""

    def take(self, records: Sequence[Record]) -> None:
        """Keep the records that follow those of the last call without a gap, for `read_on`; must return at once."""

    async def read_on(self) -> None:
        """Publish the records that `take` has kept to the hub."""

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the number of the last published record."""


def ledger_of(scope: Mapping[str, Any]) -> LedgerFollower:
    """Return the ledger's follower of this process; `scope` is a request, or its ASGI scope."""
    return cast(LedgerFollower, scope["app"].state.process.tail)
