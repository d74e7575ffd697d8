"""How a formal entry follows its urgent one, and how the rows of a dossier stay in step (R26, R35)."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from app.db.unit import Unit
from app.entries import periods, store
from app.entries.carrying import carry_over, keep_listed
from app.entries.domain import EndedReason, Entry, Measure, State
from app.entries.dossier import Dossier
from app.entries.events import EntryChanged, SubjectCorrected
from app.entries.passports import found_later
from app.entries.references import folded
from app.entries.seals import seal_changed
from app.entries.subjects import Subject
from app.errors import Fault, FormalisationMismatch, Invalid, WrongState
from app.kit.clock import legal_day
from app.ledger.domain import RecordType

CARRIED_OVER = "carried_over"
"""What an entry's history calls a version that a correction of another entry of its dossier made."""


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


def expect_same_matter(urgent: Entry, measure: Measure, subject: Subject, case_reference: str) -> None:
    """Make sure that a formal entry is about the urgent one's person, case and measure.

    Raises:
        FormalisationMismatch: it is not, with a fault for each difference.
    """
    said = (urgent.said, *urgent.former)
    faults = []
    if measure is not urgent.measure:
        faults.append(Fault("/measure", "other_measure", f"The urgent entry is a {urgent.measure.value}."))
    if not any(subject.same_person(each.subject) for each in said):
        detail = "This is another person than the urgent entry's; correct the urgent entry first."
        faults.append(Fault("/subject", "other_person", detail))
    if folded(case_reference) not in {folded(each.case_reference) for each in said}:
        detail = "This is another case than the urgent entry's."
        faults.append(Fault("/basis/case_reference", "other_case", detail))
    if faults:
        raise FormalisationMismatch(
            "A formal entry is about the same person, case and measure as its urgent one.", faults=faults
        )


def expect_no_uncovered_day(formal: Entry, dossier: Dossier) -> None:
    """Make sure that no day lies uncovered before a formal entry begins, unless its owner acknowledged that (R26).

    Raises:
        WrongState: the urgent entry has ended meanwhile, and the formal one begins only later.
    """
    begins = periods.begins_at(formal.starts_on)
    urgent = next((each for each in dossier.entries if each.id == formal.formalises), None)
    if urgent is None or formal.gap_acknowledged or begins <= dossier.now or urgent.runs:
        return
    if urgent.state is State.SUBMITTED:
        return  # it waits for its countersignature, which the approval gives
    raise WrongState(
        f"The urgent entry has ended, and the formal one begins only on {formal.starts_on}: return it, so that its "
        "owner chooses an earlier day or acknowledges the gap (R26)."
    )


async def take_over(unit: Unit, formal: Entry, dossier: Dossier) -> tuple[Entry, list[EntryChanged]]:
    """Let an approved formal entry take over from every urgent one of the same dossier.

    An urgent entry ends as `superseded` when the formal one begins: now, or, computed, on the day it begins. Until
    then it must hold: the approval countersigns one that still waits for that. Where a gap was acknowledged the
    urgent one lapses by itself.

    Returns:
        The formal entry, which inherits the checkpoints that were alerted; and what happened to the urgent ones.
    """
    begins = formal.in_force_from
    assert begins is not None, "an approved entry has its first instant"
    certain = dossier.ending(formal, whole=True)
    followed = [
        each
        for each in (*certain.ended, *certain.closed)
        if each.urgent and (each.superseded_from is None or begins < each.superseded_from)
    ]
    taken = [each for each in followed if each.ends_on and begins <= periods.over_at(each.ends_on)]
    told = (*taken, *dossier.chain(formal))
    alerted = next((each for each in told if each.alerted and each.id != formal.id), None)
    if alerted is not None:
        formal = formal.replace(
            alerted=True, alert_message=alerted.alert_message, chase=formal.chase or alerted.chase
        )
    if taken and formal.formalises is None:  # asked for as an entry of its own, it takes over all the same
        formal = formal.replace(formalises=taken[0].id)
    changed: list[EntryChanged] = []
    for urgent in followed:
        formal = await found_later(unit, formal, urgent)
        if begins > unit.now:
            changed += await _hold_until(unit, urgent, formal)
        else:
            changed += await _supersede(unit, urgent, formal)
    return formal, changed


async def _supersede(unit: Unit, urgent: Entry, formal: Entry) -> list[EntryChanged]:
    unit.happened(SubjectCorrected(formal, urgent.subject))  # it may say more of the person
    after = urgent.ended(EndedReason.SUPERSEDED, unit.now, unit.now)
    await store.save(unit, after, EndedReason.SUPERSEDED.value)
    if (
        urgent.state is not State.PROVISIONAL
    ):  # no checkpoint knew of one that waited for its countersignature
        return []
    return [EntryChanged(after, RecordType.ENTRY_ENDED, alerts=False)]


