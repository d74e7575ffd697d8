"""SQL statements of the statistics: they read tables of other features, in bounded pages.

They count every entry, also sealed ones: what is published names nobody.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case, func, or_, select

from app.access.tables import agency, checkpoint, office
from app.alerting.alerts.tables import alert, receipt, recipient
from app.border.checks.tables import check, match
from app.border.hits.domain import Hit, HitState
from app.border.hits.tables import hit
from app.db.documents import Documents
from app.db.types import any_of
from app.db.unit import Reader
from app.kit.ids import first_id, instant_of
from app.register.departures.tables import delay
from app.register.entries.domain import Entry
from app.register.entries.tables import entry, version
from app.register.rectifications.tables import correction_request

_entries = Documents(Entry)
_hits = Documents(Hit)

_DECIDED = ("approved", "rejected", "returned")


@dataclass(frozen=True, slots=True)
class Span:
    """A period from `since` until before `until`, and the agency whose events count; None for all agencies."""

    since: datetime
    until: datetime
    agency: str | None = None


async def list_agencies(reader: Reader) -> list[str]:
    """Return the codes of all agencies, sorted."""
    return list((await reader.run(select(agency.c.code).order_by(agency.c.code))).scalars())


async def list_provinces_of_offices(reader: Reader) -> dict[str, str | None]:
    """Return the province of each office by the office's code; None if unknown."""
    rows = await reader.run(select(office.c.code, office.c.province))
    return {row.code: row.province for row in rows}


async def list_provinces(reader: Reader) -> dict[str, str | None]:
    """Return the province of each checkpoint by the checkpoint's code; None if unknown."""
    rows = await reader.run(select(checkpoint.c.code, checkpoint.c.province))
    return {row.code: row.province for row in rows}


async def list_entries(reader: Reader, span: Span, after: str, limit: int) -> list[Entry]:
    """Return the entries that were made in the span, or were made earlier and may be in force in it, oldest first.

    Only entries of the span's agency and after the id `after`, at most `limit`.
    """
    statement = (
        select(entry.c.document)
        .where(
            entry.c.id > after,
            entry.c.id < first_id("ent", span.until),
            or_(
                entry.c.id >= first_id("ent", span.since),
                entry.c.in_force_until.is_(None),
                entry.c.in_force_until >= span.since,
            ),
        )
        .order_by(entry.c.id)
        .limit(limit)
    )
    if span.agency is not None:
        statement = statement.where(entry.c.agency == span.agency)
    return await _entries.all(reader, statement)


async def list_decided(reader: Reader, ids: Iterable[str]) -> dict[str, list[tuple[str, datetime]]]:
    """Return, by entry id, the approvals, rejections and returns of the entry as pairs of (act, time), oldest first.

    Entries without such an act are omitted.
    """
    statement = (
        select(version.c.entry_id, version.c.event, version.c.at)
        .where(any_of(version.c.entry_id, "ids"), version.c.event.in_(_DECIDED))
        .order_by(version.c.entry_id, version.c.version)
    )
    found: dict[str, list[tuple[str, datetime]]] = {}
    for entry_id, event, at in await reader.run(statement, {"ids": sorted(ids)}):
        found.setdefault(entry_id, []).append((event, at))
    return found


@dataclass(frozen=True, slots=True)
class Sent:
    """An alert about an entry, with the columns that the statistics need."""

    id: str
    family: str
    entry_id: str
    issued_at: datetime
    acknowledge_by: datetime


async def list_alerts(reader: Reader, span: Span, after: str, limit: int) -> list[Sent]:
    """Return the alerts, updates and cancellations about entries issued in a span, oldest first, at most `limit`.

    Only alerts about entries of the span's agency and after the id `after`.
    """
    statement = (
        select(alert.c.id, alert.c.family, alert.c.entry_id, alert.c.issued_at, alert.c.acknowledge_by)
        .where(
            alert.c.id > after,
            alert.c.id >= first_id("alr", span.since),
            alert.c.id < first_id("alr", span.until),
            alert.c.entry_id.is_not(None),
        )
        .order_by(alert.c.id)
        .limit(limit)
    )
    if span.agency is not None:
        statement = statement.where(alert.c.agency == span.agency)
    return [Sent(*row) for row in await reader.run(statement)]


async def list_first_receipts(
    reader: Reader, alert_ids: Iterable[str]
) -> dict[str, list[tuple[datetime, datetime | None]]]:
    """Return the checkpoints' first receipts of alerts, by alert id; alerts without a receipt are omitted.

    Each checkpoint with a receipt has a pair: the times of its first receipt and of its first acknowledgement (or
    None).
    """
    acknowledged = case((receipt.c.level == "acknowledged", receipt.c.at))
    statement = (
        select(receipt.c.alert_id, func.min(receipt.c.at), func.min(acknowledged, type_=receipt.c.at.type))
        .where(any_of(receipt.c.alert_id, "ids"))
        .group_by(receipt.c.alert_id, receipt.c.checkpoint)
    )
    found: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for alert_id, first, person in await reader.run(statement, {"ids": sorted(alert_ids)}):
        found.setdefault(alert_id, []).append((first, person))
    return found


