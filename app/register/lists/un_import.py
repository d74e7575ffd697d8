"""`cekal import un`: an edition of the UN list adds, changes and ends entry bans.

All changes are determined before the first one is written, so that an incomplete list can be refused as a whole.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import IMMIGRATION, SYSTEM
from app.db.unit import Reader
from app.errors import CekalError, Fault, NotFound, PeriodTooLong, WniCannotBeDeterred, WrongState
from app.kit.clock import legal_day
from app.register.entries import listing
from app.register.entries.drafting import policy_of
from app.register.entries.law import periods
from app.register.entries.law.request import Policy
from app.register.entries.listing import Approvers, ImportedMeasure, ImportedRecord
from app.register.entries.references import folded
from app.register.entries.sameness import may_be_same
from app.register.entries.subjects import Subject
from app.register.lists import un
from app.register.lists.editions import EditionPerson, fresh_key, lost_committees, match_persons
from app.register.lists.report import Progress, Report, no_progress
from app.register.lists.un import UnList, UnreadablePerson
from app.register.lists.un_entries import SOURCE, Terms, entry_ban_of, subject_of
from app.runtime import Runtime
from app.settings import Settings

STEP: Final = 50
"""Persons per transaction: some tens of milliseconds, so that the running service does not wait long for the lock."""

WNI: Final = "wni_cannot_be_deterred"
ENTITY: Final = "entity"
HELD: Final = "not_ended_while_unreadable"
"""Reason to keep an absent person's entry: a nameless or refused person of the edition may be the same."""

_AHEAD: Final = timedelta(days=1)
"""Maximum time by which an edition may be ahead of the clock; some have a time without a time zone."""


@dataclass(slots=True)
class _Changes:
    """The changes that an edition makes to the register.

    Attributes:
        items: the persons to be in force, in the edition's order.
        names: the name of each of them in the report, by key.
        leaving: keys of persons who are on the list but must not have an entry: Indonesians.
        absent: persons that the edition no longer names.
        held: persons that seem absent, but may be one that has no name in the edition, or was refused.
    """

    items: list[ImportedMeasure] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    leaving: list[str] = field(default_factory=list)
    absent: list[ImportedRecord] = field(default_factory=list)
    held: list[ImportedRecord] = field(default_factory=list)


async def import_list(
    runtime: Runtime,
    path: Path,
    approvers: Approvers,
    *,
    review_on: date | None = None,
    allow_shrink: bool = False,
    progress: Progress = no_progress,
) -> Report:
    """Update the register to an edition (a published version) of the UN list. Returns the report.

    The bans of persons are added, changed or ended as the edition requires. Importing the same file again changes
    nothing, except that bans that have expired on their review date are added again.

    Args:
        runtime: the process's databases, clock and settings.
        path: the list's file.
        approvers: the persons that approve the import.
        review_on: last day of the added bans; None for life. Bans that run already keep their last day.
        allow_shrink: whether the edition may end many persons, or all persons of a sanctions committee. If False, such
            an edition is refused.
        progress: function that is called with two numbers: persons done, and all persons to be added or changed.

    Raises:
        ListUnreadable: the file is malformed, or not the list; nothing was changed.
        OSError: the file can't be read.
        NotFound: the register has no agency of Immigration yet; nothing was changed.
        WrongState: the edition is dated in the future, or would end too many persons, and nothing was changed; or a
            newer edition was imported before or meanwhile, and no further change is made.
        PeriodTooLong: the review date is in the past, or beyond ten years; nothing was changed.
        ClockInDoubt: the clock is not plausible, and a person would be ended; additions and changes are stored by then.
    """
    edition = un.read(path)
    report = Report()
    async with runtime.reading(SYSTEM) as reader:
        terms = await _terms(reader, runtime.settings, edition, review_on)
        records = await listing.list_records(reader, SOURCE)
    changes = _compared(edition, records, terms, report)
    if not allow_shrink:
        _expect_whole(edition, records, changes.absent, runtime.settings.list_shrink_share)
    await _open(runtime, edition, approvers, review_on, allow_shrink=allow_shrink)
    async with runtime.register.bulk():
        await _take_in(runtime, edition, changes, approvers, report, progress)
        leaving = [*changes.leaving, *(held.reference for held in changes.absent)]
        await _end(runtime, edition, leaving, report)
    for held in changes.held:
        report.skip(held.reference, HELD)
    for unreadable in edition.unreadable:
        report.skip(unreadable.id, unreadable.reason)
    for entity_id in edition.entity_ids:
        report.skip(entity_id, ENTITY)
    async with runtime.writing(SYSTEM) as unit:
        await record(unit, AuditAct.LIST_IMPORTED, SOURCE.origin, {**report.counts()})
    return report


async def _terms(reader: Reader, settings: Settings, edition: UnList, review_on: date | None) -> Terms:
    policy = policy_of(settings)
    owner = await listing.find_owner(reader, IMMIGRATION)
    if owner is None:
        raise NotFound(f"The register has no agency {IMMIGRATION}: run `cekal migrate` first.")
    today = legal_day(reader.now)
    _check_review(review_on, today, policy)
    await listing.expect_newest(reader, SOURCE, edition.generated_at)
    if edition.generated_at > reader.now + _AHEAD:
        raise WrongState(
            f"This edition is dated {edition.generated_at:%Y-%m-%d}, which is yet to come: no "
            "later one could be imported after it."
        )
    return Terms(owner, policy, today, edition.generated_at.date(), review_on)


