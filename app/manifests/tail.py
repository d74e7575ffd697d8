"""Following the manifests whose changes are streamed from this process; woken by the ledger's tail."""

import msgspec

from app.access.domain import SYSTEM
from app.alerts.hub import Hub
from app.db.unit import Reader
from app.kit.clock import rfc3339
from app.manifests import store
from app.manifests.domain import Item
from app.runtime import Runtime

_encode = msgspec.json.Encoder().encode

CLOSED = b"event: closed\ndata: {}\n\n"


class ManifestTail:
    """Reads changed answers on behalf of one process.

    Attributes:
        hub: the streams of manifests; each is about one.
    """

    def __init__(self, runtime: Runtime, hub: Hub) -> None:
        self.runtime = runtime
        self.hub = hub
        self._told: dict[str, int] = {}

    async def start(self, reader: Reader) -> None:
        """Nothing to take: a stream begins where its reader says."""

    async def read_on(self) -> None:
        """Tell what has changed, and end the streams of manifests that have departed."""
        about = {stream.about for stream in self.hub.streams if stream.about is not None}
        self._told = {
            manifest_id: number for manifest_id, number in self._told.items() if manifest_id in about
        }
        if not about:
            return
        async with self.runtime.reading(SYSTEM) as reader:
            for manifest_id, number, closed_at in await store.list_heads(reader, about):
                known = self._told.get(manifest_id, 0)
                if number > known:
                    manifest = await store.find(reader, manifest_id)
                    assert manifest is not None, "it was there a moment ago"
                    for item in await store.list_changed(reader, manifest_id, known):
                        self.hub.publish_about(manifest_id, item.number, frame(item, manifest.kind))
                    self._told[manifest_id] = number
                if closed_at is not None:
                    self.hub.close_about(manifest_id, CLOSED)

    def heartbeat(self) -> bytes:
        """A heartbeat's frame."""
        return f'event: heartbeat\ndata: {{"at":"{rfc3339(self.runtime.clock())}"}}\n\n'.encode()


def frame(item: Item, kind: str) -> bytes:
    """A change as a server-sent event."""
    return b"id: %d\nevent: change\ndata: %b\n\n" % (item.number, _encode(item.shown(kind)))
