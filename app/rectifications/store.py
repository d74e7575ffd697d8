"""Every SQL statement of correction requests."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, exists, insert, literal, or_, select, tuple_, update

from app.db.unit import Reader, Unit
from app.entries.views import closed
from app.errors import NotFound
from app.rectifications.domain import CorrectionOutcome, CorrectionRequest, RequestedCorrection
from app.rectifications.tables import correction_request as table

_FIRST, _LATER, _DONE = "0", "1", "2"
_PLACE = case(
    (table.c.outcome.is_not(None), literal(_DONE)),
    (table.c.kind == RequestedCorrection.WRONG_PERSON, literal(_FIRST)),
    else_=literal(_LATER),
)
"""Where a request stands in lists: open before decided, the wrong person before all others."""


def place_of(request: CorrectionRequest) -> str:
    """Where a request stands in lists, as the statements sort it."""
    if request.outcome is not None:
        return _DONE
    return _FIRST if request.kind is RequestedCorrection.WRONG_PERSON else _LATER


def _request(row: Row[*tuple[Any, ...]]) -> CorrectionRequest:
    values = dict(row._mapping)
    outcome = values["outcome"]
    return CorrectionRequest(
        **{
            **values,
            "kind": RequestedCorrection(values["kind"]),
            "outcome": CorrectionOutcome(outcome) if outcome else None,
        }
    )


def _values(request: CorrectionRequest) -> dict[str, Any]:
    return {column.name: getattr(request, column.name) for column in table.c}


async def add(unit: Unit, request: CorrectionRequest) -> None:
    """Store a new request."""
    await unit.run(insert(table).values(**_values(request)))


async def save(unit: Unit, request: CorrectionRequest) -> None:
    """Store a request's next version."""
    await unit.run(update(table).where(table.c.id == request.id).values(**_values(request)))


async def find(reader: Reader, request_id: str) -> CorrectionRequest | None:
    """A request."""
    row = (await reader.run(select(table).where(table.c.id == request_id))).first()
    return None if row is None else _request(row)


async def get(reader: Reader, request_id: str) -> CorrectionRequest:
    """A request.

    Raises:
        NotFound: there is none with this id.
    """
    found = await find(reader, request_id)
    if found is None:
        raise NotFound("There is no such request.")
    return found


async def lock(unit: Unit, request_id: str) -> CorrectionRequest:
    """A request, held against other writers until the commit.

    Raises:
        NotFound: there is none with this id.
    """
    row = (await unit.run(select(table).where(table.c.id == request_id).with_for_update())).first()
    if row is None:
        raise NotFound("There is no such request.")
    return _request(row)


async def has_open(reader: Reader, entry_id: str) -> bool:
    """Whether a request about an entry waits for its decision."""
    waits = exists().where(table.c.entry_id == entry_id, table.c.outcome.is_(None))
    return bool((await reader.run(select(waits))).scalar_one())


async def erase_of_entry(unit: Unit, entry_id: str, instead: str) -> None:
    """Erase who asked about an entry and what was said; that it was decided, when and how stays (R64).

    Args:
        unit: the transaction, which holds the entry's lock.
        entry_id: which.
        instead: what stands in place of the words.
    """
    left = {"statement": instead, "requester_name": instead, "requester_contact": instead}
    erased = update(table).where(table.c.entry_id == entry_id)
    await unit.run(erased.values(**left, evidence=None, reason=None))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests are wanted; None means any.

    Attributes:
        agency: only about this agency's entries, or filed by the client `filed_by`.
        but_filed_person: not those that this person took down.
    """

    open: bool | None = None
    entry_id: str | None = None
    agency: str | None = None
    filed_by: str | None = None
    but_filed_person: str | None = None


async def list_page(
    reader: Reader, wanted: Filter, after: tuple[str, str] | None, limit: int
) -> list[CorrectionRequest]:
    """Requests: open ones first, among them the wrong person first, then in the order in which they came.

    Those about entries whose seal keeps the actor out are left out, unless the actor took them down.
    """
    statement = select(table).order_by(_PLACE, table.c.id).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(_PLACE, table.c.id) > tuple_(*map(literal, after)))
    if wanted.open is not None:
        statement = statement.where(
            table.c.outcome.is_(None) if wanted.open else table.c.outcome.is_not(None)
        )
    if wanted.entry_id is not None:
        statement = statement.where(table.c.entry_id == wanted.entry_id)
    unsealed = table.c.entry_id.not_in(closed(reader.actor))
    statement = statement.where(or_(unsealed, table.c.filed_by == reader.actor.client_id))
    theirs = []
    if wanted.agency is not None:
        theirs.append(table.c.agency == wanted.agency)
    if wanted.filed_by is not None:
        theirs.append(table.c.filed_by == wanted.filed_by)
    if theirs:
        statement = statement.where(or_(*theirs))
    if wanted.but_filed_person is not None:
        statement = statement.where(table.c.filed_person != wanted.but_filed_person)
    return [_request(row) for row in await reader.run(statement)]
