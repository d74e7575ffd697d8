"""Verification of entries: each row, version and ledger record of an entry must say the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import select

from app.db.types import any_of
from app.db.unit import Reader
from app.kit.canonical import canonical
from app.kit.differences import Difference
from app.ledger import service as ledger
from app.register.entries import store, tables
from app.register.entries.domain import Entry
from app.register.entries.duties import columns as open_duties
from app.register.entries.publishing import leaf_facts, personal_part

_CHANGES_ALONE: Final = frozenset({"norm_version", "erased"})
"""Columns that change without a version of the entry."""

_READ = msgspec.json.Decoder(Entry).decode


class _Version(NamedTuple):
    """A version of an entry as it is stored.

    Attributes:
        document: the entry after it.
        whole: whether it holds all that the entry's own document holds: not where it was written by an earlier
            release, since upgrades have added members to the entry's document alone.
    """

    document: str
    whole: bool


async def verify_page(reader: Reader, after: str, limit: int) -> tuple[int, list[Difference], str | None]:
    """Compare the row of an entry with its versions and its ledger records, for up to `limit` entries by ascending id.

    Entries may change while they are compared. A change between two statements is not reported as a missing version,
    because records are read before versions.

    Args:
        reader: the transaction.
        after: the id of the last entry that was verified; empty for the beginning.
        limit: the greatest number of entries.

    Returns:
        The number of verified entries, the differences found, and the id to continue after; None in place of the id if
        no entry was left.
    """
    rows = await reader.run(
        select(tables.entry).where(tables.entry.c.id > after).order_by(tables.entry.c.id).limit(limit)
    )
    entries = [dict(row._mapping) for row in rows]
    ids = [row["id"] for row in entries]
    if not ids:
        return 0, [], None
    records = await ledger.list_of_entries(reader, ids)
    versions: dict[str, dict[int, _Version]] = {entry_id: {} for entry_id in ids}
    own = tables.version.c
    columns = (own.entry_id, own.version, own.document, own.commitment.is_not(None))
    statement = select(*columns).where(any_of(own.entry_id, "ids"))
    for entry_id, number, document, whole in await reader.run(statement, {"ids": ids}):
        versions[entry_id][number] = _Version(document, whole)
    found: list[Difference] = []
    for row in entries:
        duties = await _duties(reader, row)
        found += _differences(row, duties, versions[row["id"]], records[row["id"]])
    return len(ids), found, ids[-1]


async def _duties(reader: Reader, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the columns of an entry's open duties as they should be; {} where its document can't be read."""
    try:
        entry = _READ(row["document"])
    except (msgspec.DecodeError, ValueError):
        return {}
    columns = open_duties.initial_columns(entry)
    if all(row[name] == value for name, value in columns.items()):
        return columns
    return await open_duties.as_recorded(reader, entry)


def _differences(
    row: Mapping[str, Any],
    duties: Mapping[str, Any],
    versions: Mapping[int, _Version],
    records: Sequence[Mapping[str, Any]],
) -> Iterator[Difference]:
    where = f"entry {row['id']}"
    try:
        entry = _READ(row["document"])
        documents = {number: _READ(each.document) for number, each in versions.items()}
    except (msgspec.DecodeError, ValueError):
        yield Difference(where, "its document, or that of a version, can't be read")
        return
    for name, value in {**store.columns_of(entry), **duties}.items():
        if name not in _CHANGES_ALONE and row[name] != value:
            yield Difference(where, f"the column {name} differs from the document")
    if sorted(documents) != list(range(1, len(documents) + 1)) or entry.version not in documents:
        yield Difference(where, "a version is missing")
        return
    for record in records:
        if record["version"] not in documents:
            yield Difference(where, f"the ledger has a version {record['version']}, and the entry has none")
        else:
            yield from _compare(where, documents[record["version"]], record)
    if _bound(entry, versions[entry.version]) != _bound(documents[entry.version], versions[entry.version]):
        yield Difference(where, "its document differs from that of its newest version")


def _bound(entry: Entry, version: _Version) -> Any:
    """Return what an entry shares with its newest version: all but the papers for which it waits."""
    if version.whole:
        return entry.replace(waiting=None)
    facts = leaf_facts(entry) | {"pending_until": None}
    return entry.agency, entry.version, facts, personal_part(entry)


def _compare(where: str, version: Entry, record: Mapping[str, Any]) -> Iterator[Difference]:
    """Yield what differs between a version and the record that published it; an erased person is in neither."""
    what = f"version {version.version} differs from record {record['sequence']} of the ledger"
    facts = {**leaf_facts(version), "agency": version.agency}
    del facts["pending_until"]  # papers that the entry waits for come without a version of it
    try:
        leaf = msgspec.json.decode(record["leaf"])
        personal = None if record["personal"] is None else canonical(msgspec.json.decode(record["personal"]))
    except (msgspec.DecodeError, ValueError):
        yield Difference(where, f"record {record['sequence']} of it in the ledger can't be read")
        return
    if any(leaf.get(name) != value for name, value in facts.items()):
        yield Difference(where, f"{what} in a code or a day")
    if personal is not None and personal != canonical(personal_part(version)):
        yield Difference(where, f"{what} in the person or the case")
