"""Use cases of delayed departures: record one, read them, find the patterns of recruiters, erase travellers."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta

from app.access.domain import IMMIGRATION, Checkpoint
from app.access.service import find_place, record
from app.db.unit import Actor, Reader, Unit
from app.departures import store
from app.departures.domain import By, Delay, DelayReason, Pattern, Told, Traveller, find_patterns
from app.departures.store import Filter
from app.errors import Fault, Invalid, NotFound, WrongAgency
from app.identity import states
from app.kit.clock import day_begins, day_ends, legal_day
from app.kit.ids import new_id
from app.settings import Settings

LONGEST_PERIOD = timedelta(days=5 * 366)
"""How long a time patterns may be asked for."""

_DEFAULT_PERIOD = timedelta(days=364)
_AT_ONCE = 500
_ROUNDS = 20


async def record_delay(unit: Unit, told: Told, settings: Settings) -> Delay:
    """Record that a departure was delayed: an event, from which no entry and no alert follows (R65).

    Raises:
        WrongAgency: the actor is an officer of another agency than Immigration.
        Invalid: the checkpoint is missing, unknown or not the actor's; the time lies in the future or so far
            back that the traveller would be erased at once; the destination is no state; `other` says nothing.
    """
    place = told.checkpoint or unit.actor.checkpoint
    faults = _time_faults(told.occurred_at, unit.now, settings.delay_personal_days)
    faults += await _place_faults(unit, place)
    if told.destination is not None and states.canonical(told.destination) not in states.KNOWN:
        faults.append(Fault("/destination", "unknown_state", "This is no ICAO 9303 code of a state."))
    if told.reason is DelayReason.OTHER and not told.traveller.note:
        faults.append(Fault("/note", "required", "Another reason than those of the list is put in words."))
    if faults:
        raise Invalid("The delay can't be recorded like this.", faults=faults)
    delay = Delay(
        id=new_id("dly", unit.now),
        checkpoint=str(place),
        occurred_at=told.occurred_at,
        reason=told.reason,
        destination=told.destination,
        referral=told.referral,
        group_reference=told.group_reference,
        sponsor=told.sponsor,
        recorded_by=unit.actor.client_id,
        recorded_at=unit.now,
    )
    await store.add(unit, delay, told.traveller)
    await record(unit, "delay.recorded", delay.id, {"checkpoint": delay.checkpoint, "reason": delay.reason})
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
        return [Fault("/occurred_at", "future", "The delay lies in the future.")]
    if occurred_at <= now - timedelta(days=days):
        detail = (
            f"Travellers are erased after {days} days; this one would be at once (UU 27/2022 art. 42-44)."
        )
        return [Fault("/occurred_at", "stale", detail)]
    return []


def view_of(actor: Actor) -> str | None:
    """Which checkpoint's delays an actor sees; None means every one's.

    Raises:
        WrongAgency: they are an officer of another agency than Immigration.
    """
    immigration = actor.agency == IMMIGRATION and actor.holds("submitter", "approver", "duty_officer")
    if immigration or actor.holds("auditor"):
        return None
    if actor.holds("supervisor"):
        return actor.checkpoint
    raise WrongAgency("Delayed departures are Immigration's record.")


async def look_at(unit: Unit, delay_id: str) -> tuple[Delay, Traveller | None]:
    """A delay with its traveller, unless erased; the look is recorded (UU 27/2022 art. 31; R62).

    Raises:
        NotFound: there is none within the actor's view.
    """
    view = view_of(unit.actor)
    delay = await store.find(unit, delay_id)
    if delay is None or view not in {None, delay.checkpoint}:
        raise NotFound("There is no such delay.")
    await record(unit, "delay.seen", delay_id, {})
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
    """Delays within the actor's view, newest first, between two legal days.

    Args:
        reader: the transaction.
        checkpoint: only those at this one.
        since: first day.
        until: last day.
        sponsor_of: only those of the same sponsor as this delay; no name ever stands in a URL.
        before: only those recorded before this one.
        limit: at most so many.
    """
    view = view_of(reader.actor)
    if view is not None and checkpoint not in {None, view}:
        return []
    ids = None if sponsor_of is None else await _of_same_sponsor(reader, sponsor_of, view)
    wanted = _between(since, until, checkpoint or view)
    return await store.list_page(reader, replace(wanted, ids=ids), before, limit)


def _between(since: date | None, until: date | None, checkpoint: str | None) -> Filter:
    return Filter(
        checkpoint=checkpoint,
        since=None if since is None else day_begins(since),
        until=None if until is None else day_ends(until),
    )


async def _of_same_sponsor(reader: Reader, delay_id: str, view: str | None) -> frozenset[str]:
    """Ids of the delays that are linked with one by a chain of shared telephones, documents or names."""
    first = await store.find(reader, delay_id)
    if first is None or view not in {None, first.checkpoint}:
        return frozenset()
    ids, keys = {delay_id}, await store.list_sponsor_keys(reader, {delay_id})
    for _ in range(_ROUNDS):
        more = await store.list_by_sponsor_keys(reader, keys) - ids
        if not more:
            break
        ids |= more
        keys |= await store.list_sponsor_keys(reader, more)
    return frozenset(ids)


async def patterns(
    reader: Reader, by: By, since: date | None, until: date | None, at_least: int
) -> tuple[date, date, list[Pattern]]:
    """What the delays of a time have in common, by sponsor, checkpoint or destination.

    Args:
        reader: the transaction.
        by: what they are put together by.
        since: first legal day; by default a year before the last.
        until: last legal day; by default today.
        at_least: how many delays make a pattern.

    Returns:
        The first day, the last day, and the patterns.

    Raises:
        Invalid: the days are in the wrong order, or too far apart.
    """
    view = view_of(reader.actor)
    until = until or legal_day(reader.now)
    since = since or until - _DEFAULT_PERIOD
    if not since <= until <= since + LONGEST_PERIOD:
        fault = Fault("", "period", "The period's first day comes first, at most five years before its last.")
        raise Invalid(fault.detail, faults=[fault])
    wanted = _between(since, until, view)
    delays: list[Delay] = []
    after = None
    while True:
        page = await store.list_in_order(reader, wanted, after, _AT_ONCE)
        delays += page
        if len(page) < _AT_ONCE:
            break
        after = (page[-1].occurred_at, page[-1].id)
        await asyncio.sleep(0)  # others come in between: SQLite is read in the loop's own thread
    return since, until, find_patterns(delays, by, at_least)


async def erase_travellers(unit: Unit, days: int, limit: int) -> int:
    """Erase who was delayed more than some days ago; how many were, at most `limit` (UU 27/2022 art. 42-44)."""
    erased = await store.erase_travellers(unit, unit.now - timedelta(days=days), limit)
    if erased:
        await record(unit, "delay.travellers_erased", None, {"erased": erased})
    return erased


async def erase_sponsors(unit: Unit, days: int, limit: int) -> int:
    """Erase who had sent those delayed more than some days ago, when no pattern needs them; how many were."""
    erased = await store.erase_sponsors(unit, unit.now - timedelta(days=days), limit)
    if erased:
        await record(unit, "delay.sponsors_erased", None, {"erased": erased})
    return erased
