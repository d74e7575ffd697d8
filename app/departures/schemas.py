"""The wire of delayed departures."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import Field

from app.departures.domain import By, Delay, DelayReason, Pattern, Referral, Sponsor, Told, Traveller
from app.entries.person_schemas import BIRTH_EXAMPLES, BirthIn, DocumentIn, Sex, StateCode
from app.web.wire import Code, Line, Moment, Name, Prose, WireIn, WireOut


class SponsorIn(WireIn):
    """Who sends the traveller; the telephone is what shows best that two are one."""

    name: Name
    document: Annotated[Line, Field(max_length=40)] | None = None
    phone: Annotated[Line, Field(max_length=40)] | None = None
    address: Prose | None = None


class TravellerIn(WireIn):
    """Who was delayed: a possible victim. Kept apart from the event and erased after its time."""

    name: Name
    birth: BirthIn | None = None
    sex: Sex | None = None
    document: DocumentIn | None = None


class DelayIn(WireIn):
    """A departure that was delayed."""

    checkpoint: Code | None = Field(None, description="Where; by default the checkpoint of the key.")
    occurred_at: Moment
    reason: DelayReason
    note: Prose | None = Field(
        None, description="Required with the reason `other`; erased with the traveller."
    )
    destination: StateCode | None = None
    sponsor: SponsorIn | None = None
    referral: Referral
    traveller: TravellerIn
    group_reference: Annotated[Line, Field(max_length=100)] | None = None

    def told(self) -> Told:
        """The delay as it is told."""
        who = self.traveller.model_dump(mode="json", by_alias=True)
        return Told(
            checkpoint=self.checkpoint,
            occurred_at=self.occurred_at,
            reason=self.reason,
            destination=self.destination,
            referral=self.referral,
            group_reference=self.group_reference,
            sponsor=Sponsor(**self.sponsor.model_dump()) if self.sponsor else None,
            traveller=Traveller(**who, note=self.note),
        )


class SponsorOut(WireOut):
    """Who sends the traveller."""

    name: str
    document: str | None
    phone: str | None
    address: str | None


class TravellerDocumentOut(WireOut):
    """The document that the traveller showed."""

    type: str
    number: str
    issuing_state: str | None
    expires_on: date | None


class TravellerOut(WireOut):
    """Who was delayed."""

    name: str
    birth: Annotated[dict[str, Any] | None, Field(examples=BIRTH_EXAMPLES)]
    sex: str | None
    document: TravellerDocumentOut | None


class DelayItemOut(WireOut):
    """A delayed departure in a list: without its traveller."""

    id: str
    checkpoint: str
    occurred_at: Moment
    reason: DelayReason
    destination: str | None
    referral: Referral
    group_reference: str | None
    sponsor: SponsorOut | None
    recorded_by: str
    recorded_at: Moment
    traveller_erased_at: Moment | None
    sponsor_erased_at: Moment | None

    @staticmethod
    def members(delay: Delay) -> dict[str, Any]:
        """A delay's members on the wire."""
        sponsor = delay.sponsor
        return {
            "id": delay.id,
            "checkpoint": delay.checkpoint,
            "occurred_at": delay.occurred_at,
            "reason": delay.reason,
            "destination": delay.destination,
            "referral": delay.referral,
            "group_reference": delay.group_reference,
            "sponsor": sponsor
            and SponsorOut(
                name=sponsor.name, document=sponsor.document, phone=sponsor.phone, address=sponsor.address
            ),
            "recorded_by": delay.recorded_by,
            "recorded_at": delay.recorded_at,
            "traveller_erased_at": delay.purged_at,
            "sponsor_erased_at": delay.sponsor_purged_at,
        }


class DelayOut(DelayItemOut):
    """A delayed departure; `traveller` and `note` are null once erased."""

    traveller: TravellerOut | None
    note: str | None

    @classmethod
    def of(cls, delay: Delay, traveller: Traveller | None) -> Self:
        """The delay on the wire."""
        who = traveller and TravellerOut(
            name=traveller.name,
            birth=dict(traveller.birth) if traveller.birth else None,
            sex=traveller.sex,
            document=TravellerDocumentOut.model_validate(traveller.document) if traveller.document else None,
        )
        note = traveller.note if traveller else None
        return cls(**DelayItemOut.members(delay), traveller=who, note=note)


class DelayPatternOut(WireOut):
    """What delays have in common; several names or telephones of a sponsor are for a person to judge.

    `delay_id` is the first of them: `GET /v1/departure-delays?sponsor=` with it lists those of a sponsor.
    """

    delay_id: str | None
    checkpoint: str | None
    destination: str | None
    delays: Annotated[int, Field(description="Delayed departures, one traveller each.")]
    groups: Annotated[int, Field(description="Parties, by their group reference within a checkpoint.")]
    checkpoints: dict[str, int]
    destinations: dict[str, int]
    reasons: dict[str, int]
    sponsor_names: list[str]
    sponsor_phones: list[str]
    sponsor_documents: list[str]
    first_at: Moment
    last_at: Moment

    @classmethod
    def of(cls, pattern: Pattern, by: By) -> Self:
        """The pattern on the wire."""
        assert pattern.first_at is not None  # a pattern has at least one delay
        assert pattern.last_at is not None
        return cls(
            delay_id=pattern.value if by == "sponsor" else None,
            checkpoint=pattern.value if by == "checkpoint" else None,
            destination=pattern.value if by == "destination" else None,
            delays=pattern.delays,
            groups=len(pattern.groups),
            checkpoints=pattern.checkpoints,
            destinations=pattern.destinations,
            reasons=pattern.reasons,
            sponsor_names=sorted(pattern.names),
            sponsor_phones=sorted(pattern.phones),
            sponsor_documents=sorted(pattern.documents),
            first_at=pattern.first_at,
            last_at=pattern.last_at,
        )


class DelayPatternsOut(WireOut):
    """The patterns of a time, the widest first."""

    by: By
    first_on: date
    last_on: date
    items: list[DelayPatternOut]
    more: Annotated[bool, Field(description="Whether there are more patterns than `limit`.")]
