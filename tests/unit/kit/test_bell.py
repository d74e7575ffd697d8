"""A ring wakes everybody who waits, once, and nobody who comes later."""

import asyncio

from app.kit.bell import Bell, heard


async def test_one_ring_wakes_all_who_wait():
    bell = Bell()
    waiting = [asyncio.create_task(heard(bell.listen(), 5)) for _ in range(20)]
    await asyncio.sleep(0)
    bell.ring()
    assert await asyncio.gather(*waiting) == [True] * 20


async def test_whoever_listens_after_a_ring_waits_for_the_next():
    bell = Bell()
    before = bell.listen()
    bell.ring()
    after = bell.listen()
    assert await heard(before, 0.01)
    assert not await heard(after, 0.01)
    bell.ring()
    assert await heard(after, 0.01)


async def test_a_ring_between_listening_and_waiting_is_not_missed():
    bell = Bell()
    event = bell.listen()
    bell.ring()
    assert await heard(event, 0.01)


def test_a_ring_without_listeners_does_nothing_and_needs_no_loop():
    bell = Bell()
    bell.ring()
    bell.ring()
