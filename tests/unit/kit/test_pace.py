"""Long work in bursts: in order, complete, and with rests for the loop."""

import asyncio
import time

import pytest

from app.kit import pace
from app.kit.pace import give_way, paced, run_in_pool


def test_every_thing_is_done_in_order() -> None:
    assert paced(lambda each: each * 2, range(1000)) == [each * 2 for each in range(1000)]
    assert paced(str, ()) == []


async def test_the_loop_has_its_turns_between_bursts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "BURST_SECONDS", 0.0)
    rests: list[float] = []
    monkeypatch.setattr(pace.time, "sleep", rests.append)
    assert await run_in_pool(paced, str, range(20)) == list(map(str, range(20)))
    assert rests == [pace.REST_SECONDS] * 20


async def test_a_failure_lets_the_next_in() -> None:
    def fail(_: int) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        await run_in_pool(paced, fail, range(3))
    async with asyncio.timeout(5):
        assert await run_in_pool(paced, str, range(3)) == ["0", "1", "2"]


async def test_two_take_turns() -> None:
    came: list[str] = []

    def note(who: str) -> None:
        came.append(who)
        time.sleep(0.002)

    async with asyncio.timeout(10):
        await asyncio.gather(run_in_pool(paced, note, ["one"] * 20), run_in_pool(paced, note, ["other"] * 20))
    assert came.count("one") == came.count("other") == 20
    assert len(set(came[:30])) == 2


async def test_a_request_is_served_within_one_pause_of_work_in_slices() -> None:
    slices = served_after = 0

    async def work() -> None:
        nonlocal slices
        while not served_after:
            slices += 1
            await give_way()

    async def request() -> None:
        nonlocal served_after
        for _ in range(20):  # the turns of the loop that a request takes
            await asyncio.sleep(0)
        served_after = slices

    await asyncio.gather(work(), request())
    assert served_after == 1
