"""The feed of changes for integrators and replicas (contract section 6)."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Request

from app.access.domain import IMMIGRATION, Role
from app.access.guard import GuardedRoute, actor_for, within
from app.access.quotas import Quota
from app.db.unit import Actor
from app.ledger.domain import Record
from app.ledger.polling import After, PageLimit, Wait, read_ledger
from app.ledger.schemas import ChangesOut, RecordOut
from app.web.openapi import problems

router = APIRouter(tags=["changes"], route_class=GuardedRoute)


@router.get("/changes", summary="Read changes", responses=problems("validation", "cursor-gone"))
@within(Quota.POLLS)
async def read_changes(
    actor: Annotated[Actor, actor_for(Role.INTEGRATOR, Role.AUDITOR)],
    request: Request,
    after: After = None,
    wait: Wait = 0,
    limit: PageLimit = 100,
) -> ChangesOut:
    """Everything that changed the register, in commit order, beyond a cursor; numbers have no holes.

    Every record is always sent, so that a copy can be proved complete; outside the reader's scope its personal
    part is withheld.
    """
    page = await read_ledger(request, actor, after, limit, wait)
    return ChangesOut(
        items=[
            RecordOut.of(
                record,
                within_scope=record.entry_id not in page.barred and _within_scope(record, actor, page.closed),
            )
            for record in page.records
        ],
        cursor=page.head.cursor(page.position),
        head=page.head.size,
        more=page.more,
    )


def _within_scope(record: Record, actor: Actor, closed: Collection[str]) -> bool:
    """Auditors see all, Immigration's integrators and replicas that of every agency, others their agency's own.

    Of a sealed entry only auditors are shown more than the leaf: a machine is no person that a seal names
    (R61). An integrator of no agency, from before that was refused, is shown nobody's personal data. Counters
    and gates do not read the register: they ask about one traveller at a time (R48).
    """
    if actor.holds(Role.AUDITOR):
        return True
    if actor.agency is None or record.entry_id in closed:
        return False
    return actor.agency in {IMMIGRATION, record.agency}
