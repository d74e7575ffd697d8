"""The UN list as entry bans of Immigration: an edition adds, changes and ends (contract section 8).

A listing by the Security Council binds Indonesia (UN Charter art. 25, 41); the ban itself is Immigration's
decision (UU 6/2011 art. 98), for which two persons stand. It lasts for life on the ground of security and public
order (art. 102(3)), or until a review date.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import msgspec

from app.access.domain import IMMIGRATION, SYSTEM
from app.access.service import record
from app.entries import listing, periods
from app.entries.domain import Basis, Measure
from app.entries.drafting import policy_of
from app.entries.law import Owner, Policy
from app.entries.listing import Approvers, Listed, Source
from app.entries.subjects import Subject
from app.entries.wanted import Wanted
from app.errors import CekalError, Fault, NotFound, PeriodTooLong, WniCannotBeDeterred
from app.identity.births import birth_from_json
from app.kit.clock import legal_day
from app.lists import un
from app.lists.report import Report, Tell, silent
from app.lists.un import ListedPerson, UnList
from app.runtime import Runtime

SOURCE: Final = Source("un", leads=True)

STEP: Final = 50
"""Persons a transaction: some tens of milliseconds, so that a service beside it is never held up for long."""

WNI: Final = "wni_cannot_be_deterred"
ENTITY: Final = "entity"
HELD: Final = "not_ended_while_unreadable"
"""An individual without its key may be anybody, so nobody's absence from this edition is certain."""

_LAW: Final = "UU 6/2011 art. 98, 102; Permenimipas 13/2025 art. 17; UN Charter art. 25, 41"
_TERRORISM: Final = frozenset({"Al-Qaida", "Taliban"})


@dataclass(frozen=True, slots=True)
class _Terms:
    owner: Owner
    policy: Policy
    today: date
    review_on: date | None
    note: str


async def import_list(
    runtime: Runtime,
    path: Path,
    approvers: Approvers,
    *,
    review_on: date | None = None,
    tell: Tell = silent,
) -> Report:
    """Bring the register in line with an edition of the list; the same file again changes nothing.

    Args:
        runtime: the process.
        path: the list's file.
        approvers: who stands for it.
        review_on: last day of the bans that are added; None for life.
        tell: is told how many persons are done.

    Raises:
        ListUnreadable: the file is malformed, or no list; nothing was changed.
        WrongState: a newer edition was imported before; nothing was changed.
        PeriodTooLong: the review date lies in the past, or beyond ten years; nothing was changed.
    """
    edition = un.read(path)
    terms = await _open(runtime, edition, approvers, review_on)
    report = Report()
    standing = {person.id for person in edition.unreadable}
    done = 0
    async with runtime.register.bulk():
        for step in range(0, len(edition.persons), STEP):
            persons = edition.persons[step : step + STEP]
            items = _judged(persons, terms, report, standing)
            if items:
                async with runtime.writing(SYSTEM) as unit:
                    outcomes = await listing.take_in(unit, items, approvers)
                for item, outcome in zip(items, outcomes, strict=True):
                    report.note(item.reference, outcome)
            done += len(persons)
            tell(done, len(edition.persons))
            await asyncio.sleep(0)  # SQLite never lets others have a turn: here Ctrl-C is heard
        await _end_absent(runtime, edition, standing, report)
    for unreadable in edition.unreadable:
        report.skip(unreadable.id, unreadable.reason)
    for entity_id in edition.entity_ids:
        report.skip(entity_id, ENTITY)
    async with runtime.writing(SYSTEM) as unit:
        await record(unit, "list.imported", SOURCE.origin, {**report.counts()})
    return report


async def _open(runtime: Runtime, edition: UnList, approvers: Approvers, review_on: date | None) -> _Terms:
    policy = policy_of(runtime.settings)
    async with runtime.writing(SYSTEM) as unit:
        owner = await listing.find_owner(unit, IMMIGRATION)
        if owner is None:
            raise NotFound(f"The register has no agency {IMMIGRATION}: run `cekal migrate` first.")
        today = legal_day(unit.now)
        _check_review(review_on, today, policy)
        await listing.open_edition(unit, SOURCE, edition.generated_at, len(edition.persons))
        detail = {
            "edition": edition.generated_at.isoformat(),
            "approved_by": approvers.first,
            "second_approver": approvers.second,
            "review_on": review_on.isoformat() if review_on else None,
        }
        await record(unit, "list.import_begun", SOURCE.origin, detail)
    note = f"UN Security Council list of {edition.generated_at:%Y-%m-%d}"
    return _Terms(owner, policy, today, review_on, note)


