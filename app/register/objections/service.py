"""Use cases of objections: file, answer, read. An objection never changes its entry's state (R38)."""

from collections.abc import Collection, Container, Sequence
from datetime import date

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.db.unit import Reader, Unit
from app.errors import NotFound, WrongAgency, WrongState
from app.kit.ids import new_id
from app.ledger.domain import Draft
from app.register.entries import service as entries
from app.register.entries import store as entry_store
from app.register.entries.events import DutyRecorded
from app.register.entries.law.deadlines import DeadlineName
from app.register.entries.visibility import visible
from app.register.objections import store
from app.register.objections.domain import Filing, Letter, Objection, Outcome, filed, last_day_to_file
from app.register.objections.store import has_open
from app.settings import Settings

__all__ = [
    "answer",
    "erase_of_entry",
    "file",
    "get",
    "has_open",
    "list_open",
    "list_page",
    "set_last_day_to_file",
    "was_granted",
]

_MAX_LISTED = 500


async def file(unit: Unit, entry_id: str, filing: Filing, settings: Settings) -> Objection:
    """Store an objection that was filed with the owner of an entry. Returns the new objection.

    `settings` give the working days for the answer, and the public holidays.

    Raises:
        NotFound: the actor sees no entry with this id.
        WrongAgency: another agency owns the entry; objections are filed with the owner.
        WrongState: it was not filed in time (see `domain.filed`), or the person was erased from the entry.
        Invalid: the day of filing, or the date of the letter, is impossible (see `domain.filed`).
    """
    await entry_store.lock(unit, entry_id)  # so that it can't end, and be erased, at this moment
    entry = await entries.get(unit, entry_id)
    entry.expect_owner(unit.actor)
    if entry.erased_at is not None:
        raise WrongState("The person was erased from this entry (UU 27/2022 art. 43).")
    objection_id = new_id("obj", unit.now)
    days = settings.objection_answer_days
    objection = filed(objection_id, entry, filing, unit.actor, unit.now, days, settings.holidays)
    await store.add(unit, objection)
    await record(unit, AuditAct.OBJECTION_FILED, objection.id, {"entry": entry_id, "late": objection.late})
    return objection


async def answer(
    unit: Unit,
    objection_id: str,
    expected: int,
    outcome: Outcome,
    reason: str,
    letter: Letter,
    settings: Settings,
) -> Objection:
    """Store the answer of the entry's owner to an objection; a second answer is refused.

    The officer that recorded the objection can't answer it.

    Args:
        unit: the transaction.
        objection_id: id of the objection.
        expected: the version that the actor has read.
        outcome: the owner's decision.
        reason: the reason for it.
        letter: the answer's letter.
        settings: the deployment's choices.

    Returns:
        The answered objection.

    Raises:
        NotFound: the actor sees no objection with this id.
        WrongAgency: another agency owns the entry, and must answer.
        StaleVersion: the objection has changed since it was read.
        WrongState: the objection has been answered already.
        SecondPairOfEyesNeeded: the actor recorded the objection.
        Invalid: the answer's letter is from the future, or older than the objection.
    """
    objection = await store.lock(unit, objection_id)
    await _expect_seen(unit, objection)
    if unit.actor.agency != objection.agency:
        raise WrongAgency("Only the agency that owns the entry answers it (UU 6/2011 art. 96).")
    days = settings.carry_out_objection_days
    objection = objection.answered(unit.actor, expected, outcome, reason, letter, unit.now, days)
    await store.save(unit, objection)
    about = {"entry": objection.entry_id, "outcome": outcome}
    await record(unit, AuditAct.OBJECTION_ANSWERED, objection.id, about)
    return objection


async def set_last_day_to_file(unit: Unit, event: DutyRecorded, holidays: Container[date]) -> Sequence[Draft]:
    """Set `file_until` in an entry's objections when it is recorded that the person received the decision.

    It is a projector: the transaction that records a duty calls it with the event. Other duties than this delivery
    change nothing. It returns no ledger records. `holidays` are the public holidays.
    """
    if event.name == DeadlineName.DELIVER_TO_PERSON:
        day = last_day_to_file(event.entry, event.done_at, holidays)
        for objection in await store.list_of_entry(unit, event.entry.id):
            await store.save(unit, objection.to_be_filed_until(day))
    return ()


async def get(reader: Reader, objection_id: str) -> Objection:
    """Return an objection against an entry that the actor may see.

    Raises:
        NotFound: the actor sees no objection with this id.
    """
    objection = await store.find(reader, objection_id)
    if objection is None:
        raise NotFound("There is no such objection.")
    await _expect_seen(reader, objection)
    return objection


async def was_granted(reader: Reader, objection_id: str, entry_ids: Collection[str]) -> bool:
    """Return whether an objection is against one of the entries and was granted; False for an unknown id."""
    found = await store.find(reader, objection_id)
    if found is None or found.answer is None or found.entry_id not in entry_ids:
        return False
    return found.answer.outcome is Outcome.GRANTED


async def list_page(reader: Reader, entry_id: str, before: str | None, limit: int) -> list[Objection]:
    """Return the objections against an entry and the entries linked with it, newest first, at most `limit`.

    The linked entries are the urgent entry that this entry formalises, and the entries and requests that formalise this
    one, in any state. Only objections older than the id `before` are returned (None: all). Objections against a linked
    entry that the actor may not see are left out.

    Raises:
        NotFound: the actor sees no entry with this id.
    """
    entry = await entries.get(reader, entry_id)
    related = await entry_store.list_related(reader, entry)
    seen = {entry_id, *(each.id for each in related if visible(each, reader.actor))}
    return await store.list_page(reader, seen, before, limit)


async def list_open(reader: Reader, agency: str | None) -> list[Objection]:
    """Return objections that wait for the answer of `agency` (None: of any agency), earliest due first, at most 500.

    Objections against entries that a seal hides from the actor are left out.
    """
    return await store.list_open(reader, agency, _MAX_LISTED)


async def erase_of_entry(unit: Unit, entry_id: str) -> None:
    """Erase objectors' names, grounds, letters and reasons from an entry's objections (R64).

    Days, outcomes and the officers that acted stay.
    """
    for objection in await store.list_of_entry(unit, entry_id):
        await store.save(unit, objection.erased())


async def _expect_seen(reader: Reader, objection: Objection) -> None:
    try:
        await entries.get(reader, objection.entry_id)
    except NotFound:
        raise NotFound("There is no such objection.") from None
