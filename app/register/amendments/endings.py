"""Which entries and requests of a dossier an approved revocation, acquittal or annulment ends, and ending them."""

from dataclasses import replace

from app.db.unit import Unit
from app.errors import WrongState
from app.ledger.domain import RecordType
from app.register.amendments import store
from app.register.amendments.domain import Amendment, AmendmentKind
from app.register.amendments.effects import EVENTS, effective_at, ended_by
from app.register.entries import store as entry_store
from app.register.entries import tasks
from app.register.entries.acts import Act
from app.register.entries.domain import Entry, Measure, RulingKind
from app.register.entries.dossier import Dossier
from app.register.entries.ending import Ending
from app.register.entries.events import EntryChanged
from app.register.entries.service import store_end
from app.register.entries.succession import cancel_planned_end
from app.register.entries.tasks import EntryTask, EntryTaskName


def ending_of(amendment: Amendment, entry: Entry, dossier: Dossier) -> Ending:
    """Return the entries and requests that an amendment would end or concern now; empty if its approval ends nothing.

    An annulment by judgment ends the named entry and those linked with it by formalisation. It ends other entries of
    the case, and rejects requests, only if their decision is older than the judgment.

    Args:
        amendment: the amendment, of any kind.
        entry: the entry that the amendment names, at its current state.
        dossier: all entries and requests of the entry's owner about the same case and person.
    """
    if not amendment.ends_something:
        return Ending()
    ruling = amendment.ruling
    ending = dossier.ending(entry, whole=amendment.ends_whole, judged=ruling is not None)
    if ruling is None or ruling.kind is not RulingKind.ANNULMENT:
        return ending
    # The annulment does not concern a decision made after it: the measure may be imposed again.
    linked = {each.id for each in dossier.chain(entry)}
    return replace(
        ending,
        ended=tuple(
            each for each in ending.ended if each.id in linked or each.basis.issued_on < ruling.decided_on
        ),
        closed=tuple(each for each in ending.closed if each.basis.issued_on < ruling.decided_on),
        judged=(),
    )


async def carry_out(unit: Unit, amendment: Amendment, entry: Entry, dossier: Dossier, ending: Ending) -> None:
    """End the entries in `ending`, reject the undecided requests in it, and publish the end of each entry.

    If the amendment has a judgment, the judgment is stored with all these entries and requests, and with those in
    `ending.judged`.

    Other amendments of these entries that wait for a decision or an answer are rejected. Only acquittals stay open
    after a revocation or an annulment, because an acquittal also closes its case.

    The entries in `ending.related` do not end: the owner of each gets a task to review it. After an acquittal, other
    agencies get the same task for their exit bans against the same person.

    A formal entry that ends alone, before its first day, does not replace its urgent entry: the urgent entry goes on.

    Args:
        unit: the transaction, which holds the dossier's locks.
        amendment: the approved amendment.
        entry: the entry that the amendment names, at its current state.
        dossier: all entries and requests of the entry's owner about the same case and person.
        ending: the entries and requests that the amendment ends; the result of `ending_of`.

    Raises:
        ClockInDoubt: the clock is not plausible.
        WrongState: nothing is left to end, and the amendment is no acquittal (an acquittal also closes its case).
    """
    unit.expect_plausible()
    if not ending.ids and amendment.kind is not AmendmentKind.ACQUITTAL:
        raise WrongState(
            "The entry has ended meanwhile; there is nothing left to amend (UU 6/2011 art. 97(2))."
        )
    event, ruling = EVENTS[amendment.kind], amendment.ruling
    given_back = [] if amendment.ends_whole else await cancel_planned_end(unit, entry, dossier)
    for each in ending.ended:
        after = ended_by(amendment, each, unit.now)
        if ruling is not None:
            after = after.replace(rulings=(*after.rulings, ruling))
        await entry_store.save(unit, after, event, amendment.reason)
        effective = effective_at(amendment, each, unit.now)
        # Where an urgent entry takes over again, that entry has its own alert.
        unit.happened(EntryChanged(after, RecordType.ENTRY_ENDED, effective, alerts=not given_back))
    reason = _closing_reason(amendment)
    for each in ending.closed:
        after = each.rejected(unit.now)
        if ruling is not None:
            after = after.replace(rulings=(*after.rulings, ruling))
        await entry_store.save(unit, after, Act.REJECTED, reason)
    if ruling is not None:
        for each in ending.judged:
            over = await store_end(unit, each.id) or each  # its end may not be recorded yet
            await entry_store.save(unit, over.ruled(ruling, unit.now), event, amendment.reason)
    for change in given_back:
        unit.happened(change)
    await _close_pending(unit, amendment, ending, reason)
    await _add_owner_tasks(unit, amendment, entry, ending)
    await unit.conclude()


async def _close_pending(unit: Unit, amendment: Amendment, ending: Ending, reason: str) -> None:
    """Reject the amendments that wait about ended entries; acquittals stay open, since they also close the case."""
    over = [each.id for each in (*ending.ended, *ending.closed, *ending.judged)]
    for pending in await store.lock_waiting(unit, over):
        later = pending.kind is AmendmentKind.ACQUITTAL and amendment.kind is not AmendmentKind.ACQUITTAL
        if pending.id != amendment.id and not later:
            await store.save(unit, pending.closed(unit.actor, unit.now, reason))


async def _add_owner_tasks(unit: Unit, amendment: Amendment, entry: Entry, ending: Ending) -> None:
    """Create a task for the owner of each entry that may be affected, also entries of other agencies."""
    found = {each.id: each for each in ending.related}
    if amendment.kind is AmendmentKind.ACQUITTAL:
        for other in await entry_store.list_by_keys(unit, entry.subject.identifiers()):
            now = other.at(unit.now)
            if (
                now.agency != entry.agency
                and now.measure is Measure.PREVENTION
                and (now.runs or now.awaits_decision)
                and entry.subject.same_person(now.subject)
            ):
                found[now.id] = now
    for each in found.values():
        await tasks.add(
            unit, EntryTask(EntryTaskName.RELATED_ENTRY, each.id, each.agency, amendment.id, unit.now)
        )


def _closing_reason(amendment: Amendment) -> str:
    judgment = amendment.judgment
    if judgment is None:
        return f"Ended with the {amendment.kind.value} {amendment.id}."
    given = f"judgment {judgment.number} of {judgment.court} of {judgment.decided_on}"
    return f"Ended with the {amendment.kind.value} by {given}."
