"""Comparing case references and letter numbers (no I/O; API section 3, "Which case").

Offices write one reference in many ways: `Sprin.Dik-01`, `SPRINDIK 01`, `sprin dik/1`. Letter groups are joined, digit
groups stay separate, and case, marks, accents and leading zeros do not count; so `1/12` is not `11/2`. Letters of other
scripts count as the Latin letters that they look like, so that a reference typed on another keyboard is equal.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from app.identity.lookalikes import resembled

_GROUPS: Final = re.compile(r"\d+|[^\W\d_]+")


@lru_cache(maxsize=1 << 13)  # an import compares the references of a batch many times
def folded(reference: str) -> str:
    """Return a reference in the form for comparison: without case, accents, punctuation and leading zeros."""
    plain = resembled(unicodedata.normalize("NFKD", reference)).casefold()
    kept = "".join(each for each in plain if not unicodedata.combining(each))
    groups: list[str] = []
    for group in _GROUPS.findall(kept):
        if group[0].isdecimal():
            groups.append("".join(str(unicodedata.decimal(digit)) for digit in group).lstrip("0") or "0")
        elif groups and not groups[-1][0].isdecimal():
            groups[-1] += group
        else:
            groups.append(group)
    return " ".join(groups) or "".join(plain.split())  # only marks: compared as written


def case_of(reference: str) -> str | None:
    """Return the case that a reference names, folded for comparison; None where it names none.

    A text without a digit ("ongoing investigation") names no case, because it would join unrelated persons.
    """
    key = folded(reference)
    return key if any(each.isdecimal() for each in key) else None


def same_letter(one: str, other: str) -> bool:
    """Return whether two letter numbers are equal when folded, so that different spellings of one number agree."""
    return folded(one) == folded(other)
