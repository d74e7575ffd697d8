"""Quotas: how much of what all clients share one key may take.

Two kinds of limit, and nothing else counts: a `Share` bounds how much goes on at once, a `Rate` how often something
begins. They are kept in memory by each process for itself; a refusal reads no database.

What is left is said in the fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10). A
single check has no quota here at all.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Final

from app.db.unit import Actor
from app.errors import RateLimited
from app.settings import Settings

_RETRY_SECONDS: Final = 1
"""When a repeat may find a share free: nobody knows when the client's own requests end."""

_REFUSED_AT_ONCE: Final = 20
_REFUSED_A_SECOND: Final = 10.0
_SLOWED_SECONDS: Final = 1.0
"""A key that goes on after so many refusals waits so long for each: its connections are few, its repeats are not."""

Header = tuple[bytes, bytes]


class Quota(StrEnum):
    """What is limited; the names of the policies in the header fields."""

    STREAMS = "streams"
    POLLS = "polls"
    BATCHES = "batches"
    MANIFESTS = "manifests"
    URGENT_ENTRIES = "urgent-entries"
    SEARCHES = "searches"
    EXPORTS = "exports"


@dataclass(frozen=True, slots=True)
class Share:
    """So many requests at once; further ones wait for their turn, up to a number, in the order of their coming."""

    at_once: int
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests at once after a quiet time, and so many a second for good (a token bucket)."""

    burst: int
    per_second: float


class Bucket:
    """What is left of a `Rate`."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = float(rate.burst)
        self._at = now

    def left(self, now: float) -> float:
        """How many may begin at an instant, in seconds of a monotonic clock."""
        return min(self._rate.burst, self._left + (now - self._at) * self._rate.per_second)

    def take(self, now: float) -> bool:
        """Let one begin; False where none is left."""
        left = self.left(now)
        if left < 1:
            return False
        self._left, self._at = left - 1, now
        return True

    def seconds_until(self, wanted: float, now: float) -> int:
        """Whole seconds until so many are left."""
        return max(0, math.ceil((wanted - self.left(now)) / self._rate.per_second))


