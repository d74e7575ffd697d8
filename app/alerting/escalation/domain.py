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
"""How soon after its issue a checkpoint that has just lost its connection must have confirmed an alert."""

RECENTLY: Final = timedelta(minutes=2)
"""For this time after its last connection a checkpoint counts as late; after that, as down."""

POLLED_WITHIN: Final = timedelta(seconds=35)
"""How soon after its issue a checkpoint that polls must have confirmed an alert: some clients poll every 30 seconds."""

PAUSE: Final = timedelta(minutes=5)
"""Time between the last step of an escalation policy and its first step again; it doubles with each round."""

LONGEST_PAUSE: Final = timedelta(hours=24)
"""Greatest value of the doubled `PAUSE`."""

WAITS: Final = {
    NOTICE: timedelta(seconds=60),
    "command": timedelta(seconds=60),
    "email": timedelta(seconds=120),
}
"""Default time between a step and the next one, by the channel that pages people: they need it to acknowledge."""

UNANSWERED: Final = timedelta(seconds=5)
"""Time until the next step if the present step could page nobody."""

RETRIES: Final = (timedelta(seconds=5), timedelta(seconds=15), timedelta(seconds=45))
"""Times between the attempts of a page that fails for a transient reason; after the last one the page has failed."""


class Level(StrEnum):
    """Where the people work that a step of an escalation policy pages, from the nearest to the farthest.

    They work at the checkpoint, as its supervisors, or in its region.
    """

    CHECKPOINT = "checkpoint"
    SUPERVISOR = "supervisor"
    REGION = "region"


class OnDuty(StrEnum):
    """When a contact is paged: while its checkpoint is open, while it is closed and has a standby, or in both cases."""

    OPEN = "open"
    STANDBY = "standby"
    ALWAYS = "always"


class PageState(StrEnum):
    """State of a page: a message to one contact about an alert.

    `due`: it waits for its first or next attempt. `sent`: its channel has accepted it. `failed`: it can't be sent.
    `dropped`: it was not sent, because the alert had been acknowledged or was over.
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
        when: in which state of the checkpoint (open, or closed with a standby) the contact is paged.
    """

    channel: str
    address: str | None
    when: OnDuty = OnDuty.OPEN

    def on_duty(self, *, standby: bool) -> bool:
        """Return whether the contact is paged while its checkpoint is in the given state.

        Args:
            standby: True while the checkpoint is closed and has a standby; False while it is open.
        """
        return self.when is OnDuty.ALWAYS or (self.when is OnDuty.STANDBY) is standby


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation policy: all its contacts on duty are paged at once.

    Attributes:
        level: where the contacts work.
        contacts: the people that the step pages.
        wait_seconds: seconds until the next step; None for a default that depends on the paged channels (`WAITS`).
    """

    level: Level
    contacts: tuple[Contact, ...]
    wait_seconds: int | None = None

    def pageable(self, channels: Collection[str], *, standby: bool) -> list[Contact]:
        """Return the contacts on duty that can be paged, by notice or by one of `channels`, in the order of the step.

        `standby` is True while the checkpoint is closed and has a standby, and False while it is open.
        """
        return [
            contact
            for contact in self.contacts
            if contact.on_duty(standby=standby) and contact.channel in {NOTICE, *channels}
        ]

    def wait(self, channels: Sequence[str]) -> timedelta:
        """Return the time from this step to the next one: the step's own, or else the longest default of the channels.

        Args:
            channels: the channels of the contacts that are paged now; if there are none, the result is 5 seconds.
        """
        if not channels:
            return UNANSWERED
        if self.wait_seconds is not None:
            return timedelta(seconds=self.wait_seconds)
        return max(WAITS[channel] for channel in channels)


@dataclass(frozen=True, slots=True)
class EscalationPolicy:
    """The people that are paged, step by step, if a checkpoint does not acknowledge an alert.

    After the last step the first one follows again, until somebody at the checkpoint acknowledges.

    Attributes:
        steps: the steps, at least one, first step first.
        version: the number of changes so far, a deletion included; 0 if it was never changed.
        own: whether an admin has set it; False for the default policy.
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
    """The escalation of one alert at one checkpoint, at the moment when its next step is due.

    Attributes:
        due_at: when the next step became due.
        taken: number of steps taken so far, over all rounds of the escalation policy.
        over: whether the escalation must end: the checkpoint has acknowledged the alert or can't acknowledge any
            longer, or the alert was cancelled, has expired, or is replaced by a later one.
        received: whether the checkpoint has sent a receipt of the alert, of any level.
        acknowledge_by: time limit for the acknowledgement by a person at the checkpoint.
        kind: the alert's `AlertKind`, as text.
        agency: code of the owner of the alert's entry; None for a drill without an agency.
        issued_at: when the alert was issued.
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
    """A message to one contact: about an alert that is not acknowledged, or as the daily test of a channel.

    Attributes:
        id: id of the message; it is the same at each attempt, so that a receiver recognises a repeat.
        alert_id: id of the alert; for a test of a channel, of the daily drill.
        step: number of steps of the escalation that were taken before this one, over all rounds; 0 for a test.
        level: where the contact works.
        address: the contact's address; None for a notice, and once it was erased.
        drill: whether the page is a test of its channel.
        attempts: number of attempts so far.
        due_at: when the next attempt is due; during an attempt, when its lease ends. None when the page is done.
        done_at: when the page got its final state; None before.
        detail: what the channel answered last; None before the first answer, and once erased.
        ms: milliseconds that the last attempt took; None before the first one.
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
class ChosenStep:
    """A step of an escalation that `choose_step` has chosen.

    Attributes:
        step: the step.
        contacts: the contacts on duty, each with its index in the step. Those whose channel the deployment does not
            have are included.
        next_at: when the next step is due.
    """

    step: Step
    contacts: tuple[tuple[int, Contact], ...]
    next_at: datetime


def choose_step(
    policy: EscalationPolicy, taken: int, now: datetime, channels: Collection[str], *, standby: bool
) -> ChosenStep:
    """Return the step of an escalation to take at `now`, and when the step after it is due.

    After the last step of the policy comes a pause, which doubles with each round, and then the first step again. After
    a step that can page nobody the next one is due in 5 seconds. If no step of the policy can page anybody, the default
    policy takes its place.

    Args:
        policy: the checkpoint's policy.
        taken: number of steps taken before, over all rounds.
        now: when the step is taken.
        channels: names of the channels that the deployment has.
        standby: True while the checkpoint is closed and has a standby; False while it is open.
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
    return ChosenStep(step, contacts, now + wait)


def page_id(alert_id: str, checkpoint: str, step: int | str, place: int) -> str:
    """Return the id of a page; it is the same at each attempt, so that a receiver recognises a repeat.

    Args:
        alert_id: id of the alert.
        checkpoint: the checkpoint's code.
        step: number of steps taken before; the word `drill` for a test of a channel.
        place: index of the contact in its step; for a test of a channel, the test's number at the checkpoint.
    """
    return f"{alert_id}.{checkpoint}.{step}.{place}"


@dataclass(frozen=True, slots=True)
class About:
    """The data of an alert that a page contains: nothing about the person (R48, R56), as pages go by mail or SMS."""

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
    """Return the subject of a page in one line, in Indonesian and English.

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
