"""How case references and letter numbers are compared; pure (contract section 3, "Which case").

Offices write one reference in many ways: `Sprin.Dik-01`, `SPRINDIK 01`, `sprin dik/1`. Letter groups are joined,
digit groups are kept apart, and case, marks, accents and leading zeros do not count; so `1/12` is not `11/2`.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_GROUPS: Final = re.compile(r"\d+|[^\W\d_]+")


@lru_cache(maxsize=1 << 13)  # an import compares the references of a step again and again
def folded(reference: str) -> str:
    """The form in which two references are compared."""
    plain = unicodedata.normalize("NFKD", reference).casefold()
    kept = "".join(each for each in plain if not unicodedata.combining(each))
    groups: list[str] = []
    for group in _GROUPS.findall(kept):
        if group[0].isdecimal():
            groups.append("".join(str(unicodedata.decimal(digit)) for digit in group).lstrip("0") or "0")
        elif groups and not groups[-1][0].isdecimal():
            groups[-1] += group
        else:
            groups.append(group)
    return " ".join(groups) or "".join(plain.split())  # nothing but marks: compared as it is written


def case_of(reference: str) -> str | None:
    """The case that a reference names, in the form in which cases are compared; None where it names none.

    A text without a digit ("ongoing investigation") names no case: it would join strangers.
    """
    key = folded(reference)
    return key if any(each.isdecimal() for each in key) else None


def same_letter(one: str, other: str) -> bool:
    """Whether two numbers are those of one letter."""
    return folded(one) == folded(other)
