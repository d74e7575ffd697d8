"""SQL of granted objections that are not carried out yet, for the worklist and for overdue notices."""

from datetime import datetime

from sqlalchemy import ColumnElement, FromClause, and_, exists, or_, select

from app.db.documents import Documents
from app.db.unit import Reader
from app.register.amendments.domain import OPEN, AmendmentKind
from app.register.amendments.tables import amendment
from app.register.entries.store import holds
from app.register.entries.tables import entry as entry_table
from app.register.entries.visibility import closed
from app.register.objections.domain import Objection
from app.register.objections.tables import objection

_documents = Documents(Objection)
_ENDING = (AmendmentKind.ANNULMENT, AmendmentKind.REVOCATION)
_objected = entry_table.alias("objected")


def _related(to: FromClause) -> ColumnElement[bool]:
    """Return the condition that a row is the entry objected to, or the urgent or formal entry of the same measure."""
    return or_(
        to.c.id == _objected.c.id, to.c.formalises == _objected.c.id, to.c.id == _objected.c.formalises
    )


def not_carried_out(now: datetime) -> ColumnElement[bool]:
    """Return the SQL condition, on the objection table, that an objection was granted and not carried out yet.

    To carry it out, the owner files an annulment or a revocation of the measure. The condition is true while the
    measure is in force, as urgent or formal entry, and no undecided annulment or revocation was filed after the answer
    to the objection.
    """
    amended = entry_table.alias("amended")
    still_holds = exists().where(_objected.c.id == objection.c.entry_id, _related(entry_table), holds(now))
    ending_filed = exists().where(
        _objected.c.id == objection.c.entry_id,
        _related(amended),
        amendment.c.entry_id == amended.c.id,
        amendment.c.kind.in_(_ENDING),
        amendment.c.state.in_(sorted(OPEN)),
        amendment.c.received_at >= objection.c.answered_at,
    )
    return and_(objection.c.carry_out_by.is_not(None), still_holds, ~ending_filed)


async def list_granted(reader: Reader, agency: str | None, limit: int) -> list[Objection]:
    """Return granted objections that were not carried out yet, soonest due first, at most `limit`.

    `agency` is the code of the agency that has to carry them out; None for every agency. Objections against entries
    that are sealed from the actor are omitted.
    """
    statement = select(objection.c.document).where(
        not_carried_out(reader.now), objection.c.entry_id.not_in(closed(reader.actor))
    )
    if agency is not None:
        statement = statement.where(objection.c.agency == agency)
    return await _documents.all(
        reader, statement.order_by(objection.c.carry_out_by, objection.c.id).limit(limit)
    )
