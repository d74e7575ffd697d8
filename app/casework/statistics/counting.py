"""Counting of the events of a period, in small pieces, so that other requests are served in between."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final

from app.access.domain import IMMIGRATION, SYSTEM
from app.actor import Actor
from app.border.hits.domain import Identity
from app.casework.statistics import store
from app.casework.statistics.domain import UNKNOWN, EventCell, Tally
from app.casework.statistics.figures import DEADLINES, ENDED, Dimension, Figure
from app.casework.statistics.store import Span
from app.db.unit import Reader
from app.kit.clock import day_begins, legal_day
from app.register.entries.domain import Entry, State
from app.register.entries.duties.store import with_done_times
from app.register.entries.law.deadlines import Terms, beyond, deadlines, refuse_by
from app.register.entries.store import list_by_ids
from app.runtime import Runtime

_RESOLUTION: Final = timedelta(microseconds=1)
"""Resolution of the register's instants."""

_ENTRIES_PER_PAGE = 25
_ENTRIES_PER_TURN = 10
_ALERTS_PER_PAGE = 10
_QUICK, _SLOW = 0.002, 0.008
"""Seconds: the next piece of the checks is longer if reading one took less than the first, shorter if more than the
second."""

_SHORTEST_PIECE, _LONGEST_PIECE = timedelta(minutes=1), timedelta(hours=2)


async def tally_of(runtime: Runtime, actor: Actor, span: Span, by: tuple[Dimension, ...]) -> Tally:
    """Return the counts of a span's events by one dimension or two; small counts are not hidden yet.

    Args:
        runtime: the process's databases, clock and settings.
        actor: the actor in whose name the databases are read.
        span: the period, and the agency whose events count.
        by: the dimensions, one or two.
    """
    counting = _Counting(runtime, span, Tally(by))
    async with runtime.reading(actor) as register:
        await counting.entries(register)
        await counting.alerts(register)
        await counting.corrections(register)
        await counting.delays(register)
        await counting.false_hits(register)
        async with runtime.checks_beside(register) as checks:
            await counting.checks(checks)
            await counting.hits(register, checks)
    return counting.tally


