"""Quotas: limits on how much of the shared capacity one key may use.

There are two kinds of limit: a `Share` bounds the number of concurrent requests, a `Rate` how often requests begin.
Each process keeps its own counts in memory; a refusal needs no database access.

Answers state the remaining quota in the fields `RateLimit-Policy` and `RateLimit`
(draft-ietf-httpapi-ratelimit-headers-10). A single check has no quota.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic
from typing import Final
from weakref import WeakValueDictionary

from app.actor import Actor
from app.errors import RateLimited
from app.settings import Settings

_RETRY_SECONDS: Final = 1
"""`Retry-After` of a refusal by a share; when the client's other requests end is unknown."""

_REFUSED_AT_ONCE: Final = 20
_REFUSED_A_SECOND: Final = 10.0
_SLOWED_SECONDS: Final = 15.0
"""Delay of each further refusal, in seconds, once a key has used up its allowance of immediate refusals."""

_READING_AT_ONCE: Final = 2
"""Number of one key's polls that read at the same time after news; the others wait for their turn."""

Header = tuple[bytes, bytes]


class Quota(StrEnum):
    """A limited kind of request; the value is the name of its policy in the header fields."""

    STREAMS = "streams"
    POLLS = "polls"
    BATCHES = "batches"
    MANIFESTS = "manifests"
    URGENT_ENTRIES = "urgent-entries"
    SEARCHES = "searches"
    EXPORTS = "exports"


@dataclass(frozen=True, slots=True)
class Share:
    """A limit of concurrent requests.

    Attributes:
        at_once: the greatest number of requests that run at the same time.
        waiting: the greatest number that wait for their turn, in order of arrival; further ones are refused.
    """

    at_once: int
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Rate:
    """A token bucket: up to `burst` requests at once after a quiet time, and `per_second` in the long run."""

    burst: int
    per_second: float


class Bucket:
    """The available tokens of a `Rate`: one token for each request that may begin.

    Args:
        rate: how many tokens the bucket holds, and how fast it fills.
        now: the present in seconds of a monotonic clock; the bucket begins full.
    """

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = float(rate.burst)
        self._at = now

    def left(self, now: float) -> float:
        """Return the number of tokens at `now` (seconds of a monotonic clock), with fractions; takes none."""
        return min(self._rate.burst, self._left + (now - self._at) * self._rate.per_second)

    def take(self, now: float) -> bool:
        """Take one token at `now`, in seconds of a monotonic clock. Returns whether one was available."""
        left = self.left(now)
        if left < 1:
            return False
        self._left, self._at = left - 1, now
        return True

    def seconds_until(self, tokens: float, now: float) -> int:
        """Return the whole seconds from `now`, rounded up, until the bucket has `tokens` tokens; 0 if it has them."""
        return max(0, math.ceil((tokens - self.left(now)) / self._rate.per_second))


class Buckets:
    """Buckets of one rate, one for each account; an account is a key's id or a checkpoint's code."""

    def __init__(self, rate: Rate) -> None:
        self.rate = rate
        self._buckets: dict[str, Bucket] = {}

    def of(self, account: str, now: float) -> Bucket:
        """Return an account's bucket; create a full one if it has none. `now` is in seconds of a monotonic clock."""
        bucket = self._buckets.get(account)
        if bucket is None:
            bucket = self._buckets[account] = Bucket(self.rate, now)
        return bucket


class _ShareUse:
    """One key's use of a `Share`."""

    __slots__ = ("account", "free", "held", "waiting")

    def __init__(self, account: tuple[Quota, str], at_once: int) -> None:
        self.account = account
        self.free = asyncio.Semaphore(at_once)
        self.held = 0
        self.waiting = 0


class _Leave:
    """Ends one request's use of a `Share`; small, because each open stream has one."""

    __slots__ = ("_quotas", "_use")

    def __init__(self, quotas: "Quotas", use: _ShareUse) -> None:
        self._quotas = quotas
        self._use = use

    def __call__(self) -> None:
        self._quotas.leave(self._use)


