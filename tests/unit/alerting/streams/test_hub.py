"""The hub: one frame to all, bounded queues, and who is cut off when."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.actor import Actor
from app.alerting.streams.hub import STOPPING_SECONDS, STUCK_SECONDS, Heartbeat, Hub, Stream

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BEAT = Heartbeat(7, b"event: heartbeat\n\n")


def checkpoint(code: str = "CGK", key: str = "key_1", expires_at: datetime | None = None) -> Actor:
    """A checkpoint's machine."""
    return Actor("cli_1", None, frozenset({"checkpoint"}), checkpoint=code, key_id=key, expires_at=expires_at)


def hub(queue: int = 8, limit: int = 100, heartbeat: float = 15.0, minutes: float = 15.0) -> Hub:
    return Hub(queue=queue, limit=limit, heartbeat_seconds=heartbeat, stream_minutes=minutes)


def never() -> Heartbeat:
    raise AssertionError("no heartbeat is due")


async def test_every_stream_gets_the_very_same_bytes() -> None:
    here = hub()
    streams = [here.join(checkpoint(code)) for code in ("CGK", "DPS", "BTH")]
    frame = b"id: e.7\n\n"
    here.publish(7, frame)
    taken = [stream.take() for stream in streams]
    assert taken == [[(7, frame)]] * 3
    assert all(data is frame for ((_, data),) in taken)


async def test_gates_get_bytes_of_their_own_where_there_are_any() -> None:
    here = hub()
    kinds = ("counter", "autogate", "manifest")
    streams = [here.join(replace(checkpoint(), kind=kind)) for kind in kinds]
    here.publish(1, b"full", b"gate")
    here.publish(2, b"same")
    assert [[data for _, data in stream.take()] for stream in streams] == [
        [b"full", b"same"],
        [b"gate", b"same"],
        [b"full", b"same"],
    ]


async def test_who_left_gets_nothing() -> None:
    here = hub()
    gone = here.join(checkpoint())
    here.leave(gone)
    here.publish(1, b"1")
    assert gone.take() == []
    assert here.streams == set()


async def test_what_is_meant_for_some_reaches_these_only() -> None:
    here = hub()
    streams = {code: here.join(checkpoint(code)) for code in ("CGK", "DPS")}
    here.publish_to(1, b"1", lambda actor: actor.checkpoint == "DPS")
    here.publish(2, b"2")
    assert streams["CGK"].take() == [(2, b"2")]
    assert streams["DPS"].take() == [(1, b"1"), (2, b"2")]


async def test_a_stream_whose_queue_is_full_is_closed_and_keeps_what_it_has_in_order() -> None:
    here = hub(queue=3)
    slow, good = here.join(checkpoint("CGK")), here.join(checkpoint("DPS"))
    for sequence in range(1, 6):
        here.publish(sequence, b"%d" % sequence)
        if sequence < 5:
            good.take()
    assert slow.why == "lagging"
    assert [sequence for sequence, _ in slow.take()] == [1, 2, 3]
    assert good.why is None
    assert [sequence for sequence, _ in good.take()] == [5]


async def test_behind_a_gap_a_stream_is_never_fed_again() -> None:
    here = hub(queue=2)
    slow = here.join(checkpoint())
    for sequence in (1, 2, 3):  # the third finds no room
        here.publish(sequence, b"")
    slow.take()
    here.publish(4, b"")
    assert slow.take() == []


@pytest.mark.parametrize("why", ["revoked", "expired"])
async def test_a_key_that_no_longer_works_gets_nothing_of_what_waits(why: str) -> None:
    here = hub()
    stream = here.join(checkpoint())
    here.publish(1, b"1")
    stream.close(why)
    assert stream.take() == []


async def test_the_first_reason_for_an_end_stays() -> None:
    stream = hub().join(checkpoint())
    stream.close("renew")
    stream.close("shutdown")
    assert stream.why == "renew"


async def test_a_waiting_stream_wakes_for_a_frame_and_for_its_end() -> None:
    here = hub()
    stream = here.join(checkpoint())
    for act in (lambda: here.publish(1, b"1"), lambda: stream.close("renew")):
        waiting = asyncio.create_task(stream.wait())
        await asyncio.sleep(0)
        assert not waiting.done()
        act()
        async with asyncio.timeout(1):
            await waiting
        stream.take()


async def test_there_is_room_for_so_many_and_none_while_stopping() -> None:
    here = hub(limit=2)
    first = here.join(checkpoint())
    assert not here.full
    here.join(checkpoint())
    assert here.full
    here.leave(first)
    assert not here.full
    here.close()
    assert here.full


async def test_stopping_ends_every_stream() -> None:
    here = hub()
    streams = [here.join(checkpoint()) for _ in range(3)]
    here.close()
    assert [stream.why for stream in streams] == ["shutdown"] * 3


