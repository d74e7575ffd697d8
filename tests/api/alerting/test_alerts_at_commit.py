"""A process publishes what it has committed itself at once: in order, once, and only what nothing is missing before."""

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from app.access.domain import SYSTEM
from app.alerting.alerts import tail as tail_module
from app.alerting.alerts.service import drill
from app.alerting.alerts.tail import Tail
from app.ledger.domain import Record
from app.ledger.service import as_read, list_after
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.clock import SettableClock
from tests.support.served import Served
from tests.support.sse import Events, listening
from tests.support.steps import decide, etag, expect, sound
from tests.support.waiting import until


class Held:
    """Holds the tail's reading, in the service's thread, once it has read records and before it publishes them.

    With `some`, only a reading that has read some.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, some: bool = False) -> None:
        self.reached, self.released = threading.Event(), threading.Event()
        self._some = some
        monkeypatch.setattr(tail_module, "list_after", self._read)

    async def _read(self, *arguments: Any) -> list[Record]:
        records = await list_after(*arguments)
        if records or not self._some:
            self.loop = asyncio.get_running_loop()
            self.reached.set()
            await asyncio.to_thread(self.released.wait, 10)
        return records


async def call_drill(runtime: Runtime) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await drill(unit, "Exercise.", None, runtime.settings, ())


async def in_order(stream: Events, count: int) -> list[int]:
    """The numbers of the next alerts, and of any that comes too soon after them."""
    numbers = [(await stream.next("alert")).json["sequence"] for _ in range(count)]
    with contextlib.suppress(TimeoutError):
        numbers.append((await stream.next("alert", within=0.3)).json["sequence"])
    return numbers


def tail_of(served: Served) -> Tail:
    found: Tail = served.app.state.process.tail
    return found


async def test_an_alert_is_published_before_its_process_reads_it(
    served: Served, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    async with listening(served.http, counter.headers) as stream:
        await stream.next("heartbeat")
        held = Held(monkeypatch)
        raised = await sound(served.http, owner)
        assert (await stream.next("alert")).json["id"] == raised["alert"]["id"]
        held.released.set()
        assert await in_order(stream, 0) == []


async def test_what_was_published_at_its_commit_is_not_published_again_by_a_reading_under_way(
    served: Served, runtime: Runtime, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    async with listening(served.http, counter.headers) as stream:
        await stream.next("heartbeat")
        held = Held(monkeypatch)
        await until(held.reached.is_set)
        await sound(served.http, owner)
        held.released.set()
        assert await in_order(stream, 1) == [2]
        await call_drill(runtime)
        assert await in_order(stream, 1) == [3], "the stream goes on, for nothing was rolled back"


async def test_a_reading_that_has_read_what_was_then_published_leaves_it_out(
    served: Served, runtime: Runtime, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    tail, own = tail_of(served), served.app.state.process.runtime
    committed, handed_on = list[Record](), list[int]()
    hand_on = tail._hand_on

    def noted(records: Sequence[Record]) -> None:
        handed_on.extend(record.sequence for record in records)
        hand_on(records)

    monkeypatch.setattr(tail, "_hand_on", noted)
    async with listening(served.http, counter.headers) as stream:
        await stream.next("heartbeat")
        own.follow.on_commit[:] = [committed.extend]  # the process has not come to it yet
        held = Held(monkeypatch, some=True)
        await sound(served.http, owner)
        await until(held.reached.is_set)
        own.follow.on_commit[:] = [tail.committed]
        held.loop.call_soon_threadsafe(tail.committed, committed)
        await until(lambda: tail.head is not None and tail.head.size == 2)
        held.released.set()
        assert await in_order(stream, 1) == [2]
        await call_drill(runtime)
        assert await in_order(stream, 1) == [3]
    assert handed_on == [1, 2, 3], "the feed gets each record once too"


async def test_records_of_another_process_that_are_missing_before_are_published_first(
    served: Served, runtime: Runtime, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    async with listening(served.http, counter.headers) as stream:
        await stream.next("heartbeat")
        held = Held(monkeypatch)
        await until(held.reached.is_set)
        await call_drill(runtime)
        await sound(served.http, owner)
        held.released.set()
        assert await in_order(stream, 2) == [1, 3]


async def test_in_doubt_after_a_failure_nothing_is_published_unread(
    served: Served, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, tail = await actors.client("submitter"), tail_of(served)

    async def fail() -> None:
        raise ConnectionResetError("gone")

    reading = tail._publish_new
    monkeypatch.setattr(tail, "_publish_new", fail)
    await until(lambda: tail._doubtful)
    before = tail.head
    await sound(served.http, owner)
    assert tail.head == before
    monkeypatch.setattr(tail, "_publish_new", reading)
    await until(lambda: tail.head != before)


async def test_what_is_read_late_names_nobody_whose_entry_was_sealed_or_has_ended_since(
    served: Served, actors: Actors, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    duty, tail = await actors.client("duty_officer"), tail_of(served)
    async with listening(served.http, counter.headers) as stream:
        await stream.next("heartbeat")

        async def fail() -> None:
            raise ConnectionResetError("gone")

        reading = tail._publish_new
        monkeypatch.setattr(tail, "_publish_new", fail)
        await until(lambda: tail._doubtful)
        sealed, ended, held = [(await sound(served.http, owner))["entry"] for _ in range(3)]
        clock.advance(seconds=tail.runtime.settings.stale_seconds + 1)
        path, persons = f"/v1/entries/{sealed['id']}/seal", {"persons": [owner.person, duty.person]}
        expect(await served.http.put(path, json=persons, headers=owner.on(etag(sealed))), 200)
        await decide(served.http, duty, ended, "reject", "mistaken")
        monkeypatch.setattr(tail, "_publish_new", reading)
        told = [(await stream.next("alert")).json for _ in range(5)]
    named = {
        alert["entry"]["id"] for alert in told if alert["entry"]["full_name"] or alert["entry"]["documents"]
    }
    assert named == {held["id"]}
    assert [alert["entry"]["id"] for alert in told] == [
        *(entry["id"] for entry in (sealed, ended, held)),
        sealed["id"],
        ended["id"],
    ]


async def test_an_act_is_answered_although_its_alert_cannot_be_published_at_once(
    served: Served, actors: Actors, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    tail = tail_of(served)
    publish, failed = tail._publish, []

    def fail(*arguments: Any) -> None:
        monkeypatch.setattr(tail, "_publish", publish)
        failed.append(arguments)
        raise ValueError("broken")

    async with listening(served.http, counter.headers) as stream:
        await stream.next("heartbeat")
        monkeypatch.setattr(tail, "_publish", fail)
        raised = await sound(served.http, owner)
        assert failed
        assert (await stream.next("alert")).json["id"] == raised["alert"]["id"]


async def test_records_are_published_as_they_are_read_back(
    served: Served, runtime: Runtime, actors: Actors
) -> None:
    committed: list[Record] = []
    served.app.state.process.runtime.follow.on_commit.append(committed.extend)
    await sound(served.http, await actors.client("submitter"))
    async with runtime.reading(SYSTEM) as reader:
        read = await list_after(reader, 0, 10)
    assert len(read) == 2
    assert [as_read(record) for record in committed] == read
    assert [list(as_read(record).leaf) for record in committed] == [list(record.leaf) for record in read]
