"""Keys by which entries are found: of the person, of the letter and of the case (no I/O). A key is a folded text."""

import hashlib
from functools import lru_cache
from typing import Final

from app.access.domain import AccountHolder
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
    """Return all pairs of a key and the entry's id: keys of its current content, and of its earlier versions.

    The person of an earlier version gets separate keys, because checks and searches must match current content only.
    """
    keys = entry.subject.identifiers()
    for content in (entry.filed_content, *entry.former):
        keys |= matter_keys(entry.agency, content)
    for former in entry.former:
        keys |= {f"{_FORMER}{key}"[:200] for key in former.subject.identifiers()}
    return [(key, entry.id) for key in sorted(keys)]


def account_keys(person: AccountHolder) -> set[str]:
    """Return the keys that find the entries that may be about a user, by current or earlier content (R61)."""
    found = {f"f:{person.folded_name}", f"d:{documents.normalise(person.number)}"}
    return {key[:200] for key in (*found, *(f"{_FORMER}{key}" for key in found))}


@lru_cache(maxsize=_CACHE_SIZE)
def letter_key(agency: str, number: str) -> str:
    """Return the key of a letter of the agency with this code; different spellings of its number give the same key."""
    return f"l:{agency}:{_short(folded(number))}"


@lru_cache(maxsize=_CACHE_SIZE)
def named_case_key(agency: str, reference: str) -> str | None:
    """Return the key of the case that a reference of this agency names; None where it names none (see `case_of`)."""
    case_name = case_of(reference)
    return None if case_name is None else f"c:{agency}:{_short(case_name)}"


def case_keys(agency: str, content: Former) -> set[str]:
    """Return a set with the key of the agency's case that the content names; empty if its reference names no case."""
    key = named_case_key(agency, content.case_reference)
    return set() if key is None else {key}


def matter_keys(agency: str, content: Former) -> set[str]:
    """Return the keys of the content's letters and case; two duplicates of one agency share at least one (R14, R15)."""
    return case_keys(agency, content) | {letter_key(agency, number) for number in content.numbers}


def person_keys(subject: Subject) -> set[str]:
    """Return the keys that find the entries against a person, by current or earlier content."""
    keys = subject.identifiers()
    return keys | {f"{_FORMER}{key}"[:200] for key in keys}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"#{hashlib.sha256(text.encode()).hexdigest()}"
