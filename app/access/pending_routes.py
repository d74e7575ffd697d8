"""Changes that wait for a second admin (contract section 2)."""

from typing import Annotated

from fastapi import APIRouter, Path

from app.access import confirmations, pending_store
from app.access.domain import Role
from app.access.guard import GuardedRoute, reader_for, unit_for
from app.access.pending_schemas import PendingChangeOut
from app.db.unit import Reader, Unit
from app.web.openapi import problems
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, last_seen

router = APIRouter(tags=["administration"], route_class=GuardedRoute)


@router.get("/pending-changes", summary="List changes that wait", responses=problems("validation"))
async def list_pending_changes(
    reader: Annotated[Reader, reader_for(Role.ADMIN, Role.AUDITOR)],
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
) -> Page[PendingChangeOut]:
    """Changes of places, and revocations of admins and their keys, that wait for a second admin; oldest first.

    Accounts and keys that wait are those whose `state` is `pending`.
    """
    rows = await pending_store.list_pending(reader, last_seen(cursor), limit + 1)
    page, after = cut(rows, limit, lambda row: (row.id,))
    return Page(items=[PendingChangeOut.of(row) for row in page], next_cursor=after)


@router.post(
    "/pending-changes/{change_id}/confirmation",
    status_code=201,
    summary="Confirm a change as second admin",
    responses=problems("not-found", "wrong-state", "four-eyes"),
)
async def confirm_change(
    unit: Annotated[Unit, unit_for(Role.ADMIN)],
    change_id: Annotated[str, Path(max_length=40, description="The change's id.")],
) -> PendingChangeOut:
    """Let a change take effect: another person than who proposed it, and never a suspended admin."""
    return PendingChangeOut.of(await confirmations.confirm(unit, change_id))
