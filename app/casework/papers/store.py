"""SQL statements of papers: they read what all features store about an entry, and the heads that letters show.

Rows are returned as plain members, as they were stored: a court sees the stored data, not the interpretation of a later
release. Seals are checked by the caller.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Row, Select, Table, or_, select

from app.access.tables import audit as audit_table
from app.access.tables import client as client_table
from app.alerting.alerts import tables as alert_tables
from app.alerting.notices.tables import notice as notice_table
from app.border.checks import tables as check_tables
from app.border.clearances.tables import clearance as clearance_table
from app.border.hits.tables import hit as hit_table
from app.casework.papers.domain import LetterHead, Standing
from app.casework.papers.tables import letter_head
from app.db.documents import Documents
from app.db.types import any_of
from app.db.unit import Reader, Unit
from app.kit.ids import first_id
from app.register.amendments.domain import Amendment
from app.register.amendments.tables import amendment as amendment_table
from app.register.entries.blobs import BlobKind
from app.register.entries.domain import Entry
from app.register.entries.tables import blob as blob_table
from app.register.entries.tables import duty as duty_table
from app.register.entries.tables import entry as entry_table
from app.register.entries.tables import version as version_table
from app.register.entries.visibility import opened
from app.register.objections.tables import objection as objection_table
from app.register.rectifications.tables import correction_request as correction_table
from app.register.supervision.tables import report as report_table
from app.tlog.notes import Note

_entries = Documents(Entry)
_amendments = Documents(Amendment)
_plain = msgspec.json.Decoder().decode

Json = dict[str, Any]

_AS_JSON = frozenset({"document", "detail", "to", "chase", "question", "matches", "roles"})
"""Columns that hold JSON as text."""


_REPORT = re.compile(r"LPT-(?P<year>[0-9]{4})-(?P<ordinal>[0-9]{6,9})")
"""A supervision report's number, as `supervision.domain.Report.number` makes it."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A photo or document of an entry, without its bytes.

    Attributes:
        sha256: SHA-256 of the bytes, in hexadecimal.
        kind: `photo`, or the kind of document: `letter`, `citizenship_loss` or `judgment`.
        erased_at: when the bytes were erased; None before.
    """

    sha256: str
    kind: BlobKind
    media_type: str
    erased_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an entry, and the act that made it.

    Attributes:
        event: the act, as a value of `Act`.
        by: id of the client that acted.
        person: employee number of the client's holder; None for machines and for the register itself.
        at: when it was made.
        reason: the reason given; None without one.
    """

    entry: Entry
    event: str
    by: str
    person: str | None
    at: datetime
    reason: str | None


async def find_letter_head(reader: Reader, sequence: int) -> LetterHead | None:
    """Return the head that was stored for the letter of the record with this number; None without one."""
    t = letter_head
    row = (await reader.run(select(t.c.standing, t.c.size, t.c.note).where(t.c.sequence == sequence))).first()
    if row is None:
        return None
    return LetterHead(Standing(row.standing), row.size, Note.parse(row.note.encode()))


async def list_letter_heads(
    reader: Reader, after: int, limit: int
) -> Sequence[Row[*tuple[int, str, int, str]]]:
    """Return rows of record number, standing, size and note: the stored signed heads that letters show.

    Only heads for records after the number `after`, ordered by record number, at most `limit`.
    """
    t = letter_head
    statement = select(t.c.sequence, t.c.standing, t.c.size, t.c.note).where(t.c.sequence > after)
    return (await reader.run(statement.order_by(t.c.sequence).limit(limit))).all()


async def save_letter_head(unit: Unit, sequence: int, head: LetterHead) -> None:
    """Store the head for the letter of the record with this number.

    A head that is stored already is replaced only if it lacks the quorum and the new head has it; otherwise it stays.
    """
    values = {"standing": head.standing.value, "size": head.size, "note": str(head.note)}
    statement = unit.inserting(letter_head).values(sequence=sequence, **values)
    better = letter_head.c.standing != Standing.WITNESSED.value
    if head.standing is Standing.WITNESSED:
        statement = statement.on_conflict_do_update(
            index_elements=[letter_head.c.sequence], set_=values, where=better
        )
    else:
        statement = statement.on_conflict_do_nothing()
    await unit.run(statement)


