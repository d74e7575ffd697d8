"""Request and response bodies of delayed departures."""

from datetime import date
from typing import Annotated, Any, Self

from pydantic import Field

from app.register.departures.domain import (
    Delay,
    DelayReason,
    GroupBy,
    Pattern,
    Referral,
    Sponsor,
    SubmittedDelay,
    Traveller,
)
from app.register.entries.person_schemas import (
    BIRTH_EXAMPLES,
    BirthIn,
    DocumentIn,
    DocumentType,
    Sex,
    StateCode,
)
from app.web.wire import Code, Line, Moment, Name, Prose, WireIn, WireOut


class SponsorIn(WireIn):
    """The person who sends the traveller; an equal telephone is the best evidence that two sponsors are one person."""

    name: Name
    """The sponsor's name."""
    document: Annotated[Line, Field(max_length=40)] | None = None
    """Number of a document of the sponsor."""
    phone: Annotated[Line, Field(max_length=40)] | None = None
    """The sponsor's telephone."""
    address: Prose | None = None
    """The sponsor's address."""


class TravellerIn(WireIn):
    """The delayed person, a possible victim; stored apart from the event and erased after a retention period."""

    name: Name
    """The traveller's name."""
    birth: BirthIn | None = None
    """The traveller's birth."""
    sex: Sex | None = None
    """The traveller's sex."""
    document: DocumentIn | None = None
    """The document that the traveller showed."""


class DelayIn(WireIn):
    """A departure that was delayed."""

    checkpoint: Code | None = Field(None, description="Where; by default the checkpoint of the key.")
    occurred_at: Moment
    """When the departure was delayed."""
    reason: DelayReason
    """The reason."""
    note: Prose | None = Field(
        None, description="Required with the reason `other`; erased with the traveller."
    )
    destination: StateCode | None = None
    """Code of the state to which the traveller was going."""
    sponsor: SponsorIn | None = None
    """The person who sends the traveller, where known."""
    referral: Referral
    """The body that looks after the traveller now."""
    traveller: TravellerIn
    """The delayed person."""
    group_reference: Annotated[Line, Field(max_length=100)] | None = None
    """A reference that all travellers of one party share at this checkpoint."""

    def submitted(self) -> SubmittedDelay:
        """Return the submitted delay as a domain object."""
        who = self.traveller.model_dump(mode="json", by_alias=True)
        return SubmittedDelay(
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
    """The person who sends the traveller."""

    name: str
    document: str | None
    phone: str | None
    address: str | None


class TravellerDocumentOut(WireOut):
    """The document that the traveller showed."""

    type: DocumentType
    """The kind of document."""
    number: str
    """The document's number."""
    issuing_state: str | None
    """Code of the state that issued it; null where it is not known."""
    expires_on: date | None
    """Its last day; null where it has none, or none is known."""


class TravellerOut(WireOut):
    """The delayed person."""

    name: str
    birth: Annotated[dict[str, Any] | None, Field(examples=BIRTH_EXAMPLES)]
    sex: Sex | None
    document: TravellerDocumentOut | None


class DelayItemOut(WireOut):
    """A delayed departure in a list: without its traveller."""

    id: str
    """The delay's id."""
    checkpoint: str
    """Code of the checkpoint."""
    occurred_at: Moment
    """When the departure was delayed."""
    reason: DelayReason
    """The reason."""
    destination: str | None
    """Code of the state to which the traveller was going; null where it is not known."""
    referral: Referral
    """The body that looks after the traveller now."""
    group_reference: str | None
    """A reference that all travellers of one party share at this checkpoint; null without one, and once erased."""
    sponsor: SponsorOut | None
    """The person who sends the traveller; null where not known, and once erased."""
    recorded_by: str
    """Id of the client that recorded it."""
    recorded_at: Moment
    """When it was recorded."""
    traveller_erased_at: Moment | None
    """When the traveller was erased; null before."""
    sponsor_erased_at: Moment | None
    """When the sponsor and the group reference were erased; null before, and where there is neither."""

    @staticmethod
    def members(delay: Delay) -> dict[str, Any]:
        """Return the values of the members that this model and its subclass `DelayOut` share, by name."""
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
    """A delayed departure with its traveller and the officer's note; both are null once they were erased."""

    traveller: TravellerOut | None
    note: str | None

    @classmethod
    def of(cls, delay: Delay, traveller: Traveller | None) -> Self:
        """Convert the delay to the API's model; `traveller` None means that the traveller is erased."""
        who = traveller and TravellerOut(
            name=traveller.name,
            birth=dict(traveller.birth) if traveller.birth else None,
            sex=traveller.sex,
            document=TravellerDocumentOut.model_validate(traveller.document) if traveller.document else None,
        )
        note = traveller.note if traveller else None
        return cls(**DelayItemOut.members(delay), traveller=who, note=note)


class DelayPatternOut(WireOut):
    """The common data of several delays; a person must judge whether several names or telephones are one sponsor.

    `GET /v1/departure-delays?sponsor=` followed by `delay_id` lists all delays of that sponsor, whenever they occurred.
    """

    delay_id: str | None
    """Of a pattern by sponsor: id of the sponsor's first delay in the period; else null."""
    checkpoint: str | None
    """Of a pattern by checkpoint: the checkpoint's code; else null."""
    destination: str | None
    """Of a pattern by destination: the state's code; else null."""
    delays: Annotated[int, Field(description="Delayed departures, one traveller each.")]
    groups: Annotated[int, Field(description="Parties, by their group reference within a checkpoint.")]
    checkpoints: dict[str, int]
    """Delays by the checkpoint's code."""
    destinations: dict[str, int]
    """Delays by the destination's code."""
    reasons: dict[str, int]
    """Delays by their reason."""
    sponsor_names: list[str]
    """Every name under which the sponsor was recorded."""
    sponsor_phones: list[str]
    """Every telephone under which the sponsor was recorded."""
    sponsor_documents: list[str]
    """Every document under which the sponsor was recorded."""
    first_at: Moment
    """When the first delay occurred."""
    last_at: Moment
    """When the last delay occurred."""

    @classmethod
    def of(cls, pattern: Pattern, by: GroupBy) -> Self:
        """Convert the pattern to the API's model."""
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
    """The patterns of a period, those with the most delays first.

    If the delays are grouped by sponsor, the patterns with the most checkpoints come first, then those with the most
    delays.
    """

    by: GroupBy
    """The criterion by which the delays are grouped."""
    first_on: date
    """First legal day of the period."""
    last_on: date
    """Last legal day of the period."""
    items: list[DelayPatternOut]
    """The patterns."""
    more: Annotated[bool, Field(description="Whether there are more patterns than `limit`.")]
