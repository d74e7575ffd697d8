"""The register's part of imports: entries from a published list or an older register.

These measures were decided on elsewhere, so they take effect at once; two named persons approve the import. Their
changes are published like all others: by events, in the same transaction, to the same ledger.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from operator import itemgetter
from typing import Final, Literal

from app.access.clients.service import find_place, lock_agency
from app.access.domain import Agency
from app.db.runs import Merge
from app.db.unit import Reader, Unit
from app.errors import CekalError, Fault, Invalid, WrongState
from app.ledger.domain import RecordType
from app.matching.keys import StoredKeys
from app.register.entries import keys, sources, store
from app.register.entries.acts import Act
from app.register.entries.domain import EndedReason, Entry, EntryWarning, State
from app.register.entries.drafting import keep_blobs
from app.register.entries.events import EntryChanged
from app.register.entries.law.judging import judge
from app.register.entries.law.request import Owner, Policy
from app.register.entries.listed import Approvers, ImportedMeasure, Neighbours, Source
from app.register.entries.names import index as name_keys
from app.register.entries.requested import RequestedMeasure, request_of
from app.register.entries.seals import seal_imported
from app.register.entries.subjects import Subject

__all__ = [
    "Approvers",
    "ImportOutcome",
    "ImportedMeasure",
    "ImportedRecord",
    "Source",
    "due_merge",
    "expect_newest",
    "find_owner",
    "import_items",
    "judge_import",
    "list_digests",
    "list_records",
    "move_keys",
    "open_edition",
    "prepare",
    "withdraw",
]

WITHDRAWN: Final = "withdrawn"
"""Value stored instead of a content digest once the list no longer contains the person."""


ImportOutcome = Literal["added", "changed", "unchanged"]


@dataclass(frozen=True, slots=True)
class ImportedRecord:
    """An imported person of a list or older register, with the data by which the next import recognises the person.

    Attributes:
        reference: the key under which the register stores the person; chosen at the first import, it never changes.
        digest: digest of what the source said about the person at the last import; another digest shows a change.
        number: `basis.number` of the person's entry: the reference number on the list, or the number of a letter.
        subject: the subject of the person's entry now.
    """

    reference: str
    digest: str
    number: str
    subject: Subject


Key = tuple[str, str]
"""Origin and reference of an imported item."""
_Outcomes = dict[Key, ImportOutcome | CekalError]


async def find_owner(reader: Reader, code: str) -> Owner | None:
    """Return an agency, given by its code, as owner of imported entries; None if it does not exist.

    An inactive agency is returned too, because its older entries may be imported.
    """
    agency = await find_place(reader, Agency, code)
    return None if agency is None else Owner.of(agency)


def judge_import(
    requested: RequestedMeasure,
    owner: Owner,
    policy: Policy,
    as_of: date,
    *,
    origin: Literal["list", "takeover"],
    extension_count: int = 0,
    first_started_on: date | None = None,
    photo_optional: bool = False,
) -> tuple[EntryWarning, ...]:
    """Return the warnings of the law's rules about an imported measure; raise an error if a rule forbids it.

    Args:
        requested: the measure.
        owner: the agency that will own it.
        policy: the deployment's choices.
        as_of: the legal day of the measure's approval, by whose law it is judged.
        origin: a published list, or an older register.
        extension_count: number of extensions that the measure has had.
        first_started_on: first day of the measure before its extensions; None if it had none, or if the day is unknown.
        photo_optional: whether it comes from a register that never had photos.

    Raises:
        CekalError: a rule forbids it (see `law.judge`).
    """
    request = replace(
        request_of(requested, origin),
        extension_count=extension_count,
        first_started_on=first_started_on,
        photo_optional=photo_optional,
    )
    return judge(request, owner, policy, as_of)


def prepare(subject: Subject) -> StoredKeys:
    """Return an imported person's search keys, for `ImportedMeasure.keys`."""
    return name_keys.prepare(subject)


async def due_merge(reader: Reader, *, everything: bool) -> Merge | None:
    """Return the next merge of imported name keys; None if none is due, as always on PostgreSQL.

    On SQLite each transaction of an import stores its name keys in a run, a sorted block beside the index. Without
    `everything`, a merge is due when there are eight runs of about one size, and makes one larger run of them. With
    `everything`, the merge moves all runs into the index, and None means that there are no runs. `move_keys` carries
    out the merge.
    """
    return await name_keys.due(reader, everything=everything)


