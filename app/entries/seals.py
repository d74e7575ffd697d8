"""Sealed entries: about officers and users of the register, or others that a submitter wants to shield (R61).

The users that an entry may be about are looked up when it is written, and again for every account that is
made later (`follow_persons`): so nothing has to be searched when an entry is read (`views.open_to`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.access.domain import IMMIGRATION, Agency, PersonKnown, normal_person
from app.access.service import (
    LONGEST_KEY,
    PersonsRegistered,
    find_place,
    list_on_duty,
    list_persons,
    record,
)
from app.db.unit import Reader, Unit
from app.entries import keys, store
from app.entries.domain import Entry, Notice
from app.entries.events import EntrySealed, SealedByItself
from app.entries.subjects import Subject
from app.entries.views import visible
from app.entries.wanted import Wanted
from app.errors import Fault, Invalid, NotFound, WrongRole
from app.identity import names
from app.ledger.domain import Draft
from app.ledger.service import close

_SEALED = "sealed"
_OTHER = "other"
"""Type of the document that an employee's card is given as."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the register knows of some persons: accounts with a number or a name that was asked for."""

    accounts: tuple[PersonKnown, ...]

    def about(self, *subjects: Subject) -> set[str]:
        """The numbers of the persons that a subject may be."""
        called = set[str]().union(*map(_names, subjects))
        numbered = set[str]().union(*map(_numbers, subjects))
        return {
            each.number for each in self.accounts if each.folded_name in called or each.number in numbered
        }

    @property
    def users(self) -> set[str]:
        """Everybody's numbers."""
        return {each.number for each in self.accounts}

    @property
    def on_duty(self) -> set[str]:
        """The numbers of duty officers whose accounts work."""
        return {each.number for each in self.accounts if each.on_duty}


async def seal(
    unit: Unit, entry: Entry, wished: Sequence[str] | None = None, before: Entry | None = None
) -> Entry:
    """An entry with the seal that it needs, as a submitter files it, before it is stored.

    Args:
        unit: the transaction.
        entry: a new entry, or the next version of one.
        wished: persons that the submitter wants its seal to name; None where nothing was said.
        before: the version before, or the entry that it follows; its seal is kept, and who wrote it let in.

    Raises:
        Invalid: a wished person is no user of the register, or may be the subject; or nobody is named who can
            countersign an urgent entry, or see another.
    """
    earlier = before.opened_to if before is not None else frozenset()
    subjects = _subjects(entry)
    known = await _known(unit, subjects, {*(wished or ()), *earlier})
    _expect_strangers(known, wished or (), subjects, "/sealed_for")
    about = known.about(*subjects)
    barred = {*entry.barred, *(before.barred if before is not None else ()), *about}
    was_sealed = before is not None and before.sealed_for is not None
    if wished is None and not was_sealed and not barred:
        return entry
    entry = _closed(entry, {*(wished or ()), *earlier}, barred, tell=bool(about) and wished is None)
    await _expect_openable(unit, entry, known, "/sealed_for")
    await close(unit, entry.id, entry.barred)
    return entry


async def seal_changed(unit: Unit, entry: Entry, before: Entry) -> Entry:
    """An entry that an act has changed which names no persons, with the seal that it needs now.

    Where it had no seal, the persons who have acted on it until then are let in; where it is urgent, the duty
    officers are too.
    """
    subjects = _subjects(entry)
    about = (await _known(unit, subjects, ())).about(*subjects)
    if not about and before.sealed_for is None:
        return entry
    return await _kept_open(unit, entry, before, about)


async def seal_filed(
    unit: Unit, entry: Entry, wished: Sequence[str] | None, named: Subject | None
) -> tuple[Entry, Sequence[Notice]]:
    """Seal an entry for what is filed about it: as wished, or because a correction names an officer or user.

    Args:
        unit: the transaction, which holds the entry.
        entry: as it is now.
        wished: as in `seal`.
        named: the persons that the correction names, if any.

    Returns:
        The entry, stored where its seal has changed; and what the amendment is to warn of.

    Raises:
        Invalid: as `seal`.
    """
    if wished is None and named is None:
        return entry, ()
    subjects = [*_subjects(entry), *((named,) if named is not None else ())]
    known = await _known(unit, subjects, {*(wished or ()), *entry.opened_to, str(unit.actor.person)})
    _expect_strangers(known, wished or (), subjects, "/sealed_for")
    about = known.about(*subjects) - {*entry.barred}
    if wished is None and not about:
        return entry, ()
    after = entry.replace(version=entry.version + 1, updated_at=unit.now)
    let_in = {*(wished or ()), *entry.opened_to, str(unit.actor.person)}
    after = _closed(after, let_in, {*entry.barred, *about}, tell=False)
    await _expect_openable(unit, after, known, "/sealed_for")
    await _save(unit, after, entry)
    return after, () if wished is not None else (_warning("/correction/subject"),)


