"""Use cases of delayed departures: record one, read them, find the patterns of recruiters, erase travellers."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from app.access.acts import AuditAct
from app.access.clients.service import find_place, record
from app.access.domain import IMMIGRATION, Checkpoint, Role
from app.actor import Actor
from app.db.unit import Reader, Unit
from app.errors import Fault, Invalid, NotFound, WrongAgency
from app.identity import states
from app.kit.clock import day_begins, day_ends, legal_day
from app.kit.ids import new_id
from app.register.departures import store
from app.register.departures.domain import (
    Delay,
    DelayReason,
    GroupBy,
    Pattern,
    SubmittedDelay,
    Traveller,
    find_patterns,
)
from app.register.departures.store import Filter, list_sponsors_to_erase, list_travellers_to_erase
from app.settings import Settings

__all__ = [
    "LONGEST_PERIOD",
    "erase_sponsors",
    "erase_travellers",
    "list_sponsors_to_erase",
    "list_travellers_to_erase",
]

LONGEST_PERIOD = timedelta(days=5 * 366)
"""The longest period for which patterns can be requested."""

_DEFAULT_PERIOD = timedelta(days=364)
_BATCH_SIZE = 500


async def record_delay(unit: Unit, submitted: SubmittedDelay, settings: Settings) -> Delay:
    """Store that a departure was delayed; this creates no entry and no alert (R65). Returns the delay.

    `settings` give the number of days after which a traveller is erased.

    Raises:
        WrongAgency: the actor may not see delays (see `view_of`).
        Invalid: the checkpoint is missing, unknown or not the actor's; the time is in the future, or so long ago that
            the traveller would be erased at once; the destination is no state; the reason `other` has no note.
    """
    place = submitted.checkpoint or unit.actor.checkpoint
    faults = _time_faults(submitted.occurred_at, unit.now, settings.delay_personal_days)
    faults += await _place_faults(unit, place)
    if submitted.destination is not None and states.canonical(submitted.destination) not in states.KNOWN:
        faults.append(Fault("/destination", "unknown_state", "This is no ICAO 9303 code of a state."))
    if submitted.reason is DelayReason.OTHER and not submitted.traveller.note:
        faults.append(Fault("/note", "required", "Another reason than those of the list is put in words."))
    if faults:
        raise Invalid("The delay can't be recorded like this.", faults=faults)
    delay = Delay(
        id=new_id("dly", unit.now),
        checkpoint=str(place),
        occurred_at=submitted.occurred_at,
        reason=submitted.reason,
        destination=submitted.destination,
        referral=submitted.referral,
        group_reference=submitted.group_reference,
        sponsor=submitted.sponsor,
        recorded_by=unit.actor.client_id,
        recorded_at=unit.now,
    )
    await store.add(unit, delay, submitted.traveller)
    await record(
        unit, AuditAct.DELAY_RECORDED, delay.id, {"checkpoint": delay.checkpoint, "reason": delay.reason}
    )
    return delay


async def _place_faults(unit: Unit, place: str | None) -> list[Fault]:
    if view_of(unit.actor) not in {None, place}:
        return [Fault("/checkpoint", "not_yours", "A supervisor records for the own checkpoint.")]
    if place is None:
        return [Fault("/checkpoint", "required", "Name the checkpoint: this key belongs to none.")]
    if await find_place(unit, Checkpoint, place) is None:
        return [Fault("/checkpoint", "unknown", "There is no checkpoint with this code.")]
    return []


def _time_faults(occurred_at: datetime, now: datetime, days: int) -> list[Fault]:
    if occurred_at > now:
        return [Fault("/occurred_at", "future", "The delay is in the future.")]
    if occurred_at <= now - timedelta(days=days):
        detail = (
            f"Travellers are erased after {days} days; this one would be at once (UU 27/2022 art. 42-44)."
        )
        return [Fault("/occurred_at", "stale", detail)]
    return []


def view_of(actor: Actor) -> str | None:
    """Return the code of the only checkpoint at which an actor may see delays; None means every checkpoint.

    Auditors, and Immigration's submitters, approvers and duty officers, see all; a supervisor sees their checkpoint.

    Raises:
        WrongAgency: the actor has none of these roles.
    """
    immigration = actor.agency == IMMIGRATION and actor.holds(
        Role.SUBMITTER, Role.APPROVER, Role.DUTY_OFFICER
    )
    if immigration or actor.holds(Role.AUDITOR):
        return None
    if actor.holds(Role.SUPERVISOR):
        return actor.checkpoint
    raise WrongAgency("Delayed departures are Immigration's record.")


async def read_and_log(unit: Unit, delay_id: str) -> tuple[Delay, Traveller | None]:
    """Return a delay with its traveller (None once erased), and log the access (UU 27/2022 art. 31; R62).

    Raises:
        WrongAgency: the actor may see no delays (see `view_of`).
        NotFound: the actor sees no delay with this id.
    """
    view = view_of(unit.actor)
    delay = await store.find(unit, delay_id)
    if delay is None or view not in {None, delay.checkpoint}:
        raise NotFound("There is no such delay.")
    await record(unit, AuditAct.DELAY_SEEN, delay_id, {})
    return delay, await store.find_traveller(unit, delay_id)


async def list_page(
    reader: Reader,
    *,
    checkpoint: str | None,
    since: date | None,
    until: date | None,
    sponsor_of: str | None,
    before: str | None,
    limit: int,
) -> list[Delay]:
    """Return delays that the actor may see, the newest record first, between two legal days.

    Args:
        reader: the transaction.
        checkpoint: only delays at this checkpoint; empty result if the actor may not see it. None for every checkpoint.
        since: first day on which they occurred; None for no limit.
        until: last day on which they occurred; None for no limit.
        sponsor_of: id of a delay; only this delay and those of the same sponsor. Delays have the same sponsor if they
            share a key of `Sponsor.identifiers`, or if a chain of other delays, of any length, links them by such keys.
            The chain may contain delays that the actor does not see. Only erased sponsors (`delay_sponsor_days`) are
            no links. Empty result if the actor does not see the delay with this id. None for any sponsor.
        before: id of a delay; only delays recorded before it. None for the newest.
        limit: maximum number of delays.

    Raises:
        WrongAgency: the actor may see no delays (see `view_of`).
    """
    view = view_of(reader.actor)
    if view is not None and checkpoint not in {None, view}:
        return []
    ids = None if sponsor_of is None else await _of_same_sponsor(reader, sponsor_of, view)
    requested = _between(since, until, checkpoint or view)
    return await store.list_page(reader, replace(requested, ids=ids), before, limit)


def _between(since: date | None, until: date | None, checkpoint: str | None) -> Filter:
    return Filter(
        checkpoint=checkpoint,
        since=None if since is None else day_begins(since),
        until=None if until is None else day_ends(until),
    )


async def _of_same_sponsor(reader: Reader, delay_id: str, view: str | None) -> frozenset[str]:
    """Return the ids of the delays linked with one by a chain of shared telephones, documents or names."""
    first = await store.find(reader, delay_id)
    if first is None or view not in {None, first.checkpoint}:
        return frozenset()
    return await store.list_of_same_sponsor(reader, delay_id)


async def patterns(
    reader: Reader, by: GroupBy, since: date | None, until: date | None, at_least: int
) -> tuple[date, date, list[Pattern]]:
    """Return groups of the delays that the actor may see and that occurred in a period.

    They are grouped by sponsor, checkpoint or destination.

    Args:
        reader: the transaction.
        by: the member to group by.
        since: first legal day of the period; None for the day 364 days before the last one.
        until: last legal day of the period; None for today.
        at_least: the minimum number of delays that make a pattern.

    Returns:
        The first day, the last day, and the patterns, in the order of `domain.find_patterns`.

    Raises:
        WrongAgency: the actor may see no delays (see `view_of`).
        Invalid: the days are in the wrong order, or more than five years apart.
    """
    view = view_of(reader.actor)
    until = until or legal_day(reader.now)
    since = since or until - _DEFAULT_PERIOD
    if not since <= until <= since + LONGEST_PERIOD:
        fault = Fault("", "period", "The period's first day comes first, at most five years before its last.")
        raise Invalid(fault.detail, faults=[fault])
    requested = _between(since, until, view)
    delays: list[Delay] = []
    after = None
    while True:
        page = await store.list_in_order(reader, requested, after, _BATCH_SIZE)
        delays += page
        if len(page) < _BATCH_SIZE:
            break
        after = (page[-1].occurred_at, page[-1].id)
        await asyncio.sleep(0)  # let other tasks run: SQLite is read in the event loop's own thread
    return since, until, find_patterns(delays, by, at_least)


async def erase_travellers(unit: Unit, delay_ids: Sequence[str], days: int) -> int:
    """Erase the travellers, and the officers' notes, of those of these delays that are older than `days` days.

    See UU 27/2022 art. 42-44. Returns the number of erased travellers.
    """
    erased = await store.erase_travellers(unit, delay_ids, days=days)
    if erased:
        await record(unit, AuditAct.DELAY_TRAVELLERS_ERASED, None, {"erased": erased})
    return erased


async def erase_sponsors(unit: Unit, delay_ids: Sequence[str], days: int) -> int:
    """Erase the sponsors and the group references of those of these delays that are older than `days` days.

    Returns the number of delays from which a sponsor or a group reference was erased.
    """
    erased = await store.erase_sponsors(unit, delay_ids, days=days)
    if erased:
        await record(unit, AuditAct.DELAY_SPONSORS_ERASED, None, {"erased": erased})
    return erased
