"""Sealing entries about officers and users of the register, or other persons that a submitter protects (R61).

The users that an entry may be about are looked up when it is written, and again for every new account
(`seal_own_entries`). So no search is needed when an entry is read (`visibility.open_to`).

The records of a sealed entry are closed in the ledger: their personal part is shown to auditors only from then on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.access.acts import AuditAct
from app.access.clients.service import (
    LONGEST_FOLDED_NAME,
    PersonsRegistered,
    find_place,
    list_on_duty,
    list_persons,
    record,
)
from app.access.domain import IMMIGRATION, AccountHolder, Agency
from app.access.employee_numbers import written_forms
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, WrongRole
from app.identity import names
from app.ledger.domain import Draft
from app.ledger.service import close
from app.register.entries import keys, store
from app.register.entries.acts import Act
from app.register.entries.domain import Entry, EntryWarning
from app.register.entries.events import EntrySealed, SealedByItself
from app.register.entries.requested import RequestedMeasure
from app.register.entries.subjects import Subject
from app.register.entries.visibility import visible

_SEALED = "sealed"
_OTHER = "other"
"""Document type under which an employee card is filed."""


@dataclass(frozen=True, slots=True)
class _Accounts:
    """Accounts of users with one of the requested numbers or names."""

    accounts: tuple[AccountHolder, ...]

    def about(self, *subjects: Subject) -> set[str]:
        """Return the numbers of the users that one of the subjects may be."""
        spellings = set[str]().union(*map(_names, subjects))
        numbered = set[str]().union(*map(_numbers, subjects))
        return {
            each.number for each in self.accounts if each.folded_name in spellings or each.number in numbered
        }

    def named(self, persons: Iterable[str]) -> tuple[str, ...]:
        """Return employee numbers as their accounts have them, with or without a label; others as they are."""
        known = {form: each.number for each in self.accounts for form in written_forms(each.number)}
        return tuple(known.get(person, person) for person in persons)

    @property
    def users(self) -> set[str]:
        """The numbers of all these users."""
        return {each.number for each in self.accounts}

    @property
    def on_duty(self) -> set[str]:
        """The numbers of duty officers with working accounts."""
        return {each.number for each in self.accounts if each.on_duty}


async def seal(
    unit: Unit, entry: Entry, wished: Sequence[str] | None = None, before: Entry | None = None
) -> Entry:
    """Return an entry, filed by a submitter, with the seal that it needs; unchanged if it needs none.

    An entry needs a seal if the submitter requests one, if `before` has one, or if its subject may be a user of the
    register. The records of a sealed entry are closed in the ledger here; the caller stores the entry afterwards.

    Args:
        unit: the transaction.
        entry: a new entry, or the next version of one.
        wished: employee numbers of the persons that are to see the entry, as the submitter wishes; None requests no
            seal.
        before: the version before, or the entry that this one follows, if any; its seal is kept, and its authors may
            see the new entry.

    Raises:
        Invalid: a named person is no user of the register, or may be the subject. Or nobody could act on the sealed
            entry: an urgent one needs a duty officer who did not write it, any other one a person who sees it.
    """
    earlier = before.opened_to if before is not None else frozenset()
    subjects = _subjects(entry)
    accounts = await _accounts(unit, subjects, {*(wished or ()), *earlier})
    wished = None if wished is None else accounts.named(wished)
    _expect_strangers(accounts, wished or (), subjects, "/sealed_for")
    about = accounts.about(*subjects)
    barred = {*entry.barred, *(before.barred if before is not None else ()), *about}
    was_sealed = before is not None and before.sealed_for is not None
    if wished is None and not was_sealed and not barred:
        return entry
    entry = _sealed(entry, {*(wished or ()), *earlier}, barred, warn=bool(about) and wished is None)
    await _expect_openable(unit, entry, accounts, "/sealed_for")
    await close(unit, entry.id, entry.barred)
    return entry


async def seal_changed(unit: Unit, entry: Entry, before: Entry) -> Entry:
    """Return an entry with the seal that it needs after an act that requested none; unchanged if it needs none.

    An entry needs a seal if `before` has one, or if its subject may be a user of the register. A new seal admits the
    persons that have acted on the entry. The duty officers are admitted too if otherwise nobody could countersign an
    urgent entry. The records of a sealed entry are closed in the ledger here; the caller stores the entry.

    Args:
        unit: the transaction.
        entry: the entry after the act.
        before: the entry before the act.
    """
    subjects = _subjects(entry)
    about = (await _accounts(unit, subjects, ())).about(*subjects)
    if not about and before.sealed_for is None:
        return entry
    return await _kept_open(unit, entry, before, about)


async def seal_filed(
    unit: Unit, entry: Entry, wished: Sequence[str] | None, named: Subject | None
) -> tuple[Entry, Sequence[EntryWarning]]:
    """Seal an entry if a filed amendment requests it, or if a filed correction may name a user of the register.

    The seal admits the actor, who files the amendment, the persons in `wished`, the entry's authors, and the persons
    that an earlier seal admits. It never admits a person who may be the subject.

    Args:
        unit: the transaction, which holds the entry's lock.
        entry: the current entry.
        wished: employee numbers of the persons that the amendment admits to the seal; None requests no seal.
        named: the subject after the correction; None if the amendment corrects no subject.

    Returns:
        The entry, and the warnings for the amendment. If there is a reason to seal, the entry's next version is stored
        and returned, even if the seal stays the same; otherwise the entry is returned unchanged. There are no warnings
        if the seal was requested.

    Raises:
        Invalid: a named person is no user of the register, or may be the subject. Or nobody could act on the sealed
            entry: an urgent one needs a duty officer who did not write it, any other one a person who sees it.
    """
    if wished is None and named is None:
        return entry, ()
    subjects = [*_subjects(entry), *((named,) if named is not None else ())]
    accounts = await _accounts(unit, subjects, {*(wished or ()), *entry.opened_to, str(unit.actor.person)})
    wished = None if wished is None else accounts.named(wished)
    _expect_strangers(accounts, wished or (), subjects, "/sealed_for")
    about = accounts.about(*subjects) - {*entry.barred}
    if wished is None and not about:
        return entry, ()
    after = entry.replace(version=entry.version + 1, updated_at=unit.now)
    let_in = {*(wished or ()), *entry.opened_to, str(unit.actor.person)}
    after = _sealed(after, let_in, {*entry.barred, *about}, warn=False)
    await _expect_openable(unit, after, accounts, "/sealed_for")
    await _save(unit, after, entry)
    return after, () if wished is not None else (_warning("/correction/subject"),)


async def seal_imported(unit: Unit, entries: Sequence[tuple[Entry, RequestedMeasure]]) -> list[Entry]:
    """Return imported entries, in the same order; those are sealed whose subject may be a user or that request a seal.

    An entry that has a seal keeps one. A seal admits the persons that approve the import, those that the request names,
    and those that an earlier seal admits, but nobody who may be the subject. Whether the persons that the request names
    are users is not checked. The sealed entries' records are closed in the ledger; the caller stores the entries
    themselves.
    """
    subjects = [subject for entry, _ in entries for subject in _subjects(entry)]
    named = {person for entry, asked in entries for person in (*entry.approved_by, *(asked.sealed_for or ()))}
    accounts = await _accounts(unit, subjects, named)
    sealed = []
    for entry, requested in entries:
        about = accounts.about(*_subjects(entry))
        if not (about or requested.sealed_for is not None or entry.sealed_for is not None):
            sealed.append(entry)
            continue
        let_in = {*accounts.named((*entry.approved_by, *(requested.sealed_for or ()))), *entry.opened_to}
        barred = {*entry.barred, *about}
        after = _sealed(entry, let_in, barred, warn=bool(about) and requested.sealed_for is None)
        await close(unit, after.id, after.barred)
        sealed.append(after)
    return sealed


async def change_seal(unit: Unit, entry_id: str, expected: int, persons: Sequence[str]) -> Entry:
    """Set the persons that an entry's seal names, in addition to its authors. Returns the entry's new version.

    An entry without a seal gets one. Checkpoints that were alerted before the entry had a seal get an update that
    removes the identity.

    Args:
        unit: the transaction.
        entry_id: id of the entry.
        expected: the version that the actor has read.
        persons: employee numbers of the persons.

    Raises:
        NotFound: the actor sees no entry with this id.
        StaleVersion: the entry has changed since it was read.
        WrongRole: the actor neither wrote the entry nor is named by its seal.
        Invalid: a person is no user of the register, or may be the subject. Or nobody could act on the sealed entry: an
            urgent one needs a duty officer who did not write it, any other one a person who sees it.
    """
    before = await store.lock(unit, entry_id)
    if not visible(before, unit.actor):
        raise NotFound("There is no such entry.")
    before.expect(expected)
    if unit.actor.person not in before.opened_to:
        raise WrongRole("Only the entry's authors and persons named in its seal may change the seal (R61).")
    subjects = _subjects(before)
    accounts = await _accounts(unit, subjects, persons)
    persons = accounts.named(persons)
    _expect_strangers(accounts, persons, subjects, "/persons")
    entry = before.replace(version=before.version + 1, updated_at=unit.now)
    entry = _sealed(entry, persons, before.barred, warn=False)
    await _expect_openable(unit, entry, accounts, "/persons")
    await _save(unit, entry, before)
    await unit.conclude()
    return entry


async def seal_own_entries(unit: Unit, event: PersonsRegistered) -> Sequence[Draft]:
    """Seal the entries that may be about persons with new accounts, so that these persons never see them (R61).

    The transaction that creates the accounts calls this before its commit. Entries are found by the persons' names and
    employee numbers. Returns no ledger records.
    """
    requested = set[str]().union(*map(keys.account_keys, event.persons))
    for found in await store.list_by_keys(unit, requested):
        before = await store.lock(unit, found.id)
        await bar(unit, before, _Accounts(event.persons).about(*_subjects(before)))
    return ()


def list_possible_users(subject: Subject, persons: tuple[AccountHolder, ...]) -> set[str]:
    """Return the employee numbers of those of `persons` that the subject may be.

    A person is possible if their folded name is the subject's name or an alias of good quality, or if their employee
    number is the number of a document of type `other`.
    """
    return _Accounts(persons).about(subject)


async def bar(unit: Unit, before: Entry, persons: set[str]) -> None:
    """Hide an entry from users that may be its subject: seal it, and store the next version.

    The authors are notified, so that they name other persons to decide on the entry. If all these users are barred
    already, the entry does not change and nobody is notified; only its ledger records are closed to these users again.
    Does nothing if `persons` is empty, or if the person was erased from the entry.

    Args:
        unit: the transaction, which holds the entry's lock.
        before: the current entry.
        persons: employee numbers of the users.
    """
    if not persons or before.erased_at is not None:
        return
    if persons <= {*before.barred}:
        await close(unit, before.id, persons)  # an earlier release's import did not bar them from it
        return
    entry = before.replace(version=before.version + 1, updated_at=unit.now)
    entry = await _kept_open(unit, entry, before, persons)
    await _save(unit, entry, before)
    unit.happened(SealedByItself(entry))


async def _kept_open(unit: Unit, entry: Entry, before: Entry, about: Iterable[str]) -> Entry:
    """Seal an entry automatically, and admit the persons who already work on it."""
    let_in = {*before.opened_to} if before.sealed_for is not None else {*before.acted, *entry.acted}
    barred = {*before.barred, *entry.barred, *about}
    entry = _sealed(entry, let_in, barred, warn=bool({*about}.difference(before.barred)))
    if _needs_duty_officer(entry):
        on_duty = {each.number for each in await list_on_duty(unit)}
        if not _may_countersign(entry, on_duty):
            entry = _sealed(entry, {*let_in, *on_duty.difference(entry.authors)}, barred, warn=False)
    await close(unit, entry.id, entry.barred)
    return entry


def _sealed(entry: Entry, let_in: Iterable[str], barred: Iterable[str], *, warn: bool) -> Entry:
    if warn and not any(each.code == _SEALED for each in entry.warnings):
        entry = entry.replace(warnings=(*entry.warnings, _warning("/subject")))
    kept_out = tuple(sorted(set(barred)))
    return entry.replace(sealed_for=tuple(sorted({*let_in}.difference(kept_out))), barred=kept_out)


def _warning(pointer: str) -> EntryWarning:
    detail = (
        "The subject may be an officer or user of the register, so the entry is sealed: only its author and "
        "the persons that the seal names see it; name those who are to decide on it (R61)."
    )
    return EntryWarning(_SEALED, pointer, detail)


async def _save(unit: Unit, entry: Entry, before: Entry) -> None:
    """Store a version with a changed seal, and remove the identity from checkpoints that still show it."""
    await close(unit, entry.id, entry.barred)
    await store.save(unit, entry, Act.SEALED)
    await record(unit, AuditAct.ENTRY_SEALED, entry.id, {"persons": list(entry.sealed_for or ())})
    if before.sealed_for is None and before.alerted and before.at(unit.now).runs:
        unit.happened(EntrySealed(entry))


def _needs_duty_officer(entry: Entry) -> bool:
    return entry.urgent and (entry.runs or entry.awaits_decision)


def _may_countersign(entry: Entry, on_duty: Iterable[str]) -> bool:
    return bool(entry.opened_to.intersection(on_duty).difference(entry.authors))


async def _expect_openable(reader: Reader, entry: Entry, accounts: _Accounts, pointer: str) -> None:
    """Raise `Invalid` unless the seal admits a person who can act; for an urgent entry a duty officer who is no author.

    Raises:
        Invalid: it admits none; the error contains the telephone of Immigration, which knows the duty officers.
    """
    if _needs_duty_officer(entry) and not _may_countersign(entry, accounts.on_duty):
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


async def _accounts(reader: Reader, subjects: Iterable[Subject], persons: Iterable[str]) -> _Accounts:
    """Return the accounts of some persons and of the users that some subjects may be, read in one statement."""
    subjects = list(subjects)
    numbers = set[str]().union(*map(written_forms, persons), *map(_numbers, subjects))
    spellings = set[str]().union(*map(_names, subjects))
    return _Accounts(tuple(await list_persons(reader, numbers, spellings)))


def _subjects(entry: Entry) -> list[Subject]:
    """Return the current subject of an entry, and those of its earlier versions."""
    return [entry.subject, *(former.subject for former in entry.former)]


def _names(subject: Subject) -> set[str]:
    spellings = (subject.full_name, *(alias.name for alias in subject.aliases if alias.quality == "good"))
    return {names.fold(spelling)[:LONGEST_FOLDED_NAME] for spelling in spellings} - {""}


def _numbers(subject: Subject) -> set[str]:
    """Return the employee numbers that the subject's cards may have, with and without a label."""
    cards = (each.number for each in subject.documents if each.type == _OTHER)
    return set[str]().union(*map(written_forms, cards)) - {""}


def _expect_strangers(
    accounts: _Accounts, persons: Sequence[str], subjects: Sequence[Subject], pointer: str
) -> None:
    """Raise `Invalid` unless each named person is a user and none can be the subject."""
    about = accounts.about(*subjects)
    faults = []
    for i, person in enumerate(persons):
        if person not in accounts.users:
            detail = "No person of the register has this employee number."
            faults.append(Fault(f"{pointer}/{i}", "unknown", detail))
        elif person in about:
            faults.append(
                Fault(f"{pointer}/{i}", "subject", "This may be the person that the entry is about.")
            )
    if faults:
        raise Invalid("An entry can't be sealed for these persons.", faults=faults)
