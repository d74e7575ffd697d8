"""The stream of one manifest's changes, for who has sent it."""

from functools import partial

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.domain import Role
from app.access.guard import runtime_of
from app.alerts.stream import Feed, serve
from app.db.unit import Actor
from app.errors import CursorGone, Fault, Invalid, NotFound
from app.manifests import service, store
from app.manifests.tail import ManifestTail, frame

_LONGEST_NUMBER = 9


async def stream_manifest(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve one stream of a manifest until it is closed by either side."""
    tail: ManifestTail = scope["app"].state.manifest_tail
    manifest_id = scope["path_params"]["manifest_id"]
    roles = frozenset({Role.CARRIER, Role.CHECKPOINT})
    feed = Feed(tail.hub, roles, partial(_begin, manifest_id), tail.heartbeat, about=manifest_id)
    await serve(scope, receive, send, feed)


async def _begin(manifest_id: str, request: Request, actor: Actor, after: str | None) -> tuple[bytes, int]:
    """The changes behind a number, or without one all since the manifest was sent, as frames, and how far they reach.

    Raises:
        NotFound: it is nobody's, or somebody else's.
        Invalid: the text is no number of a change.
        CursorGone: it lies beyond the manifest's last change.
    """
    if "\0" in manifest_id:  # no id holds it, and PostgreSQL takes no text that does
        raise NotFound("There is no such manifest.")
    async with runtime_of(request).reading(actor) as reader:
        manifest = await service.find(reader, manifest_id)
        position = _number(after)
        if position > manifest.number:
            extra = {"restart": f"/v1/manifests/{manifest_id}"}
            raise CursorGone("The cursor lies beyond the manifest's last change.", extra=extra)
        changed = await store.list_changed(reader, manifest_id, position)
    reached = max((item.number for item in changed), default=position)
    return b"".join(frame(item, manifest.kind) for item in changed), reached


def _number(after: str | None) -> int:
    if not after:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= _LONGEST_NUMBER):
        fault = Fault("", "cursor", "This is no cursor of a manifest.")
        raise Invalid("The cursor can't be read.", faults=[fault])
    return int(after)
