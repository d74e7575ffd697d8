"""Taking over from an urgent entry by its formal one, and carrying corrections over in a dossier (R26, R35)."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from app.db.unit import Unit
from app.errors import Fault, FormalisationMismatch, Invalid, WrongState
from app.kit.clock import legal_day
from app.ledger.domain import RecordType
from app.register.entries import store
from app.register.entries.acts import Act
from app.register.entries.blob_store import find_blob, keep_blob
from app.register.entries.domain import EndedReason, Entry, Measure, State
from app.register.entries.dossier import Dossier
from app.register.entries.events import EntryChanged, SubjectCorrected
from app.register.entries.law import periods
from app.register.entries.merging import carry_over, keep_listed
from app.register.entries.passports import note_later_passport
from app.register.entries.references import folded
from app.register.entries.seals import seal_changed
from app.register.entries.subjects import Subject


def refuse_gap(starts_on: date | None, urgent: Entry, *, acknowledged: bool) -> None:
    """Raise `Invalid` if a formal entry leaves days without a measure after its urgent entry (R26).

    Args:
        starts_on: first day of the formal entry; None if the day is missing, which is another rule's fault.
        urgent: the urgent entry.
        acknowledged: whether the owner accepts the gap, in which the person can cross.

    Raises:
        Invalid: the formal entry begins later than the day after the urgent one, and the gap is not acknowledged.
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
    """Raise `FormalisationMismatch` unless a formal entry is about the urgent entry's person, case and measure.

    Person and case may also be those of an earlier version of the urgent entry, from before a correction.

    Args:
        urgent: the urgent entry.
        measure: the formal entry's measure.
        subject: the formal entry's subject.
        case_reference: the formal entry's case, as written in its basis.

    Raises:
        FormalisationMismatch: with a fault for each difference.
    """
    contents = (urgent.filed_content, *urgent.former)
    faults = []
    if measure is not urgent.measure:
        faults.append(Fault("/measure", "other_measure", f"The urgent entry is a {urgent.measure.value}."))
    if not any(subject.same_person(each.subject) for each in contents):
        detail = "This is another person than the urgent entry's; correct the urgent entry first."
        faults.append(Fault("/subject", "other_person", detail))
    if folded(case_reference) not in {folded(each.case_reference) for each in contents}:
        detail = "This is another case than the urgent entry's."
        faults.append(Fault("/basis/case_reference", "other_case", detail))
    if faults:
        raise FormalisationMismatch(
            "A formal entry is about the same person, case and measure as its urgent one.", faults=faults
        )


def expect_no_uncovered_day(formal: Entry, dossier: Dossier) -> None:
    """Raise `WrongState` if approving a formal entry now would leave days without a measure before it begins (R26).

    Args:
        formal: the formal entry.
        dossier: its dossier, which contains the urgent entry.

    Raises:
        WrongState: the urgent entry has ended, the formal one begins in the future, and its owner has not accepted the
            gap.
    """
    begins = periods.begins_at(formal.starts_on)
    urgent = next((each for each in dossier.entries if each.id == formal.formalises), None)
    if urgent is None or formal.gap_acknowledged or begins <= dossier.now or urgent.runs:
        return
    if urgent.state is State.SUBMITTED:
        return  # it waits for its countersignature, which this approval gives
    raise WrongState(
        f"The urgent entry has ended, and the formal one begins only on {formal.starts_on}: return it, so that its "
        "owner chooses an earlier day or acknowledges the gap (R26)."
    )


