"""The breadth of an entry: keeps a sample of travellers in memory, and counts those that an entry would have stopped.

The sample is not stored: it is drawn from the checks when the process starts, follows new checks, and forgets old ones.
An officer and every checkpoint wait for the count. So travellers are counted in memory within a limited time, and the
result states its limitations.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from time import perf_counter
from typing import Final

from app.access.domain import SYSTEM
from app.border.breadth import store
from app.border.breadth.domain import SPAN, Count, Sample, SupposedMeasure, bound, count, position_of
from app.border.breadth.store import PastQuestion
from app.border.checks.joining import document_hash
from app.border.checks.parsing import parse_stored
from app.db.lanes import Lane, selected_lane, using
from app.db.unit import Reader
from app.kit.clock import legal_day
from app.kit.ids import first_id, instant_of
from app.matching.policy import policy_of
from app.register.entries.answer import Measured
from app.register.entries.breadth import Breadth, Shortfall
from app.register.entries.domain import Measure
from app.register.entries.names import index as name_keys
from app.register.entries.subjects import Subject
from app.runtime import Runtime

logger = logging.getLogger(__name__)

ENOUGH: Final = 200
"""Number of found travellers at which a count ends; the total is then extrapolated, with an error of about 14 %."""

_ROUND_SECONDS: Final = 2.0
_PAGE: Final = 200
"""Questions read in one query; most of them are known."""
_MAX_UNNUMBERED: Final = 5000
"""Greatest number of past questions without a document number that are read, because parsing them is slow."""
_SLICE_SECONDS: Final = 0.004
"""Seconds of work after which control returns to the event loop."""
_PAUSE_SECONDS: Final = 0.1
"""Pause between two slices of background work."""
_HURRIED_PAUSE_SECONDS: Final = 0.02
"""That pause while the sample is too small to be used: an officer's entry then waits for it (`_CATCH_UP_SECONDS`)."""
_CATCH_UP_SECONDS: Final = 0.2
"""Longest wait of an officer until the newest checks are read; mostly there are few or none."""
_COUNT_SECONDS: Final = 0.1
"""Longest time of one count."""
_USABLE_SAMPLE: Final = 2000
"""Number of travellers from which an unfinished sample is used."""
_FORGET_EVERY: Final = timedelta(minutes=10)
_SETTLED: Final = timedelta(seconds=1)
"""Longest delay between a check's id and its commit, during which later ids may be committed before it."""
_LATE: Final = timedelta(seconds=10)
_ONE_FURTHER: Final = 2.0**-52
"""Added to the position of a hash, so that a share up to it includes the hash."""
_BEYOND_ALL: Final = b"\xff" * 33


class _Stage(Enum):
    """Which checks are read next: past ones by hash, past ones without a number, or new ones."""

    SAMPLING = auto()
    UNNUMBERED = auto()
    NEWS = auto()


