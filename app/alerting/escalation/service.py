"""Use cases of escalation: change an escalation policy, begin chases, take their steps, and read what was done.

A chase is the escalation of one alert at one checkpoint.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import Checkpoint
from app.access.places.service import get as get_place
from app.access.places.service import lock
from app.alerting.channels.domain import ChannelName
from app.alerting.channels.service import available, check_address
from app.alerting.escalation import page_store, store
from app.alerting.escalation.domain import (
    DEFAULT_POLICY,
    NOTICE,
    Chase,
    ChosenStep,
    Contact,
    EscalationPolicy,
    Level,
    Page,
    PageState,
    Step,
    choose_step,
    page_id,
)
from app.alerting.escalation.notices import channel_failed, escalation_changed, unacknowledged
from app.alerting.escalation.page_store import list_pages
from app.alerting.hours.domain import Duty, DutyState
from app.alerting.hours.service import duty_of
from app.alerting.notices.service import notify
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, StaleVersion
from app.settings import Settings

__all__ = [
    "add_pages",
    "begin_chases",
    "change_policy",
    "delete_policy",
    "list_pages",
    "new_page",
    "read_policy",
    "take_steps",
]

LOOK_AGAIN = timedelta(hours=1)
"""Time after which a chase at a closed checkpoint is examined again, unless the checkpoint opens before."""


async def read_policy(reader: Reader, checkpoint: str) -> EscalationPolicy:
    """Return a checkpoint's escalation policy; the default policy if it has none of its own.

    Raises:
        NotFound: there is no checkpoint with this code.
    """
    await get_place(reader, Checkpoint, checkpoint)
    return await store.find_policy(reader, checkpoint) or DEFAULT_POLICY


async def change_policy(
    unit: Unit, checkpoint: str, steps: Sequence[Step], expected: int, settings: Settings
) -> EscalationPolicy:
    """Set a checkpoint's escalation policy and return it; notify duty officers, admins and the supervisors there.

    Args:
        unit: the transaction of an admin.
        checkpoint: the checkpoint's code.
        steps: the new steps.
        expected: the version that the caller has read; 0 if the checkpoint never had a policy.
        settings: the channels of the deployment.

    Raises:
        NotFound: there is no checkpoint with this code.
        StaleVersion: the policy has another version now.
        Invalid: a channel is not set up here, an address has not the form of its channel or is missing, or a notice has
            an address.
    """
    await lock(unit, Checkpoint, checkpoint)
    known = await store.find_policy(unit, checkpoint)
    _expect_version(known, expected)
    channels = available(settings).keys()
    faults = [
        fault
        for i, step in enumerate(steps)
        for j, contact in enumerate(step.contacts)
        for fault in _faults(contact, channels, f"/steps/{i}/contacts/{j}")
    ]
    if faults:
        raise Invalid("A contact can't be paged.", faults=faults)
    policy = EscalationPolicy(tuple(steps), expected + 1)
    await store.save_policy(unit, checkpoint, policy)
    await _note_change(unit, checkpoint, policy.version)
    return policy


async def delete_policy(unit: Unit, checkpoint: str, expected: int) -> None:
    """Delete a checkpoint's own escalation policy, so that the default policy applies.

    Duty officers, admins and the supervisors of the checkpoint are notified. `expected` is the version that the caller
    has read.

    Raises:
        NotFound: there is no checkpoint with this code, or it has no escalation policy of its own.
        StaleVersion: the policy has another version now.
    """
    await lock(unit, Checkpoint, checkpoint)
    known = await store.find_policy(unit, checkpoint)
    if known is None or not known.own:
        raise NotFound("This checkpoint has no escalation policy of its own.")
    _expect_version(known, expected)
    await store.save_policy(unit, checkpoint, replace(DEFAULT_POLICY, version=expected + 1))
    await _note_change(unit, checkpoint, expected + 1)


async def _note_change(unit: Unit, checkpoint: str, version: int) -> None:
    await record(unit, AuditAct.ESCALATION_CHANGED, checkpoint, {"version": version})
    await notify(unit, [escalation_changed(checkpoint, version, unit.now)])


def _expect_version(known: EscalationPolicy | None, expected: int) -> None:
    version = known.version if known else DEFAULT_POLICY.version
    if expected != version:
        raise StaleVersion("The policy has changed since it was read.", extra={"version": version})


def _faults(contact: Contact, channels: Collection[ChannelName], pointer: str) -> list[Fault]:
    if contact.channel == NOTICE:
        if contact.address is None:
            return []
        return [Fault(f"{pointer}/address", "unexpected", "A notice has no address.")]
    if contact.address is None:
        return [Fault(f"{pointer}/address", "required", "This channel needs an address.")]
    return check_address(channels, contact.channel, contact.address, pointer)


async def begin_chases(unit: Unit, alert_id: str, family: str, settings: Settings) -> int:
    """Begin to escalate an alert at each recipient that has sent no receipt of it. Returns the number of escalations.

    Recipients at which nobody can acknowledge are left out (`store.chase_missing_receipts`). Escalations of earlier
    alerts of the family end. A second call for the same alert raises IntegrityError.

    Args:
        unit: the transaction.
        alert_id: id of the alert.
        family: id of the first alert of the alert's family.
        settings: for how long a silent checkpoint counts as connected.
    """
    silence = timedelta(seconds=settings.presence_seconds)
    return await store.chase_missing_receipts(unit, alert_id, family, silence)


async def take_steps(
    unit: Unit, steps: Collection[store.DueStep], settings: Settings, *, doubtful: bool
) -> int:
    """Take the due steps of some chases: store the pages of each step, and when the next step is due.

    No step is taken in three cases. If the alert is acknowledged or over, the escalation ends. If a receipt has come,
    the escalation waits until `acknowledge_by`. If the checkpoint is closed and has no standby, the escalation waits
    until the checkpoint has opened and had the time to acknowledge; it is examined every hour until then.

    Returns the number of steps taken.

    Args:
        unit: the transaction.
        steps: the chases; one whose step is no longer due is left out.
        settings: the channels of the deployment and its holidays.
        doubtful: whether the clock is doubted: then no alert counts as expired.
    """
    channels = available(settings).keys()
    chases = await store.lock_due(unit, steps, doubtful=doubtful)
    codes = {chase.checkpoint for chase in chases if not chase.over}
    policies = await store.list_policies(unit, codes)
    duties = await duty_of(unit, codes, unit.now, settings.holidays)
    within = timedelta(seconds=settings.acknowledge_seconds)
    advanced: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    taken: list[tuple[Chase, ChosenStep]] = []
    for chase in chases:
        key = (chase.alert_id, chase.checkpoint)
        duty = duties.get(chase.checkpoint)
        if chase.over:
            advanced[key] = (chase.taken, None)
        elif chase.received and chase.acknowledge_by > unit.now:
            advanced[key] = (chase.taken, chase.acknowledge_by)
        elif duty is not None and duty.state is DutyState.CLOSED:
            advanced[key] = (chase.taken, _after_opening(duty, unit.now, within))
        else:
            policy = policies.get(chase.checkpoint, DEFAULT_POLICY)
            standby = duty is not None and duty.state is DutyState.STANDBY
            step = choose_step(policy, chase.taken, unit.now, channels, standby=standby)
            advanced[key] = (chase.taken + 1, step.next_at)
            taken.append((chase, step))
    await store.advance(unit, advanced)
    pages = [
        _page(chase, step, place, contact, unit.now, channels)
        for chase, step in taken
        for place, contact in step.contacts
    ]
    await add_pages(unit, pages)
    await _notify_about(unit, taken)
    return len(taken)


async def add_pages(unit: Unit, pages: Sequence[Page]) -> None:
    """Store new pages, and notify officers of those with the state `failed`, whose channel is not set up.

    At most one notice a day is stored for a checkpoint and a channel.
    """
    await page_store.add_pages(unit, pages)
    failed = {(page.checkpoint, page.channel) for page in pages if page.state is PageState.FAILED}
    await notify(unit, [channel_failed(*each, unit.now) for each in sorted(failed)])


def new_page(page: Page, channels: Collection[str]) -> Page:
    """Return a new page as it is to be stored: unchanged if its channel is one of `channels`, else as `failed`.

    `channels` are the names of the channels that the deployment has.
    """
    if page.channel in channels:
        return page
    detail = "This deployment has no such channel."
    return replace(page, state=PageState.FAILED, due_at=None, done_at=page.created_at, detail=detail)


def _after_opening(duty: Duty, now: datetime, within: timedelta) -> datetime:
    looked_at = now + LOOK_AGAIN
    return looked_at if duty.until is None or duty.until > looked_at else duty.until + within


def _page(
    chase: Chase, taken: ChosenStep, place: int, contact: Contact, now: datetime, channels: Collection[str]
) -> Page:
    """Return the page of one contact; a notice is written in the same transaction, so it counts as sent."""
    page = Page(
        id=page_id(chase.alert_id, chase.checkpoint, chase.taken, place),
        alert_id=chase.alert_id,
        checkpoint=chase.checkpoint,
        step=chase.taken,
        level=taken.step.level,
        channel=contact.channel,
        address=contact.address,
        drill=False,
        state=PageState.DUE,
        attempts=0,
        created_at=now,
        due_at=now,
    )
    if contact.channel == NOTICE:
        return replace(page, state=PageState.SENT, attempts=1, due_at=None, done_at=now)
    return new_page(page, channels)


async def _notify_about(unit: Unit, taken: Sequence[tuple[Chase, ChosenStep]]) -> None:
    """Write the notices of the steps that page by notice: one to each checkpoint, one about all to the region."""
    about: dict[tuple[str, Level, str], list[Chase]] = defaultdict(list)
    for chase, step in taken:
        if any(contact.channel == NOTICE for _, contact in step.contacts):
            level = step.step.level
            place = "" if level is Level.REGION else chase.checkpoint
            about[chase.alert_id, level, place].append(chase)
    await notify(unit, [unacknowledged(level, chases, unit.now) for (_, level, _), chases in about.items()])
