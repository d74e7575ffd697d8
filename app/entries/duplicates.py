"""What an owner has already against a person, and may not have twice, or a third time."""

from collections.abc import Collection, Iterable
from datetime import datetime

from app.access.service import lock_agency
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
_DECIDED = frozenset({State.ACTIVE})
_COUNTED = _DECIDED | {State.SUBMITTED, State.VERIFIED}


async def refuse_duplicates(
    unit: Unit,
    wanted: Wanted,
    owner: str,
    *,
    but: Collection[str | None] = (),
    terms: Terms | None = None,
    extension_count: int = 0,
) -> list[Notice]:
    """One letter, one case, one entry per subject of an owner (R14, R15, R35), and no third period (R22, R24).

    One period and its extension are all that a case gives its owner against a person. An extension and a new entry
    behind the old one are the same to the person: each is a period more. Urgent days are none (R26); nor is what
    was annulled, or ended before it began. A measure for life has no periods.

    Args:
        unit: the transaction, which holds the owner's lock.
        wanted: what is asked.
        owner: code of the owning agency.
        but: entries that do not count: the one that is changed, and the urgent one that it formalises.
        terms: the deployment's, where a period is asked for; a correction asks for none.
        extension_count: how often what is asked is extended, with this.

    Returns:
        A warning for each entry of somebody who may be the same person.

    Raises:
        DuplicateEntry: the owner has this letter, or this case at this time, against this person already.
        UrgentNotRepeatable: the same urgent request lapsed before, and no papers had been recorded in time.
        ExtensionExhausted: the case has had its periods.
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
    _expect_period_left(wanted, extension_count, others, owner, but, terms, _COUNTED)
    return warnings


async def refuse_third_decided(unit: Unit, entry: Entry, terms: Terms) -> None:
    """Look for a third period once more at approval, when another may have been approved since: the first one stays.

    Args:
        unit: the transaction; it holds the owner's lock from here on.
        entry: as it will be.
        terms: the deployment's.

    Raises:
        ExtensionExhausted: the case has had its periods meanwhile.
    """
    await lock_agency(unit, entry.agency)
    same_case = await store.list_by_keys(unit, {store.case_key(entry.agency, entry.basis)})
    others = [stored.at(unit.now) for stored in same_case]
    _expect_period_left(entry, entry.extension_count, others, entry.agency, {entry.id}, terms, _DECIDED)


def _expect_period_left(
    of: Wanted | Entry,
    extension_count: int,
    others: Iterable[Entry],
    owner: str,
    but: Collection[str | None],
    terms: Terms | None,
    running: Collection[State],
) -> None:
    if of.lifetime or terms is None:
        return
    case = store.case_key(owner, of.basis)
    had = sum(
        1 + other.extension_count
        for other in others
        if other.id not in but
        and other.measure is of.measure
        and store.case_key(other.agency, other.basis) == case
        and (_has_run(other) or (other.state in running and not other.urgent))
        and of.subject.same_person(other.subject)
    )
    if had and had + extension_count > terms.extensions(of.measure):
        raise exhausted(of.measure)


def _has_run(entry: Entry) -> bool:
    begun, ended = entry.in_force_from, entry.ended_at
    over = entry.state is State.ENDED and entry.ended_reason is not EndedReason.ANNULLED and not entry.urgent
    return over and begun is not None and ended is not None and begun < ended


def _overlaps(now: datetime, wanted: Wanted, other: Entry) -> bool:
    starts_on = wanted.starts_on or legal_day(now)
    ends_on = wanted.ends_on
    if isinstance(wanted, UrgentWanted):
        ends_on = periods.urgent_end(starts_on)
    return periods.overlap(starts_on, ends_on, other.starts_on, other.ends_on)


def _folded(text: str) -> str:
    return "".join(text.split()).casefold()