def _check_review(review_on: date | None, today: date, policy: Policy) -> None:
    last = periods.last_day_allowed(today, periods.DETERRENCE_MONTHS, policy.month_convention)
    if review_on is not None and not today <= review_on <= last:
        detail = f"It lies between today and {last}, ten years ahead (UU 6/2011 art. 102(1))."
        fault = Fault("/review_on", "range", detail)
        raise PeriodTooLong("The review can't be on that day.", faults=[fault])


def _judged(
    persons: Sequence[ListedPerson], terms: _Terms, report: Report, standing: set[str]
) -> list[Listed]:
    """The persons who may be listed; the others are reported, and an Indonesian's entry can't stay."""
    items = []
    for person in persons:
        try:
            if person.is_indonesian:
                report.skip(person.data_id, WNI)
                continue
            items.append(_listed(person, terms))
        except WniCannotBeDeterred:
            report.skip(person.data_id, WNI)
            continue
        except CekalError as refusal:
            report.note(person.data_id, refusal)
        standing.add(person.data_id)
    return items


def _listed(person: ListedPerson, terms: _Terms) -> Listed:
    wanted = Wanted(
        measure=Measure.DETERRENCE,
        subject=_subject(person),
        photo=None,
        basis=_basis(person, lifetime=terms.review_on is None),
        starts_on=terms.today,
        ends_on=terms.review_on,
        lifetime=terms.review_on is None,
    )
    warnings = listing.lawful(wanted, terms.owner, terms.policy, terms.today, origin="list")
    return Listed(
        source=SOURCE,
        reference=person.data_id,
        digest=un.digest(person),
        agency=terms.owner.code,
        wanted=wanted,
        warnings=warnings,
        note=terms.note,
    )


def _subject(person: ListedPerson) -> Subject:
    births = [birth_from_json(shape) for shape in person.births]
    return msgspec.convert(
        {
            "full_name": person.full_name,
            "aliases": person.aliases,
            "sex": None if person.sex == "unspecified" else person.sex,
            "birth": births[0] if births else None,
            "birth_alternatives": births[1:],
            "birth_place": person.birth_place,
            "nationalities": person.nationalities,
            "occupation": person.designation,
            "address": person.address,
            "documents": person.documents,
        },
        Subject,
        from_attributes=True,
    )


def _basis(person: ListedPerson, *, lifetime: bool) -> Basis:
    reference = person.reference or f"DATAID {person.data_id}"
    words = f"Named by the UN Security Council since {person.listed_on} as {reference}"
    return Basis(
        instrument="decision",
        number=reference,
        issued_on=date.fromisoformat(person.listed_on),
        law=_LAW,
        reason_code="terrorism" if person.programme in _TERRORISM else "other",
        reason=f"{words}, {person.programme} sanctions. {person.comments or ''}".strip(),
        case_reference=f"UN {reference}",
        subject_status="foreigner_under_measure",
        lifetime_ground=f"{words}: security and public order (UU 6/2011 art. 102(3))." if lifetime else None,
    )


async def _end_absent(runtime: Runtime, edition: UnList, standing: set[str], report: Report) -> None:
    async with runtime.reading(SYSTEM) as reader:
        absent = [key for key in await listing.list_references(reader, SOURCE) if key not in standing]
    if any(person.reason == "no_data_id" for person in edition.unreadable):
        for reference in absent:
            report.skip(reference, HELD)
        return
    day = f"{edition.generated_at:%Y-%m-%d}"
    reason = f"No longer on the UN Security Council's list of {day}, or named there as an Indonesian."
    for step in range(0, len(absent), STEP):
        async with runtime.writing(SYSTEM) as unit:
            report.ended += await listing.withdraw(unit, SOURCE, absent[step : step + STEP], reason)
