"""The worklist of an officer: tasks, soonest due first, and notices and hits, newest first.

Tasks that another person must do are left out. Tasks contain ids, names and deadlines, and no personal data.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from app.access.domain import IMMIGRATION, Role
from app.actor import is_another_person
from app.alerting.notices.domain import RUNGS
from app.alerting.notices.granted import list_granted
from app.border.checks.store import MatchedEntry, list_latest_matches
from app.casework.worklist import store
from app.casework.worklist.domain import Task, TaskName, in_order
from app.db.pages import first_of
from app.db.unit import Reader
from app.kit.clock import legal_day
from app.register.amendments.domain import AmendmentKind, AmendmentState
from app.register.amendments.refused import list_refused_revocations
from app.register.amendments.store import list_by_ids
from app.register.amendments.waiting import list_power_ended, list_waiting
from app.register.entries import store as entry_store
from app.register.entries import tasks as entry_tasks
from app.register.entries.current_status import current_status
from app.register.entries.domain import Entry, State
from app.register.entries.duties import columns as open_duties
from app.register.entries.law.deadlines import (
    DeadlineName,
    Terms,
    beyond,
    confirm_by,
    decide_by,
    duty_due,
    extend_by,
    overdue_before,
    refuse_by,
    sign_by,
)
from app.register.entries.law.ground import power_ended
from app.register.entries.law.periods import begins_at, over_at
from app.register.entries.seal_queries import list_sealed_from_actor
from app.register.entries.tasks import EntryTaskName
from app.register.entries.timed_changes import list_undecided
from app.register.entries.visibility import ALL_ENTRIES
from app.register.objections.service import list_open as list_objections
from app.register.rectifications.service import open_requests
from app.settings import Settings

_LIMIT = 500

_OWNERS = (Role.SUBMITTER, Role.VERIFIER)
_AMENDMENTS = {
    AmendmentState.SUBMITTED: TaskName.VERIFY_AMENDMENT,
    AmendmentState.VERIFIED: TaskName.APPROVE_AMENDMENT,
    AmendmentState.REFERRED: TaskName.ANSWER_LETTER,
}


async def list_sealed(reader: Reader) -> frozenset[str]:
    """Return the ids of the entries that a seal hides from the actor; a worklist must not contain them (R61)."""
    return await list_sealed_from_actor(reader)


async def tasks(reader: Reader, settings: Settings, sealed: Collection[str]) -> list[Task]:
    """Return the actor's tasks, sorted by `in_order`, at most 500, without tasks about entries with ids in `sealed`."""
    actor, terms = reader.actor, Terms.of(settings)
    found: list[Task] = []
    if actor.holds(Role.SUBMITTER):
        found += await _of_submitters(reader, terms)
    if actor.holds(Role.VERIFIER):
        found += await _of_verifiers(reader)
    if actor.holds(*_OWNERS):
        found += await _of_owners(reader, terms)
    if actor.holds(Role.APPROVER):
        found += await _of_approvers(reader)
    if actor.holds(Role.DUTY_OFFICER):
        found += await _of_duty_officers(reader, terms.countersign_within)
    if actor.agency == IMMIGRATION and actor.holds(Role.APPROVER, Role.DUTY_OFFICER, Role.SUBMITTER):
        found += await _duties(reader, DeadlineName.WITHDRAW_PASSPORT, terms, agency=None)
    found += await _amendments(reader)
    found += await _correction_requests(reader)
    if actor.holds(Role.APPROVER):
        found = await _pressing(reader, found)
    return in_order([task for task in found if task.entry_id not in sealed])[:_LIMIT]


async def _of_verifiers(reader: Reader) -> list[Task]:
    """Return the requests of the actor's agency to verify, except those that the actor wrote, or its urgent entry."""
    actor = reader.actor
    waiting = await _list(
        reader,
        State.SUBMITTED,
        agency=actor.agency,
        exclude=lambda entry: not is_another_person(actor, *entry.authors),
    )
    urgent = await _urgent_of(reader, waiting)
    authors = {id_: entry.authors for id_, entry in urgent.items()}
    open_to_actor = [
        entry for entry in waiting if is_another_person(actor, *authors.get(entry.formalises or "", ()))
    ]
    return await _requests(reader, TaskName.VERIFY, open_to_actor, urgent)