async def _hold_until(unit: Unit, urgent: Entry, formal: Entry) -> list[EntryChanged]:
    last_day, begins = urgent.ends_on, formal.in_force_from
    assert last_day is not None, "an urgent entry always has its twenty days"
    assert begins is not None, "an approved entry has its first instant"
    changed = []
    if urgent.countersigned_at is None:
        urgent = urgent.countersigned(unit.actor, unit.now).replace(alerted=True)
        await store.save(unit, urgent, "countersigned")
        changed.append(EntryChanged(urgent, RecordType.ENTRY_COUNTERSIGNED))
    if begins <= periods.over_at(last_day):
        urgent = urgent.superseded_later(begins, unit.now)
        await store.save(unit, urgent, "formalised")
        changed.append(EntryChanged(urgent, RecordType.ENTRY_CORRECTED))
    return changed


async def give_back(unit: Unit, formal: Entry, dossier: Dossier) -> list[EntryChanged]:
    """Let urgent entries run on whose formal entry has ended before it began."""
    if formal.in_force_from is None or formal.in_force_from <= unit.now:
        return []
    changed = []
    for urgent in dossier.chain(formal):
        if urgent.urgent and urgent.runs and urgent.superseded_from == formal.in_force_from:
            after = urgent.superseded_later(None, unit.now)
            await store.save(unit, after, "formalisation_ended")
            changed.append(EntryChanged(after, RecordType.ENTRY_CORRECTED))
    return changed


async def brought_up_to_date(unit: Unit, request: Entry, dossier: Dossier) -> Entry:
    """The request with what corrections of its dossier have changed since it was made, stored as a version.

    Asked for as an entry of its own, it takes over from urgent ones all the same: what they list stays listed.

    Raises:
        WrongState: a correction of its urgent entry and the request itself say different things; `differs` names
            the members.
    """
    sources = [
        each
        for each in (*dossier.chain(request), *dossier.siblings(request))
        if each.id != request.id and (each.runs or each.id == request.formalises)
    ]
    sources = list({each.id: each for each in sources}.values())
    if not sources:
        return request
    versions = await store.list_versions(unit, [each.id for each in sources])
    current = request
    for source in sources:
        today = legal_day(unit.now)
        base = _known_to(request, source, versions[source.id])
        if base is not None:  # otherwise it was made after the request
            carried = carry_over(base, source, current, today)
            if carried.differs and source.id == request.formalises:
                raise WrongState(
                    "The urgent entry was corrected since; return the request, so that its owner decides which "
                    "holds.",
                    extra={"differs": list(carried.differs)},
                )
            current = await _taken(unit, carried.entry, source, current)
        if source.urgent and source.id != request.formalises:
            current = await _taken(unit, keep_listed(current, source, today), source, current)
    if current != request:
        current = current.replace(version=request.version + 1, updated_at=unit.now)
        await store.save(unit, current, CARRIED_OVER, reindex=True)
    return current


def _known_to(request: Entry, source: Entry, versions: Sequence[Entry]) -> Entry | None:
    """The version of another entry that a request was made with: of its urgent one it is on record."""
    if source.id == request.formalises and request.urgent_version is not None:
        return next(each for each in versions if each.version == request.urgent_version)
    return next((each for each in reversed(versions) if each.updated_at < request.created_at), None)


async def reach_siblings(
    unit: Unit, before: Entry, after: Entry, siblings: Iterable[Entry]
) -> list[EntryChanged]:
    """Carry a correction of the person into the other running entries of its dossier.

    Otherwise a passport that was added to an urgent entry would pass again on the day on which the formal one begins.

    Args:
        unit: the transaction, which holds all of them.
        before: the corrected entry before the correction.
        after: the same entry with it.
        siblings: the other entries.
    """
    changed = []
    for sibling in siblings:
        carried = carry_over(before, after, sibling, legal_day(unit.now))
        if carried.entry == sibling:
            continue
        current = await found_later(unit, await _taken(unit, carried.entry, after, sibling), sibling)
        current = current.replace(version=sibling.version + 1, updated_at=unit.now)
        await store.save(unit, current, CARRIED_OVER, reindex=True)
        unit.happened(SubjectCorrected(current, sibling.subject))
        changed.append(EntryChanged(current, RecordType.ENTRY_CORRECTED, alerts=sibling.in_force(unit.now)))
    return changed


async def _taken(unit: Unit, current: Entry, source: Entry, target: Entry) -> Entry:
    """The target with what was carried over; its photo and documents, and the correction's authors, go with it."""
    if current == target:
        return target
    for now, before in (
        (current.subject.photo, target.subject.photo),
        (current.subject.citizenship_loss, target.subject.citizenship_loss),
    ):
        blob = None if now is None or now == before else await store.find_blob(unit, source.id, now.sha256)
        if blob is not None:
            await store.keep_blob(unit, target.id, blob)
    current = current.replace(authors=tuple(dict.fromkeys((*target.authors, *source.authors))))
    return await seal_changed(unit, current, target)
