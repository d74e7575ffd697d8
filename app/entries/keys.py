"""The keys under which entries are found: by person, by letter and by case; pure."""

import hashlib
from typing import Final

from app.access.domain import PersonKnown
from app.entries.domain import Entry, Former
from app.entries.references import case_of, folded
from app.entries.subjects import Subject
from app.identity import documents

_FORMER: Final = "o:"
"""Begins the keys of persons that an entry named in an earlier version only."""


_LONGEST: Final = 120
"""Characters of a reference that a key holds; of a longer one it holds a digest."""


def keys_of(entry: Entry) -> list[tuple[str, str]]:
    """Every key of an entry: of what it says, and of what earlier versions said.

    The person of an earlier version has keys of its own: checks and searches ask for what is said now.
    """
    keys = entry.subject.identifiers()
    for said in (entry.said, *entry.former):
        keys |= matter_keys(entry.agency, said)
    for former in entry.former:
        keys |= {f"{_FORMER}{key}"[:200] for key in former.subject.identifiers()}
    return [(key, entry.id) for key in sorted(keys)]


def account_keys(person: PersonKnown) -> set[str]:
    """The keys of the entries that may be about a person of the register, now or in an earlier version (R61)."""
    found = {f"f:{person.folded_name}", f"d:{documents.normalise(person.number)}"}
    return {key[:200] for key in (*found, *(f"{_FORMER}{key}" for key in found))}


def letter_key(agency: str, number: str) -> str:
    """The key under which a letter of an owner is found, however its number is written."""
    return f"l:{agency}:{_short(folded(number))}"


def case_keys(agency: str, said: Former) -> set[str]:
    """The key under which the entries of an owner's case are found; none where the reference names no case."""
    case_name = case_of(said.case_reference)
    return set() if case_name is None else {f"c:{agency}:{_short(case_name)}"}


def matter_keys(agency: str, said: Former) -> set[str]:
    """The keys of an owner's letters and case; whatever may be a duplicate shares one of them (R14, R15)."""
    return case_keys(agency, said) | {letter_key(agency, number) for number in said.numbers}


def person_keys(subject: Subject) -> set[str]:
    """The keys under which the entries against a person are found, by what they say now or said before."""
    keys = subject.identifiers()
    return keys | {f"{_FORMER}{key}"[:200] for key in keys}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"#{hashlib.sha256(text.encode()).hexdigest()}"
