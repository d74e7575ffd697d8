"""How an approved revocation, acquittal or annulment ends what belongs to the dossier (contract section 3)."""

from app.amendments import store
from app.amendments.domain import Amendment, AmendmentKind
from app.amendments.effects import EVENTS, effective_at, ended_by
from app.db.unit import Unit
from app.entries import store as entry_store
from app.entries import tasks
from app.entries.domain import Entry, Measure, RulingKind
from app.entries.dossier import Dossier, Ending
from app.entries.events import EntryChanged
from app.entries.service import end_by_law
from app.entries.succession import give_back
from app.entries.tasks import EntryTask, EntryTaskName
from app.errors import WrongState
from app.ledger.domain import RecordType


def of(amendment: Amendment, entry: Entry, dossier: Dossier) -> Ending:
    """What an amendment would end as of now; nothing of one that ends nothing.

    Args:
        amendment: of any kind.
        entry: the entry that it names, as it is now.
        dossier: the entry's.
    """
    if not amendment.ends_something:
        return Ending()
    ruling = amendment.ruling
    ending = dossier.ending(entry, whole=amendment.ends_whole, judged=ruling is not None)
    if ruling is None or ruling.kind is not RulingKind.ANNULMENT:
        return ending
    # A decision made since the annulment is another one: the measure may be imposed anew.
    older = tuple(each for each in ending.closed if each.basis.issued_on < ruling.decided_on)
    return Ending(ending.ended, older, (), ending.related)


async def carry_out(unit: Unit, amendment: Amendment, entry: Entry, dossier: Dossier, ending: Ending) -> None:
    """End what an approved amendment ends, and say so to the checkpoints.

    Raises:
        WrongState: nothing is left that it could end; an acquittal closes its case all the same.
    """
    if not ending.ids and amendment.kind is not AmendmentKind.ACQUITTAL:
        raise WrongState(
            "The entry has ended meanwhile; there is nothing left to amend (UU 6/2011 art. 97(2))."
        )
    event, ruling = EVENTS[amendment.kind], amendment.ruling
    given_back = [] if amendment.ends_whole else await give_back(unit, entry, dossier)
    for each in ending.ended:
        after = ended_by(amendment, each, unit.now)
        if ruling is not None:
            after = after.replace(rulings=(*after.rulings, ruling))
        await entry_store.save(unit, after, event, amendment.reason)
        effective = effective_at(amendment, each, unit.now)
        # Where an urgent entry holds the person on, its own alert says so.
        unit.happened(EntryChanged(after, RecordType.ENTRY_ENDED, effective, alerts=not given_back))
    why = _why(amendment)
    for each in ending.closed:
        after = each.rejected(unit.now)
        if ruling is not None:
            after = after.replace(rulings=(*after.rulings, ruling))
        await entry_store.save(unit, after, "rejected", why)
    if ruling is not None:
        for each in ending.judged:
            over = await end_by_law(unit, each.id) or each  # its end may not be on record yet
            await entry_store.save(unit, over.ruled(ruling, unit.now), event, amendment.reason)
    for change in given_back:
        unit.happened(change)
    await _close_pending(unit, amendment, ending, why)
    await _ask_owners(unit, amendment, entry, ending)
    await unit.conclude()


async def _close_pending(unit: Unit, amendment: Amendment, ending: Ending, why: str) -> None:
    """Reject what waits about an entry that is over; an acquittal may still come, since it closes the case."""
    over = [each.id for each in (*ending.ended, *ending.closed, *ending.judged)]
    for pending in await store.lock_waiting(unit, over):
        later = pending.kind is AmendmentKind.ACQUITTAL and amendment.kind is not AmendmentKind.ACQUITTAL
        if pending.id != amendment.id and not later:
            await store.save(unit, pending.closed(unit.actor, unit.now, why))


async def _ask_owners(unit: Unit, amendment: Amendment, entry: Entry, ending: Ending) -> None:
    """Leave a task for each entry that may be concerned, but is not for certain; other owners', too."""
    found = {each.id: each for each in ending.related}
    if amendment.kind is AmendmentKind.ACQUITTAL:
        for other in await entry_store.list_by_keys(unit, entry.subject.identifiers()):
            now = other.at(unit.now)
            if (
                now.agency != entry.agency
                and now.measure is Measure.PREVENTION
                and (now.runs or now.pending)
                and entry.subject.same_person(now.subject)
            ):
                found[now.id] = now
    for each in found.values():
        await tasks.add(
            unit, EntryTask(EntryTaskName.RELATED_ENTRY, each.id, each.agency, amendment.id, unit.now)
        )


def _why(amendment: Amendment) -> str:
    said = amendment.judgment
    if said is None:
        return f"Ended with the {amendment.kind.value} {amendment.id}."
    return f"Ended with the {amendment.kind.value} by judgment {said.number} of {said.court} of {said.decided_on}."
