"""Request and response bodies of hits (API section 5)."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import Field

from app.border.checks.schemas import CheckDocumentIn, CheckOut, CheckPersonIn
from app.border.clearances.domain import TEXTS, Obstacle
from app.border.hits.domain import Action, Hit, HitState, Identity, Matched, Proposal, Resolution
from app.border.hits.service import Examined
from app.register.entries.current_status import EntryStatus
from app.register.entries.domain import State
from app.web.wire import Moment, Prose, WireIn, WireOut


class ResolutionIn(WireIn):
    """A supervisor's resolution: whether the traveller is the listed person, and the action taken."""

    outcome: Annotated[
        Identity,
        Field(
            description="`confirmed` and `not_same_person` resolve the hit; `unsure` is recorded and leaves it open."
        ),
    ]
    action: Annotated[
        Action | None,
        Field(
            description="The action taken with the traveller; may be absent only with `unsure`. A refusal must be for "
            "the hit's direction, and can't go with `not_same_person`."
        ),
    ] = None
    note: Annotated[Prose, Field(description="The supervisor's reason (R46).")]


class MatchedOut(WireOut):
    """An entry that the check matched: its version at the check, and its present state."""

    entry_id: str
    """Id of the entry."""
    version: int
    """Its version at the check."""
    agency: str
    """Code of its owner."""
    state: Annotated[
        State,
        Field(description="The entry's own state at the time of reading: it may have ended since the check."),
    ]
    in_force: Annotated[
        bool,
        Field(
            description="Whether the measure is in force now, by this entry or by the formal entry that took over from "
            "it. Only a measure in force allows a refusal."
        ),
    ]

    @classmethod
    def of(cls, matched: Matched, status: EntryStatus) -> Self:
        """Convert a matched entry with its present state to the API's model."""
        return cls(
            entry_id=matched.entry_id,
            version=matched.version,
            agency=matched.agency,
            state=status.state,
            in_force=status.in_force,
        )


class ProposalOut(WireOut):
    """The consequence of `not_same_person` for a matched entry: a proposed clearance, or the reason for none."""

    entry_id: str
    """Id of the entry."""
    clearance_id: str | None
    """The clearance that was proposed, now or earlier for the same bearer; null if there is an obstacle."""
    obstacle: Obstacle | None
    """Why no clearance can be proposed; null if there is a clearance."""
    text_id: str | None
    """The obstacle as an Indonesian sentence; null without one."""
    text_en: str | None
    """The obstacle as an English sentence; null without one."""

    @classmethod
    def of(cls, proposal: Proposal) -> Self:
        """Convert a proposal to the API's model."""
        text_id, text_en = TEXTS[proposal.obstacle] if proposal.obstacle else (None, None)
        return cls(
            entry_id=proposal.entry_id,
            clearance_id=proposal.clearance_id,
            obstacle=proposal.obstacle,
            text_id=text_id,
            text_en=text_en,
        )


class ResolutionOut(WireOut):
    """A supervisor's resolution of a hit."""

    outcome: Identity
    action: Action | None
    note: str
    by: str
    """Id of the supervisor's client."""
    at: Moment
    """When it was recorded."""
    clearances: list[ProposalOut]
    """The consequence of `not_same_person` for each matched entry; empty for other outcomes."""

    @classmethod
    def of(cls, resolution: Resolution) -> Self:
        """Convert a resolution to the API's model."""
        return cls(
            outcome=resolution.outcome,
            action=resolution.action,
            note=resolution.note,
            by=resolution.by,
            at=resolution.at,
            clearances=[ProposalOut.of(proposal) for proposal in resolution.proposals],
        )


class HitOut(WireOut):
    """A check whose answer was not `clear`; without the traveller's data."""

    id: str
    """The hit's id."""
    version: int
    """Its version, which grows with each resolution."""
    state: HitState
    """Whether a supervisor still has to resolve it."""
    check_id: str
    """The check that opened it."""
    checkpoint: str
    """Code of the checkpoint."""
    direction: Literal["exit", "entry"]
    """Whether the traveller leaves or arrives."""
    outcome: Annotated[Literal["refer", "refuse"], Field(description="What the check answered.")]
    opened_at: Moment
    """When it was opened."""
    resolve_by: Moment
    """Until when it is to be resolved; then the checkpoint's supervisors and duty officers are notified."""
    escalated_at: Annotated[
        Moment | None,
        Field(
            description="When supervisors and duty officers were notified that it was not resolved in time; null if "
            "they were not."
        ),
    ]
    entries: list[MatchedOut]
    """The entries that the check matched."""
    pending_until: Annotated[
        Moment | None,
        Field(
            description="Null normally. An instant if the period of a matched entry is over while papers that arrived "
            "in time are undecided: until then checks refer. That entry allows no refusal (409); another one in force "
            "does."
        ),
    ]
    resolutions: Annotated[
        list[ResolutionOut],
        Field(description="The supervisors' resolutions, in order; all but the last are `unsure`."),
    ]

    @classmethod
    def of(cls, hit: Hit, statuses: Mapping[str, EntryStatus]) -> Self:
        """Convert a hit to the API's model; `statuses` has the present state of its entries, by entry id."""
        return cls.model_validate(_members(hit, statuses))


class AskedOut(WireOut):
    """The traveller, as described in the check's question."""

    mrz: str | None
    """The machine-readable zone as it was sent; null without one."""
    document: CheckDocumentIn | None
    """The document as it was typed; null without one."""
    person: CheckPersonIn | None
    """Further data of the traveller; null without any."""
    officer_reference: str | None
    """The counter's own reference; null without one."""


class HitInFullOut(HitOut):
    """A hit with the check's answer in the form for counters, and with the check's question until it is erased."""

    check: CheckOut
    """The check's answer, with its matches even if an autogate or a carrier asked. An auditor also sees `noted`."""
    asked: Annotated[
        AskedOut | None, Field(description="Null once the question was erased, or can't be read any more.")
    ]

    @classmethod
    def examined(cls, examined: Examined) -> Self:
        """Convert an examined hit to the API's model."""
        body = examined.parsed.body if examined.parsed else None
        asked = None
        if body is not None:
            asked = AskedOut(
                mrz=body.mrz,
                document=body.document,
                person=body.person,
                officer_reference=body.officer_reference,
            )
        members = _members(examined.hit, examined.statuses)
        return cls.model_validate(members | {"check": examined.answer, "asked": asked})


def _members(hit: Hit, statuses: Mapping[str, EntryStatus]) -> dict[str, object]:
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
        "entries": [MatchedOut.of(matched, statuses[matched.entry_id]) for matched in hit.matched],
        "resolutions": [ResolutionOut.of(resolution) for resolution in hit.resolutions],
    }
