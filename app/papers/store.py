"""Every SQL statement of papers: what all features have recorded about an entry.

Rows are read as plain members, as they were recorded: a court sees what stands there, not what some later
version of a feature makes of it.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, Table, or_, select

from app.access.tables import audit as audit_table
from app.access.tables import client as client_table
from app.alerts import tables as alert_tables
from app.amendments.domain import Amendment
from app.amendments.tables import amendment as amendment_table
from app.checks import tables as check_tables
from app.clearances.tables import clearance as clearance_table
from app.db.documents import Documents
from app.db.types import any_of
from app.db.unit import Reader
from app.entries.domain import Entry
from app.entries.tables import blob as blob_table
from app.entries.tables import duty as duty_table
from app.entries.tables import entry as entry_table
from app.entries.tables import version as version_table
from app.entries.views import opened
from app.hits.tables import hit as hit_table
from app.kit.ids import first_id
from app.notices.tables import notice as notice_table
from app.objections.tables import objection as objection_table
from app.rectifications.tables import correction_request as correction_table
from app.supervision.tables import report as report_table

_entries = Documents(Entry)
_amendments = Documents(Amendment)
_plain = msgspec.json.Decoder().decode

Json = dict[str, Any]

_AS_JSON = frozenset({"document", "detail", "to", "chase", "question", "matches", "roles"})
"""Columns that hold JSON as text."""


_REPORT = re.compile(r"LPT-(?P<year>[0-9]{4})-(?P<ordinal>[0-9]{6,9})")
"""A supervision report's number, as `supervision.domain.Report.number` makes it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes that are, or were, kept beside an entry; `erased_at` tells when they went."""

    sha256: str
    kind: str
    media_type: str
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """An entry at one version, and what made it so.

    Attributes:
        by: the client that acted.
        person: its employee number; None for machines and for the register itself.
    """

    entry: Entry
    event: str
    by: str
    person: str | None
    at: datetime
    reason: str | None


async def list_versions(reader: Reader, entry_id: str) -> list[Version]:
    """Every version of an entry, oldest first."""
    v = version_table
    statement = (
        select(v.c.document, v.c.event, v.c.by, v.c.person, v.c.at, v.c.reason)
        .where(v.c.entry_id == entry_id)
        .order_by(v.c.version)
    )
    return [Version(_entries.read(kept), *rest) for kept, *rest in await reader.run(statement)]


async def list_as_of(reader: Reader, entry_ids: Collection[str], at: datetime) -> list[Entry]:
    """Entries in the version that they had at an instant; those that were not there yet are left out."""
    v = version_table
    statement = (
        select(v.c.entry_id, v.c.document)
        .where(any_of(v.c.entry_id, "ids"), v.c.at <= at)
        .order_by(v.c.entry_id, v.c.version)
    )
    rows = await reader.run(statement, {"ids": sorted(entry_ids)})
    latest = {entry_id: document for entry_id, document in rows}  # noqa: C416 - rows are no pairs
    return [_entries.read(document) for document in latest.values()]


async def list_amendments(reader: Reader, entry_ids: Collection[str]) -> list[Amendment]:
    """Every amendment of these entries, oldest first."""
    a = amendment_table
    statement = select(a.c.document).where(any_of(a.c.entry_id, "ids")).order_by(a.c.id)
    return await _amendments.all(reader, statement, {"ids": sorted(entry_ids)})


async def list_kept(reader: Reader, entry_id: str) -> list[Kept]:
    """What bytes are, or were, kept beside an entry, without the bytes."""
    b = blob_table
    statement = select(b.c.sha256, b.c.kind, b.c.media_type, b.c.erased_at).where(b.c.entry_id == entry_id)
    return [Kept(*row) for row in await reader.run(statement.order_by(b.c.kind.desc(), b.c.sha256))]


async def list_reports(reader: Reader, numbers: Collection[str]) -> list[Json]:
    """The supervision reports that bear one of these numbers, however it is spaced."""
    found: list[Json] = []
    for number in sorted({"".join(number.split()).upper() for number in numbers}):
        named = _REPORT.fullmatch(number)
        if named is not None:
            r = report_table
            statement = select(r).where(r.c.year == int(named["year"]), r.c.ordinal == int(named["ordinal"]))
            found += [{"number": number, **row} for row in await _rows(reader, statement)]
    return found


