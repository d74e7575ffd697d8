"""Use cases of objections: file, answer, read. An objection never changes its entry's state by itself (R38)."""

from collections.abc import Collection, Container, Sequence
from datetime import date

from app.access.service import record
from app.db.unit import Reader, Unit
from app.entries import service as entries
from app.entries import store as entry_store
from app.entries.deadlines import DeadlineName
from app.entries.events import DutyRecorded
from app.entries.views import visible
from app.errors import NotFound, WrongAgency, WrongState
from app.kit.ids import new_id
from app.kit.working_days import Holidays
from app.ledger.domain import Draft as LedgerDraft
from app.objections import store
from app.objections.domain import Filing, Letter, Objection, Outcome, filed, last_day_to_file
from app.objections.store import has_open
from app.settings import Settings

__all__ = [
    "answer",
    "erase_of_entry",
    "file",
    "follow_receipt",
    "get",
    "has_open",
    "holidays_of",
    "list_open",
    "list_page",
    "was_granted",
]

_MOST = 500


async def file(unit: Unit, entry_id: str, filing: Filing, settings: Settings) -> Objection:
    """Record an objection that was filed with the owner of an entry.

    Raises:
        NotFound: the entry is outside the actor's view.
        WrongAgency: it is another agency's, to which the objection is addressed.
        WrongState, Invalid: as `domain.filed`.
    """
    await entry_store.lock(unit, entry_id)  # or it could end, and be erased, at this moment
    entry = await entries.get(unit, entry_id)
    entry.expect_owner(unit.actor)
    if entry.erased_at is not None:
        raise WrongState("The person was erased from this entry (UU 27/2022 art. 43).")
    objection_id = new_id("obj", unit.now)
    days = settings.objection_answer_days
    objection = filed(objection_id, entry, filing, unit.actor, unit.now, days, holidays_of(settings))
    await store.add(unit, objection)
    await record(unit, "objection.filed", objection.id, {"entry": entry_id, "late": objection.late})
    return objection


def holidays_of(settings: Settings) -> Holidays:
    """The days that are no working days in this deployment."""
    return Holidays(settings.public_holidays, settings.public_holidays_removed)


async def answer(
    unit: Unit,
    objection_id: str,
    expected: int,
    outcome: Outcome,
    reason: str,
    letter: Letter,
    settings: Settings,
) -> Objection:
    """Answer an objection for its owner, once, as another person than who recorded it.

    Raises:
        NotFound: outside the actor's view.
        WrongAgency: another agency answers it.
        StaleVersion, WrongState, SecondPairOfEyesNeeded, Invalid: as `Objection.answered`.
    """
    objection = await store.lock(unit, objection_id)
    await _expect_seen(unit, objection)
    if unit.actor.agency != objection.agency:
        raise WrongAgency("Only the agency that owns the entry answers it (UU 6/2011 art. 96).")
    days = settings.carry_out_objection_days
    objection = objection.answered(unit.actor, expected, outcome, reason, letter, unit.now, days)
    await store.save(unit, objection)
    about = {"entry": objection.entry_id, "outcome": outcome}
    await record(unit, "objection.answered", objection.id, about)
    return objection


async def follow_receipt(unit: Unit, event: DutyRecorded, holidays: Container[date]) -> Sequence[LedgerDraft]:
    """Let the time to file run from a decision's receipt in what was filed before the receipt was proved.

    A projector: it adds nothing to the ledger, which holds no objections.
    """
    if event.name == DeadlineName.DELIVER_TO_PERSON:
        day = last_day_to_file(event.entry, event.done_at, holidays)
        for objection in await store.list_of_entry(unit, event.entry.id):
            await store.save(unit, objection.to_be_filed_until(day))
    return ()


async def get(reader: Reader, objection_id: str) -> Objection:
    """An objection within the actor's view.

    Raises:
        NotFound: there is none, or it is outside the view.
    """
    objection = await store.find(reader, objection_id)
    if objection is None:
        raise NotFound("There is no such objection.")
    await _expect_seen(reader, objection)
    return objection


async def was_granted(reader: Reader, objection_id: str, entry_ids: Collection[str]) -> bool:
    """Whether an objection against one of some entries was granted."""
    found = await store.find(reader, objection_id)
    if found is None or found.answer is None or found.entry_id not in entry_ids:
        return False
    return found.answer.outcome is Outcome.GRANTED


async def list_page(reader: Reader, entry_id: str, before: str | None, limit: int) -> list[Objection]:
    """The objections against an entry, its urgent entry, or those that formalise it, newest first.

    Raises:
        NotFound: the entry is outside the actor's view.
    """
    entry = await entries.get(reader, entry_id)
    related = await entry_store.list_related(reader, entry)
    seen = {entry_id, *(each.id for each in related if visible(each, reader.actor))}
    return await store.list_page(reader, seen, before, limit)


async def list_open(reader: Reader, agency: str | None) -> list[Objection]:
    """What waits for an agency's answer, soonest due first; of every agency for None. For worklists."""
    return await store.list_open(reader, agency, _MOST)


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase who objected, why, and what was answered; that it was, when and with what outcome stays (R64)."""
    for objection in await store.list_of_entry(unit, entry_id):
        await store.save(unit, objection.erased())


async def _expect_seen(reader: Reader, objection: Objection) -> None:
    try:
        await entries.get(reader, objection.entry_id)
    except NotFound:
        raise NotFound("There is no such objection.") from None
