"""A process that dies between two commits: whoever goes on afterwards opens no second hit and tells nothing twice.

A hit is in the checks' database before the register has it, and a passenger's check before the manifest has its
answer. Each scenario is killed after its first commit, after its second, and so on, each time twice in a row.
"""

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager, suppress
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import Table, func, select

from app import runtime as processes
from app.access.domain import SYSTEM
from app.border.hits import creation
from app.border.manifests import tables as manifest_tables
from app.kit.clock import legal_day
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, check_body, deterrence_body, urgent_deterrence_body
from tests.support.clock import SettableClock
from tests.support.crossings import ask, hit_of, say
from tests.support.manifests import PATH, manifest_body, passenger, read, send, statuses
from tests.support.steps import expect, impose, sound

MAX_COMMITS = 12


class Killed(Exception):
    """What a process meets that is dead: it commits nothing any more."""


class Deaths:
    """Kills what writes after some commits, until it is revived."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.dead = False
        self.writing = self._deadly(processes.writing)
        self.storing = self._deadly(processes.storing)

    def _deadly(self, opened: Callable[..., AbstractAsyncContextManager[Any]]) -> Any:
        """As one of the functions of `app.db.unit` that commit, for one who may die of it."""

        @asynccontextmanager
        async def open_deadly(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            if self.dead:
                raise Killed
            async with opened(*args, **kwargs) as unit:
                yield unit
            if self.left is not None:
                self.left -= 1
                if self.left == 0:
                    self.dead = True
                    raise Killed

        return open_deadly

    @contextmanager
    def after(self, commits: int) -> Iterator[None]:
        """Die after so many commits, within the block."""
        self.left, self.dead = commits, False
        with suppress(Killed):
            yield
        self.left = None

    def revive(self) -> bool:
        """Begin again; whether it was dead."""
        was, self.dead = self.dead, False
        return was


@pytest.fixture
def deaths(monkeypatch: pytest.MonkeyPatch) -> Deaths:
    made = Deaths()
    monkeypatch.setattr(processes, "writing", made.writing)
    monkeypatch.setattr(processes, "storing", made.storing)
    return made


async def killed_everywhere(
    deaths: Deaths,
    prepare: Callable[[], Awaitable[Json]],
    act: Callable[[Json], Awaitable[object]],
    verify: Callable[[Json], Awaitable[None]],
) -> int:
    """Kill an act after each of its commits, twice in a row, and let it come to its end; after how many it died."""
    for commits in range(1, MAX_COMMITS):
        about = await prepare()
        died = []
        for _ in range(2):
            with deaths.after(commits):
                await act(about)
            died.append(deaths.revive())
        await act(about)
        await verify(about)
        if not died[0]:
            return commits - 1
    raise AssertionError("it never comes to its end")


async def counted(runtime: Runtime, table: Table) -> int:
    async with runtime.reading(SYSTEM) as reader:
        return int((await reader.run(select(func.count()).select_from(table))).scalar_one())


async def hits_of(http: httpx2.AsyncClient, by: Caller, entry: Json) -> list[Json]:
    hits = expect(await http.get("/v1/hits", params={"limit": 500}, headers=by.headers), 200)["items"]
    return [hit for hit in hits if entry["id"] in {each["entry_id"] for each in hit["entries"]}]


async def notices_of(http: httpx2.AsyncClient, by: Caller, entry: Json, name: str) -> list[Json]:
    told = expect(await http.get("/v1/notices", params={"limit": 500}, headers=by.headers), 200)["items"]
    return [each for each in told if each["entry_id"] == entry["id"] and each["name"] == name]


@pytest.fixture
async def supervisor(actors: Actors) -> Caller:
    return await actors.client("supervisor", checkpoint="DPS")


@pytest.fixture
async def immigration(actors: Actors) -> Caller:
    return await actors.client("submitter", agency="IMIGRASI")


async def test_a_watch_that_dies_between_check_and_answer_opens_one_hit(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    carrier: Caller,
    supervisor: Caller,
    immigration: Caller,
    deaths: Deaths,
) -> None:
    async def prepare() -> Json:
        body = deterrence_body()
        person = passenger(body["subject"])
        manifest = await send(http, carrier, manifest_body(person, {**person, "reference": "0002"}))
        return {"entry": await impose(http, actors, body), "manifest": manifest}

    async def act(_: Json) -> None:
        await worker.watch_manifests()
        await worker.create_hits()

    async def verify(about: Json) -> None:
        assert statuses(await read(http, carrier, about["manifest"])) == ["do_not_board"] * 2
        assert len(await hits_of(http, supervisor, about["entry"])) == 1
        assert len(await notices_of(http, immigration, about["entry"], "hit")) == 1

    assert await killed_everywhere(deaths, prepare, act, verify) >= 3


async def test_what_a_supervisor_says_of_a_hit_whose_watch_has_died_reaches_the_carrier(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    carrier: Caller,
    supervisor: Caller,
    deaths: Deaths,
) -> None:
    body = deterrence_body()
    doubtful = passenger(body["subject"], person={"nationality": None})
    manifest = await send(http, carrier, manifest_body(doubtful))
    entry = await impose(http, actors, body)
    with deaths.after(1):
        await worker.watch_manifests()
    assert deaths.revive()
    (hit,) = await hits_of(http, supervisor, entry)
    assert statuses(await read(http, carrier, manifest)) == ["board"]
    expect(await say(http, supervisor, hit, "confirmed", "refuse_entry"), 201)
    await worker.watch_manifests()
    assert statuses(await read(http, carrier, manifest)) == ["do_not_board"]
    assert len(await hits_of(http, supervisor, entry)) == 1


async def test_a_sender_that_got_no_answer_and_sends_again_opens_one_hit(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    carrier: Caller,
    supervisor: Caller,
    deaths: Deaths,
) -> None:
    async def prepare() -> Json:
        body = deterrence_body()
        return {"entry": await impose(http, actors, body), "sent": manifest_body(passenger(body["subject"]))}

    async def act(about: Json) -> None:
        answer = await http.post(PATH, json=about["sent"], headers=carrier.headers)
        assert (answer.status_code == 201) is not deaths.dead
        await worker.create_hits()

    async def verify(about: Json) -> None:
        assert len(await hits_of(http, supervisor, about["entry"])) == 1

    assert await killed_everywhere(deaths, prepare, act, verify) >= 2


async def test_a_hit_that_was_stored_with_its_check_is_taken_up_once(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    counter: Caller,
    immigration: Caller,
    deaths: Deaths,
) -> None:
    supervisor = await actors.client("supervisor")

    async def prepare() -> Json:
        body = deterrence_body()
        entry = await impose(http, actors, body)
        answer = await ask(http, counter, check_body(body["subject"]) | {"direction": "entry"})
        return {"entry": entry, "answer": answer}

    async def act(about: Json) -> None:
        await worker.create_hits()
        await http.get(f"/v1/hits/{about['answer']['hit_id']}", headers=supervisor.headers)

    async def verify(about: Json) -> None:
        assert (await hit_of(http, supervisor, about["answer"]))["id"] == about["answer"]["hit_id"]
        assert [hit["id"] for hit in await hits_of(http, supervisor, about["entry"])] == [
            about["answer"]["hit_id"]
        ]
        assert len(await notices_of(http, immigration, about["entry"], "hit")) == 1

    assert await killed_everywhere(deaths, prepare, act, verify) >= 2


async def test_a_look_back_that_dies_tells_of_each_check_once(
    http: httpx2.AsyncClient,
    worker: Worker,
    counter: Caller,
    immigration: Caller,
    clock: SettableClock,
    deaths: Deaths,
) -> None:
    async def prepare() -> Json:
        body = urgent_deterrence_body()
        await ask(http, counter, check_body(body["subject"]) | {"direction": "entry"})
        clock.advance(hours=1)
        return (await sound(http, immigration, body))["entry"]

    async def act(_: Json) -> None:
        await worker.look_back()
        clock.advance(minutes=2)

    async def verify(entry: Json) -> None:
        await worker.look_back()
        assert len(await notices_of(http, immigration, entry, "crossed_before")) == 1

    assert await killed_everywhere(deaths, prepare, act, verify) >= 3


async def test_what_officers_are_told_by_a_round_that_dies_is_told_once(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    carrier: Caller,
    immigration: Caller,
    clock: SettableClock,
    deaths: Deaths,
) -> None:
    """Ends that come near, hits that nobody resolves, manifests that depart: each round's own commits."""

    async def prepare() -> Json:
        today = legal_day(clock())
        ends_on = today + timedelta(days=31)
        body = deterrence_body(starts_on=today.isoformat(), ends_on=ends_on.isoformat())
        entry = await impose(http, actors, body)
        departs = (clock() + timedelta(minutes=30)).isoformat()
        sent = manifest_body(passenger(entry["subject"]), departs_at=departs)
        manifest = await send(http, carrier, sent)
        clock.advance(days=1)
        return {"entry": entry, "manifest": manifest}

    async def act(_: Json) -> None:
        await worker.notify_officers()
        await worker.create_hits()
        await worker.watch_manifests()

    async def verify(about: Json) -> None:
        assert len(await notices_of(http, immigration, about["entry"], "ends_soon")) == 1
        duty = await actors.client("duty_officer")
        assert len(await notices_of(http, duty, about["entry"], "hit_unresolved")) == 1
        assert await counted(worker.runtime, manifest_tables.key) == 0

    assert await killed_everywhere(deaths, prepare, act, verify) >= 3


