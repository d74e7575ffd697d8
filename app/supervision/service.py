"""Use cases of supervision reports: file, read, and see which entries rest on them."""

from collections.abc import Sequence
from datetime import timedelta

from app.access.domain import IMMIGRATION
from app.access.service import lock_agency, record
from app.db.unit import Reader, Unit
from app.entries.domain import Entry
from app.entries.keys import letter_key
from app.entries.store import list_by_keys
from app.entries.subjects import Citizenship
from app.entries.views import visible
from app.errors import Fault, Invalid, NotFound, WrongAgency
from app.kit.clock import legal_day
from app.kit.ids import first_id, new_id
from app.settings import Settings
from app.supervision import store
from app.supervision.domain import Observed, Report, province_read

INSTRUMENT = "supervision_report"
"""The legal form of an entry that rests on a report."""


async def file(unit: Unit, observed: Observed) -> Report:
    """File a report; it gets the next number of its year.

    Raises:
        WrongAgency: the province of the actor's office is not known.
        Invalid: the subject is an Indonesian, or it was observed in the future.
    """
    actor = unit.actor
    if actor.province is None:
        raise WrongAgency("The province of your office is not known; an admin says it (/v1/offices).")
    today = legal_day(unit.now)
    faults = []
    if observed.subject.citizenship_on(today) is Citizenship.WNI:
        detail = "The team supervises foreigners; this person is Indonesian (UU 6/2011 art. 66, 69)."
        faults.append(Fault("/subject", "foreigners_only", detail))
    if observed.observed_on > today:
        faults.append(Fault("/observed_on", "future", "It can't have been observed after today."))
    if faults:
        raise Invalid("The report can't be filed like this.", faults=faults)
    await lock_agency(unit, IMMIGRATION)  # one files at a time, so numbers have no holes
    report = Report(
        id=new_id("svr", unit.now),
        year=today.year,
        ordinal=await store.next_ordinal(unit, today.year),
        agency=str(actor.agency),
        office=str(actor.office),
        province=actor.province,
        filed_by=actor.client_id,
        filed_at=unit.now,
        observed=observed,
    )
    await store.add(unit, report)
    await record(unit, "supervision.reported", report.id, {"number": report.number})
    return report


async def get(reader: Reader, report_id: str) -> Report:
    """A report.

    Raises:
        NotFound: there is none within the actor's view.
    """
    report = await store.find(reader, report_id)
    try:
        province = province_read(reader.actor)
    except WrongAgency:
        report = None
    if report is None or province not in {None, report.province}:
        raise NotFound("There is no such report.")
    return report


async def list_page(reader: Reader, before: str | None, limit: int) -> list[Report]:
    """Reports within the actor's view, newest first.

    Raises:
        WrongAgency: they are an officer of another agency than Immigration.
    """
    return await store.list_page(reader, province_read(reader.actor), before, limit)


async def grounded(reader: Reader, reports: Sequence[Report]) -> dict[str, list[str]]:
    """By report, the ids of Immigration's entries that rest on it and that the actor sees, oldest first."""
    resting = await _resting(reader, reports)
    return {
        report.id: [each.id for each in resting[report.id] if visible(each, reader.actor)]
        for report in reports
    }


async def _resting(reader: Reader, reports: Sequence[Report]) -> dict[str, list[Entry]]:
    """By report, the entries that rest on it and still name their person, oldest first."""
    keys = {letter_key(IMMIGRATION, report.number): report.id for report in reports}
    found: dict[str, list[Entry]] = {report.id: [] for report in reports}
    for entry in await list_by_keys(reader, keys) if keys else ():
        report_id = keys.get(letter_key(entry.agency, entry.basis.number))
        if report_id and entry.basis.instrument == INSTRUMENT:
            found[report_id].append(entry)
    return found


async def list_due(reader: Reader, settings: Settings, after: str, limit: int) -> list[Report]:
    """Reports whose time is over, behind an id, oldest first; also those that are held back."""
    if settings.personal_retention_days is None:
        return []
    until = reader.now - timedelta(days=settings.personal_retention_days)
    return await store.list_kept(reader, first_id("svr", until), after, limit)


async def erase(unit: Unit, reports: Sequence[Report]) -> int:
    """Erase the foreigners from reports whose time is over; from how many it was done (R64).

    Not from a report on which an entry rests that itself names them still.
    """
    await lock_agency(unit, IMMIGRATION)  # or an entry could come to rest on one at this moment
    resting = await _resting(unit, reports)
    due = [report for report in reports if not resting[report.id]]
    for report in due:
        await store.erase(unit, report)
    if due:
        await record(unit, "supervision.erased", None, {"erased": len(due)})
    return len(due)
