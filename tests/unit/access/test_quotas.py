"""Quotas as arithmetic: rates that fill again, shares that are given back, and what the header fields say of both."""

import asyncio
from collections.abc import Mapping

import pytest

from app.access.admission.quotas import Bucket, Quota, Quotas, Rate, Share
from app.actor import Actor
from app.errors import RateLimited


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def actor(key: str = "key_1", *, gateway: bool = False) -> Actor:
    return Actor("cli_1", None, frozenset(), key_id=key, gateway=gateway)


def quotas(clock: Clock, limits: Mapping[Quota, Share | Rate], streams_of_gateway: int = 5) -> Quotas:
    return Quotas(limits, streams_of_gateway, clock)


async def refused(among: Quotas, quota: Quota, by: Actor) -> RateLimited:
    with pytest.raises(RateLimited) as caught:
        await among.enter(quota, by)
    return caught.value


def test_a_bucket_gives_what_it_holds_and_fills_with_time():
    bucket = Bucket(Rate(3, 2.0), 10.0)
    assert [bucket.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(10.4)
    assert bucket.seconds_until(1, 10.4) == 1
    assert bucket.take(10.5)
    assert not bucket.take(10.5)
    assert [bucket.take(1000.0) for _ in range(4)] == [True, True, True, False]  # never more than the burst


async def test_a_rate_refuses_until_it_has_filled_again_and_other_keys_are_not_in_question(clock: Clock):
    among = quotas(clock, {Quota.URGENT_ENTRIES: Rate(2, 0.25)})
    for _ in range(2):
        await among.enter(Quota.URGENT_ENTRIES, actor())
    refusal = await refused(among, Quota.URGENT_ENTRIES, actor())
    assert (refusal.retry_after, refusal.extra) == (4, {"quota": "urgent-entries"})
    await among.enter(Quota.URGENT_ENTRIES, actor("key_2"))
    clock.now += 3.9
    await refused(among, Quota.URGENT_ENTRIES, actor())
    clock.now += 0.1
    await among.enter(Quota.URGENT_ENTRIES, actor())
    assert among.refused == {Quota.URGENT_ENTRIES: 2}


async def test_a_share_is_refused_when_it_is_taken_and_there_is_no_queue(clock: Clock):
    among = quotas(clock, {Quota.POLLS: Share(2)})
    first, _ = [await among.enter(Quota.POLLS, actor()) for _ in range(2)]
    refusal = await refused(among, Quota.POLLS, actor())
    assert refusal.retry_after == 1
    await among.enter(Quota.POLLS, actor("key_2"))
    first()
    await among.enter(Quota.POLLS, actor())


async def test_those_beyond_a_share_wait_in_the_order_of_their_coming_up_to_a_number(clock: Clock):
    among = quotas(clock, {Quota.BATCHES: Share(1, waiting=2)})
    leave = await among.enter(Quota.BATCHES, actor())
    begun: list[int] = []

    async def wait(number: int) -> None:
        ended = await among.enter(Quota.BATCHES, actor())
        begun.append(number)
        ended()

    waiting = [asyncio.create_task(wait(number)) for number in range(2)]
    await asyncio.sleep(0)
    assert list(among.in_use()) == [(Quota.BATCHES, 1, 2)]
    await refused(among, Quota.BATCHES, actor())
    leave()
    await asyncio.gather(*waiting)
    assert begun == [0, 1]
    assert list(among.in_use()) == [(Quota.BATCHES, 0, 0)]


async def test_one_who_leaves_the_queue_gives_the_place_in_it_back(clock: Clock):
    among = quotas(clock, {Quota.BATCHES: Share(1, waiting=1)})
    leave = await among.enter(Quota.BATCHES, actor())
    waiting = asyncio.create_task(among.enter(Quota.BATCHES, actor()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    again = asyncio.create_task(among.enter(Quota.BATCHES, actor()))
    await asyncio.sleep(0)
    leave()
    (await again)()
    assert among._shares == {}, "what nobody holds is forgotten"


async def test_a_gateways_key_has_a_processs_worth_of_streams(clock: Clock):
    among = quotas(clock, {Quota.STREAMS: Share(1)}, streams_of_gateway=3)
    await among.enter(Quota.STREAMS, actor())
    await refused(among, Quota.STREAMS, actor())
    gateway = actor("key_2", gateway=True)
    for _ in range(3):
        await among.enter(Quota.STREAMS, gateway)
    await refused(among, Quota.STREAMS, gateway)


async def test_the_header_fields_say_what_a_key_may_take_and_what_is_left(clock: Clock):
    among = quotas(clock, {Quota.POLLS: Share(3), Quota.URGENT_ENTRIES: Rate(60, 20.0)})
    await among.enter(Quota.POLLS, actor())
    assert among.headers(Quota.POLLS, actor()) == [
        (b"ratelimit-policy", b'"polls";q=3;qu="concurrent-requests"'),
        (b"ratelimit", b'"polls";r=2'),
    ]
    for _ in range(60):
        await among.enter(Quota.URGENT_ENTRIES, actor())
    clock.now += 0.5
    assert among.headers(Quota.URGENT_ENTRIES, actor()) == [
        (b"ratelimit-policy", b'"urgent-entries";q=60;w=3'),
        (b"ratelimit", b'"urgent-entries";r=10;t=1'),
    ]


async def test_the_time_is_until_one_more_is_available_and_never_later_than_a_refusal_says(clock: Clock):
    among = quotas(clock, {Quota.EXPORTS: Rate(2, 0.25)})

    def rest() -> bytes:
        return dict(among.headers(Quota.EXPORTS, actor()))[b"ratelimit"]

    assert rest() == b'"exports";r=2', "nothing was used, so nothing comes back"
    await among.enter(Quota.EXPORTS, actor())
    clock.now += 1.5
    assert rest() == b'"exports";r=1;t=3'
    await among.enter(Quota.EXPORTS, actor())
    refusal = await refused(among, Quota.EXPORTS, actor())
    assert (refusal.retry_after, rest()) == (3, b'"exports";r=0;t=3')
    clock.now += 10
    assert rest() == b'"exports";r=2'


async def test_a_key_that_repeats_what_was_refused_is_slowed_and_no_other_key_is(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    slowed: list[float] = []

    async def sleep(seconds: float) -> None:
        slowed.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    among = quotas(clock, {Quota.POLLS: Share(1)})
    for key in ("one", "two"):
        await among.enter(Quota.POLLS, actor(key))
    for _ in range(25):
        await refused(among, Quota.POLLS, actor("one"))
    assert slowed == [15.0] * 5
    await refused(among, Quota.POLLS, actor("two"))
    assert len(slowed) == 5
    clock.now += 60
    await refused(among, Quota.POLLS, actor("one"))
    assert len(slowed) == 5
