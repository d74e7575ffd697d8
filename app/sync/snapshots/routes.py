"""Routes of snapshots of the register, and of the digests that prove them (API section 6)."""

import os
from collections.abc import Mapping
from hashlib import blake2b
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Query, Request, Response

from app.access.admission.guard import (
    GuardedRoute,
    actor_for,
    allow,
    reader_for,
    runtime_of,
    unit_for,
    within,
)
from app.access.admission.quotas import Quota
from app.access.domain import Role
from app.actor import Actor
from app.db.unit import Reader, Unit
from app.errors import NotFound, Unavailable
from app.kit.zstd import ZstdDecompressor
from app.sync.feed.asking import LINES, READERS
from app.sync.snapshots import examples, service
from app.sync.snapshots.domain import LONGEST_UNSEALED, scope_of
from app.sync.snapshots.files import PATIENCE_SECONDS, Snapshot, Snapshots
from app.sync.snapshots.schemas import DigestOut, SnapshotLine, SnapshotOrderOut
from app.web.accept import accepted_by, preferred
from app.web.etag import not_modified
from app.web.file_answers import FileAnswer
from app.web.methods import is_head
from app.web.openapi import BYTES, in_parts, problems
from app.web.openapi_headers import carrying
from app.web.parameters import WHOLE
from app.web.parts import Chosen, Conditions, WantedPart
from app.web.request_rules import answering

router = APIRouter(tags=["changes"], route_class=GuardedRoute)

ZSTD: Final = "application/zstd"
_HEADERS: Final = {"cache-control": "no-store", "vary": "Accept"}
_PARTS: Final = in_parts(ZSTD)
_ABSENT: Final = problems("not-found")
_SOON_SECONDS: Final = 60

Following = Annotated[Actor, actor_for(*sorted(READERS))]


def snapshots_of(scope: Mapping[str, Any]) -> Snapshots:
    """Return this process's `Snapshots`, which makes and finds the files; `scope` is a request, or its ASGI scope."""
    return cast(Snapshots, scope["app"].state.process.snapshots)


@router.get(
    "/snapshot",
    summary="Read the newest snapshot",
    response_class=Response,
    response_description="The snapshot: lines of JSON; as `application/zstd` they are compressed with Zstandard.",
    responses={
        **_PARTS,
        200: {"content": {ZSTD: BYTES, LINES: {"examples": examples.LINES}}, **_PARTS[200]},
        404: {**_ABSENT[404], **carrying(404, "Retry-After")[404]},
        **problems("unavailable"),
    },
)
@within(Quota.EXPORTS)
@answering({LINES: SnapshotLine})
async def read_snapshot(actor: Following, request: Request, conditions: WantedPart) -> Response:
    """Read the register's state at a sealed sequence, with which a copy begins; then continue with `/v1/changes`.

    The first line has the origin, the sequence, the number of records and the cursor. Then each listed entry follows,
    by id: its newest record as in the feed, and a record for each of its clearances in force. The last line has the
    digest, the record that seals it, and the proof that a signed head contains that record.

    A snapshot is sealed once new records are an hour old, or by `POST /v1/snapshot`. Before the first is sealed, the
    answer is 404 with `Retry-After`. The first request for a snapshot makes its file: the answer is 503 until the file
    is ready. The personal part of sealed entries is withheld from all readers, also from auditors.

    `Accept` selects one of two formats. `application/zstd`, the default, is the file: the lines compressed with
    Zstandard. `application/x-ndjson` is the uncompressed lines; `Range` is ignored there, and all lines are sent.

    A file never changes. If an entry in it is erased or sealed, another file replaces it, with the same sequence and
    another `ETag`: so send `If-Range` with `Range`.
    """
    snapshots, scope, runtime = snapshots_of(request), scope_of(actor), runtime_of(request)
    async with runtime.reading(actor) as reader:
        if (current := await service.find_current(reader)) is None:
            hour = int(LONGEST_UNSEALED.total_seconds()) // _SOON_SECONDS
            raise NotFound(
                f"There is no snapshot yet: the first is sealed when records are {hour} minutes old, or by order.",
                retry_after=_SOON_SECONDS,
            )
    found = snapshots.find(current, scope)
    if found is None and is_head(request.scope):
        raise Unavailable("The snapshot is made when it is first read.", retry_after=1)
    if found is None:
        allow(request, PATIENCE_SECONDS)
        found = await snapshots.make(scope)
    return _answer(request, conditions, found)


