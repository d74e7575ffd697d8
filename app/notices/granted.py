"""Granted objections that nobody has carried out: what their owners are asked to do, and told of when it is late."""

from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_, select

from app.amendments.domain import OPEN, AmendmentKind
from app.amendments.tables import amendment
from app.db.documents import Documents
from app.db.unit import Reader
from app.entries.store import holds
from app.entries.tables import entry as entry_table
from app.entries.views import closed
from app.objections.domain import Objection
from app.objections.tables import objection

_documents = Documents(Objection)
_ENDING = (AmendmentKind.ANNULMENT, AmendmentKind.REVOCATION)
_objected = entry_table.alias("objected")


def _related(to: FromClause) -> ColumnElement[bool]:
    """The entry that an objection is against, its urgent entry, or those that formalise it."""
    return or_(
        to.c.id == _objected.c.id, to.c.formalises == _objected.c.id, to.c.id == _objected.c.formalises
    )


def not_carried_out(now: datetime) -> ColumnElement[bool]:
    """Whether an objection was granted, the measure still holds, and no annulment or revocation waits since then.

    A measure is its urgent entry as well as the formal one.
    """
    amended = entry_table.alias("amended")
    still = exists().where(_objected.c.id == objection.c.entry_id, _related(entry_table), holds(now))
    asked_for = exists().where(
        _objected.c.id == objection.c.entry_id,
        _related(amended),
        amendment.c.entry_id == amended.c.id,
        amendment.c.kind.in_(_ENDING),
        amendment.c.state.in_(sorted(OPEN)),
        amendment.c.received_at >= objection.c.answered_at,
    )
    return and_(objection.c.carry_out_by.is_not(None), still, ~asked_for)


async def list_granted(reader: Reader, agency: str | None, limit: int) -> list[Objection]:
    """Granted objections that an agency has to carry out, soonest due first; of every agency for None.

    Those against entries whose seal keeps the actor out are left out.
    """
    statement = select(objection.c.document).where(
        not_carried_out(reader.now), objection.c.entry_id.not_in(closed(reader.actor))
    )
    if agency is not None:
        statement = statement.where(objection.c.agency == agency)
    return await _documents.all(
        reader, statement.order_by(objection.c.carry_out_by, objection.c.id).limit(limit)
    )
