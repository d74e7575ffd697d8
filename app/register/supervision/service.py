"""Use cases of supervision reports: file and read them, list the entries based on them, erase persons."""

from collections.abc import Sequence
from datetime import timedelta

from app.access.acts import AuditAct
from app.access.clients.service import lock_agency, record
from app.access.domain import IMMIGRATION
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, WrongAgency
from app.kit.clock import legal_day
from app.kit.ids import first_id, new_id
from app.register.entries.domain import Entry
from app.register.entries.keys import letter_key
from app.register.entries.store import list_by_keys
from app.register.entries.subjects import Citizenship
from app.register.entries.visibility import visible
from app.register.supervision import store
from app.register.supervision.domain import Observed, Report, province_read
from app.settings import Settings

INSTRUMENT = "supervision_report"
"""The instrument of an entry that is based on a supervision report."""


async def file(unit: Unit, observed: Observed) -> Report:
    """File a report and give it the next number of the year. Returns the report.

    Raises:
        WrongAgency: the province of the actor's office is not known.
        Invalid: the subject is an Indonesian, or the day of observation is in the future.
    """
    actor = unit.actor
    if actor.province is None:
        raise WrongAgency("The province of your office is not known; an admin can enter it (/v1/offices).")
    today = legal_day(unit.now)
    faults = []
    if observed.subject.citizenship_on(today) is Citizenship.WNI:
        detail = "The team supervises foreigners; this person is Indonesian (UU 6/2011 art. 66, 69)."
        faults.append(Fault("/subject", "foreigners_only", detail))
    if observed.observed_on > today:
        faults.append(Fault("/observed_on", "future", "It can't have been observed after today."))
    if faults:
        raise Invalid("The report can't be filed like this.", faults=faults)
    await lock_agency(unit, IMMIGRATION)  # one report is filed at a time, so numbers have no gaps
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
    await record(unit, AuditAct.SUPERVISION_REPORTED, report.id, {"number": report.number})
    return report


async def get(reader: Reader, report_id: str) -> Report:
    """Return a report that the actor may read.

    Raises:
        NotFound: the actor sees no report with this id.
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
    """Return reports that the actor may see, newest first, at most `limit`, older than the id `before` (None: all).

    Raises:
        WrongAgency: the actor may read no reports (see `province_read`).
    """
    return await store.list_page(reader, province_read(reader.actor), before, limit)


async def list_based_entries(reader: Reader, reports: Sequence[Report]) -> dict[str, list[str]]:
    """Return, by the id of each report, the ids of Immigration's entries that are based on the report, oldest first.

    A report without such an entry has an empty list. Entries that the actor does not see are left out.
    """
    based = await _based_entries(reader, reports)
    return {
        report.id: [each.id for each in based[report.id] if visible(each, reader.actor)] for report in reports
    }


async def _based_entries(reader: Reader, reports: Sequence[Report]) -> dict[str, list[Entry]]:
    """Return, by report id, the entries that are based on the report and not erased, oldest first."""
    keys = {letter_key(IMMIGRATION, report.number): report.id for report in reports}
    found: dict[str, list[Entry]] = {report.id: [] for report in reports}
    for entry in await list_by_keys(reader, keys) if keys else ():
        report_id = keys.get(letter_key(entry.agency, entry.basis.number))
        if report_id and entry.basis.instrument == INSTRUMENT:
            found[report_id].append(entry)
    return found


async def list_due(reader: Reader, after: str | None, limit: int, *, settings: Settings) -> list[str]:
    """Return ids of reports whose retention period is over, oldest first, at most `limit`.

    Only those after the id `after` (None: the first). The result includes reports that `erase` must keep because of an
    entry. Empty if the deployment sets no retention period.
    """
    if settings.personal_retention_days is None:
        return []
    until = reader.now - timedelta(days=settings.personal_retention_days)
    return await store.list_unerased(reader, first_id("svr", until), after or "", limit)


async def erase(unit: Unit, report_id: str) -> bool:
    """Erase the foreigner, place and findings from a report whose retention period is over (R64).

    Returns whether this call erased it. False if it was erased before, or if an entry is based on it whose person is
    not erased. The caller must know that the report is due (see `list_due`).

    Raises:
        NotFound: there is no report with this id.
    """
    await lock_agency(unit, IMMIGRATION)  # so that no entry based on it is filed at this moment
    report = await store.find(unit, report_id)
    if report is None:
        raise NotFound("There is no such report.")
    if report.erased_at is not None or (await _based_entries(unit, [report]))[report.id]:
        return False
    await store.erase(unit, report)
    await record(unit, AuditAct.SUPERVISION_ERASED, report.id, {"number": report.number})
    return True
