"""What a supervision report is; pure.

The supervision team (Timpora) watches foreigners in its province (UU 6/2011 art. 68-69). Its report decides
nothing: an immigration officer may rest an entry ban on it, whose instrument is then `supervision_report` and whose
number is the report's (art. 91(2)a; R6).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

import msgspec

from app.access.domain import IMMIGRATION
from app.db.unit import Actor
from app.entries.erasure import ERASED
from app.entries.subjects import Subject
from app.errors import WrongAgency

READERS = frozenset({"submitter", "verifier", "approver"})
"""Roles of Immigration that read every report."""


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says.

    Attributes:
        officers: who has seen it, by name.
    """

    subject: Subject
    place: str
    observed_on: date
    findings: str
    officers: tuple[str, ...]

    def erased(self) -> Self:
        """What is left once the foreigner is erased: the day, and the officers who answer for it (R64)."""
        return msgspec.structs.replace(self, subject=Subject(full_name=ERASED), place=ERASED, findings=ERASED)


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a team, as it was filed; nothing changes it but its erasure.

    Attributes:
        year, ordinal: what its number is made of; ordinals of a year are dense, from 1.
        filed_by: the client that filed it.
    """

    id: str
    year: int
    ordinal: int
    agency: str
    office: str
    province: str
    filed_by: str
    filed_at: datetime
    observed: Observed
    erased_at: datetime | None = None

    @property
    def number(self) -> str:
        """The report's number, by which an entry names it as its ground."""
        return f"LPT-{self.year}-{self.ordinal:06d}"


def province_read(actor: Actor) -> str | None:
    """Which province's reports an actor reads; None means every one's.

    Raises:
        WrongAgency: they are an officer of another agency than Immigration.
    """
    if actor.holds("auditor") or (actor.agency == IMMIGRATION and actor.holds(*READERS)):
        return None
    if actor.holds("timpora") and actor.province is not None:
        return actor.province
    raise WrongAgency("Supervision reports are read by Immigration and by the province's team.")