async def list_versions(reader: Reader, entry_id: str) -> list[Version]:
    """Return every version of an entry, oldest first; empty for an unknown entry."""
    v = version_table
    statement = (
        select(v.c.document, v.c.event, v.c.by, v.c.person, v.c.at, v.c.reason)
        .where(v.c.entry_id == entry_id)
        .order_by(v.c.version)
    )
    return [Version(_entries.read(kept), *rest) for kept, *rest in await reader.run(statement)]


async def list_as_of(reader: Reader, entry_ids: Collection[str], at: datetime) -> list[Entry]:
    """Return entries in their version at an instant, sorted by id; unknown ids and entries made later are omitted."""
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
    """Return every amendment of these entries, oldest first; unknown ids add nothing."""
    a = amendment_table
    statement = select(a.c.document).where(any_of(a.c.entry_id, "ids")).order_by(a.c.id)
    return await _amendments.all(reader, statement, {"ids": sorted(entry_ids)})


async def list_files(reader: Reader, entry_id: str) -> list[StoredFile]:
    """Return an entry's photos, then its other files, each kind sorted by SHA-256; erased files are included."""
    b = blob_table
    statement = select(b.c.sha256, b.c.kind, b.c.media_type, b.c.erased_at).where(b.c.entry_id == entry_id)
    return [StoredFile(*row) for row in await reader.run(statement.order_by(b.c.kind.desc(), b.c.sha256))]


async def list_reports(reader: Reader, numbers: Collection[str]) -> list[Json]:
    """Return the supervision reports with these numbers, sorted by number; spaces and case of a number do not matter.

    A report is a dict of `number` and its row's values by column name. Numbers without a report are omitted.
    """
    found: list[Json] = []
    for number in sorted({"".join(number.split()).upper() for number in numbers}):
        named = _REPORT.fullmatch(number)
        if named is not None:
            r = report_table
            statement = select(r).where(r.c.year == int(named["year"]), r.c.ordinal == int(named["ordinal"]))
            found += [{"number": number, **row} for row in await _rows(reader, statement)]
    return found


