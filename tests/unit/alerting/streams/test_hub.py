"""The hub: one frame to all, some streams in a turn, and who is cut off when."""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import uvloop

from app.actor import Actor
from app.alerting.streams import hub as hub_module
from app.alerting.streams.hub import Hub
from app.alerting.streams.stream import Heartbeat, Stream
from app.ledger.domain import Head
from app.web.stream_connection import STOPPING_SECONDS, STUCK_SECONDS, Frame
from tests.support.live_streams import connect, listeners
from tests.support.waiting import until

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
BEAT = Heartbeat(7, b"event: heartbeat\n\n")
MIB = 1 << 20


def checkpoint(code: str = "CGK", key: str = "key_1", expires_at: datetime | None = None) -> Actor:
    """A checkpoint's machine."""
    return Actor("cli_1", None, frozenset({"checkpoint"}), checkpoint=code, key_id=key, expires_at=expires_at)


def hub(unsent: int = MIB, limit: int = 100, heartbeat: float = 15.0, minutes: float = 15.0) -> Hub:
    return Hub(unsent_limit=unsent, limit=limit, heartbeat_seconds=heartbeat, stream_minutes=minutes)


def never() -> Heartbeat:
    raise AssertionError("no heartbeat is due")


def queued(stream: Stream) -> list[tuple[int, bytes]]:
    return [(number, frame.data) for number, frame in stream._queue]


async def test_every_stream_gets_the_very_same_bytes() -> None:
    here = hub()
    async with listeners(here, [checkpoint(code) for code in ("CGK", "DPS", "BTH")]) as streams:
        here.publish(7, b"id: e.7\n\n")
        assert [await each.received() for each in streams] == [b"id: e.7\n\n"] * 3
    arriving = [here.join(checkpoint()) for _ in range(2)]
    here.publish(8, b"id: e.8\n\n")
    assert arriving[0]._queue[0][1] is arriving[1]._queue[0][1]


async def test_a_connection_of_http_1_1_gets_a_chunk_for_each_frame_and_ends_with_the_last_chunk() -> None:
    here = hub()
    async with listeners(here, [checkpoint()], chunked=True) as [one]:
        here.publish(1, b"a" * 17)
        here.publish(2, b"b")
        assert await one.received() == b"11\r\n" + b"a" * 17 + b"\r\n1\r\nb\r\n"
        one.stream.close("renew")
        assert re.fullmatch(rb"14\r\nretry: \d{3}\n: renew\n\n\r\n0\r\n\r\n", await one.rest())


async def test_gates_get_bytes_of_their_own_where_there_are_any() -> None:
    here = hub()
    kinds = ("counter", "autogate", "manifest")
    async with listeners(here, [replace(checkpoint(), kind=kind) for kind in kinds]) as streams:
        here.publish(1, b"full", b"gate")
        here.publish(2, b"same")
        assert [await each.received() for each in streams] == [b"fullsame", b"gatesame", b"fullsame"]


async def test_who_left_gets_nothing() -> None:
    here = hub()
    gone = here.join(checkpoint())
    here.leave(gone)
    here.publish(1, b"1")
    assert queued(gone) == []
    assert here.streams == set()
    async with listeners(here, [checkpoint()]) as [one]:
        one.peer.close()
        await until(lambda: not here.streams)
    assert (one.stream.why, one.connections) == ("gone", set())


async def test_ends_of_streams_are_counted_by_their_reason() -> None:
    here = hub(unsent=2)
    slow, left, revoked = [here.join(checkpoint()) for _ in range(3)]
    revoked.close("revoked")
    left.close("gone")
    for number in range(1, 5):
        here.publish(number, b"xx")
    for stream in (slow, left, revoked, slow):
        here.leave(stream)
    assert here.ended == {"lagging": 1, "gone": 1, "revoked": 1}


async def test_what_is_meant_for_some_reaches_these_only() -> None:
    here = hub()
    async with listeners(here, [checkpoint(code) for code in ("CGK", "DPS")]) as [cgk, dps]:
        here.publish_to(1, b"1", lambda actor: actor.checkpoint == "DPS")
        here.publish(2, b"2")
        assert (await cgk.received(), await dps.received()) == (b"2", b"12")