async def test_two_checks_that_share_a_hit_are_taken_up_together(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    worker: Worker,
    carrier: Caller,
    supervisor: Caller,
) -> None:
    body = deterrence_body()
    entry = await impose(http, actors, body)
    rows = [passenger(body["subject"], str(row)) for row in range(100)]
    manifest = await send(http, carrier, manifest_body(*rows))
    assert set(statuses(manifest)) == {"do_not_board"}
    await worker.create_hits()
    assert len(await hits_of(http, supervisor, entry)) == 1
    assert await Worker(runtime).create_hits() == 0


async def test_hits_lost_by_a_restore_are_queued_again_all_or_none(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    runtime: Runtime,
    deaths: Deaths,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not runtime.register.is_sqlite:
        pytest.skip("checks and register are restored together there")
    monkeypatch.setattr(creation, "_BATCH_SIZE", 2)
    body = deterrence_body()
    entry = await impose(http, actors, body)
    saved = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(str(runtime.register.url.database))) as register:
        register.backup(saved)
    lost = {(await ask(http, counter, check_body(body["subject"], "entry")))["hit_id"] for _ in range(5)}
    assert await creation.create_hits(runtime) == len(lost)
    with closing(sqlite3.connect(str(runtime.register.url.database))) as register:
        saved.backup(register)
    with deaths.after(1):
        await creation.requeue_lost(runtime)
    deaths.revive()
    await creation.create_hits(runtime)  # as any process does that lists hits
    await creation.requeue_lost(runtime)
    await creation.create_hits(runtime)
    supervisor = await actors.client("supervisor")
    assert {hit["id"] for hit in await hits_of(http, supervisor, entry)} == lost
