"""Routes to read signed heads and the keys that sign them (API section 6)."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Request, Response

from app.access.admission.guard import GuardedRoute, reader_for, runtime_of
from app.access.domain import SYSTEM
from app.db.unit import Reader
from app.sync.heads import service
from app.sync.heads.schemas import HeadOut, SigningKeyOut, SigningKeysOut
from app.sync.witnesses.service import list_cosigners, policy_in_use
from app.tlog.notes import MEDIA_TYPE
from app.web.accept import JSON, PLAIN, accepted_by, preferred
from app.web.openapi import problems

router = APIRouter(tags=["proof"], route_class=GuardedRoute)
open_router = APIRouter(tags=["proof"])


@router.get(
    "/head",
    summary="Read the newest signed head",
    response_model=HeadOut,
    response_description="The head; with `Accept: text/plain` the signed checkpoint alone.",
    responses={
        200: {"content": {PLAIN: {"schema": {"type": "string"}}}},
        **problems("unavailable"),
    },
)
async def read_head(reader: Annotated[Reader, reader_for()], request: Request) -> Response:
    """Read the ledger's newest head with its signatures; a new one is signed within a second of new records.

    Keep the head: if a later one does not continue it (`/v1/proofs/consistency`), the register was tampered with, and
    the two signed heads prove it.
    """
    head = await service.with_cosignatures(reader, await service.require_newest(reader))
    if preferred(accepted_by(request.scope["headers"]), (JSON, PLAIN)) == PLAIN:
        return Response(head.note, media_type=MEDIA_TYPE)
    valid = timedelta(seconds=runtime_of(request).settings.head_valid_seconds)
    cosigners = await list_cosigners(reader, head.epoch, head.size)
    return Response(HeadOut.of(head, valid, cosigners).model_dump_json(), media_type=JSON)


@open_router.get(
    "/signing-keys",
    summary="List signing keys",
    openapi_extra={"security": []},
    response_model=SigningKeysOut,
    response_description="The keys, the newest use first; with `Accept: text/plain` the policy to verify papers by.",
    responses={200: {"content": {PLAIN: {"schema": {"type": "string"}}}}},
)
async def list_signing_keys(request: Request) -> Response:
    """List the public keys that sign, or have signed, the ledger's heads, newest first; no key is needed to call this.

    As `text/plain` it is a C2SP tlog-policy: the keys of the present origin, the witnesses and their quorum. Compare
    the keys once with a copy from another source (for example a printed one): an attacker that can change this answer
    could also sign heads with keys of their own.
    """
    runtime = runtime_of(request)
    async with runtime.reading(SYSTEM) as reader:
        if preferred(accepted_by(request.scope["headers"]), (JSON, PLAIN)) == PLAIN:
            policy = policy_in_use(runtime.settings.witness_policy)
            text = str(await service.published_policy(reader, policy))
            return Response(text.encode(errors="surrogateescape"), media_type=MEDIA_TYPE)
        keys = [SigningKeyOut.of(use) for use in await service.list_uses(reader)]
    return Response(SigningKeysOut(items=keys).model_dump_json(), media_type=JSON)
