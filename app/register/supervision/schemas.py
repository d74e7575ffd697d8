"""Request and response bodies of supervision reports."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Self

import msgspec
from pydantic import Field

from app.register.entries.person_schemas import BIRTH_EXAMPLES, AliasIn, BirthIn, DocumentIn, Sex, StateCode
from app.register.entries.schemas_out import AliasOut, DocumentOut
from app.register.entries.subjects import Subject
from app.register.supervision.domain import Observed, Report
from app.web.wire import LegalDay, Line, Moment, Name, Prose, WireIn, WireOut


class ReportedSubjectIn(WireIn):
    """The foreigner, as in an entry's body, but without a photo; only the name must be known."""

    full_name: Name
    """The foreigner's name."""
    aliases: Annotated[list[AliasIn], Field(max_length=100)] = []
    """Other names of the foreigner."""
    sex: Sex | None = None
    """The foreigner's sex."""
    birth: BirthIn | None = None
    """The foreigner's birth."""
    birth_place: Line | None = None
    """Where the foreigner was born."""
    nationalities: Annotated[list[StateCode], Field(max_length=10)] = []
    """ICAO 9303 codes of the foreigner's nationalities."""
    occupation: Line | None = None
    """The foreigner's occupation."""
    address: Prose | None = None
    """The foreigner's address."""
    documents: Annotated[list[DocumentIn], Field(max_length=50)] = []
    """The foreigner's documents."""


class SupervisionReportIn(WireIn):
    """A supervision team's observation of a foreigner."""

    subject: ReportedSubjectIn
    """The foreigner."""
    place: Line
    """Where the foreigner was seen."""
    observed_on: LegalDay
    """The legal day on which it was seen."""
    findings: Prose
    """The findings."""
    officers: Annotated[
        list[Line], Field(min_length=1, max_length=50, description="Names of those who have seen it.")
    ]

    def observed(self) -> Observed:
        """Return the report's content as a domain object."""
        return msgspec.convert(self.model_dump(mode="json", by_alias=True), Observed)


class ReportedSubjectOut(WireOut):
    """The foreigner."""

    full_name: str
    aliases: list[AliasOut]
    sex: Sex | None
    birth: Annotated[dict[str, Any] | None, Field(examples=BIRTH_EXAMPLES)]
    birth_place: str | None
    nationalities: list[str]
    occupation: str | None
    address: str | None
    documents: list[DocumentOut]

    @classmethod
    def of(cls, subject: Subject) -> Self:
        """Convert the foreigner to the API's model."""
        values = msgspec.to_builtins(subject, builtin_types=(date,))
        return cls(**{name: values[name] for name in cls.model_fields})


class SupervisionReportOut(WireOut):
    """A supervision report. An entry of Immigration is based on it if the entry's basis has the report's number.

    The basis must also have the instrument `supervision_report`.
    """

    id: str
    """The report's id."""
    number: Annotated[str, Field(examples=["LPT-2026-000012"])]
    """The number that the register gave it; an entry's `basis.number` names it."""
    agency: str
    """Code of the team's agency."""
    office: str
    """Code of the team's office."""
    province: str
    """The province that the team supervises."""
    subject: ReportedSubjectOut
    place: str
    observed_on: date
    findings: str
    officers: list[str]
    grounds: Annotated[list[str], Field(description="Ids of the entries that rest on it, oldest first.")]
    filed_by: str
    """Id of the client that filed it."""
    filed_at: Moment
    """When it was filed."""
    erased_at: Annotated[
        Moment | None,
        Field(
            description="When the foreigner, the place and the findings were erased; null while they are there."
        ),
    ]

    @classmethod
    def of(cls, report: Report, grounds: Sequence[str]) -> Self:
        """Convert the report to the API's model; `grounds` are the ids of the entries that are based on it."""
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
