"""The rules of escalation: the escalation policy of a checkpoint, the time of each step, and what a page says; pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

NOTICE: Final = "notice"
"""The channel inside the register: a notice to the supervisors of the checkpoint, or to the duty officers."""

RECEIVED_WITHIN: Final = timedelta(seconds=5)
"""How soon after its issue the machine of a checkpoint must have confirmed an alert."""

RECONNECTED_WITHIN: Final = timedelta(seconds=10)
"""The same, of a checkpoint that was connected until shortly before: its client connects again within seconds."""

RECENTLY: Final = timedelta(minutes=2)
"""How long ago a checkpoint may have been connected to count as only late; longer, and it is down."""

POLLED_WITHIN: Final = timedelta(seconds=35)
"""The same, of a checkpoint that polls: a poll waits up to 30 seconds, and some clients pause as long between two."""

PAUSE: Final = timedelta(minutes=5)
"""Time between the last step of an escalation policy and its first step again; it doubles with each round."""

LONGEST_PAUSE: Final = timedelta(hours=24)

WAITS: Final = {
    NOTICE: timedelta(seconds=60),
    "command": timedelta(seconds=60),
    "email": timedelta(seconds=120),
}
"""The time that people reached by each channel have to acknowledge, before the next step: the channel's grace."""

UNANSWERED: Final = timedelta(seconds=5)
"""Time until the next step where nobody could be reached by the present one."""

RETRIES: Final = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=45))
"""Times between the attempts of a page that fails for a transient reason; after the last one the page has failed."""


class Level(StrEnum):
    """The place of the people of a step of an escalation policy, from the nearest to the farthest."""

    CHECKPOINT = "checkpoint"
    SUPERVISOR = "supervisor"
    REGION = "region"


class OnDuty(StrEnum):
    """The hours in which a contact is paged: the checkpoint is open, or is closed and has a standby, or both."""

    OPEN = "open"
    STANDBY = "standby"
    ALWAYS = "always"


class PageState(StrEnum):
    """State of a page.

    `due`: it waits for its first or next attempt. `sent`: its channel has accepted it. `failed`: it can't be sent.
    `dropped`: it was not sent, because the alert was acknowledged or over before.
    """

    DUE = "due"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or a group that is paged, by a channel and an address of that channel.

    Attributes:
        channel: name of the channel; `notice` has no address.
        address: the address; None for a notice.
        when: during which hours of the checkpoint it is paged.
    """

    channel: str
    address: str | None
    when: OnDuty = OnDuty.OPEN

    def on_duty(self, *, standby: bool) -> bool:
        """Return whether it is paged now.

        Args:
            standby: True while the checkpoint is closed and has a standby; False while it is open.
        """
        return self.when is OnDuty.ALWAYS or (self.when is OnDuty.STANDBY) is standby


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation policy: all its contacts on duty are paged at once.

    Attributes:
        level: where these people are.
        contacts: the people that it pages.
        wait_seconds: seconds until the next step; None for the longest grace of the step's channels.
    """

    level: Level
    contacts: tuple[Contact, ...]
    wait_seconds: int | None = None

    def pageable(self, channels: Collection[str], *, standby: bool) -> list[Contact]:
        """Return the contacts on duty that can be paged, by notice or by one of these channels, in order.

        `standby` is True while the checkpoint is closed and has a standby, and False while it is open.
        """
        return [
            contact
            for contact in self.contacts
            if contact.on_duty(standby=standby) and contact.channel in {NOTICE, *channels}
        ]

    def wait(self, channels: Sequence[str]) -> timedelta:
        """Return the time from this step to the next one.

        Args:
            channels: the channels of the contacts that are paged now; without any the next step follows soon.
        """
        if not channels:
            return UNANSWERED
        if self.wait_seconds is not None:
            return timedelta(seconds=self.wait_seconds)
        return max(WAITS[channel] for channel in channels)


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """The people to which a checkpoint's alerts are escalated, step by step; in a loop until somebody acknowledges.

    Attributes:
        steps: at least one.
        version: its version, from 1; 0 for the default of checkpoints without an escalation policy of their own.
    """

    steps: tuple[Step, ...]
    version: int = 0
    own: bool = True


DEFAULT_POLICY: Final = EscalationPolicy(
    (
        Step(Level.SUPERVISOR, (Contact(NOTICE, None, OnDuty.ALWAYS),)),
        Step(Level.REGION, (Contact(NOTICE, None, OnDuty.ALWAYS),)),
    ),
    own=False,
)
"""The escalation policy of a checkpoint without one of its own: notices to its supervisors, then to duty officers."""