async def _pressing(reader: Reader, found: list[Task]) -> list[Task]:
    """Return the tasks, those that decide on papers of an ended measure marked pressing and due with these (R68)."""
    until = {
        entry.waiting.papers: entry.pending_until
        for entry in await list_undecided(reader)
        if entry.waiting is not None
    }
    return [
        replace(task, due_at=until[task.object_id], pressing=True) if task.object_id in until else task
        for task in found
    ]


async def _of_submitters(reader: Reader, terms: Terms) -> list[Task]:
    agency = reader.actor.agency
    returned = await _list(reader, State.RETURNED, agency=agency)
    running = await _list(reader, State.PROVISIONAL, agency=agency, urgent=True)
    formalised = await store.list_formalised(reader, [entry.id for entry in running])
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
            if entry.id not in formalised and entry.superseded_from is None
        ),
        *await _extensions(reader, terms),
    ]


async def _extensions(reader: Reader, terms: Terms) -> list[Task]:
    """Return the tasks to extend measures that end within thirty days and for which no extension is filed (R30)."""
    horizon = over_at(legal_day(reader.now) + timedelta(days=max(RUNGS)))
    ending = await store.list_extendable(reader, str(reader.actor.agency), horizon, terms, _LIMIT)
    extended = await store.list_being_extended(reader, [entry_id for entry_id, _ in ending])
    return [
        Task(TaskName.EXTEND, entry_id, extend_by(ends_on), begins_at(ends_on - timedelta(days=max(RUNGS))))
        for entry_id, ends_on in ending
        if entry_id not in extended and not beyond(extend_by(ends_on), reader.now)
    ]


async def _of_owners(reader: Reader, terms: Terms) -> list[Task]:
    actor = reader.actor
    late = overdue_before(DeadlineName.DELIVER_TO_MINISTER, reader.now, terms)
    objections = [
        each for each in await list_objections(reader, actor.agency) if is_another_person(actor, each.person)
    ]
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
    """Return the tasks about measures that still hold because Immigration has refused their revocation (R36)."""
    refused = {each.entry_id: each for each in await list_refused_revocations(reader, _LIMIT)}
    return [
        Task(TaskName.REVOCATION_REFUSED, each.entry_id, None, each.updated_at, amendment_id=each.id)
        for each in refused.values()
    ]


async def _related(reader: Reader) -> list[Task]:
    """Return the tasks to examine entries that may concern the same person as an ended measure."""
    waiting = await entry_tasks.list_open(reader, EntryTaskName.RELATED_ENTRY, reader.actor.agency, _LIMIT)
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
    """Return the tasks to carry out objections that the actor's agency has granted."""
    name = TaskName.CARRY_OUT_OBJECTION
    return [
        Task(name, each.entry_id, each.answer.carry_out_by, each.answer.at, objection_id=each.id)
        for each in await list_granted(reader, reader.actor.agency, _LIMIT)
        if each.answer is not None
    ]


async def _ended_powers(reader: Reader) -> list[Task]:
    """Return the tasks to end measures with a case that has left the stage in which the owner may order them (R8)."""
    left = {each.entry_id: each.updated_at for each in await list_power_ended(reader, _LIMIT)}
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
        return own_office or not is_another_person(actor, *_decided_by(entry, None))

    waiting = await _list(reader, State.VERIFIED, exclude=not_theirs)
    urgent = await _urgent_of(reader, waiting)
    open_to_actor = [
        entry
        for entry in waiting
        if is_another_person(actor, *_decided_by(entry, urgent.get(entry.formalises or "")))
    ]
    conflicts = await entry_tasks.list_open(reader, EntryTaskName.CASE_CONFLICT, None, _LIMIT)
    return [
        *await _requests(reader, TaskName.APPROVE, open_to_actor, urgent),
        *(Task(TaskName.CASE_CONFLICT, each.entry_id, None, each.since) for each in conflicts),
        *await _proposed_rejections(reader),
    ]


