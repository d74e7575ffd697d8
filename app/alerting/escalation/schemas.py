"""The JSON models of escalation policies and drills."""

from datetime import date
from typing import Annotated, Self

from pydantic import Field

from app.alerting.escalation.domain import Contact, EscalationPolicy, Level, OnDuty, Step
from app.alerting.escalation.drills import DrillFigures
from app.alerting.escalation.page_schemas import Channel
from app.web.wire import Line, WireIn, WireOut


class ContactPart(WireIn):
    """A person or a group that is paged, with the channel and the address for it."""

    channel: Annotated[
        Channel,
        Field(
            description="`notice`: an officer's notice, to the checkpoint's supervisors or, at the level `region`, the "
            "duty officers; `email` and `command`, where the deployment has set them up."
        ),
    ]
    address: Annotated[
        Line | None,
        Field(
            description="The address of this channel, as a mail address or a telephone; null for a notice."
        ),
    ] = None
    when: Annotated[
        OnDuty,
        Field(
            description="`open`: paged while the checkpoint is open; `standby`: while it is closed and has a standby; "
            "`always`: in both."
        ),
    ] = OnDuty.OPEN


class StepPart(WireIn):
    """A step of an escalation policy: its contacts are paged at once."""

    level: Annotated[Level, Field(description="Where these people are.")]
    contacts: Annotated[list[ContactPart], Field(min_length=1, max_length=20)]
    """The contacts that are paged."""
    wait_seconds: Annotated[
        int | None,
        Field(
            ge=10,
            le=3600,
            description="Seconds until the next step; null for the default: 60, or 120 if it pages by mail.",
        ),
    ] = None


class EscalationPolicyIn(WireIn):
    """The people that are paged, step by step, if a checkpoint does not acknowledge an alert."""

    steps: Annotated[list[StepPart], Field(min_length=1, max_length=10)]
    """The steps; after the last one the escalation policy begins anew, after 5 minutes, then 10, 20, up to 24 hours."""

    def to_steps(self) -> tuple[Step, ...]:
        """Return the steps as domain objects."""
        return tuple(
            Step(
                step.level,
                tuple(Contact(each.channel, each.address, each.when) for each in step.contacts),
                step.wait_seconds,
            )
            for step in self.steps
        )


class EscalationPolicyOut(WireOut):
    """The people that are paged, step by step, if a checkpoint does not acknowledge an alert."""

    checkpoint: str
    """The checkpoint's code."""
    version: int
    """Number of changes of the policy, deletions included; 0 before the first."""
    steps: list[StepPart]
    """The steps; after the last one the escalation policy begins anew."""

    @classmethod
    def of(cls, checkpoint: str, policy: EscalationPolicy) -> Self:
        """Convert the escalation policy of the checkpoint with this code to the API's model."""
        return cls(
            checkpoint=checkpoint,
            version=policy.version,
            steps=[
                StepPart(
                    level=step.level,
                    contacts=[
                        ContactPart(channel=each.channel, address=each.address, when=each.when)
                        for each in step.contacts
                    ],
                    wait_seconds=step.wait_seconds,
                )
                for step in policy.steps
            ],
        )


class DrillChannelOut(WireOut):
    """The numbers of test messages that one day's drill sent by one channel."""

    channel: Channel
    """The channel."""
    sent: int
    """Number of messages that the channel has accepted."""
    failed: int
    """Number of messages that can't be sent."""
    waiting: int
    """Number of messages that wait for an attempt."""


class DrillOut(WireOut):
    """The daily drill of one day: an exercise alert to each open checkpoint, and a test of each channel."""

    day: date
    """The day, in each checkpoint's own zone."""
    alerts: list[str]
    """Ids of the drill's alerts. A checkpoint that opens later in the day gets the drill by a later alert."""
    checkpoints: int
    """Number of checkpoints that took part."""
    unreceived: list[str]
    """Codes of the checkpoints that have sent no receipt."""
    unacknowledged: list[str]
    """Codes of the checkpoints at which no person has acknowledged the drill."""
    p50_ms: float | None
    """Milliseconds from issue to a checkpoint's first receipt: the median; null before the first."""
    p99_ms: float | None
    """Milliseconds from issue to a checkpoint's first receipt: the 99th percentile; null before the first."""
    channels: list[DrillChannelOut]
    """The test messages to the contacts, by channel."""

    @classmethod
    def of(cls, figures: DrillFigures) -> Self:
        """Convert the figures of a day to the API's model."""
        return cls(
            day=figures.day,
            alerts=list(figures.alerts),
            checkpoints=figures.checkpoints,
            unreceived=list(figures.unreceived),
            unacknowledged=list(figures.unacknowledged),
            p50_ms=figures.p50_ms,
            p99_ms=figures.p99_ms,
            channels=[
                DrillChannelOut(channel=c.channel, sent=c.sent, failed=c.failed, waiting=c.waiting)
                for c in figures.channels
            ],
        )


class DrillsOut(WireOut):
    """The daily drills of a period."""

    items: list[DrillOut]
    """The days with a drill, in order."""
