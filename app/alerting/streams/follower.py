"""Interfaces of the followers, which read new rows from the database and publish them to a hub of streams."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Heartbeat
from app.db.unit import Reader
from app.ledger.domain import Head, Record


class LedgerFollower(Protocol):
    """The reader of the ledger in this process (`Tail`), as far as streams need it: its progress.

    Attributes:
        head: the ledger's head as last read; None before the first read.
        access_version: the version of the access rights as last read. It is set before the streams of revoked keys are
            closed.
        rollback_reason: why nothing is streamed any more: the database was restored or replaced; else None.
    """

    head: Head | None
    access_version: int
    rollback_reason: str | None

    @property
    def degraded(self) -> bool:
        """Whether the ledger was not read for too long, so that streams may lack events."""


class Follower(Protocol):
    """Reads new rows of a table other than the ledger, and publishes them to a hub of its own.

    The rows of a table are numbered; those of manifests are numbered anew for each manifest.
    """

    hub: Hub

    async def start(self, reader: Reader) -> None:
        """Read the number of the table's last row; `read_on` publishes the rows after it. For manifests, do nothing."""

    async def read_on(self) -> None:
        """Read the rows that are new since the last call, and publish them to the hub."""

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the table's last number; 0 for manifests."""


class RecordFollower(Protocol):
    """Publishes ledger records to a hub of its own; it gets the records from the reader of the ledger (`Tail`)."""

    hub: Hub

    def begin(self, head: Head) -> None:
        """Start at this head of the ledger: the first record that `take` gets is the one after it."""

    def take(self, records: Sequence[Record]) -> None:
        """Keep new ledger records for `read_on`, and return at once.

        The records directly follow those of the last call. While no stream is open, none need be kept: a stream that
        opens later reads them from the database.
        """

    async def read_on(self) -> None:
        """Publish the records that `take` has kept to the hub."""

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the number of the last published record."""


def ledger_of(scope: Mapping[str, Any]) -> LedgerFollower:
    """Return this process's reader of the ledger (`Tail`); `scope` is a request, or its ASGI scope."""
    return cast(LedgerFollower, scope["app"].state.process.tail)