class _Counting:
    """The state of one counting run."""

    def __init__(self, runtime: Runtime, span: Span, tally: Tally) -> None:
        self.runtime, self.span, self.tally = runtime, span, tally
        self.terms = Terms.of(runtime.settings)
        self.offices: dict[str, str | None] = {}
        self.months = list(months_of(span))
        self.provinces: dict[str, str | None] = {}
        self.places: dict[str, EventCell] = {}

    async def entries(self, register: Reader) -> None:
        """Count entries that were made, rejected, ended, or in force at the end; and their deadlines."""
        self.offices = await store.list_provinces_of_offices(register)
        self.provinces = await store.list_provinces(register)
        after = ""
        while page := await store.list_entries(register, self.span, after, _ENTRIES_PER_PAGE):
            after = page[-1].id
            made = [entry.id for entry in page if entry.created_at >= self.span.since]
            decided = await store.list_decided(register, made) if made else {}
            for turn, stored in enumerate(await with_done_times(register, page)):
                if turn % _ENTRIES_PER_TURN == 0:
                    await asyncio.sleep(0)
                entry = stored.at(register.now)
                place = self._remember(entry)
                self._ends(entry, place)
                self._in_force(entry, place)
                if entry.created_at >= self.span.since:
                    self._made(entry, place, decided.get(entry.id, []), register.now)

    def _remember(self, entry: Entry) -> EventCell:
        place = EventCell(
            measure=entry.measure.value,
            agency=entry.agency,
            province=self.offices.get(entry.office or "") or UNKNOWN,
            reason=entry.basis.reason_code,
        )
        self.places[entry.id] = place
        return place

    def _made(
        self, entry: Entry, place: EventCell, decided: list[tuple[str, datetime]], now: datetime
    ) -> None:
        at = replace(place, month=month_of(entry.created_at))
        self.tally.add(Figure.ENTRIES_MADE, at)
        if entry.urgent:
            self.tally.add(Figure.ENTRIES_URGENT, at)
        for deadline in deadlines(entry, self.terms, entry.met):
            met, missed = DEADLINES.get(deadline.name, (None, None))
            if met is None or missed is None:
                continue
            if deadline.late or deadline.passed(now):
                self.tally.add(missed, at)
            elif deadline.met_at is not None:
                self.tally.add(met, at)
        if not entry.urgent and entry.submitted_by != SYSTEM.client_id:
            due_at, decided_at = refuse_by(entry), _decided_at(entry, decided)
            if beyond(due_at, decided_at or now):
                self.tally.add(Figure.DECISION_MISSED, at)
            elif decided_at is not None:
                self.tally.add(Figure.DECISION_MET, at)

    def _ends(self, entry: Entry, place: EventCell) -> None:
        ended = entry.ended_at
        if ended is None or not self.span.since <= ended < self.span.until:
            return
        at = replace(place, month=month_of(ended))
        if entry.state is State.REJECTED:
            self.tally.add(Figure.ENTRIES_REJECTED, at)
        elif entry.ended_reason is not None:
            self.tally.add(Figure.ENTRIES_ENDED, at)
            self.tally.add(ENDED[entry.ended_reason], at)

    def _in_force(self, entry: Entry, place: EventCell) -> None:
        """Count an entry that is in force at the last instant; by month, at the last instant of each month.

        The months do not add up to the total.
        """
        figure, last = Figure.ENTRIES_IN_FORCE, self.span.until - _RESOLUTION
        if self.tally.by != (Dimension.MONTH,):
            if _held(entry, last):
                self.tally.add(figure, place)
            return
        for since, until in self.months:
            if _held(entry, until - _RESOLUTION):
                self.tally.add_row(figure, replace(place, month=month_of(since)))
        if _held(entry, last):
            self.tally.add_total(figure)

    async def alerts(self, register: Reader) -> None:
        """Count the delivery times of alerts, and their acknowledgements in time and not in time, by checkpoint."""
        after = ""
        while page := await store.list_alerts(register, self.span, after, _ALERTS_PER_PAGE):
            after = page[-1].id
            places = await self._places(register, {sent.entry_id for sent in page})
            receipts = await store.list_first_receipts(register, {sent.id for sent in page})
            recipients = await store.count_recipients(register, {sent.family for sent in page})
            for sent in page:
                place = replace(places[sent.entry_id], month=month_of(sent.issued_at))
                came = receipts.get(sent.id, [])
                times = [(first - sent.issued_at) / timedelta(milliseconds=1) for first, _ in came]
                self.tally.add_alert(sent.entry_id, place, times)
                met = sum(person is not None and person <= sent.acknowledge_by for _, person in came)
                self.tally.add(Figure.ACKNOWLEDGE_MET, place, met)
                if sent.acknowledge_by < register.now:
                    missed = recipients.get(sent.family, 0) - met
                    self.tally.add(Figure.ACKNOWLEDGE_MISSED, place, missed)
            await asyncio.sleep(0)

    async def corrections(self, register: Reader) -> None:
        """Count correction requests that were answered within 72 hours, and those that were not."""
        after = ""
        while page := await store.list_corrections(register, self.span, after, _ENTRIES_PER_PAGE):
            places = await self._places(register, {entry_id for _, entry_id, _, _, _ in page})
            for request_id, entry_id, received_at, due_at, decided_at in page:
                after = request_id
                place = replace(places[entry_id], month=month_of(received_at))
                if beyond(due_at, decided_at or register.now):
                    self.tally.add(Figure.CORRECTION_MISSED, place)
                elif decided_at is not None:
                    self.tally.add(Figure.CORRECTION_MET, place)
            await asyncio.sleep(0)

    async def delays(self, register: Reader) -> None:
        """Count delayed departures, unless a dimension of the table does not apply to them."""
        if not self.tally.applies(Figure.DEPARTURE_DELAYS):
            return
        for since, until in self.months:
            for code, number in await store.count_delays(register, since, until):
                self.tally.add(Figure.DEPARTURE_DELAYS, self._at(code, since), number)

    async def checks(self, checks: Reader) -> None:
        """Count the checks of all checkpoints, unless a dimension does not apply or the agency may not see them."""
        if not self.tally.applies(Figure.CHECKS) or self.span.agency not in {None, IMMIGRATION}:
            return
        for month, end in self.months:
            async for code, number in _in_pieces(checks, month, end):
                self.tally.add(Figure.CHECKS, self._at(code, month), number)

    async def hits(self, register: Reader, checks: Reader) -> None:
        """Count the checks that an entry stopped, once for each entry, at the province of the checkpoint."""
        owners = [self.span.agency] if self.span.agency else await store.list_agencies(register)
        for owner in owners:
            for since, until in self.months:
                rows = await store.count_matches(checks, owner, since, until)
                places = await self._places(register, {entry_id for entry_id, _, _, _ in rows})
                for entry_id, code, outcome, number in rows:
                    at = self._at(code, since)
                    place = replace(places[entry_id], province=at.province, month=at.month)
                    self.tally.add(Figure.HITS, place, number)
                    part = Figure.REFUSALS if outcome == "refuse" else Figure.REFERRALS
                    self.tally.add(part, place, number)
                await asyncio.sleep(0)

    async def false_hits(self, register: Reader) -> None:
        """Count hits resolved as another person, once for each matched entry, where and when the hit was opened."""
        after = ""
        while page := await store.list_resolved(register, self.span, after, _ENTRIES_PER_PAGE):
            after = page[-1].id
            false = [hit for hit in page if hit.resolutions[-1].outcome is Identity.NOT_SAME_PERSON]
            places = await self._places(register, {each.entry_id for hit in false for each in hit.matched})
            for hit in false:
                at = self._at(hit.checkpoint, hit.opened_at)
                for each in hit.matched:
                    if self.span.agency in {None, each.agency}:
                        place = replace(places[each.entry_id], province=at.province, month=at.month)
                        self.tally.add(Figure.FALSE_HITS, place)
            await asyncio.sleep(0)

    def _at(self, checkpoint: str, month: datetime) -> EventCell:
        return EventCell(province=self.provinces.get(checkpoint) or UNKNOWN, month=month_of(month))

    async def _places(self, register: Reader, ids: Iterable[str]) -> dict[str, EventCell]:
        missing = set(ids) - self.places.keys()
        if missing:
            for entry in await list_by_ids(register, missing):
                self._remember(entry)
        return self.places


