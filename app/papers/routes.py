"""The calls for papers: an entry's letter, and its evidence file."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from app.access.domain import Role
from app.access.guard import GuardedRoute, actor_for, runtime_of, within
from app.access.quotas import Quota
from app.db.unit import Actor
from app.entries.routes import EntryId
from app.papers import case, evidence, pdf, service
from app.web.openapi import problems

router = APIRouter(prefix="/entries/{entry_id}", tags=["papers"], route_class=GuardedRoute)

Reading = Annotated[
    Actor, actor_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR)
]
Exporting = Annotated[Actor, actor_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.AUDITOR)]


@router.get(
    "/letter",
    summary="Get an entry's letter",
    responses={
        200: {"content": {"application/pdf": {}}, "description": "The letter, in Indonesian, on A4."},
        **problems("not-found", "wrong-state"),
    },
    response_class=Response,
)
@within(Quota.EXPORTS)
async def read_letter(actor: Reading, entry_id: EntryId, request: Request) -> Response:
    """The decision letter of an entry as it stands: of the measure, its extension or correction, or its end.

    The same version has the same bytes whenever it is asked for. The QR code holds the ledger's leaf, its audit
    path and the root, so that anybody can verify the record offline.
    """
    runtime = runtime_of(request)
    async with runtime.writing(actor) as unit:
        draft = await service.letter(unit, entry_id, runtime.settings)
    document = await asyncio.to_thread(pdf.render, draft.letter, draft.photo)
    name = f"{entry_id}-v{draft.version}.pdf"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{name}"'}
    return Response(document, media_type="application/pdf", headers=headers)


@router.get(
    "/evidence",
    summary="Get an entry's evidence file",
    responses={
        200: {
            "content": {"application/zip": {}},
            "description": "Everything on record about the entry, as a ZIP.",
        },
        **problems("not-found"),
    },
    response_class=Response,
)
@within(Quota.EXPORTS)
async def read_evidence(actor: Exporting, entry_id: EntryId, request: Request) -> Response:
    """Everything on record about an entry, for a court: versions, decisions, letters, alerts, checks, ledger records.

    `index.html` tells what is in it, `VERIFY.md` and `verify.py` how to verify it with nothing of this register's.
    The look is recorded, and so is the hash of the file's index. A file that breaks off is no ZIP: ask again.
    """
    runtime = runtime_of(request)
    async with runtime.writing(actor) as unit:
        opened = await case.open_case(unit, entry_id)
    name = f"{entry_id}-v{opened.entry.version}.zip"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(evidence.pieces(runtime, opened), media_type="application/zip", headers=headers)