@dataclass(frozen=True, slots=True)
class Chase:
    """The escalation of one alert at one checkpoint, with a step that is due.

    Attributes:
        due_at: when the step became due.
        taken: number of steps taken so far, over all rounds of the escalation policy.
        over: whether it ends: the alert was acknowledged there, cancelled, has expired, or a later one replaces it.
        received: whether a machine of the checkpoint has confirmed the alert.
        acknowledge_by: when a person there must have acknowledged it.
        agency: owner of the alert's entry; None for a drill without an agency.
    """

    alert_id: str
    checkpoint: str
    due_at: datetime
    taken: int
    over: bool
    received: bool
    acknowledge_by: datetime
    kind: str
    agency: str | None
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """A message to one contact about an alert, or to prove its channel.

    Attributes:
        id: the same at each attempt, so that a receiver recognises a repeat.
        alert_id: the alert, or the drill of the day.
        step: number of the escalation policy's steps that were taken before, over all rounds.
        level: where the contact is.
        address: None for a notice, and once the address was erased.
        drill: whether it only proves that the channel works.
        attempts: number of attempts so far.
        due_at: when the next attempt is due, or the lease of the present one ends; None when the page is done.
        detail: what the channel answered last.
        ms: milliseconds that the last attempt took.
    """

    id: str
    alert_id: str
    checkpoint: str
    step: int
    level: Level
    channel: str
    address: str | None
    drill: bool
    state: PageState
    attempts: int
    created_at: datetime
    due_at: datetime | None
    done_at: datetime | None = None
    detail: str | None = None
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """A step that is taken now.

    Attributes:
        step: the step.
        contacts: the contacts on duty, each with its place in the step, also those whose channel is not set up.
        next_at: when the next step is due.
    """

    step: Step
    contacts: tuple[tuple[int, Contact], ...]
    next_at: datetime


def take_step(
    policy: EscalationPolicy, taken: int, now: datetime, channels: Collection[str], *, standby: bool
) -> Taken:
    """Return the next step of a policy, and when the step after it is due.

    After the last step the policy begins again with its first, at growing intervals. A step that can page nobody is
    followed at once by the next one; where no step of the policy can, the default policy takes its place.

    Args:
        policy: the checkpoint's policy.
        taken: number of steps taken before, over all rounds.
        now: the present.
        channels: names of the channels that the deployment has.
        standby: whether the checkpoint is closed and has a standby.
    """
    if not any(step.pageable(channels, standby=standby) for step in policy.steps):
        policy = DEFAULT_POLICY
    count = len(policy.steps)
    step = policy.steps[taken % count]
    contacts = tuple(
        (place, contact) for place, contact in enumerate(step.contacts) if contact.on_duty(standby=standby)
    )
    wait = step.wait([contact.channel for contact in step.pageable(channels, standby=standby)])
    rounds, last = divmod(taken, count)
    if last == count - 1:
        wait = max(wait, min(PAUSE * 2 ** min(rounds, 10), LONGEST_PAUSE))
    return Taken(step, contacts, now + wait)


def page_id(alert_id: str, checkpoint: str, step: int | str, place: int) -> str:
    """Return the id of a page: the same at each attempt, so that a receiver recognises a repeat.

    Args:
        alert_id: the alert.
        checkpoint: the checkpoint.
        step: number of steps taken before, or the level of a page that proves a channel.
        place: place of the contact in its step.
    """
    return f"{alert_id}.{checkpoint}.{step}.{place}"


@dataclass(frozen=True, slots=True)
class About:
    """The content of a page about its alert. Nothing about the person (R48, R56), because it travels by mail or SMS."""

    alert_id: str
    kind: str
    agency: str | None
    issued_at: datetime


_KINDS: Final = {
    "raise": ("peringatan cekal mendesak", "urgent alert"),
    "update": ("perubahan peringatan cekal", "change of an alert"),
    "exercise": ("latihan", "drill"),
}


def subject_of(about: About, checkpoint: str, *, drill: bool) -> str:
    """Return the one-line text of a page, in Indonesian and English.

    Args:
        about: the alert.
        checkpoint: code of the checkpoint that has not acknowledged it.
        drill: whether the page only proves that its channel works.
    """
    if drill:
        return f"{checkpoint}: uji saluran harian cekal / daily test of this channel"
    indonesian, english = _KINDS[about.kind]
    return f"{checkpoint}: {indonesian} belum dikonfirmasi / {english} not acknowledged"


def text_of(about: About, checkpoint: str, *, drill: bool) -> str:
    """Return the text of a page, in Indonesian and English.

    Args:
        about: the alert.
        checkpoint: code of the checkpoint that has not acknowledged it.
        drill: whether the page only proves that its channel works.
    """
    if drill:
        return (
            f"{checkpoint}: ini uji saluran harian ({about.alert_id}). Tidak perlu tindakan.\n"
            f"{checkpoint}: this is the daily test of this channel ({about.alert_id}). There is nothing to do.\n"
        )
    indonesian, english = _KINDS[about.kind]
    at = f"{about.issued_at:%Y-%m-%d %H:%M:%S}Z"
    owner = f" ({about.agency})" if about.agency else ""
    return (
        f"{checkpoint}: {indonesian}{owner} {about.alert_id} dari {at} belum dikonfirmasi petugas. "
        "Buka sistem pemeriksaan dan konfirmasikan.\n"
        f"{checkpoint}: {english}{owner} {about.alert_id} of {at} is not acknowledged by an officer. "
        "Open the checkpoint's system and acknowledge it.\n"
    )