class Travellers:
    """Keeps a sample of the travellers of the last 30 days in this process, and counts those that a measure would stop.

    `run` must be running to fill the sample and to keep it up to date.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._settings = runtime.settings
        self._span = min(SPAN, timedelta(days=self._settings.question_days))
        self._policy = policy_of(self._settings.match_policy)
        self._reading = asyncio.Lock()
        self._forget_at: datetime | None = None
        self.counted: Counter[bool] = Counter()  # number of counts by whether the entry was too broad
        self._begin()

    def _begin(self) -> None:
        self.sample = Sample(self._settings.breadth_sample)
        self._stage = _Stage.SAMPLING
        self._hashed = b""  # travellers up to this hash have been drawn
        self._known_to: str | None = None  # checks up to this id have been read
        self._until: datetime | None = None  # all checks up to this instant have been read
        self._before: str | None = None  # checks without a number from this id on have been read
        self._unnumbered = 0
        self._page: deque[PastQuestion] = deque()  # questions read and not yet drawn
        self._at_end = False  # whether the last page was the end
        self._read_at = self._runtime.clock()

    async def run(self) -> None:
        """Fill the sample from past checks, then keep it up to date with new checks, until cancelled.

        Errors are logged, not raised.
        """
        while True:
            try:
                more = await self._read_for(_SLICE_SECONDS)
            except Exception as error:  # after any error: a later round may succeed
                more = False
                if not self._runtime.outages.failed(error):
                    logger.exception("travellers can't be counted now")
            pause = _PAUSE_SECONDS if self.sample.size >= _USABLE_SAMPLE else _HURRIED_PAUSE_SECONDS
            await asyncio.sleep(pause if more else _ROUND_SECONDS)

    async def catch_up(self) -> bool:
        """Read new checks into the sample for at most 0.2 seconds. Returns whether all of them have been read.

        Returns False at once if the sample has 2,000 travellers already, but is still being filled from past checks.
        Returns False, and raises nothing, if another task is reading all the time or the database fails.
        """
        if self._stage is not _Stage.NEWS and self.sample.size >= _USABLE_SAMPLE:
            return False
        until, more = perf_counter() + _CATCH_UP_SECONDS, True
        try:
            with using(selected_lane() or Lane.WRITES):  # a filed entry must not wait behind readers
                while more and perf_counter() < until:
                    more = await self._read_for(_SLICE_SECONDS, until - perf_counter())
                    await asyncio.sleep(0)
        except TimeoutError:  # the background task is reading, perhaps waiting for a connection
            return False
        except Exception as error:  # after any error: the sample as it is will be counted
            if not self._runtime.outages.failed(error):
                logger.exception("the newest travellers can't be counted now")
        return not more

    async def breadth(self, measure: Measure, subject: Subject) -> Breadth:
        """Count the sample's travellers that a measure against a subject would have stopped by name and birth date.

        The count ends after 0.1 seconds or `ENOUGH` found travellers. The result has the numbers of found and of
        compared travellers, the sample's share and period, and the reasons why the numbers are incomplete
        (`shortfalls`). No error is raised for an empty or unfinished sample.
        """
        now = self._runtime.clock()
        person = name_keys.listed(subject)
        supposed = SupposedMeasure(Measured(measure, subject, unsigned=True), person, self._policy)
        share, held, oldest = self.sample.share, self.sample.size, self.sample.oldest
        counted = Count(set())
        begun = slice_began = perf_counter()
        for counted in count(self.sample.list_similar(person), supposed, legal_day(now), ENOUGH):  # noqa: B007 - the last counts
            if (at := perf_counter()) - begun > _COUNT_SECONDS:
                break
            if at - slice_began > _SLICE_SECONDS:
                await asyncio.sleep(0)
                slice_began = perf_counter()
        since = None if oldest is None else instant_of(oldest)
        breadth = self._breadth(counted, share, held, since and max(since, now - self._span), now)
        self.counted[breadth.broad] += 1
        return breadth

    def _breadth(
        self, counted: Count, share: float, held: int, since: datetime | None, now: datetime
    ) -> Breadth:
        looked_at = share if counted.judged_to is None else min(share, counted.judged_to)
        shortfalls = {
            Shortfall.EMPTY: not held,
            Shortfall.SAMPLED: held > 0 and share < 1,
            Shortfall.ERASED: self._span < SPAN,
            Shortfall.BEHIND: self._until is None or now - self._until > _LATE,
            Shortfall.CUT_SHORT: counted.judged_to is not None,
        }
        return Breadth(
            found=len(counted.found),
            compared=round(held * looked_at / share) if share else 0,
            travellers=round(held / share) if share else 0,
            share=looked_at if held else 0.0,
            since=since,
            until=self._until,
            shortfalls=tuple(each for each, applies in shortfalls.items() if applies),
            least=self._settings.statistics_smallest_cell,
            limit=self._settings.urgent_breadth_limit,
        )

    async def _read_for(self, seconds: float, patience: float | None = None) -> bool:
        """Continue reading for some seconds. Returns whether more is known to follow.

        Raises:
            TimeoutError: another task was reading for longer than `patience` seconds.
        """
        async with asyncio.timeout(patience):
            await self._reading.acquire()
        try:
            if not self._page:
                await self._read_page()
            until = perf_counter() + seconds
            while self._page:
                self._process(self._page.popleft())
                if perf_counter() > until:
                    break
            if not self._page and self._at_end:
                return self._end_stage()
            return True
        finally:
            self._reading.release()

    async def _read_page(self) -> None:
        async with self._runtime.reading_checks(SYSTEM) as reader:
            first = first_id("chk", reader.now - self._span)
            if self._forget_at is None or self._forget_at <= reader.now:
                self._forget_at = reader.now + _FORGET_EVERY
                self.sample.forget_before(first)
                if self.sample.is_depleted:
                    self._begin()
            self._read_at = reader.now
            self._page.extend(await self._next(reader, first))
        self._at_end = len(self._page) < _PAGE

    async def _next(self, reader: Reader, first: str) -> Sequence[PastQuestion]:
        """Return the next page of questions for the present stage."""
        if self._known_to is None:
            self._known_to = self._settled()
        if self._stage is _Stage.SAMPLING:
            return await store.list_by_lot(reader, self._hashed, first, _PAGE)
        if self._stage is _Stage.UNNUMBERED:
            return await store.list_unnumbered(reader, first, self._before or self._known_to, _PAGE)
        below = bound(self.sample.share) or _BEYOND_ALL
        return await store.list_new(reader, max(self._known_to, first), below, _PAGE)

    def _process(self, question: PastQuestion) -> None:
        """Offer the traveller of a stored check to the random sample, and note how far the checks have been read."""
        if self._stage is _Stage.SAMPLING and question.hashed is not None:
            self.sample.share = max(self.sample.share, position_of(question.hashed) + _ONE_FURTHER)
            self._hashed = question.hashed
        self._draw(question)
        match self._stage:
            case _Stage.SAMPLING:
                if self.sample.is_full:
                    self._page.clear()
                    self._stage = _Stage.UNNUMBERED
            case _Stage.UNNUMBERED:
                self._before = question.id
                self._unnumbered += 1
                if self._unnumbered >= _MAX_UNNUMBERED:
                    self._page.clear()
                    self._at_end = True
            case _Stage.NEWS:
                self._known_to, self._until = question.id, question.at

    def _settled(self) -> str:
        """Return a check id before which practically no check will be committed any more."""
        return first_id("chk", self._read_at - _SETTLED)

    def _draw(self, question: PastQuestion) -> None:
        hashed = question.hashed
        if hashed is not None and self.sample.needs_no_draw(
            hashed, question.direction, question.question, question.id
        ):
            return
        parsed = parse_stored(question.question, question.at)
        if parsed is None:  # stored by an earlier release with other rules
            return
        traveller = parsed.traveller
        if hashed is None:
            known_by = "|".join((*sorted(traveller.names), *map(repr, traveller.births)))
            hashed = document_hash(self._runtime, known_by)
            if self.sample.needs_no_draw(hashed, question.direction, question.question, question.id):
                return
        self.sample.draw(hashed, question.direction, question.question, question.id, traveller)

    def _end_stage(self) -> bool:
        """Enter the next stage after the last page. Returns whether there is one."""
        match self._stage:
            case _Stage.SAMPLING:
                self.sample.share = 1.0
                self._stage = _Stage.UNNUMBERED
            case _Stage.UNNUMBERED:
                self._stage = _Stage.NEWS
            case _Stage.NEWS:
                self._known_to, self._until = self._settled(), self._read_at
                return False
        return True
