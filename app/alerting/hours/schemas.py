"""The JSON models of opening hours."""

from datetime import time
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StrictBool, StringConstraints

from app.alerting.hours.domain import (
    WEEKDAYS,
    Closure,
    DatedOpenings,
    DutyState,
    Hours,
    Opening,
    WeeklyOpening,
)
from app.alerting.hours.service import HoursView
from app.web.wire import LegalDay, Line, Moment, WireIn, WireOut

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

TimeOfDay = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A time of the checkpoint's clock, such as 06:30."""

_OPENS: Final = "Time of the checkpoint's clock at which it opens."
_CLOSES: Final = (
    "When it closes: on the next day where it is not after `opens`; 00:00 to 00:00 is a whole day."
)


class OpeningPart(WireIn):
    """The part of a day for which a checkpoint is open, in the checkpoint's own time zone."""

    opens: Annotated[TimeOfDay, Field(description=_OPENS, examples=["06:00"])]
    closes: Annotated[TimeOfDay, Field(description=_CLOSES, examples=["22:00"])]

    def opening(self) -> Opening:
        """Return the opening as a domain object."""
        return Opening(time.fromisoformat(self.opens), time.fromisoformat(self.closes))

    @classmethod
    def of(cls, opening: Opening) -> "OpeningPart":
        """Convert the opening to the API's model."""
        return OpeningPart(opens=opening.opens.strftime("%H:%M"), closes=opening.closes.strftime("%H:%M"))


class WeeklyOpeningPart(OpeningPart):
    """An opening of each week; it belongs to the day on which it begins."""

    weekday: Weekday
    """The day on which the opening begins."""


class DatedOpeningsPart(WireIn):
    """The openings of one day. They replace the weekly ones, and apply even if the day is a holiday."""

    day: LegalDay
    """The day in the checkpoint's own time."""
    openings: Annotated[
        list[OpeningPart],
        Field(max_length=10, description="The openings that begin on this day; none: closed."),
    ]


class HoursIn(WireIn):
    """The opening hours of a checkpoint, as an admin sets them."""

    weekly: Annotated[
        list[WeeklyOpeningPart],
        Field(max_length=70, description="The openings of each week, in any order; none: around the clock."),
    ] = []
    exceptions: Annotated[
        list[DatedOpeningsPart], Field(max_length=400, description="Days with other openings, one each.")
    ] = []
    closed_on_holidays: StrictBool = False
    """Whether the checkpoint is closed on public holidays and days of joint leave that are not among `exceptions`."""
    standby: StrictBool = False
    """Whether somebody there can be called while the checkpoint is closed."""

    def hours(self) -> Hours:
        """Return the hours as a domain object, with version 0."""
        return Hours(
            weekly=tuple(WeeklyOpening(WEEKDAYS.index(each.weekday), each.opening()) for each in self.weekly),
            exceptions=tuple(
                DatedOpenings(each.day, tuple(part.opening() for part in each.openings))
                for each in self.exceptions
            ),
            closed_on_holidays=self.closed_on_holidays,
            standby=self.standby,
        )


class ClosureIn(WireIn):
    """A closure as an admin plans it."""

    begins: Annotated[Moment, Field(alias="from", description="When the closure begins.")]
    ends: Annotated[
        Moment, Field(alias="until", description="When the closure ends and the hours apply again.")
    ]
    reason: Line
    """Why the checkpoint closes."""


class ClosureOut(WireOut):
    """A planned closure of a checkpoint."""

    id: str
    """The closure's id."""
    begins: Annotated[Moment, Field(alias="from", description="When the closure begins.")]
    ends: Annotated[
        Moment, Field(alias="until", description="When the closure ends and the hours apply again.")
    ]
    reason: str
    """Why the checkpoint closes."""

    @classmethod
    def of(cls, closure: Closure) -> Self:
        """Convert the closure to the API's model."""
        span = closure.span
        return cls.model_validate(
            {"id": closure.id, "from": span.begins, "until": span.ends, "reason": closure.reason}
        )


class CheckpointDutyOut(WireOut):
    """Whether people at a checkpoint can act on an alert now, and until when."""

    state: DutyState
    """`open`; `standby`: closed, but somebody can be called; `closed`: nobody is there."""
    until: Annotated[
        Moment | None, Field(description="When this changes; null where no change is within 400 days.")
    ]


class HoursOut(WireOut):
    """The opening hours of a checkpoint, and whether it is open now."""

    checkpoint: str
    """The checkpoint's code."""
    zone: str
    """IANA name of the checkpoint's time zone, in which its opening hours are."""
    weekly: Annotated[
        list[WeeklyOpeningPart], Field(description="The openings of each week; none: around the clock.")
    ]
    exceptions: list[DatedOpeningsPart]
    """Days with other openings."""
    closed_on_holidays: bool
    standby: bool
    closures: list[ClosureOut]
    """The planned closures that are not over, by their beginning."""
    duty: CheckpointDutyOut
    """Whether the checkpoint is open now."""
    next_opening: Annotated[
        Moment | None,
        Field(
            description="When the checkpoint opens next; if it is open now, after its next closing. Null if it does "
            "not open within 400 days."
        ),
    ]

    @classmethod
    def of(cls, view: HoursView) -> Self:
        """Convert the hours of a checkpoint to the API's model."""
        hours = view.hours
        return cls(
            checkpoint=view.place.code,
            zone=view.place.zone,
            weekly=[
                WeeklyOpeningPart.model_validate(
                    {**OpeningPart.of(each.opening).model_dump(), "weekday": WEEKDAYS[each.weekday]}
                )
                for each in hours.weekly
            ],
            exceptions=[
                DatedOpeningsPart(day=each.day, openings=[OpeningPart.of(part) for part in each.openings])
                for each in hours.exceptions
            ],
            closed_on_holidays=hours.closed_on_holidays,
            standby=hours.standby,
            closures=[ClosureOut.of(each) for each in view.closures],
            duty=CheckpointDutyOut(state=view.duty.state, until=view.duty.until),
            next_opening=view.next_opening,
        )