async def test_each_turn_writes_to_some_streams_and_a_second_frame_overtakes_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Published while the first is on its way: who has the first gets it in the next round, the others with it."""
    monkeypatch.setattr(hub_module, "_SLICE", 2)
    here, turns = hub(), list[str]()
    async with listeners(here, [checkpoint() for _ in range(7)]) as streams:
        loop = asyncio.get_running_loop()
        here.publish(1, b"1")
        loop.call_soon(lambda: turns.append("another request"))
        loop.call_soon(lambda: here.publish(2, b"2"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        reached = sum(each.stream.position > 0 for each in streams)
        assert (turns, 0 < reached < 7) == (["another request"], True)
        await here.distributed()
        assert [await each.received() for each in streams] == [b"12"] * 7
        assert here._publications == []


async def test_a_stream_that_goes_live_between_two_frames_gets_each_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What it has read from the database is left out; what was queued meanwhile and what comes later is not."""
    monkeypatch.setattr(hub_module, "_SLICE", 1)
    here = hub()
    async with listeners(here, [checkpoint() for _ in range(3)]):
        late = here.join(checkpoint())
        for number in range(1, 5):
            here.publish(number, b"%d" % number)
        late.position = 2  # by what it has read
        await asyncio.sleep(0)
        one = await connect(here, late)
        for number in range(5, 8):
            here.publish(number, b"%d" % number)
        await here.distributed()
        assert await one.received() == b"34567"
        one.peer.close()


