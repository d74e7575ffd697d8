"""One list for each person: what waits for them, soonest first, and what they are to know, newest first.

What they may not do for want of a second pair of eyes is left out. Ids, names of tasks and deadlines only: who it
is about stands in the entry.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from app.access.domain import IMMIGRATION
from app.amendments.domain import AmendmentKind, AmendmentState
from app.amendments.refused import list_refused_revocations
from app.amendments.store import list_by_ids
from app.amendments.waiting import list_power_ended, list_waiting
from app.checks.store import Seen, list_seen
from app.db.pages import first_of
from app.db.unit import Reader
from app.entries import open_duties
from app.entries import store as entry_store
from app.entries import tasks as entry_tasks
from app.entries.deadlines import (
    DeadlineName,
    Terms,
    beyond,
    confirm_by,
    decide_by,
    duty_due,
    extend_by,
    overdue_before,
    refuse_by,
)
from app.entries.domain import Entry
from app.entries.law import power_ended
from app.entries.periods import begins_at, over_at
from app.entries.sight import list_closed
from app.entries.standing import standing
from app.entries.tasks import EntryTaskName
from app.entries.turns import list_undecided
from app.entries.views import ALL_ENTRIES
from app.kit.clock import legal_day
from app.notices.domain import RUNGS, Notice
from app.notices.granted import list_granted
from app.notices.service import list_latest
from app.objections.service import list_open as list_objections
from app.rectifications.service import open_requests
from app.settings import Settings
from app.worklist import store
from app.worklist.domain import Task, TaskName, in_order

_MOST = 500

_OWNERS = ("submitter", "verifier")
_AMENDMENTS = {
    AmendmentState.SUBMITTED: TaskName.VERIFY_AMENDMENT,
    AmendmentState.VERIFIED: TaskName.APPROVE_AMENDMENT,
    AmendmentState.REFERRED: TaskName.ANSWER_LETTER,
}


async def shut(reader: Reader) -> frozenset[str]:
    """The ids of the entries whose seal keeps the actor out: nothing tells of them (R61)."""
    return await list_closed(reader)


async def tasks(reader: Reader, settings: Settings, shut: Collection[str]) -> list[Task]:
    """What waits for the actor, soonest first; nothing of the entries that are `shut` to them."""
    actor, terms = reader.actor, Terms.of(settings)
    found: list[Task] = []
    if actor.holds("submitter"):
        found += await _of_submitters(reader, terms)
    if actor.holds("verifier"):
        found += await _of_verifiers(reader)
    if actor.holds(*_OWNERS):
        found += await _of_owners(reader, terms)
    if actor.holds("approver"):
        found += await _of_approvers(reader)
    if actor.holds("duty_officer"):
        found += await _of_duty_officers(reader, terms.countersign_within)
    if actor.agency == IMMIGRATION and actor.holds("approver", "duty_officer", "submitter"):
        found += await _duties(reader, DeadlineName.WITHDRAW_PASSPORT, terms, agency=None)
    found += await _amendments(reader)
    found += await _correction_requests(reader)
    if actor.holds("approver"):
        found = await _pressing(reader, found)
    return in_order([task for task in found if task.entry_id not in shut])[:_MOST]


async def _of_verifiers(reader: Reader) -> list[Task]:
    """Requests of the actor's agency that others wrote, be it as the urgent entry that they formalise."""
    actor = reader.actor
    waiting = await _list(
        reader, "submitted", agency=actor.agency, but=lambda entry: actor.person in entry.authors
    )
    urgent = await _urgent_of(reader, waiting)
    wrote = {id_: entry.authors for id_, entry in urgent.items()}
    mine = [entry for entry in waiting if actor.person not in wrote.get(entry.formalises or "", ())]
    return await _requests(reader, TaskName.VERIFY, mine, urgent)


async def _pressing(reader: Reader, found: list[Task]) -> list[Task]:
    """The same tasks; decisions on papers in time whose measure is over come first, with their last instant (R68)."""
    until = {
        entry.waiting.papers: entry.pending_until
        for entry in await list_undecided(reader)
        if entry.waiting is not None
    }
    return [
        replace(task, due_at=until[task.subject_id], pressing=True) if task.subject_id in until else task
        for task in found
    ]


async def _of_submitters(reader: Reader, terms: Terms) -> list[Task]:
    agency = reader.actor.agency
    returned = await _list(reader, "returned", agency=agency)
    running = await _list(reader, "provisional", agency=agency, urgent=True)
    asked_for = await store.formalised(reader, [entry.id for entry in running])
    lapse = {entry.id: _lapse(entry) for entry in running}
    return [
        *(
            Task(TaskName.RESUBMIT, entry.id, lapse.get(entry.formalises or ""), entry.updated_at)
            for entry in returned
            if entry.erased_at is None
        ),
        *(
            Task(TaskName.FORMALISE, entry.id, _lapse(entry), entry.created_at)
            for entry in running
            if entry.id not in asked_for and entry.superseded_from is None
        ),
        *await _extensions(reader, terms),
    ]