async def take_over(unit: Unit, formal: Entry, dossier: Dossier) -> tuple[Entry, list[EntryChanged]]:
    """End the urgent entries that an approved formal entry follows, now or when the formal entry begins.

    - If the formal entry begins now, each urgent entry ends as `superseded`.
    - If it begins later, or the clock is in doubt, that end is only planned (`superseded_from`). An urgent entry
      without a countersignature is countersigned, so that it is in force until then.
    - If it begins after the urgent entry's last day, which needs an acknowledged gap, no end is planned: the urgent
      entry lapses on that day.

    The changed urgent entries are stored here; the caller stores the formal one.

    Args:
        unit: the transaction, which holds the locks of the dossier.
        formal: the approved formal entry, not stored yet.
        dossier: the dossier of the formal entry.

    Returns:
        The formal entry, and the changes of the urgent entries to publish. If checkpoints were alerted to an urgent
        entry, the formal one has `alerted`, so that they are alerted to its changes too.
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
    known = (*taken, *dossier.chain(formal))
    alerted = next((each for each in known if each.alerted and each.id != formal.id), None)
    if alerted is not None:
        formal = formal.replace(
            alerted=True, alert_message=alerted.alert_message, chase=formal.chase or alerted.chase
        )
    if taken and formal.formalises is None:  # filed as a separate entry, it takes over all the same
        formal = formal.replace(formalises=taken[0].id)
    changed: list[EntryChanged] = []
    for urgent in followed:
        formal = await note_later_passport(unit, formal, urgent)
        # While the clock is in doubt, no urgent entry is ended finally.
        if begins > unit.now or unit.doubt() is not None:
            changed += await _prolong_until(unit, urgent, formal)
        else:
            changed += await _supersede(unit, urgent, formal)
    return formal, changed


async def _supersede(unit: Unit, urgent: Entry, formal: Entry) -> list[EntryChanged]:
    unit.happened(SubjectCorrected(formal, urgent.subject))  # it may add data on the person
    after = urgent.ended(EndedReason.SUPERSEDED, unit.now, unit.now)
    await store.save(unit, after, Act.SUPERSEDED)
    # Checkpoints were never alerted to an entry that waited for its countersignature.
    if urgent.state is not State.PROVISIONAL:
        return []
    return [EntryChanged(after, RecordType.ENTRY_ENDED, alerts=False)]


async def _prolong_until(unit: Unit, urgent: Entry, formal: Entry) -> list[EntryChanged]:
    last_day, begins = urgent.ends_on, formal.in_force_from
    assert last_day is not None, "an urgent entry always has its twenty days"
    assert begins is not None, "an approved entry has its first instant"
    changed = []
    if urgent.countersigned_at is None:
        urgent = urgent.countersigned(unit.actor, unit.now).replace(alerted=True)
        await store.save(unit, urgent, Act.COUNTERSIGNED)
        changed.append(EntryChanged(urgent, RecordType.ENTRY_COUNTERSIGNED))
    if begins <= periods.over_at(last_day):
        urgent = urgent.superseded_later(begins, unit.now)
        await store.save(unit, urgent, Act.FORMALISED)
        changed.append(EntryChanged(urgent, RecordType.ENTRY_CORRECTED))
    return changed


async def cancel_planned_end(unit: Unit, formal: Entry, dossier: Dossier) -> list[EntryChanged]:
    """Cancel the planned end of urgent entries whose formal entry has ended before its period began.

    The urgent entries then stay in force until their own last day. Changed ones are stored here.

    Args:
        unit: the transaction, which holds the locks of the dossier.
        formal: the formal entry, which has ended.
        dossier: its dossier, which contains the urgent entries.

    Returns:
        The changes to publish; none if the formal entry has begun already, or no end was planned.
    """
    if formal.in_force_from is None or formal.in_force_from <= unit.now:
        return []
    changed = []
    for urgent in dossier.chain(formal):
        if urgent.urgent and urgent.runs and urgent.superseded_from == formal.in_force_from:
            after = urgent.superseded_later(None, unit.now)
            await store.save(unit, after, Act.FORMALISATION_ENDED)
            changed.append(EntryChanged(after, RecordType.ENTRY_CORRECTED))
    return changed


async def with_corrections_since(unit: Unit, request: Entry, dossier: Dossier) -> Entry:
    """Apply to a request the corrections that other entries of its case and person have had since it was filed.

    The request also gets the documents and names of an urgent entry that it does not formalise, because it takes over
    from that entry too. Returns the request. If it has changed, the result is its next version, which is stored here.

    Args:
        unit: the transaction, which holds the locks of the dossier.
        request: the request that is being approved.
        dossier: its dossier, which contains the other entries.

    Raises:
        WrongState: the urgent entry that it formalises and the request changed the same member differently; the error's
            `differs` has JSON pointers to these members.
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
        base = _version_known_to(request, source, versions[source.id])
        if base is not None:  # otherwise it was made after the request
            carried = carry_over(base, source, current, today)
            if carried.differs and source.id == request.formalises:
                raise WrongState(
                    "The urgent entry was corrected since; return the request, so that its owner decides which "
                    "holds.",
                    extra={"differs": list(carried.differs)},
                )
            current = await _with_changes(unit, carried.entry, source, current)
        if source.urgent and source.id != request.formalises:
            current = await _with_changes(unit, keep_listed(current, source, today), source, current)
    if current != request:
        current = current.replace(version=request.version + 1, updated_at=unit.now)
        await store.save(unit, current, Act.CARRIED_OVER, reindex=True)
    return current


def _version_known_to(request: Entry, source: Entry, versions: Sequence[Entry]) -> Entry | None:
    """Return the version of another entry on which a request is based; None if the entry is newer than the request.

    For the request's urgent entry the version is recorded; for others it is the last one before the request.
    """
    if source.id == request.formalises and request.urgent_version is not None:
        return next(each for each in versions if each.version == request.urgent_version)
    return next((each for each in reversed(versions) if each.updated_at < request.created_at), None)


async def correct_siblings(
    unit: Unit, before: Entry, after: Entry, siblings: Iterable[Entry]
) -> list[EntryChanged]:
    """Apply a correction of one entry's person to other entries against that person. Returns the changes to publish.

    For example, a passport that is added to an urgent entry is added to its formal entry. A member that a sibling
    changed differently keeps the sibling's value. Changed siblings are stored as their next version.

    Args:
        unit: the transaction, which holds the locks of these entries.
        before: the corrected entry before the correction.
        after: the corrected entry after the correction.
        siblings: the other entries, which run (see `Dossier.siblings`).
    """
    changed = []
    for sibling in siblings:
        carried = carry_over(before, after, sibling, legal_day(unit.now))
        if carried.entry == sibling:
            continue
        current = await note_later_passport(
            unit, await _with_changes(unit, carried.entry, after, sibling), sibling
        )
        current = current.replace(version=sibling.version + 1, updated_at=unit.now)
        await store.save(unit, current, Act.CARRIED_OVER, reindex=True)
        unit.happened(SubjectCorrected(current, sibling.subject))
        changed.append(EntryChanged(current, RecordType.ENTRY_CORRECTED, alerts=sibling.in_force(unit.now)))
    return changed


async def _with_changes(unit: Unit, current: Entry, source: Entry, target: Entry) -> Entry:
    """Return the target with the changes carried over, including photo, documents and the correction's authors."""
    if current == target:
        return target
    for now, before in (
        (current.subject.photo, target.subject.photo),
        (current.subject.citizenship_loss, target.subject.citizenship_loss),
    ):
        blob = None if now is None or now == before else await find_blob(unit, source.id, now.sha256)
        if blob is not None:
            await keep_blob(unit, target.id, blob)
    current = current.replace(authors=tuple(dict.fromkeys((*target.authors, *source.authors))))
    return await seal_changed(unit, current, target)