def _answer(request: Request, conditions: Conditions, snapshot: Snapshot) -> Response:
    """Answer with a snapshot; its file stays readable for this answer when it is removed meanwhile.

    Raises:
        Unavailable: it was removed just now.
    """
    try:
        file = snapshot.path.open("rb")
    except FileNotFoundError:
        raise Unavailable("The snapshot was just replaced.", retry_after=1) from None
    size = os.fstat(file.fileno()).st_size
    as_lines = preferred(accepted_by(request.scope["headers"]), (ZSTD, LINES)) == LINES
    chosen = _lines_of(conditions, snapshot, size) if as_lines else _part_of(conditions, snapshot, size)
    if isinstance(chosen, Chosen) and not is_head(request.scope):
        convert, media_type = (ZstdDecompressor().decompress, LINES) if as_lines else (None, ZSTD)
        return FileAnswer(file, chosen.part, chosen.status, chosen.headers, media_type, convert)
    file.close()
    if isinstance(chosen, Response):
        return chosen
    return Response(status_code=chosen.status, headers=chosen.headers, media_type=LINES if as_lines else ZSTD)


def _part_of(conditions: Conditions, snapshot: Snapshot, size: int) -> Chosen | Response:
    chosen = conditions.choose(size, snapshot.etag, _HEADERS)
    if isinstance(chosen, Response):
        return chosen
    length = {"content-length": str(len(chosen.part))}
    return Chosen(chosen.part, chosen.status, {**chosen.headers, **length})


def _lines_of(conditions: Conditions, snapshot: Snapshot, size: int) -> Chosen | Response:
    etag = _tag_of_lines(snapshot)
    same = not_modified(conditions.if_none_match, etag)
    if same is not None:
        same.headers.update(_HEADERS)
        return same
    whole = {"accept-ranges": "none", "etag": etag, "content-length": str(snapshot.length)}
    return Chosen(range(size), 200, {**_HEADERS, **whole})


def _tag_of_lines(snapshot: Snapshot) -> str:
    rest = blake2b(f"{snapshot.etag} lines".encode(), digest_size=6).hexdigest()
    return f'"{snapshot.made_of[1]}-{rest}"'


@router.post(
    "/snapshot",
    summary="Order a snapshot",
    status_code=202,
    response_description="The order; the worker carries it out within seconds, if anything is new.",
    responses=carrying(202, "Location"),
)
async def order_snapshot(unit: Annotated[Unit, unit_for(Role.ADMIN)], response: Response) -> SnapshotOrderOut:
    """Order a snapshot of the present state now, instead of when the records after the last snapshot are an hour old.

    The worker seals the digest of the state within seconds. The snapshot can be read as soon as a signed head contains
    the record that seals it. If there are no new records, no snapshot is made. Several orders count as one until the
    snapshot is made.
    """
    newest = await service.order(unit)
    response.headers["location"] = "/v1/snapshot"
    return SnapshotOrderOut(newest=newest)


@router.get(
    "/digest",
    summary="Read a sealed digest",
    response_description="The digest.",
    responses=problems("not-found"),
)
async def read_digest(
    reader: Annotated[Reader, reader_for()],
    sequence: Annotated[
        int | None,
        Query(ge=1, le=2**53 - 1, description="The sequence of a sealed digest; by default the newest."),
        WHOLE,
    ] = None,
) -> DigestOut:
    """Read the digest of the register's state at a sequence: the Merkle roots of 256 buckets, and their root.

    Each entry is in one bucket. The holder of a copy computes the digest of the copy and compares both. Entries that
    differ are in the buckets whose roots differ, so the register need not be sent again as a whole. The digest contains
    no personal parts, so it is the same for every reader. The record `seal` of the ledger contains its root, as
    `leaf.seal`.
    """
    return DigestOut.of(await service.digest_of(reader, sequence))
