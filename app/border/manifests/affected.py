"""Finding the passengers of open manifests that a change of the register may affect."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

import msgspec

from app.border.manifests import store
from app.border.manifests.keys import EntryKeys, entry_keys_of
from app.border.manifests.store import Watched
from app.db.unit import Reader
from app.ledger.domain import RecordType
from app.ledger.service import list_after
from app.matching.retrieval import Index
from app.register.entries import store as entries
from app.register.entries.timed_changes import list_turned

logger = logging.getLogger(__name__)

_PAGE = 500
_CLEARANCES = frozenset({RecordType.CLEARANCE_GRANTED, RecordType.CLEARANCE_ENDED})

PassengerKey = tuple[str, int]
"""A passenger: the manifest's id and the passenger's position."""

IsNews = Callable[[str, str], bool]
"""A function of the ids of an entry and a manifest: whether the entry has changed after the manifest's answers."""


class AffectedPassengers(msgspec.Struct, frozen=True):
    """The passengers on open manifests that the changes in one page of the ledger may affect.

    Attributes:
        sure: passengers that share a document number or NIK with a changed entry; each as manifest id and position.
        likely: other passengers that share a day of birth, or enough rare parts of a name, with a changed entry: the
            weights of the shared keys add up to the entry's `Reach.least`. The caller must look up the full name keys
            of these passengers in `index`.
        index: the changed entries by their full name keys.
        sequence: the ledger size up to which the changes were read.
        at: the instant up to which changes without a ledger record were read: measures that began, or that ended while
            their papers were undecided.
        news: whether any change was found: a ledger record, or a change without one.
    """

    sure: frozenset[PassengerKey]
    likely: frozenset[PassengerKey]
    index: Index[str]
    sequence: int
    at: datetime
    news: bool


async def find_affected(reader: Reader, opened: Mapping[str, Watched], size: int) -> AffectedPassengers:
    """Find the passengers on open manifests that the next changes of entries and clearances may affect.

    The changes are the next page of ledger records, and changes without a record. For each manifest, only changes after
    the manifest's `sequence` and `asked_at` count.

    Args:
        reader: a transaction on the register.
        opened: the open manifests, by id; at least one.
        size: the ledger size up to which records are read.
    """
    since = min(each.sequence for each in opened.values())
    records = [each for each in await list_after(reader, since, _PAGE) if each.sequence <= size]
    changed = {
        record.entry_id: record.sequence
        for record in records
        if record.entry_id is not None and (record.type.is_entry or record.type in _CLEARANCES)
    }
    asked_at = min(each.asked_at for each in opened.values())
    turned = await list_turned(reader, asked_at, reader.now)  # these changes have no ledger record
    listed = await _listed(reader, {*changed, *turned})

    def is_news(entry_id: str, manifest_id: str) -> bool:
        known = opened.get(manifest_id)
        return known is not None and (
            changed.get(entry_id, 0) > known.sequence
            or (entry_id in turned and turned[entry_id] > known.asked_at)
        )

    sure = await _by_numbers(reader, listed, is_news)
    likely = await _by_names(reader, listed, is_news)
    return AffectedPassengers(
        sure=frozenset(sure),
        likely=frozenset(likely - sure),
        index=_index(listed),
        sequence=records[-1].sequence if records else size,
        at=reader.now,
        news=bool(records or turned),
    )


async def _listed(reader: Reader, entry_ids: Iterable[str]) -> dict[str, EntryKeys]:
    """Return the search keys of these entries, by id. One that can't be read is logged, and left out."""
    try:
        versions = await entries.list_versions(reader, entry_ids)
    except msgspec.DecodeError:
        versions = {}
        for entry_id in entry_ids:
            try:
                versions |= await entries.list_versions(reader, {entry_id})
            except msgspec.DecodeError:
                logger.exception("passengers can't be compared with an entry", extra={"entry": entry_id})
    listed: dict[str, EntryKeys] = {}
    for entry_id, of_entry in versions.items():
        await asyncio.sleep(0)
        listed[entry_id] = entry_keys_of(of_entry)
    return listed


async def _by_numbers(reader: Reader, listed: Mapping[str, EntryKeys], is_news: IsNews) -> set[PassengerKey]:
    holders = defaultdict[str, set[str]](set)
    for entry_id, each in listed.items():
        for number in each.numbers:
            holders[number].add(entry_id)
    rows = await store.list_sharing(reader, holders) if holders else []
    return {
        (row.manifest_id, row.position)
        for row in rows
        if any(is_news(entry_id, row.manifest_id) for entry_id in holders[str(row.key)])
    }


async def _by_names(reader: Reader, listed: Mapping[str, EntryKeys], is_news: IsNews) -> set[PassengerKey]:
    holders = defaultdict[int, set[str]](set)
    for entry_id, each in listed.items():
        for key in each.reach.bits:
            holders[key].add(entry_id)
    shared = defaultdict[tuple[str, PassengerKey], float](float)
    for row in await store.list_sharing_names(reader, holders) if holders else ():
        for entry_id in holders[int(row.key)]:
            if is_news(entry_id, row.manifest_id):
                bits = listed[entry_id].reach.bits[int(row.key)]
                shared[entry_id, (row.manifest_id, row.position)] += bits
    return {place for (entry_id, place), bits in shared.items() if bits >= listed[entry_id].reach.least}


def _index(listed: Mapping[str, EntryKeys]) -> Index[str]:
    index: Index[str] = Index({}, {})
    for entry_id, each in listed.items():
        index.add(entry_id, each.keys, each.days)
    return index
