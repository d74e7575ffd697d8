"""What an evidence file contains: read once, in the file's first transaction, so that later changes don't matter."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import IMMIGRATION
from app.actor import Actor
from app.casework.papers import service, store
from app.casework.papers.domain import LetterHead, RecordedVersion
from app.casework.papers.heads import fix_head
from app.casework.papers.store import Json, Version
from app.db.unit import Reader, Unit
from app.kit.clock import rfc3339
from app.ledger.domain import Head, Record
from app.ledger.service import head, list_of_entry
from app.register.amendments.domain import Amendment
from app.register.entries.domain import Entry
from app.register.entries.store import find, list_formalising
from app.register.entries.visibility import shows_photo
from app.sync.heads.covering import CoveringHead, covering_head
from app.sync.heads.service import published_policy
from app.tlog.policy import Policy


@dataclass(frozen=True, slots=True)
class Linked:
    """An entry that formalisation links with the entry of the evidence file, with its recorded versions, oldest first.

    The entry is the urgent one that the file's entry formalises, or an entry or request that formalises the file's
    entry.
    """

    entry: Entry
    recorded: Sequence[RecordedVersion]

    @property
    def evidence(self) -> str:
        """The API path of this entry's own evidence file."""
        return f"/v1/entries/{self.entry.id}/evidence"


@dataclass(frozen=True, slots=True)
class Case:
    """The content of an evidence file, read in one transaction.

    Attributes:
        entry: the entry at the time of the transaction.
        versions: every version of the entry, oldest first.
        amendments: the entry's amendments, oldest first.
        records: the ledger's records about the entry, oldest first.
        recorded: the entry's versions with the records that published them, oldest first.
        linked: the entries that the entry formalises or that formalise it, if the actor may see them.
        head: the ledger's head.
        letter_heads: the head that the code of each letter shows, by the number of the letter's record; None if no
            signed head covers the record yet. Letters of linked entries are included.
        proving: the signed head that proves each record, by the record's number; records that no head covers yet are
            omitted.
        policy: the keys and the quorum of witnesses that the register publishes.
        until: the time of the transaction. What is stored later is left out of the file; the module `evidence.file`
            names the exceptions.
        by: the actor that requested the file.
    """

    entry: Entry
    versions: Sequence[Version]
    amendments: Sequence[Amendment]
    records: Sequence[Record]
    recorded: Sequence[RecordedVersion]
    linked: Sequence[Linked]
    head: Head
    letter_heads: Mapping[int, LetterHead | None]
    proving: Mapping[int, CoveringHead]
    policy: Policy
    until: datetime
    by: Actor


async def last_record(reader: Reader, entry_id: str) -> int | None:
    """Return the number of the ledger's last record about an entry; None if it has no record.

    Raises:
        NotFound: the actor sees no entry with this id, or not its photo.
    """
    await service.get_with_photo(reader, entry_id)
    return max((each.sequence for each in await list_of_entry(reader, entry_id)), default=None)


async def open_case(unit: Unit, entry_id: str, policy: Policy) -> Case:
    """Return the content of an entry's evidence file, and log the request.

    The signed ledger head that each letter in the file shows is stored if it is final (see `fix_head`), so that later
    copies show the same head.

    Args:
        unit: the transaction.
        entry_id: the entry.
        policy: the register's witnesses and their quorum.

    Raises:
        NotFound: the actor sees no entry with this id, or not its photo.
        LedgerBroken: the ledger's stored hashes contradict a signed head.
    """
    entry = await service.get_with_photo(unit, entry_id)
    versions = await store.list_versions(unit, entry_id)
    amendments = await service.list_amendments_of_case(unit, entry)
    records = await list_of_entry(unit, entry_id)
    await record(unit, AuditAct.EVIDENCE_ASKED, entry_id, {"version": entry.version})
    recorded = service.recorded_versions(records, versions, amendments)
    linked = [
        Linked(each, await service.list_recorded_versions(unit, each))
        for each in await _linked(unit, entry)
        if shows_photo(each, unit.actor)
    ]
    lettered = [
        each.record
        for of, some in ((entry, recorded), *((each.entry, each.recorded) for each in linked))
        for each in some
        if each.kind is not None and of.erased_at is None
    ]
    return Case(
        entry=entry,
        versions=versions,
        amendments=[each for each in amendments if each.entry_id == entry_id],
        records=records,
        recorded=recorded,
        linked=linked,
        head=await head(unit),
        letter_heads={each.sequence: await fix_head(unit, each, policy) for each in lettered},
        proving=await _proving(unit, records, policy),
        policy=await published_policy(unit, policy),
        until=unit.now,
        by=unit.actor,
    )


async def _proving(reader: Reader, records: Sequence[Record], policy: Policy) -> dict[int, CoveringHead]:
    """Return the head that covers each record, as far as there is one; the first with the quorum, if one has it."""
    found: dict[int, CoveringHead] = {}
    here: CoveringHead | None = None
    for each in records:
        if here is None or here.checkpoint.size < each.sequence:
            here = await covering_head(reader, each.sequence, policy)
        if here is not None:
            found[each.sequence] = here
    return found


async def _linked(unit: Unit, entry: Entry) -> list[Entry]:
    """Return the urgent entry that this one formalises, and the entries that formalise this one."""
    before = await find(unit, entry.formalises) if entry.formalises else None
    following = await list_formalising(unit, entry.id)
    return [*([before] if before is not None else []), *sorted(following, key=lambda each: each.id)]


def decisions(versions: Iterable[Version], amendments: Iterable[Amendment]) -> list[Json]:
    """Return every act on an entry and on its amendments, oldest first.

    An act is a dict of `about` (id of the entry or amendment), `act` (its name), `version` (of an entry the number of
    the version that it made; of an amendment 1 for its filing, 2 for the first decision on it, and so on), `by` (id of
    the client), `person` (employee number or None), `at` and `reason`.
    """
    acts: list[Json] = [
        {
            "about": version.entry.id,
            "act": version.event,
            "version": version.entry.version,
            "by": version.by,
            "person": version.person,
            "at": rfc3339(version.at),
            "reason": version.reason,
        }
        for version in versions
    ]
    for amendment in amendments:
        filed = {
            "about": amendment.id,
            "act": f"{amendment.kind.value}_filed",
            "version": 1,
            "by": amendment.submitted_by,
            "person": amendment.authors[0] if amendment.authors else None,
            "at": rfc3339(amendment.received_at),
            "reason": amendment.reason,
        }
        acts.append(filed)
        acts += [
            {
                "about": amendment.id,
                "act": f"{amendment.kind.value}_{step.verdict.value}",
                "version": number,
                "by": step.by,
                "person": step.person,
                "at": rfc3339(step.at),
                "reason": step.reason,
            }
            for number, step in enumerate(amendment.steps, 2)
        ]
    return sorted(acts, key=lambda act: str(act["at"]))


def reports(versions: Iterable[Version]) -> set[str]:
    """Return the numbers of the supervision reports on which versions of an entry of Immigration are based (R6).

    Empty for entries of other agencies, and for versions that are based on another instrument.
    """
    bases = [version.entry.basis for version in versions if version.entry.agency == IMMIGRATION]
    return {basis.number for basis in bases if basis.instrument == "supervision_report"}