async def _proposed_rejections(reader: Reader) -> list[Task]:
    """Return the tasks to confirm a duty officer's rejection of a countersigned entry, if the actor may decide."""

    def not_theirs(entry: Entry) -> bool:
        proposed = entry.rejection_proposed
        return proposed is None or not is_another_person(
            reader.actor, *entry.authors, entry.countersigner, proposed.person
        )

    return [
        Task(
            TaskName.CONFIRM_REJECTION,
            entry.id,
            confirm_by(entry.rejection_proposed),
            entry.rejection_proposed.at,
        )
        for entry in await _list(reader, State.PROVISIONAL, urgent=True, exclude=not_theirs)
        if entry.rejection_proposed is not None
    ]


async def _of_duty_officers(reader: Reader, within: timedelta) -> list[Task]:
    def not_theirs(entry: Entry) -> bool:
        return entry.countersigned_at is not None or not is_another_person(reader.actor, *entry.authors)

    return [
        Task(TaskName.COUNTERSIGN, entry.id, sign_by(entry, within), entry.created_at)
        for state in (State.PROVISIONAL, State.SUBMITTED)
        for entry in await _list(reader, state, urgent=True, exclude=not_theirs)
    ]


async def _requests(
    reader: Reader, name: TaskName, entries: list[Entry], urgent: Mapping[str, Entry] | None = None
) -> list[Task]:
    """Return the tasks to decide on requests, due at their first or seventh day or at the urgent entry's lapse."""
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
    """Return the urgent entries that some entries formalise, by their ids."""
    ids = {entry.formalises for entry in entries if entry.formalises is not None}
    return {entry.id: entry for entry in await entry_store.list_by_ids(reader, ids)} if ids else {}


def _decided_by(entry: Entry, urgent: Entry | None) -> set[str | None]:
    earlier = () if urgent is None else (*urgent.authors, urgent.countersigner)
    return {*entry.authors, entry.verified_by, *entry.approved_by, *earlier}


async def _duties(
    reader: Reader, name: DeadlineName, terms: Terms, *, agency: str | None, before: datetime | None = None
) -> list[Task]:
    """Return the tasks of open duties; with `before`, only of duties that began before that instant."""
    found = await open_duties.list_open(reader, name, agency, _LIMIT, before)
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
        for each in await list_waiting(reader, _LIMIT)
    ]


async def _correction_requests(reader: Reader) -> list[Task]:
    name = TaskName.PREPARE_CORRECTION
    if reader.actor.holds(Role.APPROVER):
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
        for each in await open_requests(reader, _LIMIT)
    ]


async def _list(
    reader: Reader,
    state: State,
    *,
    agency: str | None = None,
    urgent: bool = False,
    exclude: Callable[[Entry], bool] = lambda _entry: False,
) -> list[Entry]:
    """Return the oldest entries in a state without those to `exclude`, however many of these come before them."""

    def read(after: str) -> Awaitable[list[Entry]]:
        return entry_store.list_in_state(
            reader, state, agency=agency, urgent=urgent, after=after, limit=_LIMIT
        )

    return await first_of(
        read, _LIMIT, lambda entry: entry.at(reader.now).state is not entry.state or exclude(entry)
    )


def _lapse(entry: Entry) -> datetime | None:
    return over_at(entry.ends_on) if entry.ends_on else None


async def list_in_force(reader: Reader, entry_ids: Collection[str]) -> set[str]:
    """Return, of the given entry ids, those of entries that are in force now; unknown ids are omitted."""
    return {entry_id for entry_id, each in (await current_status(reader, entry_ids)).items() if each.in_force}


async def latest_matches(checks: Reader, limit: int, sealed: Collection[str]) -> list[MatchedEntry]:
    """Return the latest hits and sightings of the entries that the actor may see by role, newest first.

    Empty for an actor with no role that may see entries.

    Args:
        checks: a transaction on the checks.
        limit: number of matches that are read; the result is shorter if matches of sealed entries are left out.
        sealed: ids of the entries that a seal hides from the actor; their matches are left out.
    """
    actor = checks.actor
    if actor.holds(*ALL_ENTRIES):
        agency = None
    elif actor.agency and actor.holds(Role.SUBMITTER, Role.VERIFIER, Role.SUPERVISOR):
        agency = actor.agency
    else:
        return []
    return [
        match for match in await list_latest_matches(checks, agency, limit) if match.entry_id not in sealed
    ]