class Buckets:
    """A bucket for each account, all of one rate; accounts are keys and checkpoints, which admins make, so few."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._buckets: dict[str, Bucket] = {}

    def of(self, account: str, now: float) -> Bucket:
        """The bucket of an account, full where nothing was taken yet."""
        bucket = self._buckets.get(account)
        if bucket is None:
            bucket = self._buckets[account] = Bucket(self.rate, now)
        return bucket


class _Held:
    """What one key holds of a `Share`."""

    __slots__ = ("free", "held", "waiting")

    def __init__(self, at_once: int) -> None:
        self.free = asyncio.Semaphore(at_once)
        self.held = 0
        self.waiting = 0


class Quotas:
    """What each key takes in this process.

    Args:
        limits: of each quota; one that is not named is not limited.
        streams_of_gateway: how many streams a key may have that an admin marked as a gateway's.
        clock: seconds of a monotonic clock.

    Attributes:
        refused: how many requests each quota has refused.
    """

    def __init__(
        self,
        limits: Mapping[Quota, Share | Rate],
        streams_of_gateway: int,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.refused: Counter[Quota] = Counter()
        self._limits = limits
        self._buckets = {quota: Buckets(limit) for quota, limit in limits.items() if isinstance(limit, Rate)}
        self._refusals = Buckets(Rate(_REFUSED_AT_ONCE, _REFUSED_A_SECOND))
        self._gateway = Share(streams_of_gateway)
        self._clock = clock
        self._shares: dict[tuple[Quota, str], _Held] = {}

    async def enter(self, quota: Quota, actor: Actor) -> Callable[[], None]:
        """Let a request begin, once it is its turn.

        Returns:
            What is to be called when the request is over.

        Raises:
            RateLimited: the key has no more to take; other keys are not in question.
        """
        limit = self._limit(quota, actor)
        if isinstance(limit, Share):
            return await self._hold(limit, (quota, holder(actor)))
        now = self._clock()
        bucket = self._buckets[quota].of(holder(actor), now)
        if not bucket.take(now):
            raise await self._refusal(quota, holder(actor), max(1, bucket.seconds_until(1, now)))
        return _nothing

    async def _hold(self, limit: Share, account: tuple[Quota, str]) -> Callable[[], None]:
        held = self._shares.get(account)
        if held is None:
            held = self._shares[account] = _Held(limit.at_once)
        if held.free.locked() and held.waiting >= limit.waiting:
            raise await self._refusal(*account, _RETRY_SECONDS)
        held.waiting += 1
        try:
            await held.free.acquire()
            held.held += 1
        finally:
            held.waiting -= 1
            self._forget(account, held)

        def leave() -> None:
            held.held -= 1
            held.free.release()
            self._forget(account, held)

        return leave

    def _forget(self, account: tuple[Quota, str], held: _Held) -> None:
        if not held.held and not held.waiting:
            self._shares.pop(account, None)

    async def _refusal(self, quota: Quota, account: str, retry_after: int) -> RateLimited:
        """The refusal; of a key that repeats at once, only after a while, or its repeats alone would take a core."""
        self.refused[quota] += 1
        now = self._clock()
        if not self._refusals.of(account, now).take(now):
            await asyncio.sleep(_SLOWED_SECONDS)
        detail = f"This key has taken all that it may have of: {quota}."
        return RateLimited(detail, retry_after=retry_after, extra={"quota": quota})

    def headers(self, quota: Quota, actor: Actor) -> list[Header]:
        """The header fields that say what a key may take of a quota, and what is left of that."""
        limit = self._limit(quota, actor)
        if isinstance(limit, Share):
            held = self._shares.get((quota, holder(actor)))
            left = limit.at_once - (held.held if held else 0)
            policy = f'"{quota}";q={limit.at_once};qu="concurrent-requests"'
            rest = f'"{quota}";r={left}'
        else:
            now = self._clock()
            bucket = self._buckets[quota].of(holder(actor), now)
            window = max(1, math.ceil(limit.burst / limit.per_second))
            policy = f'"{quota}";q={limit.burst};w={window}'
            rest = f'"{quota}";r={int(bucket.left(now))};t={bucket.seconds_until(limit.burst, now)}'
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", rest.encode())]

    def _limit(self, quota: Quota, actor: Actor) -> Share | Rate:
        return self._gateway if quota is Quota.STREAMS and actor.gateway else self._limits[quota]

    def in_use(self) -> Iterator[tuple[Quota, int, int]]:
        """Of each quota that limits what goes on at once: how many requests go on, and how many wait."""
        for quota, limit in self._limits.items():
            if isinstance(limit, Share):
                held = [each for (name, _), each in self._shares.items() if name is quota]
                yield quota, sum(each.held for each in held), sum(each.waiting for each in held)


def quotas_of(settings: Settings) -> Quotas:
    """The quotas that a deployment has set."""
    return Quotas(
        {
            Quota.STREAMS: Share(settings.quota_streams),
            Quota.POLLS: Share(settings.quota_polls),
            Quota.BATCHES: Share(settings.quota_batches, settings.quota_waiting),
            Quota.MANIFESTS: Share(settings.quota_manifests, settings.quota_waiting),
            Quota.URGENT_ENTRIES: Rate(
                settings.quota_urgent_entries, settings.quota_urgent_entries_per_second
            ),
            Quota.SEARCHES: Rate(settings.quota_searches, settings.quota_searches_per_second),
            Quota.EXPORTS: Rate(settings.quota_exports, settings.quota_exports_per_second),
        },
        settings.streams_limit,
    )


def holder(actor: Actor) -> str:
    """Whose quota an actor takes of: the key's, or for what has none the client's."""
    return actor.key_id or actor.client_id


def _nothing() -> None:
    pass
