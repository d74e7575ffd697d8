"""Comparison of entries and subjects: same case, certainly or possibly the same person (no I/O; API section 3)."""

from typing import Final

from app.identity import documents, names, states, typed_numbers
from app.identity.births import compatible
from app.register.entries.domain import Entry
from app.register.entries.references import case_of
from app.register.entries.subjects import Subject

_FULL_DAY: Final = len("YYYY-MM-DD")


def in_same_case(one: Entry, other: Entry) -> bool:
    """Return whether two entries of one owner currently name the same case."""
    mine = None if one.from_list or other.from_list else case_of(one.basis.case_reference)
    return one.agency == other.agency and mine is not None and mine == case_of(other.basis.case_reference)


def certainly_same(one: Subject, other: Subject) -> bool:
    """Return whether two subjects are certainly one person, so that an act that ends one measure ends the other.

    True if they share a document (number and state) or NIK, and neither names nor births contradict that; or if they
    share a folded name and a full birth date.
    """
    births = one.births, other.births
    contradicted = all(births) and not any(compatible(a, b) for a in one.births for b in other.births)
    if (_papers(one) & _papers(other)) and not contradicted and not _names_contradict(one, other):
        return True
    days = _days(one) & _days(other)
    return bool(days) and bool(_names(one) & _names(other))


def may_be_same(one: Subject, other: Subject) -> bool:
    """Return whether two subjects may be one person: by `same_person`, or by a name, document or NIK in common."""
    return one.same_person(other) or bool(one.identifiers() & other.identifiers())


def _names(subject: Subject) -> frozenset[str]:
    spellings = (subject.full_name, *(alias.name for alias in subject.aliases if alias.quality == "good"))
    return frozenset(map(names.fold, spellings)) - {""}


def _names_contradict(one: Subject, other: Subject) -> bool:
    """Return whether no name of one subject shares a word with any name of the other."""
    mine = {word for name in _names(one) for word in name.split()}
    theirs = {word for name in _names(other) for word in name.split()}
    return bool(mine and theirs) and not mine & theirs


def _papers(subject: Subject) -> frozenset[tuple[str, str]]:
    found = {
        (states.canonical(each.issuing_state), number)
        for each in subject.documents
        if each.issuing_state is not None
        for number in typed_numbers.certain(each.number)
    }
    if subject.nik and not documents.is_filler(documents.normalise(subject.nik)):
        found.add(("NIK", documents.normalise(subject.nik)))
    return frozenset(found)


def _days(subject: Subject) -> frozenset[str]:
    """Return the births that are known to the day."""
    return frozenset(
        each.date for each in subject.births if each.date is not None and len(each.date) == _FULL_DAY
    )
