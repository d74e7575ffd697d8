"""The watched passengers that a change of the register touches."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from app.db.unit import Reader
from app.entries import store as entries
from app.entries.turns import list_turned
from app.ledger.domain import RecordType
from app.ledger.service import list_after
from app.manifests import store
from app.manifests.keys import Listed, listed_of
from app.manifests.store import Watched
from app.matching.retrieval import Index

_PAGE = 500
_CLEARANCES = frozenset({RecordType.CLEARANCE_GRANTED, RecordType.CLEARANCE_ENDED})

Place = tuple[str, int]
"""A passenger: the manifest's id and the position on it."""

IsNews = Callable[[str, str], bool]
"""Whether what happened to an entry is not yet taken account of by a manifest; by their ids."""


class Touched(msgspec.Struct, frozen=True):
    """What a page of the ledger means for open manifests.

    Attributes:
        sure: passengers who have a number in common with an entry that has changed.
        likely: who have so much of a name, or a birthday, in common that the keys are worth comparing.
        index: by its keys, every entry that has changed.
        sequence: up to which the ledger was read.
        at: the instant up to which measures that begin, or end undecided, by themselves were looked for.
        news: whether anything happened at all.
    """

    sure: frozenset[Place]
    likely: frozenset[Place]
    index: Index[str]
    sequence: int
    at: datetime
    news: bool


async def touched_by_news(reader: Reader, opened: Mapping[str, Watched], size: int) -> Touched:
    """The passengers that the next page of the ledger touches, if it is new to their manifest.

    Args:
        reader: the transaction.
        opened: the open manifests, by id; at least one.
        size: up to which the ledger may be read.
    """
    since = min(each.sequence for each in opened.values())
    records = [each for each in await list_after(reader, since, _PAGE) if each.sequence <= size]
    changed = {
        record.entry_id: record.sequence
        for record in records
        if record.entry_id is not None and (record.type.is_entry or record.type in _CLEARANCES)
    }
    asked_at = min(each.asked_at for each in opened.values())
    turned = await list_turned(reader, asked_at, reader.now)  # no record tells of it
    versions = await entries.list_versions(reader, {*changed, *turned})
    listed: dict[str, Listed] = {}
    for entry_id, some in versions.items():
        await asyncio.sleep(0)
        listed[entry_id] = listed_of(some)

    def is_news(entry_id: str, manifest_id: str) -> bool:
        known = opened.get(manifest_id)
        return known is not None and (
            changed.get(entry_id, 0) > known.sequence
            or (entry_id in turned and turned[entry_id] > known.asked_at)
        )

    sure = await _by_numbers(reader, listed, is_news)
    likely = await _by_names(reader, listed, is_news)
    return Touched(
        sure=frozenset(sure),
        likely=frozenset(likely - sure),
        index=_index(listed),
        sequence=records[-1].sequence if records else size,
        at=reader.now,
        news=bool(records or turned),
    )


async def _by_numbers(reader: Reader, listed: Mapping[str, Listed], is_news: IsNews) -> set[Place]:
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


async def _by_names(reader: Reader, listed: Mapping[str, Listed], is_news: IsNews) -> set[Place]:
    holders = defaultdict[int, set[str]](set)
    for entry_id, each in listed.items():
        for key in each.reach.bits:
            holders[key].add(entry_id)
    shared = defaultdict[tuple[str, Place], float](float)
    for row in await store.list_sharing_names(reader, holders) if holders else ():
        for entry_id in holders[int(row.key)]:
            if is_news(entry_id, row.manifest_id):
                bits = listed[entry_id].reach.bits[int(row.key)]
                shared[entry_id, (row.manifest_id, row.position)] += bits
    return {place for (entry_id, place), bits in shared.items() if bits >= listed[entry_id].reach.least}


def _index(listed: Mapping[str, Listed]) -> Index[str]:
    index: Index[str] = Index({}, {})
    for entry_id, each in listed.items():
        index.add(entry_id, each.keys, each.days)
    return index
