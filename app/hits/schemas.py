"""The wire of hits (contract section 5)."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field

from app.checks.schemas import CheckDocumentIn, CheckOut, CheckPersonIn
from app.clearances.domain import TEXTS, Obstacle
from app.entries.domain import State
from app.entries.standing import Standing
from app.hits.domain import Action, Hit, HitState, Identity, Matched, Proposal, Resolution
from app.hits.service import Examined
from app.web.wire import Moment, Prose, WireIn, WireOut


class ResolutionIn(WireIn):
    """Who it was, and what became of them."""

    outcome: Annotated[
        Identity,
        Field(
            description="`confirmed` and `not_same_person` resolve the hit; `unsure` is kept and leaves it open."
        ),
    ]
    action: Annotated[
        Action | None,
        Field(
            description="What was done; may be absent only while `unsure`. A refusal fits the direction, and never "
            "goes with `not_same_person`."
        ),
    ] = None
    note: Annotated[Prose, Field(description="Why (R46).")]


class MatchedOut(WireOut):
    """An entry that the check matched, in the version that it was matched in, and how it stands now."""

    entry_id: str
    version: int
    agency: str
    state: Annotated[
        State, Field(description="The entry's own when this was read: it may have ended since the check.")
    ]
    in_force: Annotated[
        bool,
        Field(
            description="Whether the measure holds now, by this entry or by the formal one that took over from it; "
            "nobody is refused on one that does not."
        ),
    ]

    @classmethod
    def of(cls, matched: Matched, stands: Standing) -> Self:
        """The match on the wire."""
        return cls(
            entry_id=matched.entry_id,
            version=matched.version,
            agency=matched.agency,
            state=stands.state,
            in_force=stands.in_force,
        )


class ProposalOut(WireOut):
    """What `not_same_person` means for an entry: a clearance that waits, or why only this crossing passes."""

    entry_id: str
    clearance_id: str | None
    obstacle: Obstacle | None
    text_id: str | None
    text_en: str | None

    @classmethod
    def of(cls, proposal: Proposal) -> Self:
        """The proposal on the wire."""
        text_id, text_en = TEXTS[proposal.obstacle] if proposal.obstacle else (None, None)
        return cls(
            entry_id=proposal.entry_id,
            clearance_id=proposal.clearance_id,
            obstacle=proposal.obstacle,
            text_id=text_id,
            text_en=text_en,
        )


class ResolutionOut(WireOut):
    """A supervisor's word."""

    outcome: Identity
    action: Action | None
    note: str
    by: str
    at: Moment
    clearances: list[ProposalOut]

    @classmethod
    def of(cls, said: Resolution) -> Self:
        """The word on the wire."""
        return cls(
            outcome=said.outcome,
            action=said.action,
            note=said.note,
            by=said.by,
            at=said.at,
            clearances=[ProposalOut.of(proposal) for proposal in said.proposals],
        )


class HitOut(WireOut):
    """A check whose answer was not `clear`; without the traveller."""

    id: str
    version: int
    state: HitState
    check_id: str
    checkpoint: str
    direction: Literal["exit", "entry"]
    outcome: Annotated[Literal["refer", "refuse"], Field(description="What the check answered.")]
    opened_at: Moment
    resolve_by: Moment
    escalated_at: Annotated[
        Moment | None, Field(description="When it was told that nobody had resolved it in time.")
    ]
    entries: list[MatchedOut]
    pending_until: Annotated[
        Moment | None,
        Field(
            description="The period of an entry is over and papers that arrived in time are undecided, until this "
            "instant: unless another entry of the hit is in force, a refusal is 409."
        ),
    ]
    resolutions: Annotated[
        list[ResolutionOut], Field(description="What supervisors said, in order; the last resolves the hit.")
    ]

    @classmethod
    def of(cls, hit: Hit, standing: Mapping[str, Standing]) -> Self:
        """The hit on the wire."""
        return cls.model_validate(_members(hit, standing))


class AskedOut(WireOut):
    """The traveller as asked about."""

    mrz: str | None
    document: CheckDocumentIn | None
    person: CheckPersonIn | None
    officer_reference: str | None


class HitInFullOut(HitOut):
    """A hit with the check's answer as a counter sees it, and the traveller as asked while that is kept."""

    check: CheckOut
    asked: Annotated[AskedOut | None, Field(description="Null once the question was erased.")]

    @classmethod
    def examined(cls, examined: Examined) -> Self:
        """The examined hit on the wire."""
        body = examined.asked.body if examined.asked else None
        asked = None
        if body is not None:
            asked = AskedOut(
                mrz=body.mrz,
                document=body.document,
                person=body.person,
                officer_reference=body.officer_reference,
            )
        members = _members(examined.hit, examined.standing)
        return cls.model_validate(members | {"check": examined.answer, "asked": asked})


def _members(hit: Hit, standing: Mapping[str, Standing]) -> dict[str, object]:
    return {
        "id": hit.id,
        "version": hit.version,
        "state": hit.state,
        "check_id": hit.check_id,
        "checkpoint": hit.checkpoint,
        "direction": hit.direction,
        "outcome": hit.outcome,
        "opened_at": hit.opened_at,
        "resolve_by": hit.resolve_by,
        "escalated_at": hit.escalated_at,
        "pending_until": hit.pending_until,
        "entries": [MatchedOut.of(matched, standing[matched.entry_id]) for matched in hit.matched],
        "resolutions": [ResolutionOut.of(said) for said in hit.resolutions],
    }