async def count_recipients(reader: Reader, families: Iterable[str]) -> dict[str, int]:
    """Return the number of recipient checkpoints of each alert family, by the family.

    A family is an alert with the later alerts that update or cancel it. Families without recipients are omitted.
    """
    statement = (
        select(recipient.c.family, func.count().label("number"))
        .where(any_of(recipient.c.family, "families"))
        .group_by(recipient.c.family)
    )
    rows = await reader.run(statement, {"families": sorted(families)})
    return {row.family: row.number for row in rows}


async def list_corrections(
    reader: Reader, span: Span, after: str, limit: int
) -> list[tuple[str, str, datetime, datetime, datetime | None]]:
    """Return the correction requests received in a span, after the id `after`, oldest first, at most `limit`.

    Rows of (id, entry id, time of receipt, time limit, time of the decision or None).
    """
    table = correction_request
    statement = (
        select(table.c.id, table.c.entry_id, table.c.received_at, table.c.due_at, table.c.decided_at)
        .where(
            table.c.id > after,
            table.c.id >= first_id("cor", span.since),
            table.c.id < first_id("cor", span.until),
        )
        .order_by(table.c.id)
        .limit(limit)
    )
    if span.agency is not None:
        statement = statement.where(table.c.agency == span.agency)
    return [tuple(row) for row in await reader.run(statement)]


async def count_delays(reader: Reader, since: datetime, until: datetime) -> list[tuple[str, int]]:
    """Return pairs of (checkpoint, number of its delayed departures from `since` until before `until`)."""
    statement = (
        select(delay.c.checkpoint, func.count())
        .where(delay.c.occurred_at >= since, delay.c.occurred_at < until)
        .group_by(delay.c.checkpoint)
    )
    return [tuple(row) for row in await reader.run(statement)]


_CHECKS = (
    select(check.c.checkpoint, func.count())
    .where(check.c.id >= bindparam("since"), check.c.id < bindparam("until"))
    .group_by(check.c.checkpoint)
)
_NEXT_CHECK = (
    select(check.c.id)
    .where(check.c.id >= bindparam("since"), check.c.id < bindparam("until"))
    .order_by(check.c.id)
    .limit(1)
)


async def count_checks(checks: Reader, since: datetime, until: datetime) -> list[tuple[str, int]]:
    """Return pairs of (checkpoint, number of its checks from `since` until before `until`)."""
    return [tuple(row) for row in await checks.run(_CHECKS, _ids_of_checks(since, until))]


async def find_next_check(checks: Reader, since: datetime, until: datetime) -> datetime | None:
    """Return the time of the first check from `since` until before `until`; None if there is none."""
    first = (await checks.run(_NEXT_CHECK, _ids_of_checks(since, until))).scalar_one_or_none()
    return None if first is None else instant_of(first)


def _ids_of_checks(since: datetime, until: datetime) -> dict[str, str]:
    return {"since": first_id("chk", since), "until": first_id("chk", until)}


async def count_matches(
    checks: Reader, owner: str, since: datetime, until: datetime
) -> list[tuple[str, str, str, int]]:
    """Return rows of (entry id, checkpoint, outcome, number of matches) for the entries of an agency.

    A match is a check that referred or refused a traveller because of the entry. So a check that matches two entries
    counts as two matches. Each repeated check counts again, although repeated checks may join one hit. Sightings
    (matches in a direction that the measure does not stop) do not count. Only checks from `since` until before `until`;
    `owner` is the agency's code.
    """
    statement: Any = (
        select(match.c.entry_id, match.c.checkpoint, match.c.outcome, func.count())
        .where(
            match.c.agency == owner,
            match.c.check_id >= first_id("chk", since),
            match.c.check_id < first_id("chk", until),
            match.c.sighting.is_(False),
            match.c.outcome.in_(("refer", "refuse")),
        )
        .group_by(match.c.entry_id, match.c.checkpoint, match.c.outcome)
    )
    return [tuple(row) for row in await checks.run(statement)]


async def list_resolved(reader: Reader, span: Span, after: str, limit: int) -> list[Hit]:
    """Return the hits opened in a span that are resolved by now, after the id `after`, oldest first, at most `limit`.

    Hits on entries of every agency are included, whatever the span's agency.
    """
    statement = (
        select(hit.c.document)
        .where(
            hit.c.state == HitState.RESOLVED.value,
            hit.c.id > after,
            hit.c.id >= first_id("hit", span.since),
            hit.c.id < first_id("hit", span.until),
        )
        .order_by(hit.c.id)
        .limit(limit)
    )
    return await _hits.all(reader, statement)
