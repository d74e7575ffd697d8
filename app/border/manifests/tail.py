"""The follower of manifests: it reads changed answers for the streams in this process; the ledger's tail wakes it."""

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from app.access.domain import SYSTEM
from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Heartbeat
from app.border.manifests import store
from app.border.manifests.domain import Item
from app.db.unit import Reader
from app.kit.clock import rfc3339
from app.kit.json_text import on_one_line
from app.ledger.domain import Head
from app.ledger.service import head
from app.runtime import Runtime

_encode = msgspec.json.Encoder().encode

CLOSED = b"event: closed\ndata: {}\n\n"


class ManifestTail:
    """Reads the changed answers of manifests from the database, and publishes them to the streams of this process.

    Attributes:
        hub: the open streams; each of them is about one manifest.
    """

    def __init__(self, runtime: Runtime, hub: Hub) -> None:
        self.runtime = runtime
        self.hub = hub
        self._published: dict[str, int] = {}
        hub.heartbeat = self.heartbeat

    async def start(self, reader: Reader) -> None:
        """Do nothing: each stream begins at its client's cursor."""

    async def read_on(self) -> None:
        """Publish answers that changed since the last call, and close the streams of closed manifests.

        For a manifest that no stream followed at the last call, all changed answers are published.
        """
        about = {stream.about for stream in self.hub.streams if isinstance(stream.about, str)}
        self._published = {
            manifest_id: number for manifest_id, number in self._published.items() if manifest_id in about
        }
        if not about:
            return
        async with self.runtime.reading(SYSTEM) as reader:
            ledger = await head(reader)
            for manifest_id, number, closed_at in await store.list_last_changes(reader, about):
                known = self._published.get(manifest_id, 0)
                if number > known:
                    manifest = await store.find(reader, manifest_id)
                    assert manifest is not None, "the same transaction has just read it"
                    last = manifest.changes_head(ledger)
                    for item in await store.list_changed(reader, manifest_id, known):
                        self.hub.publish_about(manifest_id, item.number, frame(item, last, manifest.kind))
                    self._published[manifest_id] = number
                if closed_at is not None:
                    self.hub.close_about(manifest_id, CLOSED)

    def heartbeat(self) -> Heartbeat:
        """Return a heartbeat frame with the present time; each stream adds its own cursor.

        Its number is 0, because every manifest numbers its own changes.
        """
        data = f'{{"at":"{rfc3339(self.runtime.clock())}"}}'
        return Heartbeat(0, f"event: heartbeat\ndata: {data}\n\n".encode())


def frame(item: Item, last: Head, kind: str) -> bytes:
    """Return the server-sent event for a passenger's changed answer, as a sender of this kind sees it.

    `last` is the head of the manifest's changes (`Manifest.changes_head`), from which the event's cursor is made.
    """
    return b"id: %b\nevent: change\ndata: %b\n\n" % (
        last.cursor(item.number).encode(),
        on_one_line(_encode(item.shown(kind))),
    )


def manifest_tail_of(scope: Mapping[str, Any]) -> ManifestTail:
    """Return the manifests' tail of this process; `scope` is a request, or its ASGI scope."""
    return cast(ManifestTail, scope["app"].state.process.manifest_tail)