def test_a_connection_that_breaks_in_the_middle_ends_the_distribution_for_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A closed transport of uvloop raises when it is written to."""

    async def broken() -> None:
        monkeypatch.setattr(hub_module, "_SLICE", 2)
        here = hub()
        async with listeners(here, [checkpoint() for _ in range(6)]) as streams:
            here.publish(1, b"1")
            for each in streams[:2]:
                each.stream.connection._transport.abort()  # type: ignore[union-attr]
            await here.distributed()
            assert [await each.received() for each in streams[2:]] == [b"1"] * 4
            assert len(here.streams) == 4
            assert {each.stream.why for each in streams[:2]} == {"gone"}
            await until(lambda: not streams[0].connections)
            streams[0].stream.connection.write(Frame(b"2"))  # type: ignore[union-attr]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(broken())


async def test_a_frame_that_can_not_be_made_cuts_its_stream_and_no_other() -> None:
    here = hub()

    def choose(stream: Stream) -> Frame:
        if stream.actor.checkpoint == "CGK":
            raise ValueError("a fault")
        return Frame(b"1")

    async with listeners(here, [checkpoint(code) for code in ("CGK", "DPS")]) as [faulty, good]:
        here.publish_chosen(1, choose)
        assert await good.received() == b"1"
        assert (await faulty.rest(), faulty.stream.why) == (b"", "fault")
        assert here.streams == {good.stream}
        await here.distributed()


async def test_a_reader_that_takes_too_little_is_closed_and_gets_what_it_has_in_order() -> None:
    here = hub(unsent=100_000)
    async with listeners(here, [checkpoint("CGK"), checkpoint("DPS")]) as [slow, good]:
        frames = [b"%d" % number * 40_000 for number in range(1, 8)]
        for number, frame in enumerate(frames, 1):
            here.publish(number, frame)
            got = b""
            while len(got) < len(frame):
                got += await good.received()
            assert got == frame
        assert (slow.stream.why, good.stream.why) == ("lagging", None)
        came = await slow.rest()
        count = came.index(b": lagging") // 40_000
        assert 2 < count < 7, "the bytes that wait are measured before a frame is added"
        assert came == b"".join(frames[:count]) + b": lagging\n\n"


async def test_behind_a_gap_a_stream_is_never_fed_again() -> None:
    here = hub(unsent=100_000)
    slow = here.join(checkpoint())
    for number in (1, 2, 3, 4):
        here.publish(number, b"x" * 60_000)
    assert (slow.why, [number for number, _ in slow._queue]) == ("lagging", [1, 2])
    one = await connect(here, slow)
    here.publish(5, b"5")
    assert await one.rest() == b"x" * 120_000 + b": lagging\n\n"
    one.peer.close()


async def test_a_stream_that_reads_what_it_missed_falls_behind_instead_of_lagging() -> None:
    here = hub(unsent=100_000)
    stream = here.join(checkpoint())
    stream.reading = True
    for number in range(1, 4):
        here.publish(number, b"x" * 60_000)
    assert (stream.why, stream.behind, queued(stream)) == (None, True, [])
    stream.behind = stream.reading = False
    for number in range(4, 7):
        here.publish(number, b"x" * 60_000)
    assert (stream.why, [number for number, _ in stream._queue]) == ("lagging", [4, 5])


@pytest.mark.parametrize("why", ["revoked", "expired"])
async def test_a_key_that_no_longer_works_gets_nothing_of_what_waits(why: str) -> None:
    here = hub()
    arriving = here.join(checkpoint())
    async with listeners(here, [checkpoint(), checkpoint()]) as [prompt, slow]:
        slow.stream.put(1, Frame(b"x" * 500_000))
        await asyncio.sleep(0)
        here.publish(2, b"2")
        for stream in (arriving, prompt.stream, slow.stream):
            stream.close(why)
        assert queued(arriving) == []
        assert await prompt.rest() == b": %b\n\n" % why.encode()
        with suppress(ConnectionResetError):
            assert len(await slow.rest()) < 100_000
    assert here.streams == {arriving}


async def test_the_first_reason_for_an_end_stays() -> None:
    stream = hub().join(checkpoint())
    stream.close("renew")
    stream.close("shutdown")
    assert stream.why == "renew"


async def test_what_is_published_before_the_end_is_sent_before_it() -> None:
    here = hub()
    async with listeners(here, [checkpoint()]) as [one]:
        here.publish(1, b"1")
        one.stream.close("renew")
        here.publish(2, b"2")
        assert re.fullmatch(rb"1retry: \d{3}\n: renew\n\n", await one.rest())
        assert one.stream not in here.streams


async def test_bytes_behind_the_request_end_the_stream() -> None:
    here = hub()
    async with listeners(here, [checkpoint()], chunked=True) as [one]:
        one.peer.send(b"GET / HTTP/1.1\r\n\r\n")
        assert await one.rest() == b"9\r\n: bytes\n\n\r\n0\r\n\r\n"


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
    arriving = [here.join(checkpoint()) for _ in range(3)]
    async with listeners(here, [checkpoint()] * 3) as live:
        here.close()
        for each in live:
            assert re.fullmatch(rb"retry: \d{3}\n: shutdown\n\n", await each.rest())
    assert [stream.why for stream in arriving] == ["shutdown"] * 3


async def test_a_heartbeat_comes_once_an_interval_and_is_encoded_once() -> None:
    here = hub(heartbeat=10)
    made = []

    def heartbeat() -> Heartbeat:
        made.append(BEAT)
        return BEAT

    async with listeners(here, [checkpoint()] * 20) as streams:
        for each in streams:
            each.stream.head = Head("e", 0, 0)
        now = asyncio.get_running_loop().time()
        here.heartbeat = never
        here.tick(now + 4.9)
        here.heartbeat = heartbeat
        here.tick(now + 10.1)
        assert [await each.received() for each in streams] == [b"id: e.7\n" + BEAT.frame] * 20
        assert len(made) == 1
        here.heartbeat = never
        here.tick(now + 20)
        here.heartbeat = heartbeat
        here.tick(now + 20.2)
        assert [(await each.received()).count(BEAT.frame) for each in streams] == [1] * 20


async def test_a_heartbeat_leads_no_reader_back_and_none_past_what_is_on_its_way() -> None:
    """Its cursor is the one behind all that was sent, and what was published before is sent before it."""
    here = hub()
    async with listeners(here, [checkpoint()]) as [one]:
        one.stream.head = Head("e", 0, 0)
        here.publish(4, b"4")
        one.stream.beat(Heartbeat(6, b"+"))
        here.publish(8, b"8")
        one.stream.beat(Heartbeat(3, b"+"))
        here.publish(9, b"9")
        assert await one.received() == b"4" + b"id: e.6\n+" + b"8" + b"id: e.8\n+" + b"9"


async def test_no_heartbeat_follows_the_end() -> None:
    """What is published before the heartbeat fills the stream, and so ends it."""
    here = hub()
    async with listeners(here, [checkpoint()], chunked=True) as [one]:
        one.stream.left = 1
        here.publish(1, b"x" * 0x8000)  # more than the kernel takes at once
        one.stream.beat(Heartbeat(1, b"+"))
        assert await one.rest() == b"8000\r\n%b\r\n8\r\n: full\n\n\r\n0\r\n\r\n" % (b"x" * 0x8000)


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
    here.tick(now + 13 * 60)
    assert {stream.why for stream in streams} == {None}
    here.tick(now + 15 * 60)
    assert {stream.why for stream in streams} == {None, "renew"}
    here.tick(now + 17 * 60)
    assert {stream.why for stream in streams} == {"renew"}


async def test_a_reader_that_takes_nothing_is_cut_and_one_that_takes_a_little_is_not() -> None:
    here = hub()
    async with listeners(here, [checkpoint()] * 2) as [stuck, slow]:
        begun = asyncio.get_running_loop().time()
        for each in (stuck, slow):
            each.stream.put(1, Frame(b"x" * 500_000))
        await slow.received()
        here.publish(2, b"y" * 1000)
        await here.distributed()
        for each in (stuck, slow):
            connection = each.stream.connection
            assert connection is not None
            assert begun + STUCK_SECONDS <= connection.due < begun + STUCK_SECONDS + 5
            connection.expire(connection.due)
        assert (stuck.stream.why, slow.stream.why, here.evicted) == ("stuck", None, 1)
        assert here.streams == {slow.stream}


async def sending(here: Hub, since: float) -> tuple[Stream, asyncio.Task[None]]:
    """A stream whose task has been sending what was missed since a moment."""
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
async def test_a_task_whose_reader_takes_nothing_is_cut_off(
    patience: float, stop: Callable[[Hub], None]
) -> None:
    here = hub()
    stuck, task = await sending(here, since=100.0)
    stop(here)
    here.tick(100.0 + patience)
    assert not task.cancelling()
    here.tick(100.1 + patience)
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
    for stream in (first, second, second, other):
        here.leave(stream)
    assert told == [{"CGK"}, {"CGK", "DPS"}, {"DPS"}, set()]


async def test_who_polls_counts_while_polling_and_for_a_while_after() -> None:
    here = hub()
    with here.polling(checkpoint("CGK")):
        assert here.checkpoints(0) == {"CGK"}
    assert here.checkpoints(45) == {"CGK"}
    assert here.checkpoints(-1) == set()
    assert here.checkpoints(45) == set()


async def test_a_stream_of_so_many_events_ends_with_the_last_of_them() -> None:
    here = hub()
    async with listeners(here, [checkpoint()]) as [one]:
        one.stream.left = 2
        for number in (1, 2, 3):
            here.publish(number, b"%d" % number)
        assert await one.rest() == b"12: full\n\n"


async def test_a_stream_that_is_full_with_what_was_missed_gets_nothing_of_what_was_queued() -> None:
    here = hub()
    stream = here.join(checkpoint())
    stream.left = 1
    here.publish(2, b"2")
    stream.count(1)
    one = await connect(here, stream)
    assert await one.rest() == b": full\n\n"
    one.peer.close()


async def test_the_streams_of_a_topic_end_with_a_last_frame() -> None:
    here = hub()
    async with (
        listeners(here, [checkpoint()], about="a") as [one],
        listeners(here, [checkpoint()], about="b") as [two],
    ):
        here.publish_about("a", 1, b"1")
        here.close_about("a", b"last")
        assert await one.rest() == b"1last: closed\n\n"
        assert (await two.received(), two.stream.why) == (b"", None)


async def test_a_request_is_over_with_its_stream() -> None:
    here, over = hub(), list[str]()
    async with listeners(here, [checkpoint()] * 2) as [ended, lost]:
        for name, each in (("ended", ended), ("lost", lost)):
            assert each.stream.connection is not None
            each.stream.connection.when_over(lambda name=name: over.append(name))
        assert over == []
        ended.stream.close("renew")
        assert over == ["ended"]
        lost.peer.close()
        await until(lambda: not lost.connections)
        assert over == ["ended", "lost"]
        assert ended.stream.connection is not None
        ended.stream.connection.when_over(lambda: over.append("late"))
        assert over == ["ended", "lost", "late"]
