"""The wire of manifests (contract section 5)."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field

from app.checks.schemas import AskedIn
from app.manifests.domain import Item, Manifest, Status
from app.manifests.journeys import FIRST_YEAR, LAST_YEAR
from app.web.wire import Code, Line, Moment, WireIn, WireOut, moment

Departure = Annotated[
    Moment, Field(ge=datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), lt=datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))
]
"""A time of departure; neither a slip of the keyboard nor a year that has no instant in UTC."""


class PassengerIn(AskedIn):
    """A passenger: at least a zone, a document number, a NIK, or a name with a birth date.

    Everything that is given counts, together: a document and a person are one passenger's, and where they contradict
    each other nobody is turned away on either alone.
    """

    reference: Annotated[
        Line, Field(max_length=70, description="The sender's own; it comes back with the answer.")
    ]


class ManifestIn(WireIn):
    """The passengers of one journey across the border."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "flight": "GA880",
                    "direction": "entry",
                    "departs_at": "2026-11-24T09:05:00+11:00",
                    "from": "SYD",
                    "to": "DPS",
                    "passengers": [
                        {
                            "reference": "0001",
                            "document": {"number": "LM0123456", "issuing_state": "NZL", "type": "passport"},
                            "person": {
                                "name": "Aldous Quillfeather",
                                "birth_date": "1971-02-03",
                                "sex": "male",
                                "nationality": "NZL",
                            },
                        }
                    ],
                }
            ]
        }
    )

    flight: Annotated[Line, Field(max_length=35)]
    direction: Literal["exit", "entry"]
    departs_at: Annotated[Departure, Field(description="Until then the answers follow the register.")]
    origin: Annotated[Code, Field(alias="from", max_length=32, description="Code of the place of departure.")]
    destination: Annotated[
        Code, Field(alias="to", max_length=32, description="Code of the place of arrival.")
    ]
    passengers: Annotated[list[PassengerIn], Field(max_length=1000)]


class JourneyIn(WireIn):
    """A manifest without its passengers; each passenger is read alone."""

    flight: Annotated[Line, Field(max_length=35)]
    direction: Literal["exit", "entry"]
    departs_at: Departure
    origin: Annotated[Code, Field(alias="from", max_length=32)]
    destination: Annotated[Code, Field(alias="to", max_length=32)]


class ManifestItemOut(WireOut):
    """A passenger's answer."""

    reference: str | None
    status: Annotated[
        Status | None,
        Field(
            description="What the carrier does. `board`: nothing stands against it. `contact`: ask Immigration first. "
            "`do_not_board`. Null where the row could not be asked: then `problem` says why, and nobody was cleared."
        ),
    ]
    outcome: Annotated[
        Literal["clear", "refer", "refuse"] | None,
        Field(description="What the check came to; for a checkpoint's manifest client only, else null."),
    ]
    action: Annotated[
        Literal["allow", "refer_to_supervisor", "refuse_exit", "refuse_entry"] | None,
        Field(description="What the counter will do; as `outcome`."),
    ]
    hit_id: Annotated[str | None, Field(description="The hit that the check opened; as `outcome`.")]
    changed_at: Annotated[str, Field(description="Since when this is the answer.")]
    problem: dict[str, Any] | None


class ManifestWarningOut(WireOut):
    """Something that does not agree with itself, but was no reason to refuse the manifest."""

    code: str
    pointer: str
    detail: str


class ManifestOut(WireOut):
    """A manifest and what its asker is told of each passenger, in the order of the list."""

    id: str
    flight: str
    direction: Literal["exit", "entry"]
    departs_at: Annotated[
        str | None,
        Field(
            description="As sent. A PAXLST tells the local time of a place whose zone may not be known: then it is "
            "the latest instant that this can mean."
        ),
    ]
    origin: Annotated[str, Field(alias="from")]
    destination: Annotated[str, Field(alias="to")]
    watched_until: Annotated[
        str, Field(description="Until then changes of an answer are told on the stream.")
    ]
    closed_at: Annotated[str | None, Field(description="Since when it is no longer watched.")]
    cursor: Annotated[
        str, Field(description="`Last-Event-ID` with which the stream goes on behind this answer.")
    ]
    warnings: list[ManifestWarningOut]
    items: list[ManifestItemOut]

    @classmethod
    def of(cls, manifest: Manifest, items: list[Item]) -> Self:
        """The manifest on the wire."""
        return cls.model_validate(
            {
                "id": manifest.id,
                "flight": manifest.flight,
                "direction": manifest.direction,
                "departs_at": moment(manifest.departs_at),
                "from": manifest.origin,
                "to": manifest.destination,
                "watched_until": moment(manifest.watched_until),
                "closed_at": moment(manifest.closed_at),
                "cursor": manifest.cursor(),
                "warnings": [
                    {"code": each.code, "pointer": "", "detail": each.detail} for each in manifest.warnings
                ],
                "items": [item.shown(manifest.kind) for item in items],
            }
        )