async def _extensions(reader: Reader, terms: Terms) -> list[Task]:
    """Measures within the ladder's thirty days whose extension can still arrive, and was not asked for yet (R30)."""
    horizon = over_at(legal_day(reader.now) + timedelta(days=max(RUNGS)))
    ending = await store.list_extendable(reader, str(reader.actor.agency), horizon, terms, _MOST)
    asked_for = await store.being_extended(reader, [entry_id for entry_id, _ in ending])
    return [
        Task(TaskName.EXTEND, entry_id, extend_by(ends_on), begins_at(ends_on - timedelta(days=max(RUNGS))))
        for entry_id, ends_on in ending
        if entry_id not in asked_for and not beyond(extend_by(ends_on), reader.now)
    ]


async def _of_owners(reader: Reader, terms: Terms) -> list[Task]:
    actor = reader.actor
    late = overdue_before(DeadlineName.DELIVER_TO_MINISTER, reader.now, terms)
    objections = [each for each in await list_objections(reader, actor.agency) if each.person != actor.person]
    return [
        *await _duties(reader, DeadlineName.DELIVER_TO_PERSON, terms, agency=actor.agency),
        *await _duties(reader, DeadlineName.DELIVER_TO_MINISTER, terms, agency=actor.agency, before=late),
        *await _duties(reader, DeadlineName.RESTORE, terms, agency=actor.agency),
        *(
            Task(
                TaskName.ANSWER_OBJECTION,
                each.entry_id,
                each.answer_due_at,
                each.recorded_at,
                objection_id=each.id,
            )
            for each in objections
        ),
        *await _granted(reader),
        *await _refused_revocations(reader),
        *await _ended_powers(reader),
        *await _related(reader),
    ]


async def _refused_revocations(reader: Reader) -> list[Task]:
    """Measures that hold on although their owner wants them to end: Immigration has refused that (R36)."""
    refused = {each.entry_id: each for each in await list_refused_revocations(reader, _MOST)}
    return [
        Task(TaskName.REVOCATION_REFUSED, each.entry_id, None, each.updated_at, amendment_id=each.id)
        for each in refused.values()
    ]


async def _related(reader: Reader) -> list[Task]:
    """Entries that an act against another may concern, for their owner to look at."""
    waiting = await entry_tasks.list_open(reader, EntryTaskName.RELATED_ENTRY, reader.actor.agency, _MOST)
    acts = {each.id: each for each in await list_by_ids(reader, {each.cause for each in waiting})}
    return [
        Task(
            TaskName.RELATED_ENTRY,
            each.entry_id,
            None,
            each.since,
            amendment_id=each.cause,
            judgment=acts[each.cause].ruling if each.cause in acts else None,
        )
        for each in waiting
    ]


async def _granted(reader: Reader) -> list[Task]:
    """Objections that the actor's agency has granted, and not carried out."""
    name = TaskName.CARRY_OUT_OBJECTION
    return [
        Task(name, each.entry_id, each.answer.carry_out_by, each.answer.at, objection_id=each.id)
        for each in await list_granted(reader, reader.actor.agency, _MOST)
        if each.answer is not None
    ]


async def _ended_powers(reader: Reader) -> list[Task]:
    """Measures whose case, by a correction, has left the stage in which alone their owner may order them (R8)."""
    left = {each.entry_id: each.updated_at for each in await list_power_ended(reader, _MOST)}
    if not left:
        return []
    return [
        Task(TaskName.END_MEASURE, entry.id, None, left[entry.id])
        for entry in await entry_store.list_by_ids(reader, left)
        if power_ended(entry.agency, entry.basis.stage)
    ]


async def _of_approvers(reader: Reader) -> list[Task]:
    actor = reader.actor

    def not_theirs(entry: Entry) -> bool:
        own_office = entry.agency == IMMIGRATION and entry.office == actor.office
        return own_office or actor.person in _decided_by(entry, None)

    waiting = await _list(reader, "verified", but=not_theirs)
    urgent = await _urgent_of(reader, waiting)
    mine = [
        entry
        for entry in waiting
        if actor.person not in _decided_by(entry, urgent.get(entry.formalises or ""))
    ]
    conflicts = await entry_tasks.list_open(reader, EntryTaskName.CASE_CONFLICT, None, _MOST)
    return [
        *await _requests(reader, TaskName.APPROVE, mine, urgent),
        *(Task(TaskName.CASE_CONFLICT, each.entry_id, None, each.since) for each in conflicts),
        *await _proposed_rejections(reader),
    ]


async def _proposed_rejections(reader: Reader) -> list[Task]:
    """Countersigned urgent entries that a duty officer wants to reject, and on which the actor may decide."""

    def not_theirs(entry: Entry) -> bool:
        proposed = entry.rejection_proposed
        return proposed is None or reader.actor.person in {
            *entry.authors,
            entry.countersigner,
            proposed.person,
        }

    return [
        Task(
            TaskName.CONFIRM_REJECTION,
            entry.id,
            confirm_by(entry.rejection_proposed),
            entry.rejection_proposed.at,
        )
        for entry in await _list(reader, "provisional", urgent=True, but=not_theirs)
        if entry.rejection_proposed is not None
    ]


