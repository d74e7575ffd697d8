"""The wire of supervision reports."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Self

import msgspec
from pydantic import Field

from app.entries.answers import AliasOut, DocumentOut
from app.entries.person_schemas import BIRTH_EXAMPLES, AliasIn, BirthIn, DocumentIn, Sex, StateCode
from app.entries.subjects import Subject
from app.supervision.domain import Observed, Report
from app.web.wire import LegalDay, Line, Moment, Name, Prose, WireIn, WireOut


class ReportedSubjectIn(WireIn):
    """The foreigner, as in an entry's body, but without a photo; only the name must be known."""

    full_name: Name
    aliases: Annotated[list[AliasIn], Field(max_length=100)] = []
    sex: Sex | None = None
    birth: BirthIn | None = None
    birth_place: Line | None = None
    nationalities: Annotated[list[StateCode], Field(max_length=10)] = []
    occupation: Line | None = None
    address: Prose | None = None
    documents: Annotated[list[DocumentIn], Field(max_length=50)] = []


class SupervisionReportIn(WireIn):
    """What a supervision team has seen of a foreigner."""

    subject: ReportedSubjectIn
    place: Line
    observed_on: LegalDay
    findings: Prose
    officers: Annotated[
        list[Line], Field(min_length=1, max_length=50, description="Names of those who have seen it.")
    ]

    def observed(self) -> Observed:
        """What the report says."""
        return msgspec.convert(self.model_dump(mode="json", by_alias=True), Observed)


class ReportedSubjectOut(WireOut):
    """The foreigner."""

    full_name: str
    aliases: list[AliasOut]
    sex: str | None
    birth: Annotated[dict[str, Any] | None, Field(examples=BIRTH_EXAMPLES)]
    birth_place: str | None
    nationalities: list[str]
    occupation: str | None
    address: str | None
    documents: list[DocumentOut]

    @classmethod
    def of(cls, subject: Subject) -> Self:
        """The foreigner on the wire."""
        values = msgspec.to_builtins(subject, builtin_types=(date,))
        return cls(**{name: values[name] for name in cls.model_fields})


class SupervisionReportOut(WireOut):
    """A report; an entry of Immigration that names its number as a `supervision_report` rests on it."""

    id: str
    number: Annotated[str, Field(examples=["LPT-2026-000012"])]
    agency: str
    office: str
    province: str
    subject: ReportedSubjectOut
    place: str
    observed_on: date
    findings: str
    officers: list[str]
    grounds: Annotated[list[str], Field(description="Ids of the entries that rest on it, oldest first.")]
    filed_by: str
    filed_at: Moment
    erased_at: Annotated[
        Moment | None,
        Field(
            description="When the foreigner, the place and the findings were erased; null while they are there."
        ),
    ]

    @classmethod
    def of(cls, report: Report, grounds: Sequence[str]) -> Self:
        """The report on the wire."""
        observed = report.observed
        return cls(
            id=report.id,
            number=report.number,
            agency=report.agency,
            office=report.office,
            province=report.province,
            subject=ReportedSubjectOut.of(observed.subject),
            place=observed.place,
            observed_on=observed.observed_on,
            findings=observed.findings,
            officers=list(observed.officers),
            grounds=list(grounds),
            filed_by=report.filed_by,
            filed_at=report.filed_at,
            erased_at=report.erased_at,
        )
