"""Values that entries consist of; pure."""

from datetime import date
from enum import StrEnum

import msgspec


class RulingKind(StrEnum):
    """What a court's judgment did to an entry."""

    ACQUITTAL = "acquittal"
    ANNULMENT = "annulment"


class Ruling(msgspec.Struct, frozen=True):
    """A court's judgment about an entry: an acquittal closes its case, an annulment strikes the measure down.

    Attributes:
        final_on: None for a judgment that works before it is final.
    """

    kind: RulingKind
    number: str
    court: str
    decided_on: date
    final_on: date | None