async def _in_pieces(checks: Reader, since: datetime, until: datetime) -> AsyncIterator[tuple[str, int]]:
    """Yield the number of checks by checkpoint, one piece of time after the other.

    SQLite is read in the event loop's thread, so a piece is short enough to be read in a few milliseconds. With
    PostgreSQL the whole period is one piece, because the server does the reading.
    """
    piece = timedelta(hours=1) if checks.is_sqlite else until - since
    while since < until:
        end = min(since + piece, until)
        begun = perf_counter()
        counted = await store.count_checks(checks, since, end)
        took = perf_counter() - begun
        for code, number in counted:
            yield code, number
        if not counted:  # no check in this piece: go on at the next check
            end = await store.find_next_check(checks, end, until) or until
        if checks.is_sqlite and took < _QUICK:
            piece = min(piece * 2, _LONGEST_PIECE)
        elif checks.is_sqlite and took > _SLOW:
            piece = max(piece * (_SLOW / took), _SHORTEST_PIECE)
        since = end
        await asyncio.sleep(0)


def _decided_at(entry: Entry, decided: list[tuple[str, datetime]]) -> datetime | None:
    """Return when a request was answered since its last submission; where two must approve, by the second one."""
    answers = [
        at
        for event, at in decided
        if at >= entry.received_at and not (entry.approvals_needed > 1 and event == "approved")
    ]
    if entry.second_approval_at is not None:
        answers.append(entry.second_approval_at)
    return min(answers, default=None)


def _held(entry: Entry, at: datetime) -> bool:
    """Return whether an entry was in force at a past instant."""
    if entry.in_force_from is None or at < entry.in_force_from:
        return False
    if entry.state in {State.ENDED, State.REJECTED}:
        return entry.ended_at is not None and at < entry.ended_at
    return entry.held(at)


def month_of(moment: datetime) -> str:
    """Return the month of an instant's legal day, in the form `2026-11`."""
    return legal_day(moment).isoformat()[:7]


def months_of(span: Span) -> Iterator[tuple[datetime, datetime]]:
    """Yield the beginning and the end of each legal month in a span; the first and the last are cut to the span."""
    since = span.since
    while since < span.until:
        first = legal_day(since).replace(day=1)
        following = day_begins((first + timedelta(days=32)).replace(day=1))
        yield since, min(following, span.until)
        since = following
