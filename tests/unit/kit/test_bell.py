"""A ring wakes everybody who waits, once, and nobody who comes later."""

import asyncio

from app.kit.bell import Bell, wait_for_ring


async def test_one_ring_wakes_all_who_wait():
    bell = Bell()
    waiting = [asyncio.create_task(wait_for_ring(bell.listen(), 5)) for _ in range(20)]
    await asyncio.sleep(0)
    bell.ring()
    assert await asyncio.gather(*waiting) == [True] * 20


async def test_whoever_listens_after_a_ring_waits_for_the_next():
    bell = Bell()
    before = bell.listen()
    bell.ring()
    after = bell.listen()
    assert await wait_for_ring(before, 0.01)
    assert not await wait_for_ring(after, 0.01)
    bell.ring()
    assert await wait_for_ring(after, 0.01)


async def test_a_ring_between_listening_and_waiting_is_not_missed():
    bell = Bell()
    event = bell.listen()
    bell.ring()
    assert await wait_for_ring(event, 0.01)


def test_a_ring_without_listeners_does_nothing_and_needs_no_loop():
    bell = Bell()
    bell.ring()
    bell.ring()
