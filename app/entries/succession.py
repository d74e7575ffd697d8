"""How a formal entry takes over from the urgent one that it formalises (R26, R35)."""

from datetime import date, timedelta

from app.db.unit import Unit
from app.entries import periods, store
from app.entries.domain import EndedReason, Entry, State
from app.entries.events import EntryChanged, SubjectCorrected
from app.entries.passports import found_later
from app.errors import Fault, Invalid
from app.ledger.domain import RecordType


def refuse_gap(starts_on: date | None, urgent: Entry, *, acknowledged: bool) -> None:
    """Make sure that the formal entry begins at the latest on the day after the urgent one (R26).

    Where it begins later its owner must have said that they know: the person may cross in between.

    Raises:
        Invalid: it begins later, and the gap is not acknowledged.
    """
    assert urgent.ends_on is not None, "an urgent entry always has its twenty days"
    latest = urgent.ends_on + timedelta(days=1)
    if starts_on is None or starts_on <= latest or acknowledged:
        return
    detail = (
        f"The urgent entry ends on {urgent.ends_on}; a later start than {latest} leaves a gap "
        "and needs `gap_acknowledged` (Permenimipas 13/2025 art. 9(5), 11; R26)."
    )
    raise Invalid(
        "The formal entry would leave a gap.", faults=[Fault("/starts_on", "gap_not_acknowledged", detail)]
    )


async def take_over(unit: Unit, formal: Entry) -> tuple[Entry, list[EntryChanged]]:
    """Let an approved formal entry take over from every urgent one of the same request.

    An urgent entry ends as `superseded` when the formal one begins: now, or, computed, on the day it begins. Where
    a gap was acknowledged the urgent one lapses by itself, and the formal one is an entry like any other.

    Returns:
        The formal entry, which inherits whom the urgent one was told to; and what happened to the urgent ones,
        of which the checkpoints need no further word.
    """
    begins = formal.in_force_from
    assert begins is not None, "an approved entry has its first instant"
    changed = []
    for urgent in await _running(unit, formal):
        assert urgent.ends_on is not None, "an urgent entry always has its twenty days"
        if begins > periods.over_at(urgent.ends_on):
            continue
        formal = await found_later(unit, formal, urgent)
        if urgent.alerted:
            formal = formal.replace(alerted=True, alert_message=urgent.alert_message, chase=urgent.chase)
        if begins > unit.now:
            after = urgent.superseded_later(begins, unit.now)
            await store.save(unit, after, "formalised")
            changed.append(EntryChanged(after, RecordType.ENTRY_CORRECTED, alerts=False))
            continue
        unit.happened(SubjectCorrected(formal, urgent.subject))  # it may tell more of the person
        after = urgent.ended(EndedReason.SUPERSEDED, unit.now, unit.now)
        await store.save(unit, after, EndedReason.SUPERSEDED.value)
        if urgent.state is State.PROVISIONAL:  # one that waits for its countersignature was never told
            changed.append(EntryChanged(after, RecordType.ENTRY_ENDED, alerts=False))
    return formal, changed


async def give_back(unit: Unit, formal: Entry) -> list[EntryChanged]:
    """Let urgent entries run on whose formal entry has ended before it began."""
    if formal.in_force_from is None or formal.in_force_from <= unit.now:
        return []
    changed = []
    for urgent in await _running(unit, formal):
        if urgent.superseded_from == formal.in_force_from:
            after = urgent.superseded_later(None, unit.now)
            await store.save(unit, after, "formalisation_ended")
            changed.append(EntryChanged(after, RecordType.ENTRY_CORRECTED))
    return changed


async def _running(unit: Unit, formal: Entry) -> list[Entry]:
    """The urgent entries of the same owner, case and person that still run, each held until the commit."""
    if formal.formalises is None:
        return []
    same_case = await store.list_by_keys(unit, {store.case_key(formal.agency, formal.basis)})
    same_person = {e.id for e in same_case if e.urgent and e.subject.same_person(formal.subject)}
    held = [await store.lock(unit, entry_id) for entry_id in sorted({formal.formalises, *same_person})]
    return [entry for entry in held if entry.at(unit.now).state in {State.PROVISIONAL, State.SUBMITTED}]
