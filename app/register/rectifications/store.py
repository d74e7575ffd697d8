"""SQL statements on correction requests; unless said otherwise, they do not check who may see the entry."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, case, exists, insert, literal, or_, select, tuple_, update

from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.register.entries.visibility import closed
from app.register.rectifications.domain import CorrectionOutcome, CorrectionRequest, RequestedCorrection
from app.register.rectifications.tables import correction_request as table

_FIRST, _LATER, _DONE = "0", "1", "2"
_PLACE = case(
    (table.c.outcome.is_not(None), literal(_DONE)),
    (table.c.kind == RequestedCorrection.WRONG_PERSON, literal(_FIRST)),
    else_=literal(_LATER),
)
"""Sort key of lists: open requests before decided ones, among the open ones the wrong person first."""


def place_of(request: CorrectionRequest) -> str:
    """Return a request's sort key in lists: open ones about a wrong person, then other open ones, then decided ones.

    It equals the SQL expression `_PLACE`; `list_page` takes it in `after`.
    """
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
    """Store a request's next version; the transaction must hold its lock."""
    await unit.run(update(table).where(table.c.id == request.id).values(**_values(request)))


async def find(reader: Reader, request_id: str) -> CorrectionRequest | None:
    """Return the request with this id; None if there is none."""
    row = (await reader.run(select(table).where(table.c.id == request_id))).first()
    return None if row is None else _request(row)


async def get(reader: Reader, request_id: str) -> CorrectionRequest:
    """Return the request with this id.

    Raises:
        NotFound: there is no request with this id.
    """
    found = await find(reader, request_id)
    if found is None:
        raise NotFound("There is no such request.")
    return found


async def lock(unit: Unit, request_id: str) -> CorrectionRequest:
    """Return a request and lock its row until the commit.

    Raises:
        NotFound: there is no request with this id.
    """
    row = (
        await unit.run(select(table).where(table.c.id == request_id).with_for_update(key_share=True))
    ).first()
    if row is None:
        raise NotFound("There is no such request.")
    return _request(row)


async def has_open(reader: Reader, entry_id: str) -> bool:
    """Return whether a request about this entry waits for its decision; False for an unknown entry."""
    waits = exists().where(table.c.entry_id == entry_id, table.c.outcome.is_(None))
    return bool((await reader.run(select(waits))).scalar_one())


async def erase_of_entry(unit: Unit, entry_id: str, instead: str) -> None:
    """Erase requesters, statements, evidence and reasons from an entry's requests; outcomes and times stay (R64).

    Args:
        unit: the transaction, which holds the entry's lock.
        entry_id: id of the entry.
        instead: the text that replaces statements, names and contacts; evidence and reasons become NULL.
    """
    left = {"statement": instead, "requester_name": instead, "requester_contact": instead}
    erased = update(table).where(table.c.entry_id == entry_id)
    await unit.run(erased.values(**left, evidence=None, reason=None))


@dataclass(frozen=True, slots=True)
class Filter:
    """Conditions of a list of correction requests; None in a member means no condition.

    Attributes:
        open: whether the requests wait for their decision.
        entry_id: the entry that the requests are about.
        agency: owner of the entries that the requests are about.
        filed_by: client that filed the requests. If `agency` is set too, a request fits if it meets one of the two.
        exclude_filed_person: an officer; requests that this officer recorded are left out.
    """

    open: bool | None = None
    entry_id: str | None = None
    agency: str | None = None
    filed_by: str | None = None
    exclude_filed_person: str | None = None


async def list_page(
    reader: Reader, requested: Filter, after: tuple[str, str] | None, limit: int
) -> list[CorrectionRequest]:
    """Return requests that match the filter, in the order of `place_of`, then of their filing, at most `limit`.

    `after` is the sort key and id of a request: only later ones are returned; None begins with the first. Requests
    about entries that a seal hides from the actor are left out, unless the actor filed them.
    """
    statement = select(table).order_by(_PLACE, table.c.id).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(_PLACE, table.c.id) > tuple_(*map(literal, after)))
    if requested.open is not None:
        statement = statement.where(
            table.c.outcome.is_(None) if requested.open else table.c.outcome.is_not(None)
        )
    if requested.entry_id is not None:
        statement = statement.where(table.c.entry_id == requested.entry_id)
    unsealed = table.c.entry_id.not_in(closed(reader.actor))
    statement = statement.where(or_(unsealed, table.c.filed_by == reader.actor.client_id))
    theirs = []
    if requested.agency is not None:
        theirs.append(table.c.agency == requested.agency)
    if requested.filed_by is not None:
        theirs.append(table.c.filed_by == requested.filed_by)
    if theirs:
        statement = statement.where(or_(*theirs))
    if requested.exclude_filed_person is not None:
        statement = statement.where(table.c.filed_person != requested.exclude_filed_person)
    return [_request(row) for row in await reader.run(statement)]
