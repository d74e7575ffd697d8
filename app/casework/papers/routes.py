"""Routes of papers: an entry's letter, and its evidence file."""

import asyncio
from collections.abc import AsyncIterable, Iterable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import StreamingResponse

from app.access.admission.guard import GuardedRoute, actor_for, runtime_of, within
from app.access.admission.quotas import Quota
from app.access.domain import Role
from app.actor import Actor
from app.casework.papers import service
from app.casework.papers.evidence import case
from app.casework.papers.evidence import file as evidence
from app.casework.papers.heads import IN_CODES, await_head
from app.casework.papers.letter import pdf
from app.register.entries.domain import Entry
from app.register.entries.parameters import EntryId
from app.sync.witnesses.service import policy_in_use
from app.web.etag import etag_of_bytes
from app.web.methods import is_head
from app.web.openapi import BYTES, in_parts, problems
from app.web.openapi_headers import carrying
from app.web.parts import WantedPart

router = APIRouter(prefix="/entries/{entry_id}", tags=["papers"], route_class=GuardedRoute)

_PDF: Final = "application/pdf"
_ZIP: Final = "application/zip"
_PARTS: Final = in_parts(_PDF)
_LETTER: Final[dict[int | str, dict[str, Any]]] = {
    status: {**_PARTS[status], "headers": {**_PARTS[status]["headers"], **name["headers"]}}
    for status in (200, 206, 304)
    for name in carrying(status, "Content-Disposition").values()
}
"""Documented answers with a letter: whole, in part, or unchanged."""

Reading = Annotated[
    Actor, actor_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.DUTY_OFFICER, Role.AUDITOR)
]
Exporting = Annotated[Actor, actor_for(Role.SUBMITTER, Role.VERIFIER, Role.APPROVER, Role.AUDITOR)]


@router.get(
    "/letter",
    summary="Get an entry's letter",
    response_description="The letter, in Indonesian, on A4, as PDF.",
    responses={
        **_PARTS,
        **_LETTER,
        200: {"content": {_PDF: BYTES}, **_LETTER[200]},
        **problems("not-found", "wrong-state"),
    },
    response_class=Response,
)
@within(Quota.EXPORTS)
async def read_letter(
    actor: Reading, entry_id: EntryId, request: Request, conditions: WantedPart
) -> Response:
    """Get the letter for an entry's present state: about the measure, its extension or correction, or its end.

    The QR code proves the record offline: the ledger's leaf, its audit path, and the signatures of the register and of
    a quorum of its witnesses. The call waits up to five seconds for the quorum. Without it the letter says that it is
    not yet witnessed, and gets its final code later; from then on its bytes stay the same.
    """
    runtime = runtime_of(request)
    async with runtime.reading(actor) as reader:
        awaited = await service.awaited_record(reader, entry_id)
    if awaited is not None:
        await await_head(runtime, actor, awaited, IN_CODES)
    async with runtime.writing(actor) as unit:
        composed = await service.letter(unit, entry_id, runtime.settings)
    document = await asyncio.to_thread(pdf.render, composed.letter, composed.photo)
    name = f"{entry_id}-v{composed.version}.pdf"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{name}"'}
    return conditions.answer(document, _PDF, etag_of_bytes(composed.version, document), headers)


@router.get(
    "/evidence",
    summary="Get an entry's evidence file",
    response_description="Everything on record about the entry, as a ZIP file.",
    responses={
        200: {"content": {_ZIP: BYTES}, **carrying(200, "Content-Disposition", "Accept-Ranges")[200]},
        **problems("not-found"),
    },
    response_class=Response,
)
@within(Quota.EXPORTS)
async def read_evidence(actor: Exporting, entry_id: EntryId, request: Request) -> Response:
    """Get all records about an entry for a court: versions, decisions, letters, alerts, checks, ledger records.

    `index.html` lists the content; `VERIFY.md`, `verify.py` and `verify_file.py` verify it without this register's
    software. Each ledger record has a proof with the signatures of the register and its witnesses; the call waits up
    to five seconds for a quorum of them. The access is recorded, and so is the hash of the file's index. A file that
    is cut off is not a valid ZIP: request it again.
    """
    runtime = runtime_of(request)
    if is_head(request.scope):  # no file is made, so no access is recorded
        async with runtime.reading(actor) as reader:
            entry = await service.get_with_photo(reader, entry_id)
        return _evidence(entry, iter(()))
    async with runtime.reading(actor) as reader:
        last = await case.last_record(reader, entry_id)
    if last is not None:
        await await_head(runtime, actor, last)
    async with runtime.writing(actor) as unit:
        opened = await case.open_case(unit, entry_id, policy_in_use(runtime.settings.witness_policy))
    return _evidence(opened.entry, evidence.pieces(runtime, opened))


def _evidence(entry: Entry, pieces: AsyncIterable[bytes] | Iterable[bytes]) -> Response:
    """Return the streaming response with an evidence file.

    Ranges are not supported, because each file is made separately and contains the audit trail of its requests.
    """
    name = f"{entry.id}-v{entry.version}.zip"
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{name}"',
        "Accept-Ranges": "none",
    }
    return StreamingResponse(pieces, media_type=_ZIP, headers=headers)
