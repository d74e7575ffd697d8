"""What an evidence file will show, fixed at one moment."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.access.domain import IMMIGRATION
from app.access.service import record
from app.amendments.domain import Amendment
from app.db.unit import Actor, Unit
from app.entries.domain import Entry
from app.entries.store import find, list_formalising
from app.entries.views import shows_photo
from app.kit.clock import rfc3339
from app.ledger.domain import Head, Record
from app.ledger.service import head, list_of_entry
from app.papers import service, store
from app.papers.domain import Told
from app.papers.store import Json, Version


@dataclass(frozen=True, slots=True)
class Linked:
    """The urgent entry that an entry formalises, or a formal one that follows it, with what its letters are about."""

    entry: Entry
    told: Sequence[Told]

    @property
    def evidence(self) -> str:
        """Where its own evidence file is."""
        return f"/v1/entries/{self.entry.id}/evidence"


@dataclass(frozen=True, slots=True)
class Case:
    """What an evidence file will show: read at one moment.

    Attributes:
        entry: the entry as it was at that moment.
        linked: what it formalises, or what formalises it, as far as the actor sees it.
        until: the moment.
        by: who asked for it.
    """

    entry: Entry
    versions: Sequence[Version]
    amendments: Sequence[Amendment]
    records: Sequence[Record]
    told: Sequence[Told]
    linked: Sequence[Linked]
    head: Head
    until: datetime
    by: Actor


async def open_case(unit: Unit, entry_id: str) -> Case:
    """Fix what the evidence file of an entry will show; that it was asked for is recorded.

    Raises:
        NotFound: the entry is outside the actor's view.
    """
    entry = await service.get_wholly(unit, entry_id)
    versions = await store.list_versions(unit, entry_id)
    amendments = await service.list_decided(unit, entry)
    records = await list_of_entry(unit, entry_id)
    await record(unit, "evidence.asked", entry_id, {"version": entry.version})
    told = service.letters_of(records, versions, amendments)
    linked = [
        Linked(each, await service.letters_until_now(unit, each))
        for each in await _linked(unit, entry)
        if shows_photo(each, unit.actor)
    ]
    of_entry = [each for each in amendments if each.entry_id == entry_id]
    return Case(entry, versions, of_entry, records, told, linked, await head(unit), unit.now, unit.actor)


async def _linked(unit: Unit, entry: Entry) -> list[Entry]:
    """The urgent entry that this one formalises, and those that formalise this one."""
    before = await find(unit, entry.formalises) if entry.formalises else None
    following = await list_formalising(unit, entry.id)
    return [*([before] if before is not None else []), *sorted(following, key=lambda each: each.id)]


def decisions(versions: Iterable[Version], amendments: Iterable[Amendment]) -> list[Json]:
    """Every act on an entry and on its amendments, in order."""
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
    """Numbers of the supervision reports that an entry rests on, or rested on before it was corrected (R6)."""
    bases = [version.entry.basis for version in versions if version.entry.agency == IMMIGRATION]
    return {basis.number for basis in bases if basis.instrument == "supervision_report"}