async def move_keys(unit: Unit, merge: Merge, place: int) -> None:
    """Move one slice of a merge's keys from their runs to the merged run or to the index (see `due_merge`).

    The caller gives each slice its own transaction. `place` is the number of the slice, from 0 to `len(merge.starts)`
    inclusive. A slice that was moved before is empty, so moving it again changes nothing.
    """
    await name_keys.move(unit, merge, place)


async def expect_newest(reader: Reader, source: Source, edition: datetime) -> None:
    """Raise `WrongState` if a newer edition of a list was imported or is being imported; an equal one is no error.

    Raises:
        WrongState: the register knows an edition that was generated after `edition`.
    """
    last = await sources.find_edition(reader, source.origin)
    if last is not None and edition < last:
        raise WrongState(
            f"This edition of {edition:%Y-%m-%d %H:%M} UTC is older than the one of {last:%Y-%m-%d %H:%M} UTC, "
            "which has been imported."
        )


async def open_edition(unit: Unit, source: Source, edition: datetime, persons: int) -> None:
    """Store that an edition of a list is being imported; from then on older editions are refused.

    Args:
        unit: the transaction.
        source: the list.
        edition: when the edition was generated.
        persons: the number of persons on it.

    Raises:
        WrongState: a newer edition was imported or is being imported.
    """
    await expect_newest(unit, source, edition)
    await sources.keep_edition(unit, source.origin, edition, persons)


async def list_records(reader: Reader, source: Source) -> list[ImportedRecord]:
    """Return the persons of a source, ordered by key; persons that the list has withdrawn are left out."""
    known = await sources.list_all_known(reader, source.origin)
    held = {key: row for key, row in sorted(known.items()) if row[1] != WITHDRAWN}
    entries = {
        entry.id: entry for entry in await store.list_by_ids(reader, {row[0] for row in held.values()})
    }
    return [
        ImportedRecord(key, digest, entries[entry_id].basis.number, entries[entry_id].subject)
        for key, (entry_id, digest) in held.items()
    ]


async def list_digests(reader: Reader, keys: Iterable[Key]) -> dict[Key, str]:
    """Return the stored digest of each of these imported items, by its key; keys never imported are left out.

    An item whose digest is the same has not changed since its last import. For a person that the list has withdrawn the
    value is `WITHDRAWN`. No lock is taken.
    """
    return {key: digest for key, (_, digest) in (await _known(reader, keys)).items()}


async def import_items(
    unit: Unit, items: Sequence[ImportedMeasure], approvers: Approvers
) -> list[ImportOutcome | CekalError]:
    """Add or change the entries of imported items, and publish the changes. The items must have different keys.

    - A new item becomes an active entry, or an ended one if its period is over.
    - A changed item (its digest differs) becomes the next version of its entry.
    - An item becomes a new entry again if its entry was withdrawn, or has expired and the source now gives a longer
      period.
    - An unchanged item changes nothing.

    Returns:
        For each item, in order, its outcome, or the error that refused it, which is not raised. DuplicateEntry: the
        owner has an entry with this letter or case. CaseClosed: a judgment closed the case. WrongState: the entry has
        ended or was changed here. Invalid: the item has another measure than its entry. Items of a published list are
        not refused as duplicates or for a closed case, because the list itself identifies its persons.
    """
    for code in sorted({item.agency for item in items}):
        await lock_agency(unit, code)
    known = await _known(unit, (item.key for item in items))
    entries = await store.list_by_ids(unit, {entry_id for entry_id, _ in known.values()})
    current = {entry.id: entry.at(unit.now) for entry in entries}
    outcomes: _Outcomes = {}
    fresh, changed = [], []
    for item in items:
        entry_id, digest = known.get(item.key, ("", WITHDRAWN))
        if digest == WITHDRAWN or item.outlives(current[entry_id]):
            fresh.append(item)
        elif digest == item.digest:
            outcomes[item.key] = "unchanged"
        else:
            changed.append((entry_id, item))
    for entry_id, item in sorted(changed, key=itemgetter(0)):  # locked by their ids, as everywhere
        outcomes[item.key] = await _change(unit, item, entry_id, approvers)
    if fresh:
        outcomes |= await _add_items(unit, fresh, approvers, known)
    await unit.conclude()
    return [outcomes[item.key] for item in items]


