"""Keys by which entries are found: of the person, of the letter and of the case (no I/O). A key is a folded text."""

import hashlib
from functools import lru_cache
from typing import Final

from app.access.domain import AccountHolder
from app.access.employee_numbers import written_forms
from app.identity import documents
from app.register.entries.domain import Entry, Former
from app.register.entries.references import case_of, folded
from app.register.entries.subjects import Subject

_FORMER: Final = "o:"
"""Prefix of the keys of persons that only earlier versions of an entry name."""


_CACHE_SIZE: Final = 4096
"""Number of cached keys; an import makes each key four times, the first time before it takes any lock."""

_LONGEST: Final = 120
"""Maximum length of a reference in a key, in characters; a longer one is replaced by its digest."""


def keys_of(entry: Entry) -> list[tuple[str, str]]:
    """Return the lookup keys of an entry, each paired with the entry's id.

    A key is a folded text by which the entry is found: of a document number, NIK, name, letter or case. Earlier content
    (`former`) gets keys too. The keys of earlier persons have a prefix, because checks and searches must match the
    current person only.
    """
    keys = entry.subject.identifiers()
    for content in (entry.filed_content, *entry.former):
        keys |= case_and_letter_keys(entry.agency, content)
    for former in entry.former:
        keys |= {f"{_FORMER}{key}"[:200] for key in former.subject.identifiers()}
    return [(key, entry.id) for key in sorted(keys)]


def account_keys(person: AccountHolder) -> set[str]:
    """Return the lookup keys that find the entries which may be about a user, by the user's name and number (R61).

    They find entries by the current person and by the persons of earlier versions, and a number also behind a label.
    """
    numbers = {f"d:{documents.normalise(form)}" for form in written_forms(person.number)}
    found = {f"f:{person.folded_name}", *numbers}
    return {key[:200] for key in (*found, *(f"{_FORMER}{key}" for key in found))}


@lru_cache(maxsize=_CACHE_SIZE)
def letter_key(agency: str, number: str) -> str:
    """Return the lookup key of an agency's letter; different spellings of its number give the same key.

    `agency` is the agency's code.
    """
    return f"l:{agency}:{_short(folded(number))}"


@lru_cache(maxsize=_CACHE_SIZE)
def named_case_key(agency: str, reference: str) -> str | None:
    """Return the lookup key of an agency's case, from the case reference; None if that contains no digit.

    `agency` is the agency's code. A reference without a digit ("ongoing investigation") names no particular case.
    """
    case_name = case_of(reference)
    return None if case_name is None else f"c:{agency}:{_short(case_name)}"


def case_keys(agency: str, content: Former) -> set[str]:
    """Return a set with the lookup key of the content's case; empty if its case reference contains no digit.

    `agency` is the code of the agency that owns the case.
    """
    key = named_case_key(agency, content.case_reference)
    return set() if key is None else {key}


def case_and_letter_keys(agency: str, content: Former) -> set[str]:
    """Return the lookup keys of the content's case and letters; `agency` is the code of the agency that owns the case.

    If one entry of an agency repeats another, the two share at least one of these keys (R14, R15).
    """
    return case_keys(agency, content) | {letter_key(agency, number) for number in content.numbers}


def person_keys(subject: Subject) -> set[str]:
    """Return the lookup keys that find the entries against a person, in their current or in an earlier version."""
    keys = subject.identifiers()
    return keys | {f"{_FORMER}{key}"[:200] for key in keys}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"#{hashlib.sha256(text.encode()).hexdigest()}"
