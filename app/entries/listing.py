"""The register's side of imports: entries that a published list or an older register brings.

They were decided on elsewhere, so they work at once; two named persons stand for the import. What follows from
them is told like everything else: by events, in the same transaction, to the same ledger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Final, Literal

from app.access.domain import Agency
from app.access.service import find_place, lock_agency
from app.db.unit import Reader, Unit
from app.entries import keys, name_keys, sources, store
from app.entries.domain import EndedReason, Entry, Notice, State
from app.entries.drafting import keep_blobs
from app.entries.events import EntryChanged
from app.entries.law import Owner, Policy, judge
from app.entries.listed import Approvers, Listed, Neighbours, Source
from app.entries.seals import seal_imported
from app.entries.subjects import Subject
from app.entries.wanted import Wanted, request_of
from app.errors import CekalError, Fault, Invalid, WrongState
from app.ledger.domain import RecordType
from app.matching.keys import Stored

__all__ = [
    "Approvers",
    "Listed",
    "Source",
    "Taken",
    "find_owner",
    "lawful",
    "list_digests",
    "list_references",
    "open_edition",
    "prepare",
    "settle",
    "take_in",
    "withdraw",
]

WITHDRAWN: Final = "withdrawn"
"""Stands in place of a content's digest once the list no longer holds the person."""

_IMPORTED: Final = "imported"
_CHANGED: Final = "import_changed"
_WITHDRAWN: Final = "import_withdrawn"

Taken = Literal["added", "changed", "unchanged"]
Key = tuple[str, str]
"""Origin and reference."""
_Outcomes = dict[Key, Taken | CekalError]


async def find_owner(reader: Reader, code: str) -> Owner | None:
    """What the rules need to know of an agency; also of one that is no longer active."""
    agency = await find_place(reader, Agency, code)
    return None if agency is None else Owner.of(agency)


def lawful(
    wanted: Wanted,
    owner: Owner,
    policy: Policy,
    as_of: date,
    *,
    origin: Literal["list", "takeover"],
    extension_count: int = 0,
    first_started_on: date | None = None,
    photo_optional: bool = False,
) -> tuple[Notice, ...]:
    """Judge an imported measure as of the legal day on which it was approved; gives the warnings.

    Raises:
        CekalError: as `law.judge`.
    """
    request = replace(
        request_of(wanted, origin),
        extension_count=extension_count,
        first_started_on=first_started_on,
        photo_optional=photo_optional,
    )
    return judge(request, owner, policy, as_of)


def prepare(subject: Subject) -> Stored:
    """What an imported person is found by, for `Listed.keys`."""
    return name_keys.prepare(subject)


async def settle(unit: Unit, after: int | None = None) -> int | None:
    """Put some name keys of imports in their place, in a transaction of its own; as `name_keys.settle`."""
    return await name_keys.settle(unit, after)


async def open_edition(unit: Unit, source: Source, edition: datetime, persons: int) -> None:
    """Note that an edition of a list is being imported; from now on no older one will be.

    Raises:
        WrongState: a newer edition was imported before.
    """
    last = await sources.find_edition(unit, source.origin)
    if last is not None and edition < last:
        raise WrongState(
            f"This edition of {edition:%Y-%m-%d %H:%M} UTC is older than the one of {last:%Y-%m-%d %H:%M} UTC, "
            "which has been imported."
        )
    await sources.keep_edition(unit, source.origin, edition, persons)


async def list_references(reader: Reader, source: Source) -> list[str]:
    """The keys of everything that the source held when it was last imported."""
    known = await sources.list_all_known(reader, source.origin)
    return sorted(reference for reference, (_, digest) in known.items() if digest != WITHDRAWN)


async def list_digests(reader: Reader, keys: Iterable[Key]) -> dict[Key, str]:
    """The digest of what was imported before, by origin and reference; a look ahead that holds no lock."""
    return {key: digest for key, (_, digest) in (await _known(reader, keys)).items()}


async def take_in(unit: Unit, items: Sequence[Listed], approvers: Approvers) -> list[Taken | CekalError]:
    """Bring the register in line with some items, each with another key; the same items again change nothing.

    An item that was never seen becomes an entry in force, or one that has ended where its period is over. A
    changed one becomes the entry's next version. One whose entry has expired, or was withdrawn, becomes a new
    entry.

    Returns:
        For each item, in order, what became of it, or why it was refused: DuplicateEntry for a letter or case
        that the owner has already, WrongState where a decision here stands in the way.
    """
    for code in sorted({item.agency for item in items}):
        await lock_agency(unit, code)
    known = await _known(unit, (item.key for item in items))
    entries = await store.list_by_ids(unit, {entry_id for entry_id, _ in known.values()})
    standing = {entry.id: entry.at(unit.now) for entry in entries}
    outcomes: _Outcomes = {}
    fresh = []
    for item in items:
        entry_id, digest = known.get(item.key, ("", WITHDRAWN))
        if digest == WITHDRAWN or item.outlives(standing[entry_id]):
            fresh.append(item)
        elif digest == item.digest:
            outcomes[item.key] = "unchanged"
        else:
            outcomes[item.key] = await _change(unit, item, entry_id, approvers)
    if fresh:
        outcomes |= await _impose(unit, fresh, approvers, known)
    await unit.conclude()
    return [outcomes[item.key] for item in items]


