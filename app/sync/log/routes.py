"""Routes of the ledger as a C2SP tiled log: tiles, checkpoint, and proofs (API section 6)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, Security

from app.access.admission.guard import GuardedRoute, key_scheme, reader_for, runtime_of
from app.access.admission.quotas import Quota
from app.access.domain import SYSTEM
from app.db.unit import Reader
from app.ledger import service as ledger
from app.sync.heads.service import require_newest, with_cosignatures
from app.sync.log import service
from app.sync.log.schemas import ConsistencyOut, InclusionOut
from app.tlog.notes import MEDIA_TYPE
from app.web.accept import JSON, PLAIN, accepted_by, preferred
from app.web.etag import UNCHANGED, IfNoneMatch, etag_of_bytes, not_modified
from app.web.openapi import problems
from app.web.parameters import WHOLE

_LARGEST = 2**53 - 1
_BYTES = "application/octet-stream"

router = APIRouter(prefix="/proofs", tags=["proof"], route_class=GuardedRoute)


class LogRoute(GuardedRoute):
    """A guarded route that the deployment may open to callers without a key (`CEKAL_LOG_PUBLIC`)."""

    async def admit_caller(self, request: Request, quota: Quota | None) -> None:
        """Admit every caller if the deployment opens the log; else only callers with a valid key.

        If a `quota` is given and the log is not open, the request counts against the key's quota of this kind.

        An open log raises nothing, whatever key the caller sends.

        Raises:
            Unauthenticated: the log is not open, and the key is missing or not valid.
            RateLimited: too many failed attempts, or the key's quota is used up.
            Unavailable: the register can't be read now.
        """
        if not runtime_of(request).settings.log_public:
            await super().admit_caller(request, quota)


tiles = APIRouter(prefix="/log", tags=["proof"], route_class=LogRoute)

AnyReader = Annotated[Reader, reader_for()]


@router.get(
    "/inclusion",
    summary="Prove that a record is in the ledger",
    response_model=InclusionOut,
    response_description="The audit path; with `Accept: text/plain` a proof file that is verified offline.",
    responses={
        200: {"content": {PLAIN: {"schema": {"type": "string"}}}},
        **problems("validation", "not-found", "unavailable"),
    },
)
async def prove_inclusion(
    reader: AnyReader,
    request: Request,
    sequence: Annotated[int, Query(ge=1, le=_LARGEST, description="The record's number."), WHOLE],
    size: Annotated[
        int | None,
        Query(ge=1, le=_LARGEST, description="Size of the ledger to prove against; by default the newest."),
        WHOLE,
    ] = None,
) -> Response:
    """Prove that the ledger contains a record, by a path of about log2(size) hashes from the record to the Merkle root.

    `Accept` selects the format. As JSON, the default, the path leads to the root of the present ledger, or of any
    earlier `size`. As `text/plain` the answer is a C2SP tlog-proof, which is the path and a signed head: `size` must
    then be that of a signed head, and is by default that of the newest.
    """
    if preferred(accepted_by(request.scope["headers"]), (JSON, PLAIN)) == PLAIN:
        head = await (require_newest(reader) if size is None else service.head_of(reader, size))
        cosigned = await with_cosignatures(reader, head)
        return Response(str(await service.proof_file(reader, sequence, cosigned)), media_type=MEDIA_TYPE)
    proof = await service.prove_inclusion(reader, sequence, size)
    leaf = (await ledger.nodes(reader, [(0, sequence - 1)]))[0, sequence - 1]
    answer = InclusionOut(
        sequence=sequence,
        size=proof.size,
        leaf_hash=leaf.hex(),
        path=[step.hex() for step in proof.path],
        root=proof.root.hex(),
    )
    return Response(answer.model_dump_json(), media_type=JSON)


@router.get(
    "/consistency",
    summary="Prove that the ledger only grew",
    response_description="The proof.",
    responses=problems("validation"),
)
async def prove_consistency(
    reader: AnyReader,
    old: Annotated[
        int, Query(alias="from", ge=1, le=_LARGEST, description="The smaller number of records."), WHOLE
    ],
    new: Annotated[
        int | None,
        Query(
            alias="to", ge=1, le=_LARGEST, description="The larger number of records; by default the present."
        ),
        WHOLE,
    ] = None,
) -> ConsistencyOut:
    """Prove that the larger ledger begins with the records of the smaller: none changed, removed or inserted."""
    size, path = await service.prove_consistency(reader, old, new)
    return ConsistencyOut(
        from_size=old,
        to_size=size,
        from_root=(await ledger.root_of(reader, old)).hex(),
        to_root=(await ledger.root_of(reader, size)).hex(),
        path=[step.hex() for step in path],
    )


_REFUSALS = ("validation", "unauthenticated", "not-acceptable", "rate-limited", "unavailable")


@tiles.get(
    "/checkpoint",
    summary="Read the log's checkpoint",
    response_class=Response,
    response_description="The newest signed head as a C2SP checkpoint.",
    responses={200: {"content": {PLAIN: {"schema": {"type": "string"}}}}, **problems(*_REFUSALS)},
)
async def read_log_checkpoint(
    request: Request, _key: Annotated[str | None, Security(key_scheme)]
) -> Response:
    """Read the newest signed head in the format of C2SP tiled logs (`/checkpoint`)."""
    async with runtime_of(request).reading(SYSTEM) as reader:
        head = await with_cosignatures(reader, await require_newest(reader))
    return Response(head.note, media_type=MEDIA_TYPE, headers={"cache-control": "no-cache"})


@tiles.get(
    "/tile/{level}/{path:path}",
    summary="Read a tile of the log",
    response_class=Response,
    response_description="The tile's hashes, or the entries of a bundle.",
    responses={
        **UNCHANGED,
        200: {**UNCHANGED[200], "content": {_BYTES: {"schema": {"type": "string", "format": "binary"}}}},
        **problems("not-found", *_REFUSALS),
    },
)
async def read_log_tile(
    request: Request,
    _key: Annotated[str | None, Security(key_scheme)],
    level: Annotated[str, Path(description="The tile's level, or `entries` for the leaves themselves.")],
    path: Annotated[
        str,
        Path(description="The tile's index in groups of three digits, as `x001/x234/067`."),
    ],
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Read a tile: up to 256 hashes or leaves of the log (C2SP tlog-tiles). Within an epoch a tile never changes.

    Each epoch is another log, with an origin of its own, under the same paths: after a restore that lost records, tiles
    that contained them have other contents. So a cache must ask with the tile's `ETag` before it answers with a copy,
    and a copy of tiles is kept with the checkpoint's origin. A leaf is the exact text that is hashed. It
    contains no personal data and no salt.
    """
    tile = service.parse_tile(level, path)
    async with runtime_of(request).reading(SYSTEM) as reader:
        head = await require_newest(reader)
        data = await service.read_tile(reader, tile, head.size)
    scope = "public" if runtime_of(request).settings.log_public else "private"
    headers = {"cache-control": f"{scope}, no-cache", "etag": etag_of_bytes(1, data)}
    unchanged = not_modified(if_none_match, headers["etag"])
    if unchanged is not None:
        unchanged.headers.update(headers)
        return unchanged
    return Response(data, media_type=_BYTES, headers=headers)
