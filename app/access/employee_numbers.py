"""Employee numbers (NIP, NRP) and the forms in which they are written and compared (no I/O; R31, R61)."""

import re
from typing import Final

LABELS: Final = ("NIP", "NRP", "NIPNRP", "NRPNIP")
"""What is written before a number on cards and letters ("NIP.", "NRP:", "NIP/NRP"), in the number's normal form."""

_LABEL: Final = re.compile(rf"(?:{'|'.join(sorted(LABELS, reverse=True))})(?=[0-9])")


def normal_person(number: str) -> str:
    """Return an employee number in normal form, as accounts have it: letters and digits only, in capitals.

    Leading zeros stay: police numbers begin with the year of birth, 00 for 2000. A label before the number stays too;
    `written_forms` compares numbers with and without it. The registration of accounts refuses a number that the
    register has with other leading zeros or another label.
    """
    return "".join(filter(str.isalnum, number)).upper() or number


def without_label(number: str) -> str:
    """Return an employee number in normal form, without a label before it: "NIP. 1980 01" gives "198001"."""
    normal = normal_person(number)
    label = _LABEL.match(normal)
    return normal[label.end() :] if label else normal


def written_forms(number: str) -> frozenset[str]:
    """Return an employee number in normal form, without a label and with each label.

    An account's number and a number from a card or a letter are of one person if the first is in the forms of the
    second.
    """
    bare = without_label(number)
    return frozenset({bare, *(label + bare for label in LABELS)})