async def list_duties(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """What was recorded to have been done about an entry: deliveries, notices of refusal, withdrawn passports."""
    return await _beside(reader, duty_table, duty_table.c.recorded_at, entry_id, until)


async def list_objections(reader: Reader, entry_id: str) -> list[Json]:
    """The objections to an entry, its urgent entry or those that formalise it, with their answers."""
    one, other = entry_table, entry_table.alias("other")
    related = (one.c.id == other.c.id, one.c.formalises == other.c.id, one.c.id == other.c.formalises)
    ids = select(one.c.id).join(other, or_(*related)).where(other.c.id == entry_id, opened(reader.actor))
    table = objection_table
    return await _rows(reader, select(table).where(table.c.entry_id.in_(ids)).order_by(table.c.id))


async def list_corrections(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """The requests of persons concerned to have an entry corrected."""
    return await _beside(reader, correction_table, correction_table.c.received_at, entry_id, until)


async def list_notices(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """What officers were told about an entry, and who was."""
    return await _beside(reader, notice_table, notice_table.c.at, entry_id, until)


async def list_alerts(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """The alerts about an entry, oldest first."""
    return await _beside(reader, alert_tables.alert, alert_tables.alert.c.issued_at, entry_id, until)


async def _beside(
    reader: Reader, table: Table, by: Any, entry_id: str, until: datetime | None = None
) -> list[Json]:
    statement = select(table).where(table.c.entry_id == entry_id).order_by(by, *table.primary_key.columns)
    return await _rows(reader, statement if until is None else statement.where(by <= until))


async def list_recipients(reader: Reader, family: str) -> list[str]:
    """The checkpoints that are to get a family of alerts."""
    to = alert_tables.recipient
    statement = select(to.c.checkpoint).where(to.c.family == family).order_by(to.c.checkpoint)
    return list((await reader.run(statement)).scalars())


async def list_receipts(reader: Reader, alert_id: str, until: datetime) -> list[Json]:
    """What checkpoints have said to an alert, in order."""
    r = alert_tables.receipt
    statement = select(r).where(r.c.alert_id == alert_id, r.c.at <= until)
    return await _rows(reader, statement.order_by(r.c.at, *r.primary_key.columns))


async def page_matches(checks: Reader, entry_id: str, after: str, until: datetime, limit: int) -> list[Json]:
    """Where an entry's subject was seen or stopped, beyond a check's id: the match and the check's own record.

    Of the check's matches only those of this entry: others are other people's.
    """
    m, c = check_tables.match, check_tables.check
    found = select(m).where(m.c.entry_id == entry_id, m.c.check_id > after, m.c.at <= until)
    matches = await _rows(checks, found.order_by(m.c.check_id).limit(limit))
    wanted = {"ids": [match["check_id"] for match in matches]}
    statement = select(*(column for column in c.c if column.name != "document_hash")).where(
        any_of(c.c.id, "ids")
    )
    asked = {row["id"]: row for row in await _rows(checks, statement, wanted)}
    for record in asked.values():
        record["matches"] = [each for each in record["matches"] or () if each.get("entry_id") == entry_id]
    return [{**match, "check": asked.get(match["check_id"])} for match in matches]


async def list_hits(reader: Reader, hit_ids: Collection[str], entry_id: str) -> dict[str, Json]:
    """What supervisors have said of hits, by their ids; of what a hit matched and proposes only this entry's."""
    statement = select(hit_table.c.id, hit_table.c.document).where(any_of(hit_table.c.id, "ids"))
    found: dict[str, Json] = {}
    for hit_id, document in await reader.run(statement, {"ids": sorted(hit_ids)}):
        hit: Json = _plain(document)
        hit["matched"] = [each for each in hit["matched"] if each["entry_id"] == entry_id]
        for said in hit["resolutions"]:
            said["proposals"] = [each for each in said["proposals"] if each["entry_id"] == entry_id]
        found[hit_id] = hit
    return found


async def list_clearances(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """Who was found to be another person, and who confirmed it."""
    table = clearance_table
    statement = select(table.c.document).where(
        table.c.entry_id == entry_id, table.c.id < first_id("clr", until)
    )
    documents = (await reader.run(statement.order_by(table.c.id))).scalars()
    return [_plain(document) for document in documents]


async def page_audit(reader: Reader, about: str, after: str, until: datetime, limit: int) -> list[Json]:
    """The audit trail about an entry, beyond an id: who looked at it, and what else was done."""
    a = audit_table
    statement = select(a).where(a.c.object == about, a.c.id > after, a.c.at <= until)
    return await _rows(reader, statement.order_by(a.c.id).limit(limit))


async def list_clients(reader: Reader, client_ids: Collection[str]) -> list[Json]:
    """Who stands behind clients' ids."""
    c = client_table
    columns = (c.c.id, c.c.name, c.c.roles, c.c.agency, c.c.office, c.c.checkpoint, c.c.person)
    statement = select(*columns).where(any_of(c.c.id, "ids")).order_by(c.c.id)
    return await _rows(reader, statement, {"ids": sorted(client_ids)})


async def _rows(reader: Reader, statement: Select[*tuple[Any, ...]], parameters: Any = None) -> list[Json]:
    return [_members(row) for row in await reader.run(statement, parameters)]


def _members(row: Row[*tuple[Any, ...]]) -> Json:
    return {
        name: _plain(value) if name in _AS_JSON and isinstance(value, str) else value
        for name, value in row._mapping.items()
    }
