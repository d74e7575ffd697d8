"""What an owner has already against a person, and may not have twice, or a third time."""

from collections.abc import Collection
from datetime import datetime

from app.db.unit import Unit
from app.entries import periods, store
from app.entries.deadlines import Terms
from app.entries.domain import EndedReason, Entry, Notice, State
from app.entries.law import exhausted
from app.entries.views import open_to
from app.entries.wanted import UrgentWanted, Wanted
from app.errors import DuplicateEntry, UrgentNotRepeatable
from app.kit.clock import legal_day

_UNDECIDED = frozenset({State.SUBMITTED, State.RETURNED, State.VERIFIED})
_COUNTED = frozenset({State.SUBMITTED, State.VERIFIED, State.ACTIVE})


async def refuse_duplicates(
    unit: Unit, wanted: Wanted, owner: str, *, but: Collection[str | None] = ()
) -> list[Notice]:
    """One letter, one case, one entry per subject of an owner (R14, R15, R35).

    Args:
        unit: the transaction, which holds the owner's lock.
        wanted: what is asked.
        owner: code of the owning agency.
        but: entries that do not count: the one that is changed, and the urgent one that it formalises.

    Returns:
        A warning for each entry of somebody who may be the same person.

    Raises:
        DuplicateEntry: the owner has this letter, or this case at this time, against this person already.
        UrgentNotRepeatable: the same urgent request lapsed before, and no papers had been recorded in time.
    """
    subject, basis = wanted.subject, wanted.basis
    keys = subject.identifiers() | store.matter_keys(owner, basis)
    warnings = []
    urgent = isinstance(wanted, UrgentWanted)
    others = [stored.at(unit.now) for stored in await store.list_by_keys(unit, keys)]
    recorded = {other.formalises for other in others if other.state in _UNDECIDED} if urgent else set()
    for other in others:
        if other.id in but or other.agency != owner:
            continue
        if not subject.same_person(other.subject):
            if subject.identifiers() & other.subject.identifiers() and open_to(other, unit.actor):
                detail = f"Similar to the subject of {other.id}; make sure who is meant."
                warnings.append(Notice("similar_subject", "/subject", detail))
            continue
        named = {"entry_id": other.id} if open_to(other, unit.actor) else {}
        same_case = _folded(other.basis.case_reference) == _folded(basis.case_reference)
        if urgent and other.formalises is not None and other.state in _UNDECIDED:
            continue  # the papers of this very request, still undecided
        if urgent and same_case and other.ended_reason is EndedReason.LAPSED and other.id not in recorded:
            raise UrgentNotRepeatable(
                "The same urgent request lapsed; it can't be made again (Permenkumham 38/2021 art. 11).",
                extra=named,
            )
        if other.state is State.REJECTED:
            continue
        if _folded(other.basis.number) == _folded(basis.number):
            raise DuplicateEntry("This letter names this person already.", extra=named)
        if same_case and other.state is not State.ENDED and _overlaps(unit.now, wanted, other):
            raise DuplicateEntry(
                "This case has an entry against this person for this time already (R15).",
                extra=named,
            )
    return warnings


async def refuse_third_period(
    unit: Unit,
    wanted: Wanted,
    owner: str,
    terms: Terms,
    *,
    but: Collection[str | None] = (),
    extension_count: int = 0,
) -> None:
    """One period and its extension are all that a case gives its owner against a person (R22, R24).

    An extension and a new entry behind the old one are the same to the person: each is a period more. Urgent
    days are none (R26); nor is what was annulled, or ended before it began. A measure for life has no periods.

    Args:
        unit: the transaction, which holds the owner's lock.
        wanted: what is asked, with the entry's own case.
        owner: code of the owning agency.
        terms: the deployment's.
        but: entries that do not count: the one that is changed.
        extension_count: how often what is asked is extended, with this.

    Raises:
        ExtensionExhausted: they have had their periods.
    """
    if wanted.lifetime:
        return
    same_case = await store.list_by_keys(unit, {store.case_key(owner, wanted.basis)})
    had = sum(
        1 + other.extension_count
        for other in (stored.at(unit.now) for stored in same_case)
        if other.id not in but
        and other.measure is wanted.measure
        and _counts(other)
        and wanted.subject.same_person(other.subject)
    )
    if had and had + extension_count > terms.extensions(wanted.measure):
        raise exhausted(wanted.measure)


def _counts(entry: Entry) -> bool:
    """Whether an entry is a period of its case: it runs, is still to run, or has run."""
    if entry.urgent:
        return False
    if entry.state in _COUNTED:
        return True
    begun = (
        entry.in_force_from is not None
        and entry.ended_at is not None
        and entry.in_force_from < entry.ended_at
    )
    return entry.state is State.ENDED and entry.ended_reason is not EndedReason.ANNULLED and begun


def _overlaps(now: datetime, wanted: Wanted, other: Entry) -> bool:
    starts_on = wanted.starts_on or legal_day(now)
    ends_on = wanted.ends_on
    if isinstance(wanted, UrgentWanted):
        ends_on = periods.urgent_end(starts_on)
    return periods.overlap(starts_on, ends_on, other.starts_on, other.ends_on)


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()
