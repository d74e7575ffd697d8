"""Routes to list and confirm changes that wait for a second admin (API section 2)."""

from typing import Annotated

from fastapi import APIRouter, Path

from app.access.admission.guard import GuardedRoute, reader_for, unit_for
from app.access.domain import Role
from app.access.pending import service as confirmations
from app.access.pending import store as pending_store
from app.access.pending.schemas import PendingChangeOut
from app.db.unit import Reader, Unit
from app.web.openapi import problems
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id

router = APIRouter(tags=["administration"], route_class=GuardedRoute)


@router.get(
    "/pending-changes",
    summary="List changes that wait",
    response_description="A page of changes that wait, oldest first.",
    responses=problems("validation"),
)
async def list_pending_changes(
    reader: Annotated[Reader, reader_for(Role.ADMIN, Role.AUDITOR)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[PendingChangeOut]:
    """List the changes that wait for a second admin, oldest first: changes of places, revocations of admins and keys.

    New accounts and keys that wait for a second admin are not in this list; their `state` is `pending`.
    """
    rows = await pending_store.list_pending(reader, decode_last_id(cursor), limit + 1)
    page, after = cut(rows, limit, lambda row: (row.id,))
    return Page(items=[PendingChangeOut.of(row) for row in page], next_cursor=after)


@router.post(
    "/pending-changes/{change_id}/confirmation",
    status_code=201,
    summary="Confirm a change as second admin",
    response_description="The change was confirmed and takes effect.",
    responses=problems("not-found", "wrong-state", "four-eyes"),
)
async def confirm_change(
    unit: Annotated[Unit, unit_for(Role.ADMIN)],
    change_id: Annotated[str, Path(max_length=40, description="The change's id.")],
) -> PendingChangeOut:
    """Confirm a proposed change, which is carried out at once. The caller must not be its proposer or suspended."""
    return PendingChangeOut.of(await confirmations.confirm(unit, change_id))