def _check_review(review_on: date | None, today: date, policy: Policy) -> None:
    last = periods.last_day_allowed(today, periods.DETERRENCE_MONTHS, policy.month_convention)
    if review_on is not None and not today <= review_on <= last:
        detail = f"It must be between today and {last}, ten years ahead (UU 6/2011 art. 102(1))."
        fault = Fault("/review_on", "range", detail)
        raise PeriodTooLong("The review can't be on that day.", faults=[fault])


def _compared(edition: UnList, records: Sequence[ImportedRecord], terms: Terms, report: Report) -> _Changes:
    """Return the changes that the edition makes, and add the refused persons to `report`.

    An Indonesian is refused too, and an existing entry of an Indonesian is ended; other refused persons keep theirs.
    """
    persons = [
        EditionPerson(one.data_id, one.reference, un.digest(one), subject_of(one)) for one in edition.persons
    ]
    pairs = match_persons(persons, records)
    taken = {held.reference for held in records}
    stay: set[str] = set()
    refused: list[Subject] = []
    changes = _Changes()
    for person, one, held in zip(edition.persons, persons, pairs, strict=True):
        name = person.data_id or person.reference or one.digest
        try:
            if person.is_indonesian:
                report.skip(name, WNI)
                continue
            item = entry_ban_of(person, held.reference if held else fresh_key(one, taken), terms)
        except WniCannotBeDeterred:
            report.skip(name, WNI)
            continue
        except CekalError as refusal:
            report.note(name, refusal)
            refused.append(one.subject)
        else:
            taken.add(item.reference)
            changes.items.append(item)
            changes.names[item.reference] = name
        stay |= {held.reference} if held else set()
    paired = {held.reference for held in pairs if held}
    nameless = [one for one in edition.unreadable if one.reason == un.NO_NAME]
    stay |= {held.reference for held in records for one in nameless if _is_named_by(one, held)}
    unidentified = any(not one.reference and one.data_id not in stay for one in nameless)
    for held in records:
        if held.reference in paired - stay:
            changes.leaving.append(held.reference)
        elif held.reference not in stay:
            doubtful = unidentified or any(may_be_same(held.subject, other) for other in refused)
            (changes.held if doubtful else changes.absent).append(held)
    return changes


def _is_named_by(nameless: UnreadablePerson, held: ImportedRecord) -> bool:
    """Return whether a nameless person of the edition has the data id or reference number of a record."""
    number = folded(nameless.reference)
    return held.reference == nameless.data_id or (bool(number) and folded(held.number) == number)


def _expect_whole(
    edition: UnList, records: Sequence[ImportedRecord], absent: Sequence[ImportedRecord], share: float
) -> None:
    """Raise `WrongState` if so many persons are missing from the edition that it may be incomplete.

    Raises:
        WrongState: the missing persons are more than a share of all, or all persons of a committee.
    """
    again = "With --allow-shrink it is imported all the same."
    if len(absent) > share * len(records):
        raise WrongState(
            f"This edition would end {len(absent)} of the {len(records)} persons that the list holds here, more than "
            f"the share of {share:g} that CEKAL_LIST_SHRINK_SHARE allows: it may be a part of the list. {again}"
        )
    if lost := lost_committees(absent, (one.reference for one in edition.persons)):
        raise WrongState(
            f"This edition names nobody of {', '.join(lost)} any more, though persons of it are on the list here: "
            f"it may be a part of the list. {again}"
        )


async def _open(
    runtime: Runtime, edition: UnList, approvers: Approvers, review_on: date | None, *, allow_shrink: bool
) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await listing.open_edition(unit, SOURCE, edition.generated_at, len(edition.persons))
        detail = {
            "edition": edition.generated_at.isoformat(),
            "approved_by": approvers.first,
            "second_approver": approvers.second,
            "review_on": review_on.isoformat() if review_on else None,
            "allow_shrink": allow_shrink,
        }
        await record(unit, AuditAct.LIST_IMPORT_BEGUN, SOURCE.origin, detail)


async def _take_in(
    runtime: Runtime,
    edition: UnList,
    changes: _Changes,
    approvers: Approvers,
    report: Report,
    progress: Progress,
) -> None:
    for done in range(0, len(changes.items), STEP):
        items = changes.items[done : done + STEP]
        async with runtime.writing(SYSTEM) as unit:
            await listing.expect_newest(unit, SOURCE, edition.generated_at)
            outcomes = await listing.import_items(unit, items, approvers)
        for item, outcome in zip(items, outcomes, strict=True):
            report.note(changes.names[item.reference], outcome)
        progress(done + len(items), len(changes.items))
        await asyncio.sleep(0)  # SQLite calls never yield to the event loop: here it can handle Ctrl-C


async def _end(runtime: Runtime, edition: UnList, leaving: Sequence[str], report: Report) -> None:
    day = f"{edition.generated_at:%Y-%m-%d}"
    reason = f"No longer on the UN Security Council's list of {day}, or named there as an Indonesian."
    for step in range(0, len(leaving), STEP):
        async with runtime.writing(SYSTEM) as unit:
            await listing.expect_newest(unit, SOURCE, edition.generated_at)
            report.ended += await listing.withdraw(unit, SOURCE, leaving[step : step + STEP], reason)