async def withdraw(unit: Unit, source: Source, references: Sequence[str], reason: str) -> int:
    """End the entries of what a list no longer holds; how many were still running."""
    ended = 0
    known = await sources.list_known(unit, source.origin, references)
    for reference, (entry_id, digest) in sorted(known.items()):
        if digest == WITHDRAWN:
            continue
        before = await store.lock(unit, entry_id)
        await sources.keep(unit, source.origin, reference, entry_id, WITHDRAWN)
        if before.at(unit.now).state is State.ENDED:
            continue
        entry = before.ended(EndedReason.REVOKED, unit.now, unit.now)
        await store.save(unit, entry, _WITHDRAWN, reason)
        unit.happened(EntryChanged(entry, RecordType.ENTRY_ENDED))
        ended += 1
    await unit.conclude()
    return ended


async def _known(reader: Reader, keys: Iterable[Key]) -> dict[Key, tuple[str, str]]:
    """Entry id and digest of what was imported before."""
    references: dict[str, list[str]] = {}
    for origin, reference in keys:
        references.setdefault(origin, []).append(reference)
    known: dict[Key, tuple[str, str]] = {}
    for origin, wanted in references.items():
        found = await sources.list_known(reader, origin, wanted)
        known |= {(origin, reference): value for reference, value in found.items()}
    return known


async def _impose(
    unit: Unit, items: Sequence[Listed], approvers: Approvers, known: dict[Key, tuple[str, str]]
) -> _Outcomes:
    made = [item.entry(approvers, unit.actor.client_id, unit.now) for item in items]
    entries = await seal_imported(unit, [(e, item.wanted) for e, item in zip(made, items, strict=True)])
    others = await _possible_duplicates(unit, entries)
    outcomes: _Outcomes = {}
    added = []
    for item, entry in zip(items, entries, strict=True):
        earlier, _ = known.get(item.key, ("", ""))
        clash = others.bar_to(entry, but=earlier, leads=item.source.leads)
        outcomes[item.key] = clash or "added"
        if clash is None:
            added.append((item, entry))
            others.add(entry)
    if not added:
        return outcomes
    prepared = {entry.id: item.keys for item, entry in added if item.keys is not None}
    await store.add_all(unit, [(entry, item.note) for item, entry in added], _IMPORTED, prepared)
    new = [(*item.key, entry.id, item.digest) for item, entry in added if item.key not in known]
    if new:
        await sources.add_all(unit, new)
    for item, entry in added:
        if item.key in known:
            await sources.keep(unit, *item.key, entry.id, item.digest)
        await keep_blobs(unit, entry, item.wanted)
        unit.happened(_told(entry, RecordType.ENTRY_LISTED))
    return outcomes


async def _possible_duplicates(unit: Unit, entries: Sequence[Entry]) -> Neighbours:
    """The entries that share a letter or a case with one of these."""
    matters = {key for entry in entries for key in keys.matter_keys(entry.agency, entry.said)}
    others = Neighbours()
    for other in await store.list_by_keys(unit, matters):
        others.add(other.at(unit.now))
    return others


async def _change(unit: Unit, item: Listed, entry_id: str, approvers: Approvers) -> Taken | CekalError:
    """Give an entry the content that its source has now."""
    before = await store.lock(unit, entry_id)
    history = await store.list_former(unit, entry_id)
    refusal = _refusal(unit, item, before, [event for event, _ in history])
    if refusal is not None:
        return refusal
    await sources.keep(unit, *item.key, entry_id, item.digest)
    after = item.applied_to(before, [former for _, former in history], unit.now)
    if after == before:
        return "unchanged"
    after = after.replace(
        version=before.version + 1,
        updated_at=unit.now,
        approved_by=(approvers.first, approvers.second),
        second_approval_at=unit.now,
    ).at(unit.now)
    [after] = await seal_imported(unit, [(after, item.wanted)])
    await store.save(unit, after, _CHANGED, item.note, reindex=True)
    await keep_blobs(unit, after, item.wanted)
    unit.happened(_told(after, RecordType.ENTRY_CORRECTED))
    return "changed"


def _refusal(unit: Unit, item: Listed, before: Entry, events: Sequence[str]) -> CekalError | None:
    if before.at(unit.now).state is State.ENDED:
        return WrongState("The entry has ended here, and its source can't change it any more.")
    if not item.source.leads and not {_IMPORTED, _CHANGED}.issuperset(events):
        return WrongState("The entry was changed here since, and this register leads now.")
    if item.wanted.measure is not before.measure:
        fault = Fault("/measure", "changed", "An entry's measure never changes.")
        return Invalid(fault.detail, faults=[fault])
    return None


def _told(entry: Entry, what: RecordType) -> EntryChanged:
    if entry.state is State.ENDED:
        return EntryChanged(entry, RecordType.ENTRY_ENDED, effective_at=entry.ended_at)
    return EntryChanged(entry, what)