class Quotas:
    """Counts the use of all quotas by each key in this process, and refuses requests above a key's limits.

    Args:
        limits: the limit of each quota, for each key.
        streams_of_gateway: greatest number of open streams of a key that an admin marked as a gateway's.
        clock: returns the seconds of a monotonic clock.

    Attributes:
        refused: number of refused requests, by quota.
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
        self._shares: dict[tuple[Quota, str], _ShareUse] = {}
        self._reading: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def enter(self, quota: Quota, actor: Actor) -> Callable[[], None]:
        """Count a request against the quota of the actor's key; wait for a free place if the quota is a `Share`.

        Returns:
            A function that the caller must call when the request ends.

        Raises:
            RateLimited: this key's quota is used up; other keys are not affected. If the key was refused very often,
                the error is raised only after 15 seconds.
        """
        limit = self._limit(quota, actor)
        if isinstance(limit, Share):
            return await self._occupy(limit, (quota, holder(actor)))
        now = self._clock()
        bucket = self._buckets[quota].of(holder(actor), now)
        if not bucket.take(now):
            raise await self._refusal(quota, holder(actor), max(1, bucket.seconds_until(1, now)))
        return _nothing

    async def _occupy(self, limit: Share, account: tuple[Quota, str]) -> Callable[[], None]:
        held = self._shares.get(account)
        if held is None:
            held = self._shares[account] = _ShareUse(account, limit.at_once)
        if held.free.locked() and held.waiting >= limit.waiting:
            raise await self._refusal(*account, _RETRY_SECONDS)
        held.waiting += 1
        try:
            await held.free.acquire()
            held.held += 1
        finally:
            held.waiting -= 1
            self._forget(held)

        return _Leave(self, held)

    def leave(self, held: _ShareUse) -> None:
        """End one request of `held`, a key's use of a `Share`, so that the next waiting one begins."""
        held.held -= 1
        held.free.release()
        self._forget(held)

    def _forget(self, held: _ShareUse) -> None:
        if not held.held and not held.waiting:
            self._shares.pop(held.account, None)

    async def _refusal(self, quota: Quota, account: str, retry_after: int) -> RateLimited:
        """Make the refusal; delay it for a key that repeats at once, whose repeats would otherwise occupy a core."""
        self.refused[quota] += 1
        now = self._clock()
        if not self._refusals.of(account, now).take(now):
            await asyncio.sleep(_SLOWED_SECONDS)
        detail = f"This key has taken all that it may have of: {quota}."
        return RateLimited(detail, retry_after=retry_after, extra={"quota": quota})

    def reading(self, actor: Actor) -> asyncio.Semaphore:
        """Return the semaphore that the long polls of the actor's key must hold while they read the database.

        News wakes all polls of a key at once; without the limit their reads would delay all other requests.
        """
        return self._reading.setdefault(holder(actor), asyncio.Semaphore(_READING_AT_ONCE))

    def headers(self, quota: Quota, actor: Actor) -> list[Header]:
        """Return the header fields `RateLimit-Policy` and `RateLimit`: the limit of the actor's key, and what remains.

        In `RateLimit`, `t` is the number of seconds until one more request may begin. `t` is absent while the quota is
        unused, and for a `Share`, because the end of a running request is unknown.
        """
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
            tokens = bucket.left(now)
            policy = f'"{quota}";q={limit.burst};w={window}'
            rest = f'"{quota}";r={int(tokens)}'
            if tokens < limit.burst:
                rest += f";t={bucket.seconds_until(int(tokens) + 1, now)}"
        return [(b"ratelimit-policy", policy.encode()), (b"ratelimit", rest.encode())]

    def _limit(self, quota: Quota, actor: Actor) -> Share | Rate:
        return self._gateway if quota is Quota.STREAMS and actor.gateway else self._limits[quota]

    def in_use(self) -> Iterator[tuple[Quota, int, int]]:
        """Yield, for each quota that is a `Share`, the numbers of running and of waiting requests of all keys."""
        for quota, limit in self._limits.items():
            if isinstance(limit, Share):
                held = [each for (name, _), each in self._shares.items() if name is quota]
                yield quota, sum(each.held for each in held), sum(each.waiting for each in held)


def quotas_of(settings: Settings) -> Quotas:
    """Build the quotas from a deployment's settings."""
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
    """Return the id under which an actor's quotas are counted: the key's, or without a key the client's."""
    return actor.key_id or actor.client_id


def _nothing() -> None:
    pass