async def _of_duty_officers(reader: Reader, within: timedelta) -> list[Task]:
    def not_theirs(entry: Entry) -> bool:
        return entry.countersigned_at is not None or reader.actor.person in entry.authors

    return [
        Task(TaskName.COUNTERSIGN, entry.id, entry.received_at + within, entry.created_at)
        for state in ("provisional", "submitted")
        for entry in await _list(reader, state, urgent=True, but=not_theirs)
    ]


async def _requests(
    reader: Reader, name: TaskName, entries: list[Entry], urgent: Mapping[str, Entry] | None = None
) -> list[Task]:
    """Requests that wait: for the day they begin, the end of their seven days, or the lapse of their urgent entry."""
    if urgent is None:
        urgent = await _urgent_of(reader, entries)
    return [
        Task(name, entry.id, _decide_by(entry, urgent.get(entry.formalises or "")), entry.updated_at)
        for entry in entries
    ]


def _decide_by(entry: Entry, urgent: Entry | None) -> datetime:
    limits = [decide_by(entry), refuse_by(entry)]
    if urgent is not None and (lapse := _lapse(urgent)) is not None:
        limits.append(lapse)
    return min(limits)


async def _urgent_of(reader: Reader, entries: Iterable[Entry]) -> dict[str, Entry]:
    """The urgent entries that some formalise, by their ids."""
    ids = {entry.formalises for entry in entries if entry.formalises is not None}
    return {entry.id: entry for entry in await entry_store.list_by_ids(reader, ids)} if ids else {}


def _decided_by(entry: Entry, urgent: Entry | None) -> set[str | None]:
    earlier = () if urgent is None else (*urgent.authors, urgent.countersigner)
    return {*entry.authors, entry.verified_by, *entry.approved_by, *earlier}


async def _duties(
    reader: Reader, name: DeadlineName, terms: Terms, *, agency: str | None, before: datetime | None = None
) -> list[Task]:
    """Duties that are open; with `before`, those only that have run since an earlier instant."""
    found = await open_duties.list_open(reader, name, agency, _MOST, before)
    return [Task(TaskName(name), entry_id, duty_due(name, since, terms), since) for entry_id, since in found]


async def _amendments(reader: Reader) -> list[Task]:
    return [
        Task(
            _AMENDMENTS[each.state],
            each.entry_id,
            each.due_at,
            each.updated_at,
            amendment_id=each.id,
            pressing=each.kind is AmendmentKind.ACQUITTAL,
        )
        for each in await list_waiting(reader, _MOST)
    ]


async def _correction_requests(reader: Reader) -> list[Task]:
    name = TaskName.PREPARE_CORRECTION
    if reader.actor.holds("approver"):
        name = TaskName.DECIDE_CORRECTION_REQUEST
    return [
        Task(
            name,
            each.entry_id,
            each.due_at,
            each.received_at,
            first=each.priority == "high",
            request_id=each.request_id,
        )
        for each in await open_requests(reader, _MOST)
    ]


async def _list(
    reader: Reader,
    state: str,
    *,
    agency: str | None = None,
    urgent: bool = False,
    but: Callable[[Entry], bool] = lambda _entry: False,
) -> list[Entry]:
    """The oldest entries that stand in a state, however many come before them that are `but` for others to act on."""

    def read(after: str) -> Awaitable[list[Entry]]:
        return entry_store.list_in_state(
            reader, state, agency=agency, urgent=urgent, after=after, limit=_MOST
        )

    return await first_of(
        read, _MOST, lambda entry: entry.at(reader.now).state is not entry.state or but(entry)
    )


def _lapse(entry: Entry) -> datetime | None:
    return over_at(entry.ends_on) if entry.ends_on else None


async def in_force(reader: Reader, entry_ids: Collection[str]) -> set[str]:
    """Those of some entries that hold now."""
    return {entry_id for entry_id, each in (await standing(reader, entry_ids)).items() if each.in_force}


async def told(reader: Reader, limit: int) -> list[Notice]:
    """What the actor was told, newest first."""
    return await list_latest(reader, limit)


async def seen(checks: Reader, limit: int, shut: Collection[str]) -> list[Seen]:
    """Hits and sightings of the actor's agency's entries, newest first; of all for those who see all.

    Args:
        checks: a transaction on the checks.
        limit: at most so many.
        shut: entries that are hidden from the actor.
    """
    actor = checks.actor
    if actor.holds(*ALL_ENTRIES):
        agency = None
    elif actor.agency and actor.holds("submitter", "verifier", "supervisor"):
        agency = actor.agency
    else:
        return []
    return [seen for seen in await list_seen(checks, agency, limit) if seen.entry_id not in shut]
