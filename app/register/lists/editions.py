"""Matching of the persons in a new edition of a list with the persons already imported from it (no I/O).

A list calls its record numbers permanent, but still changes them: the UN gave six persons new data ids under their
old reference numbers between two editions. A person is therefore matched first by equal content, then by reference
number, then by data id, then by a comparison of the persons.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.register.entries.listing import ImportedRecord
from app.register.entries.references import folded
from app.register.entries.sameness import certainly_same, may_be_same
from app.register.entries.subjects import Subject

_LONGEST_KEY: Final = 200
"""Maximum length of a key in the register's table of sources, in characters."""

_COMMITTEE: Final = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True)
class EditionPerson:
    """A person in one edition (a published version) of a sanctions list, with the data to recognise this person.

    Attributes:
        data_id: the list's key of the person's record; "" for none.
        number: the list's reference number of the person, such as QDi.001; "" for none.
        digest: digest of all content of the list about the person.
        subject: the person, as the subject of an entry.
    """

    data_id: str
    number: str
    digest: str
    subject: Subject


def match_persons(
    persons: Sequence[EditionPerson], records: Sequence[ImportedRecord]
) -> list[ImportedRecord | None]:
    """Return the register's record of each person of an edition, in the same order; None for a new person.

    Five tests match persons and records, one after another:

    1. equal digests;
    2. equal reference numbers and data ids;
    3. equal reference numbers;
    4. equal data ids, if the subjects may be the same person;
    5. subjects that are certainly the same person.

    No record is matched twice: if the list splits a record into several, one of these persons is matched and the others
    are new.

    Args:
        persons: the persons of the edition, each with a different digest.
        records: the register's records of persons of this list, from the last imported edition.
    """
    pairs = _Pairs(persons, records)
    pairs.match_equal(lambda one: one.digest, lambda held: held.digest)
    pairs.match_equal(
        lambda one: _both(one.number, one.data_id), lambda held: _both(held.number, held.reference)
    )
    pairs.match_equal(lambda one: folded(one.number), lambda held: folded(held.number))
    pairs.match_alike(lambda one: {one.data_id} - {""}, lambda held: {held.reference}, may_be_same)
    pairs.match_alike(
        lambda one: one.subject.identifiers(), lambda held: held.subject.identifiers(), certainly_same
    )
    return pairs.found


def fresh_key(one: EditionPerson, taken: Iterable[str]) -> str:
    """Return a key under which the register stores a new person of the list; it is never in `taken`.

    The key is the first of these that is not empty, not too long and not taken: the data id, the reference number, both
    of them joined by a blank. If none is free, it is the digest.
    """
    tried = (one.data_id, one.number, f"{one.data_id} {one.number}")
    fit = (key for key in tried if key.strip() and len(key) <= _LONGEST_KEY and key not in taken)
    return next(fit, one.digest)


def lost_committees(leaving: Iterable[ImportedRecord], numbers: Iterable[str]) -> list[str]:
    """Return the committees that lose all their persons by an edition, sorted.

    The letters at the beginning of a reference number name a sanctions committee (`QDi` of QDi.001). The result has the
    committees of the records in `leaving` that no reference number of the edition names.

    Args:
        leaving: the records of persons whose entries end, because the edition does not contain them.
        numbers: the reference numbers of all persons in the edition.
    """
    named = {_committee(number).casefold() for number in numbers}
    lost = {_committee(held.number) for held in leaving} - {""}
    return sorted(committee for committee in lost if committee.casefold() not in named)


class _Pairs:
    """Matching of an edition's persons with the register's records, by one method after another."""

    def __init__(self, persons: Sequence[EditionPerson], records: Sequence[ImportedRecord]) -> None:
        self.found: list[ImportedRecord | None] = [None] * len(persons)
        self._persons = persons
        self._unmatched = {held.reference: held for held in records}

    def match_equal(
        self, of: Callable[[EditionPerson], Hashable], held_of: Callable[[ImportedRecord], Hashable]
    ) -> None:
        """Match persons and records that have an equal, non-empty key, in the order of the edition."""
        self.match_alike(
            lambda one: {of(one)} - {""}, lambda held: {held_of(held)}, lambda _one, _other: True
        )

    def match_alike(
        self,
        of: Callable[[EditionPerson], Iterable[Hashable]],
        held_of: Callable[[ImportedRecord], Iterable[Hashable]],
        same: Callable[[Subject, Subject], bool],
    ) -> None:
        """Match persons and records that share a key and are the same person by the test `same`."""
        by_mark: dict[Hashable, list[ImportedRecord]] = defaultdict(list)
        for held in self._unmatched.values():
            for mark in held_of(held):
                by_mark[mark].append(held)
        for at, one in enumerate(self._persons):
            if self.found[at] is not None:
                continue
            marked = [held for mark in sorted(of(one), key=repr) for held in by_mark.get(mark, ())]
            free = (held for held in marked if held.reference in self._unmatched)
            match = next((held for held in free if same(one.subject, held.subject)), None)
            if match is not None:
                self.found[at] = self._unmatched.pop(match.reference)


def _both(number: str, data_id: str) -> Hashable:
    return (folded(number), data_id) if number and data_id else ""


def _committee(number: str) -> str:
    match = _COMMITTEE.match(number)
    return match[0] if match else ""