async def withdraw(unit: Unit, source: Source, references: Sequence[str], reason: str) -> int:
    """End the entries of persons that are no longer on a list. Returns the number of entries that this call ended.

    Args:
        unit: the transaction.
        source: the list.
        references: the persons' keys in the list; unknown keys, and keys that were withdrawn before, are ignored.
        reason: the reason in the entries' history.

    Raises:
        ClockInDoubt: the clock is not plausible, and an entry would end.
    """
    ended = 0
    known = await sources.list_known(unit, source.origin, references)
    # Entries are locked by their ids, as everywhere.
    for reference, (entry_id, digest) in sorted(known.items(), key=itemgetter(1)):
        if digest == WITHDRAWN:
            continue
        before = await store.lock(unit, entry_id)
        await sources.keep(unit, source.origin, reference, entry_id, WITHDRAWN)
        if before.at(unit.now).state is State.ENDED:
            continue
        unit.expect_plausible()
        entry = before.ended(EndedReason.REVOKED, unit.now, unit.now)
        await store.save(unit, entry, Act.IMPORT_WITHDRAWN, reason)
        unit.happened(EntryChanged(entry, RecordType.ENTRY_ENDED))
        ended += 1
    await unit.conclude()
    return ended


async def _known(reader: Reader, keys: Iterable[Key]) -> dict[Key, tuple[str, str]]:
    """Return entry id and digest of imported items, by origin and reference."""
    references: dict[str, list[str]] = {}
    for origin, reference in keys:
        references.setdefault(origin, []).append(reference)
    known: dict[Key, tuple[str, str]] = {}
    for origin, requested in references.items():
        found = await sources.list_known(reader, origin, requested)
        known |= {(origin, reference): value for reference, value in found.items()}
    return known


async def _add_items(
    unit: Unit, items: Sequence[ImportedMeasure], approvers: Approvers, known: dict[Key, tuple[str, str]]
) -> _Outcomes:
    made = [item.entry(approvers, unit.actor.client_id, unit.now) for item in items]
    entries = await seal_imported(unit, [(e, item.requested) for e, item in zip(made, items, strict=True)])
    others = await _possible_duplicates(
        unit, [e for e, item in zip(entries, items, strict=True) if not item.source.leads]
    )
    outcomes: _Outcomes = {}
    added = []
    for item, entry in zip(items, entries, strict=True):
        earlier, _ = known.get(item.key, ("", ""))
        clash = None if item.source.leads else others.bar_to(entry, exclude=earlier)
        outcomes[item.key] = clash or "added"
        if clash is None:
            added.append((item, entry))
            others.add(entry)
    if not added:
        return outcomes
    prepared = {entry.id: item.keys for item, entry in added if item.keys is not None}
    noted = [(entry, item.note) for item, entry in added]
    await store.add_all(unit, noted, Act.IMPORTED, prepared or None)
    new = [(*item.key, entry.id, item.digest) for item, entry in added if item.key not in known]
    if new:
        await sources.add_all(unit, new)
    for item, entry in added:
        if item.key in known:
            await sources.keep(unit, *item.key, entry.id, item.digest)
        await keep_blobs(unit, entry, item.requested)
        unit.happened(_change_event(entry, RecordType.ENTRY_LISTED))
    return outcomes


async def _possible_duplicates(unit: Unit, entries: Sequence[Entry]) -> Neighbours:
    """Return the entries that share a letter or a case with one of these."""
    matters = {
        key for entry in entries for key in keys.case_and_letter_keys(entry.agency, entry.filed_content)
    }
    others = Neighbours()
    for other in await store.list_by_keys(unit, matters):
        others.add(other.at(unit.now))
    return others


async def _change(
    unit: Unit, item: ImportedMeasure, entry_id: str, approvers: Approvers
) -> ImportOutcome | CekalError:
    """Update an entry to the current content of its source."""
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
    )
    after = after.remembering(before).at(unit.now)
    [after] = await seal_imported(unit, [(after, item.requested)])
    await store.save(unit, after, Act.IMPORT_CHANGED, item.note, reindex=True)
    await keep_blobs(unit, after, item.requested)
    unit.happened(_change_event(after, RecordType.ENTRY_CORRECTED))
    return "changed"


def _refusal(unit: Unit, item: ImportedMeasure, before: Entry, events: Sequence[str]) -> CekalError | None:
    if before.at(unit.now).state is State.ENDED:
        return WrongState("The entry has ended here, and its source can't change it any more.")
    if not item.source.leads and not {Act.IMPORTED, Act.IMPORT_CHANGED}.issuperset(events):
        return WrongState("The entry was changed here since, and this register leads now.")
    if item.requested.measure is not before.measure:
        fault = Fault("/measure", "changed", "An entry's measure never changes.")
        return Invalid(fault.detail, faults=[fault])
    return None


def _change_event(entry: Entry, what: RecordType) -> EntryChanged:
    if entry.state is State.ENDED:
        return EntryChanged(entry, RecordType.ENTRY_ENDED, effective_at=entry.ended_at)
    return EntryChanged(entry, what)