async def seal_imported(unit: Unit, entries: Sequence[tuple[Entry, Wanted]]) -> list[Entry]:
    """Imported entries; those that need a seal sealed for the two persons who stand for the import, too."""
    known = await _known(unit, [subject for entry, _ in entries for subject in _subjects(entry)], ())
    sealed = []
    for entry, wanted in entries:
        about = known.about(*_subjects(entry))
        if not (about or wanted.sealed_for is not None or entry.sealed_for is not None):
            sealed.append(entry)
            continue
        let_in = {*map(normal_person, entry.approved_by), *(wanted.sealed_for or ()), *entry.opened_to}
        barred = {*entry.barred, *about}
        sealed.append(_closed(entry, let_in, barred, tell=bool(about) and wanted.sealed_for is None))
        await close(unit, entry.id, entry.barred)
    return sealed


async def change_seal(unit: Unit, entry_id: str, expected: int, persons: Sequence[str]) -> Entry:
    """Set the persons that an entry's seal names; its authors always see it.

    An entry that had no seal gets one. Checkpoints that were alerted before there was a seal get an
    update that takes the identity away.

    Raises:
        NotFound: outside the actor's view.
        StaleVersion: it has changed meanwhile.
        WrongRole: the actor neither wrote the entry nor is named by its seal.
        Invalid: a person is no user of the register, or may be the subject; or an urgent entry's names no duty officer.
    """
    before = await store.lock(unit, entry_id)
    if not visible(before, unit.actor):
        raise NotFound("There is no such entry.")
    before.expect(expected)
    if unit.actor.person not in before.opened_to:
        raise WrongRole("Only the entry's authors and persons named in its seal may change the seal (R61).")
    subjects = _subjects(before)
    known = await _known(unit, subjects, persons)
    _expect_strangers(known, persons, subjects, "/persons")
    entry = before.replace(version=before.version + 1, updated_at=unit.now)
    entry = _closed(entry, persons, before.barred, tell=False)
    await _expect_openable(unit, entry, known, "/persons")
    await _save(unit, entry, before)
    await unit.conclude()
    return entry


async def follow_persons(unit: Unit, event: PersonsRegistered) -> Sequence[Draft]:
    """Close to persons with an account every entry that may be about them. A projector.

    Their names and numbers are keys of the entries, so that no entry is read but those.
    """
    wanted = set[str]().union(*map(keys.account_keys, event.persons))
    for found in await store.list_by_keys(unit, wanted):
        before = await store.lock(unit, found.id)
        await bar(unit, before, _Known(event.persons).about(*_subjects(before)))
    return ()


def who_may_be(subject: Subject, persons: tuple[PersonKnown, ...]) -> set[str]:
    """The numbers of the persons of the register with a subject's folded name or employee number."""
    return _Known(persons).about(subject)


async def bar(unit: Unit, before: Entry, persons: set[str]) -> None:
    """Close an entry, which the transaction holds, to its possible subjects.

    Its authors are notified: they name who is to decide on it from now on.
    """
    if persons <= {*before.barred} or before.erased_at is not None:
        return
    entry = before.replace(version=before.version + 1, updated_at=unit.now)
    entry = await _kept_open(unit, entry, before, persons)
    await _save(unit, entry, before)
    unit.happened(SealedByItself(entry))


async def _kept_open(unit: Unit, entry: Entry, before: Entry, about: Iterable[str]) -> Entry:
    """An entry that is sealed without asking anybody, so that the persons who work on it can go on."""
    let_in = {*before.opened_to} if before.sealed_for is not None else {*before.acted, *entry.acted}
    barred = {*before.barred, *entry.barred, *about}
    entry = _closed(entry, let_in, barred, tell=bool({*about}.difference(before.barred)))
    if _needs_duty_officer(entry):
        on_duty = {each.number for each in await list_on_duty(unit)}
        if not _may_countersign(entry, on_duty):
            entry = _closed(entry, {*let_in, *on_duty.difference(entry.authors)}, barred, tell=False)
    await close(unit, entry.id, entry.barred)
    return entry


