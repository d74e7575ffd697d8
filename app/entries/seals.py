"""Sealed entries: about officers and users of the register, or whoever a submitter wants to shield (R61)."""

from collections.abc import Iterable, Sequence

from app.access.domain import normal_person
from app.access.service import list_persons, record
from app.db.unit import Reader, Unit
from app.entries import store
from app.entries.domain import Entry, Notice, State
from app.entries.events import EntrySealed
from app.entries.subjects import Subject
from app.entries.views import visible
from app.entries.wanted import Wanted
from app.errors import Fault, Invalid, NotFound, WrongRole
from app.identity import names
from app.ledger.service import close

_SEALED = "sealed"
_OTHER = "other"
"""Type of the document that an employee's card is given as."""


async def seal(
    unit: Unit, entry: Entry, wished: Sequence[str] | None = None, before: Entry | None = None
) -> Entry:
    """An entry with the seal that it needs, before it is stored.

    Args:
        unit: the transaction.
        entry: a new entry, or the next version of one.
        wished: persons for whom its submitter wants it sealed; None where nothing was said.
        before: the version before, or the entry that it follows; its seal is kept, and who wrote it let in.

    Raises:
        Invalid: a wished person is no user of the register, or may be the subject.
    """
    if wished is not None:
        await _expect_strangers(unit, wished, entry.subject, "/sealed_for")
    was_sealed = before is not None and before.sealed_for is not None
    [by_itself] = await _about_officers(unit, [entry.subject])
    if wished is None and not was_sealed and not by_itself:
        return entry
    earlier = before.opened_to if before is not None else ()
    return await _close(unit, entry, {*(wished or ()), *earlier}, tell=by_itself and wished is None)


async def seal_imported(unit: Unit, entries: Sequence[tuple[Entry, Wanted]]) -> list[Entry]:
    """Imported entries; those that need a seal sealed for the two persons who stand for the import, too."""
    about = await _about_officers(unit, [entry.subject for entry, _ in entries])
    sealed = []
    for (entry, wanted), by_itself in zip(entries, about, strict=True):
        if by_itself or wanted.sealed_for is not None or entry.sealed_for is not None:
            named = {*map(normal_person, entry.approved_by), *(wanted.sealed_for or ()), *entry.opened_to}
            entry = await _close(unit, entry, named, tell=by_itself and wanted.sealed_for is None)  # noqa: PLW2901 - the same, sealed
        sealed.append(entry)
    return sealed


async def change_seal(unit: Unit, entry_id: str, expected: int, persons: Sequence[str]) -> Entry:
    """Say for whom an entry is sealed; its authors always see it. An entry that had no seal gets one.

    Checkpoints that were alerted before there was a seal are told to take the identity away.

    Raises:
        NotFound: outside the actor's view.
        StaleVersion: it has changed meanwhile.
        WrongRole: the actor neither wrote the entry nor is named by its seal.
        Invalid: a person is no user of the register, or may be the subject.
    """
    before = await store.lock(unit, entry_id)
    if not visible(before, unit.actor):
        raise NotFound("There is no such entry.")
    before.expect(expected)
    if unit.actor.person not in before.opened_to:
        raise WrongRole("A seal is changed by who wrote the entry, or by a person whom it names (R61).")
    await _expect_strangers(unit, persons, before.subject, "/persons")
    entry = before.replace(version=before.version + 1, updated_at=unit.now)
    entry = await _close(unit, entry, set(persons), tell=False)
    await store.save(unit, entry, "sealed")
    await record(unit, "entry.sealed", entry.id, {"persons": sorted(set(persons))})
    holds = before.at(unit.now).state in {State.PROVISIONAL, State.ACTIVE}
    if before.sealed_for is None and before.alerted and holds:
        unit.happened(EntrySealed(entry))
        await unit.conclude()
    return entry


async def _close(unit: Unit, entry: Entry, persons: Iterable[str], *, tell: bool) -> Entry:
    await close(unit, entry.id)
    if tell and not any(each.code == _SEALED for each in entry.warnings):
        detail = (
            "The subject may be an officer or user of the register, so the entry is sealed: only its author and "
            "whom the seal names see it; name those who are to decide on it (R61)."
        )
        entry = entry.replace(warnings=(*entry.warnings, Notice(_SEALED, "/subject", detail)))
    return entry.replace(sealed_for=tuple(sorted(persons)))


async def _about_officers(reader: Reader, subjects: Sequence[Subject]) -> list[bool]:
    """Whether each subject has the folded name, or the employee number, of a person of the register."""
    called = [_names(subject) for subject in subjects]
    numbered = [_numbers(subject) for subject in subjects]
    found = await list_persons(reader, set().union(*numbered), set().union(*called))
    known_numbers, known_names = {number for number, _ in found}, {name for _, name in found}
    return [
        bool(name & known_names or number & known_numbers)
        for name, number in zip(called, numbered, strict=True)
    ]


def _names(subject: Subject) -> set[str]:
    spellings = (subject.full_name, *(alias.name for alias in subject.aliases if alias.quality == "good"))
    return {names.fold(spelling) for spelling in spellings} - {""}


def _numbers(subject: Subject) -> set[str]:
    return {normal_person(each.number) for each in subject.documents if each.type == _OTHER} - {""}


async def _expect_strangers(reader: Reader, persons: Sequence[str], subject: Subject, pointer: str) -> None:
    """Make sure that each person named is a user, and none of them can be the subject."""
    users = dict(await list_persons(reader, persons, ()))
    called, numbered = _names(subject), _numbers(subject)
    faults = []
    for i, person in enumerate(persons):
        if person not in users:
            detail = "No person of the register has this employee number."
            faults.append(Fault(f"{pointer}/{i}", "unknown", detail))
        elif users[person] in called or person in numbered:
            faults.append(
                Fault(f"{pointer}/{i}", "subject", "This may be the person whom the entry is about.")
            )
    if faults:
        raise Invalid("An entry can't be sealed for these persons.", faults=faults)