async def test_a_heartbeat_comes_once_an_interval_and_is_encoded_once() -> None:
    here = hub(heartbeat=10)
    streams = [here.join(checkpoint()) for _ in range(20)]
    made = []

    def heartbeat() -> Heartbeat:
        made.append(BEAT)
        return BEAT

    now = asyncio.get_running_loop().time()
    here.tick(now + 4.9, never)
    here.tick(now + 10.1, heartbeat)
    assert [stream.take() for stream in streams] == [[(~BEAT.reach, BEAT.frame)]] * 20
    assert len(made) == 1
    here.tick(now + 20, never)
    here.tick(now + 20.2, heartbeat)
    assert [len(stream.take()) for stream in streams] == [1] * 20


async def test_first_heartbeats_are_spread_over_the_interval() -> None:
    here = hub(heartbeat=10)
    now = asyncio.get_running_loop().time()
    due = [here.join(checkpoint()).beat_at - now for _ in range(50)]
    assert 4.9 < min(due) < 7
    assert 8 < max(due) < 10.1


async def test_a_stream_is_cut_after_its_quarter_of_an_hour_give_or_take_a_tenth() -> None:
    here = hub()
    now = asyncio.get_running_loop().time()
    streams = [here.join(checkpoint()) for _ in range(50)]
    here.tick(now + 13 * 60, lambda: BEAT)
    assert {stream.why for stream in streams} == {None}
    here.tick(now + 15 * 60, lambda: BEAT)
    assert {stream.why for stream in streams} == {None, "renew"}
    here.tick(now + 17 * 60, lambda: BEAT)
    assert {stream.why for stream in streams} == {"renew"}


async def sending(here: Hub, since: float) -> tuple[Stream, asyncio.Task[None]]:
    """A stream whose reader has taken nothing since a moment."""
    joined: asyncio.Future[Stream] = asyncio.get_running_loop().create_future()

    async def serve() -> None:
        stream = here.join(checkpoint())
        stream.sending_since = since
        joined.set_result(stream)
        await asyncio.Event().wait()

    task = asyncio.create_task(serve())
    return await joined, task


@pytest.mark.parametrize(
    ("patience", "stop"),
    [(STUCK_SECONDS, lambda _: None), (STOPPING_SECONDS, Hub.close)],
    ids=["open", "stopping"],
)
async def test_a_stream_that_takes_nothing_is_cut_off(patience: float, stop: Callable[[Hub], None]) -> None:
    here = hub()
    stuck, task = await sending(here, since=100.0)
    stop(here)
    here.tick(100.0 + patience, lambda: BEAT)
    assert not task.cancelling()
    here.tick(100.1 + patience, lambda: BEAT)
    assert stuck.why == "stuck"
    assert here.evicted == 1
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_only_streams_of_refused_keys_are_closed() -> None:
    here = hub()
    old, other, late = (here.join(checkpoint(key=key)) for key in ("key_1", "key_2", "key_3"))
    assert here.keys() == {"key_1", "key_2", "key_3"}
    here.close_keys({"key_1"})
    assert [old.why, other.why, late.why] == ["revoked", None, None]


async def test_a_stream_ends_with_its_key() -> None:
    here = hub()
    ending, endless = here.join(checkpoint(expires_at=NOW)), here.join(checkpoint())
    here.close_expired(NOW - timedelta(seconds=1))
    assert ending.why is None
    here.close_expired(NOW)
    assert [ending.why, endless.why] == ["expired", None]


async def test_presence_counts_checkpoints_and_tells_of_the_first_and_the_last() -> None:
    here = hub()
    told = []
    here.changed = lambda: told.append(here.checkpoints(45))
    first, second = here.join(checkpoint("CGK")), here.join(checkpoint("CGK"))
    other = here.join(checkpoint("DPS"))
    for stream in (first, second, other):
        here.leave(stream)
    assert told == [{"CGK"}, {"CGK", "DPS"}, {"DPS"}, set()]


async def test_who_polls_counts_while_polling_and_for_a_while_after() -> None:
    here = hub()
    with here.polling(checkpoint("CGK")):
        assert here.checkpoints(0) == {"CGK"}
    assert here.checkpoints(45) == {"CGK"}
    assert here.checkpoints(-1) == set()
    assert here.checkpoints(45) == set()


async def test_a_stream_that_reads_what_it_missed_falls_behind_instead_of_lagging() -> None:
    here = hub(queue=2)
    stream = here.join(checkpoint())
    stream.reading = True
    for number in range(1, 4):
        here.publish(number, b"frame")
    assert (stream.why, stream.behind, stream.take()) == (None, True, [])
    stream.behind = stream.reading = False
    for number in range(4, 7):
        here.publish(number, b"frame")
    assert (stream.why, [number for number, _ in stream.take()]) == ("lagging", [4, 5])