def _closed(entry: Entry, let_in: Iterable[str], barred: Iterable[str], *, tell: bool) -> Entry:
    if tell and not any(each.code == _SEALED for each in entry.warnings):
        entry = entry.replace(warnings=(*entry.warnings, _warning("/subject")))
    kept_out = tuple(sorted(set(barred)))
    return entry.replace(sealed_for=tuple(sorted({*let_in}.difference(kept_out))), barred=kept_out)


def _warning(pointer: str) -> Notice:
    detail = (
        "The subject may be an officer or user of the register, so the entry is sealed: only its author and "
        "the persons that the seal names see it; name those who are to decide on it (R61)."
    )
    return Notice(_SEALED, pointer, detail)


async def _save(unit: Unit, entry: Entry, before: Entry) -> None:
    """Store a version whose seal is what has changed, and take the identity from checkpoints that still show it."""
    await close(unit, entry.id, entry.barred)
    await store.save(unit, entry, "sealed")
    await record(unit, "entry.sealed", entry.id, {"persons": list(entry.sealed_for or ())})
    if before.sealed_for is None and before.alerted and before.at(unit.now).runs:
        unit.happened(EntrySealed(entry))


def _needs_duty_officer(entry: Entry) -> bool:
    return entry.urgent and (entry.runs or entry.pending)


def _may_countersign(entry: Entry, on_duty: Iterable[str]) -> bool:
    return bool(entry.opened_to.intersection(on_duty).difference(entry.authors))


async def _expect_openable(reader: Reader, entry: Entry, known: _Known, pointer: str) -> None:
    """Make sure that a seal leaves somebody who can act: on an urgent entry a duty officer who is no author.

    Raises:
        Invalid: it does not; with the telephone of Immigration, which can say which officer to name.
    """
    if _needs_duty_officer(entry) and not _may_countersign(entry, known.on_duty):
        code = "duty_officer_required"
        detail = (
            "This urgent entry is sealed, by your wish or because its subject may be an officer or user of the "
            "register. Name the employee number of a duty officer of Immigration who did not write it, or nobody "
            "could countersign it; Immigration's telephone is in `contact`."
        )
    elif not entry.opened_to:
        code = "required"
        detail = (
            "You may be the entry's subject, so you will not see it: name others who are to decide on it."
        )
    else:
        return
    immigration = await find_place(reader, Agency, IMMIGRATION)
    contact = {"agency": IMMIGRATION, "phone": immigration.phone if immigration is not None else None}
    raise Invalid(
        "The seal leaves nobody who can act on the entry (R61).",
        faults=[Fault(pointer, code, detail)],
        extra={"contact": contact},
    )


async def _known(reader: Reader, subjects: Iterable[Subject], persons: Iterable[str]) -> _Known:
    """The accounts of some persons, and of the possible persons of some subjects: one statement."""
    subjects = list(subjects)
    numbers = set(persons).union(*map(_numbers, subjects))
    called = set[str]().union(*map(_names, subjects))
    return _Known(tuple(await list_persons(reader, numbers, called)))


def _subjects(entry: Entry) -> list[Subject]:
    """The persons that the entry names, and that its earlier versions named."""
    return [entry.subject, *(former.subject for former in entry.former)]


def _names(subject: Subject) -> set[str]:
    spellings = (subject.full_name, *(alias.name for alias in subject.aliases if alias.quality == "good"))
    return {names.fold(spelling)[:LONGEST_KEY] for spelling in spellings} - {""}


def _numbers(subject: Subject) -> set[str]:
    return {normal_person(each.number) for each in subject.documents if each.type == _OTHER} - {""}


def _expect_strangers(
    known: _Known, persons: Sequence[str], subjects: Sequence[Subject], pointer: str
) -> None:
    """Make sure that each person named is a user, and none of them can be the subject."""
    about = known.about(*subjects)
    faults = []
    for i, person in enumerate(persons):
        if person not in known.users:
            detail = "No person of the register has this employee number."
            faults.append(Fault(f"{pointer}/{i}", "unknown", detail))
        elif person in about:
            faults.append(
                Fault(f"{pointer}/{i}", "subject", "This may be the person that the entry is about.")
            )
    if faults:
        raise Invalid("An entry can't be sealed for these persons.", faults=faults)