async def list_duties(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """Return the duties that were recorded for an entry up to the instant `until`, in the order of recording.

    Each is a row, as values by column name.
    """
    return await _about_entry(reader, duty_table, duty_table.c.recorded_at, entry_id, until)


async def list_objections(reader: Reader, entry_id: str) -> list[Json]:
    """Return the rows (values by column name) of the objections to an entry, with their answers, oldest first.

    Objections to the urgent entry that it formalises, and to entries or requests that formalise it, are included.
    Objections to entries that a seal hides from the actor are omitted.
    """
    one, other = entry_table, entry_table.alias("other")
    related = (one.c.id == other.c.id, one.c.formalises == other.c.id, one.c.id == other.c.formalises)
    ids = select(one.c.id).join(other, or_(*related)).where(other.c.id == entry_id, opened(reader.actor))
    table = objection_table
    return await _rows(reader, select(table).where(table.c.entry_id.in_(ids)).order_by(table.c.id))


async def list_corrections(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """Return the correction requests about an entry that were received up to the instant `until`, oldest first.

    Each is a row, as values by column name. The values are the present ones, so a decision after `until` is included.
    """
    return await _about_entry(reader, correction_table, correction_table.c.received_at, entry_id, until)


async def list_notices(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """Return the notices to officers about an entry that were made up to the instant `until`, oldest first.

    Each is a row, as values by column name.
    """
    return await _about_entry(reader, notice_table, notice_table.c.at, entry_id, until)


async def list_alerts(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """Return the alerts about an entry that were issued up to the instant `until`, oldest first.

    Each is a row, as values by column name.
    """
    return await _about_entry(reader, alert_tables.alert, alert_tables.alert.c.issued_at, entry_id, until)


async def _about_entry(
    reader: Reader, table: Table, by: Any, entry_id: str, until: datetime | None = None
) -> list[Json]:
    statement = select(table).where(table.c.entry_id == entry_id).order_by(by, *table.primary_key.columns)
    return await _rows(reader, statement if until is None else statement.where(by <= until))


async def list_recipients(reader: Reader, family: str) -> list[str]:
    """Return the codes of the checkpoints that are recipients of a family of alerts, sorted.

    A family is an alert with the later alerts that update or cancel it.
    """
    to = alert_tables.recipient
    statement = select(to.c.checkpoint).where(to.c.family == family).order_by(to.c.checkpoint)
    return list((await reader.run(statement)).scalars())


async def list_receipts(reader: Reader, alert_id: str, until: datetime) -> list[Json]:
    """Return the checkpoints' receipts of an alert that were given up to the instant `until`, oldest first.

    Each is a row, as values by column name.
    """
    r = alert_tables.receipt
    statement = select(r).where(r.c.alert_id == alert_id, r.c.at <= until)
    return await _rows(reader, statement.order_by(r.c.at, *r.primary_key.columns))


async def page_matches(checks: Reader, entry_id: str, after: str, until: datetime, limit: int) -> list[Json]:
    """Return the matches of an entry in checks, oldest first, at most `limit`.

    Only matches in checks after the check id `after`, and up to the instant `until`. A match is a dict of its row's
    values by column name, and of `check`: the row of the check as a dict, None if the check is not stored. The check's
    `matches` with other entries are removed, because they are about other persons.
    """
    m, c = check_tables.match, check_tables.check
    found = select(m).where(m.c.entry_id == entry_id, m.c.check_id > after, m.c.at <= until)
    matches = await _rows(checks, found.order_by(m.c.check_id).limit(limit))
    requested = {"ids": [match["check_id"] for match in matches]}
    statement = select(*(column for column in c.c if column.name != "document_hash")).where(
        any_of(c.c.id, "ids")
    )
    records = {row["id"]: row for row in await _rows(checks, statement, requested)}
    for record in records.values():
        record["matches"] = [each for each in record["matches"] or () if each.get("entry_id") == entry_id]
    return [{**match, "check": records.get(match["check_id"])} for match in matches]


async def list_hits(reader: Reader, hit_ids: Collection[str], entry_id: str) -> dict[str, Json]:
    """Return hits with their resolutions, by hit id, as dicts of the members of `Hit`; unknown ids are omitted.

    In each hit, matches and proposals about entries other than `entry_id` are omitted.
    """
    statement = select(hit_table.c.id, hit_table.c.document).where(any_of(hit_table.c.id, "ids"))
    found: dict[str, Json] = {}
    for hit_id, document in await reader.run(statement, {"ids": sorted(hit_ids)}):
        hit: Json = _plain(document)
        hit["matched"] = [each for each in hit["matched"] if each["entry_id"] == entry_id]
        for resolution in hit["resolutions"]:
            proposals = resolution["proposals"]
            resolution["proposals"] = [each for each in proposals if each["entry_id"] == entry_id]
        found[hit_id] = hit
    return found


async def list_clearances(reader: Reader, entry_id: str, until: datetime) -> list[Json]:
    """Return the clearances proposed against an entry before the instant `until`, in any state, oldest first.

    Each is a dict of the members of `Clearance`, with their present values.
    """
    table = clearance_table
    statement = select(table.c.document).where(
        table.c.entry_id == entry_id, table.c.id < first_id("clr", until)
    )
    documents = (await reader.run(statement.order_by(table.c.id))).scalars()
    return [_plain(document) for document in documents]


async def page_audit(reader: Reader, about: str, after: str, until: datetime, limit: int) -> list[Json]:
    """Return the acts in the audit trail about an entry (`about` is its id), oldest first, at most `limit`.

    Each is a row, as values by column name. Acts on the entry's amendments, objections and requests are left out,
    because they have other ids. Only those after the act id `after` and up to the instant `until`.
    """
    a = audit_table
    statement = select(a).where(a.c.object == about, a.c.id > after, a.c.at <= until)
    return await _rows(reader, statement.order_by(a.c.id).limit(limit))


async def list_clients(reader: Reader, client_ids: Collection[str]) -> list[Json]:
    """Return the clients with these ids, ordered by id; unknown ids are omitted.

    A client is a dict of `id`, `name`, `roles`, `agency`, `office`, `checkpoint` and `person`.
    """
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
