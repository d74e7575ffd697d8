"""Supervision reports: their data, and who may read them (no I/O).

The supervision team (Timpora) watches foreigners in its province (UU 6/2011 art. 68-69). Its report decides
nothing. An immigration officer may base an entry ban on it; the instrument of that entry is then
`supervision_report` and its number is the report's (art. 91(2)a; R6).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

import msgspec

from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.errors import WrongAgency
from app.register.entries.erasure import ERASED
from app.register.entries.subjects import Subject

READERS = frozenset({Role.SUBMITTER, Role.VERIFIER, Role.APPROVER})
"""Roles that let an officer of Immigration read every report."""


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """What a supervision team has observed: the content of its report.

    Attributes:
        place: where the foreigner was seen.
        findings: the observation in words.
        officers: names of the officers that made it.
    """

    subject: Subject
    place: str
    observed_on: date
    findings: str
    officers: tuple[str, ...]

    def erased(self) -> Self:
        """Return the content without the foreigner, place and findings; the day and the officers stay (R64)."""
        return msgspec.structs.replace(self, subject=Subject(full_name=ERASED), place=ERASED, findings=ERASED)


@dataclass(frozen=True, slots=True)
class Report:
    """One report of a supervision team, as it was filed; only the erasure of personal data changes it later.

    Attributes:
        year, ordinal: the parts of its number; the reports of a legal year are numbered 1, 2, 3 and so on, with no gap.
        agency, office: codes of the team's agency and office.
        province: the name of the office's province when the report was filed.
        filed_by: id of the client that filed it.
        erased_at: when the foreigner, the place and the findings were erased; None before.
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
        """The report's number; an entry that is based on the report cites it."""
        return f"LPT-{self.year}-{self.ordinal:06d}"


def province_read(actor: Actor) -> str | None:
    """Return the only province whose reports an actor may read; None means every province.

    Auditors and Immigration's officers with one of `READERS` read all, supervision teams those of their province.

    Raises:
        WrongAgency: the actor is none of these, or is on a supervision team whose province is not known.
    """
    if actor.holds(Role.AUDITOR) or (actor.agency == IMMIGRATION and actor.holds(*READERS)):
        return None
    if actor.holds(Role.TIMPORA) and actor.province is not None:
        return actor.province
    raise WrongAgency("Supervision reports are read by Immigration and by the province's team.")
