"""The stream of one manifest's changes, for its sender."""

from functools import partial

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import runtime_of
from app.access.domain import Role
from app.actor import Actor
from app.alerting.streams.serving import Begun, Feed, serve
from app.border.manifests import service, store
from app.border.manifests.tail import frame, manifest_tail_of
from app.errors import NotFound
from app.ledger.service import head


async def stream_manifest(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the stream of a manifest's changes, at the ASGI level, until the client or the server closes it.

    Raises:
        CekalError: the stream is refused before its answer begins (`serve`).
    """
    tail = manifest_tail_of(scope)
    manifest_id = scope["path_params"]["manifest_id"]
    roles = frozenset({Role.CARRIER, Role.CHECKPOINT})
    begin, find = partial(_begin, manifest_id), partial(_find, manifest_id)
    feed = Feed(tail.hub, roles, begin, about=manifest_id, find=find)
    await serve(scope, receive, send, feed)


async def _begin(manifest_id: str, request: Request, actor: Actor, after: str | None) -> Begun:
    """Return the changes after a cursor, or without a cursor all changes since the manifest was sent.

    Raises:
        NotFound: it does not exist, or belongs to another sender.
        Invalid: the text is not a cursor.
        CursorGone: the cursor is of another register or epoch, or beyond the head.
    """
    async with runtime_of(request).reading(actor) as reader:
        manifest = await service.find(reader, _possible(manifest_id))
        last = manifest.changes_head(await head(reader))
        position = last.position(after, f"/v1/manifests/{manifest_id}")
        changed = await store.list_changed(reader, manifest_id, position)
    reached = max((item.number for item in changed), default=position)
    return Begun(b"".join(frame(item, last, manifest.kind) for item in changed), reached, last)


async def _find(manifest_id: str, request: Request, actor: Actor) -> None:
    """Raise NotFound unless the actor may see a manifest.

    Raises:
        NotFound: it does not exist, or belongs to another sender.
    """
    async with runtime_of(request).reading(actor) as reader:
        await service.find(reader, _possible(manifest_id))


def _possible(manifest_id: str) -> str:
    """Return an id unless it contains a NUL, which PostgreSQL does not accept in texts.

    Raises:
        NotFound: it contains a NUL.
    """
    if "\0" in manifest_id:
        raise NotFound("There is no such manifest.")
    return manifest_id
