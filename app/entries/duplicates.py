"""What an owner has already against a person, and may not have twice."""

from datetime import datetime

from app.db.unit import Unit
from app.entries import periods, store
from app.entries.domain import EndedReason, Entry, Notice, State
from app.entries.wanted import UrgentWanted, Wanted
from app.errors import DuplicateEntry, UrgentNotRepeatable
from app.kit.clock import legal_day


async def refuse_duplicates(
    unit: Unit, wanted: Wanted, owner: str, *, but: str | None = None
) -> list[Notice]:
    """One letter, one case, one entry per subject of an owner (R14, R15, R35).

    Args:
        unit: the transaction, which holds the owner's lock.
        wanted: what is asked.
        owner: code of the owning agency.
        but: an entry that does not count: the one that is resubmitted.

    Returns:
        A warning for each entry of somebody who may be the same person.

    Raises:
        DuplicateEntry: the owner has this letter, or this case at this time, against this person already.
        UrgentNotRepeatable: the same urgent request lapsed before.
    """
    subject, basis = wanted.subject, wanted.basis
    keys = subject.identifiers() | {store.letter_key(owner, basis.number)}
    warnings = []
    urgent = isinstance(wanted, UrgentWanted)
    for stored in await store.list_by_keys(unit, keys):
        other = stored.at(unit.now)
        if other.id == but or other.agency != owner:
            continue
        if not subject.same_person(other.subject):
            if subject.identifiers() & other.subject.identifiers():
                detail = f"Similar to the subject of {other.id}; make sure who is meant."
                warnings.append(Notice("similar_subject", "/subject", detail))
            continue
        same_case = _folded(other.basis.case_reference) == _folded(basis.case_reference)
        if urgent and same_case and other.ended_reason is EndedReason.LAPSED:
            raise UrgentNotRepeatable(
                "The same urgent request lapsed; it can't be made again (Permenkumham 38/2021 art. 11).",
                extra={"entry_id": other.id},
            )
        if other.state is State.REJECTED:
            continue
        if _folded(other.basis.number) == _folded(basis.number):
            raise DuplicateEntry("This letter names this person already.", extra={"entry_id": other.id})
        if same_case and other.state is not State.ENDED and _overlaps(unit.now, wanted, other):
            raise DuplicateEntry(
                "This case has an entry against this person for this time already (R15).",
                extra={"entry_id": other.id},
            )
    return warnings


def _overlaps(now: datetime, wanted: Wanted, other: Entry) -> bool:
    starts_on = wanted.starts_on or legal_day(now)
    ends_on = wanted.ends_on
    if isinstance(wanted, UrgentWanted):
        ends_on = periods.urgent_end(starts_on)
    return periods.overlap(starts_on, ends_on, other.starts_on, other.ends_on)


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()
