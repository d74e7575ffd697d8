"""The failures of docs/operation.md, "What may fail", that end processes, servers and lines between them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.access.pepper import take_pepper
from app.alerting.alerts import wakeups
from app.alerting.alerts.service import drill
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from tests.database.conftest import told
from tests.database.test_restored_backup import until_marked, until_rolled_back
from tests.support.account import Account, Clients, accounting
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, urgent_body
from tests.support.cli import cekal
from tests.support.clock import SettableClock
from tests.support.databases import ENGINES, PEPPER, Run
from tests.support.processes import Process, process
from tests.support.receivers import receiving
from tests.support.relay import Relay, relay_to
from tests.support.served import Served, client_for, serving
from tests.support.sse import Events, listening
from tests.support.standby import Pair, pair
from tests.support.steps import Json, expect, sound
from tests.support.waiting import until, until_answered
from tests.support.webhooks import ALERTS, LOOPBACK, deliveries, subscribe
from tests.support.wire import wire

pytestmark = pytest.mark.settings(
    webhook_networks=LOOPBACK, heartbeat_seconds=0.5, stale_seconds=2.0, quota_urgent_entries=10_000
)
GIVEN = {"webhook_networks": LOOPBACK[0], "heartbeat_seconds": "0.5", "quota_urgent_entries": "10000"}
"""The same for processes."""

SILENCE = 3.0
"""Seconds without a byte, six heartbeats, after which a client gives a connection up."""

SOME = 5
"""Alerts that are raised between two failures."""

ON_POSTGRESQL = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)


class Machine:
    """A process of the service at an address that stays. It is ended once; what is started in its place is served by a
    thread of this process, which takes a tenth of the time."""

    def __init__(self, stack: AsyncExitStack, settings: Settings, clock: SettableClock, line: Relay) -> None:
        self.line = line
        self._stack, self._settings, self.clock = stack, settings, clock
        self._process: Process | None = None

    @property
    def process(self) -> Process:
        """The process."""
        assert self._process is not None
        return self._process

    async def start(self) -> None:
        """Start the process."""
        started = process(self._settings, self._settings.data_dir, **GIVEN)
        self._process = await self._stack.enter_async_context(started)
        self.line.target = self._process.http.base_url.port

    async def start_again(self) -> None:
        """Start the service in place of the process that has ended."""
        serves = ExitStack()
        url = serves.enter_context(serving(create_app(self._settings, self.clock)))
        self._stack.push_async_callback(asyncio.to_thread, serves.close)
        self.line.target = int(url.rpartition(":")[2])


@asynccontextmanager
async def machines(settings: Settings, clock: SettableClock, number: int = 1) -> AsyncIterator[list[Machine]]:
    """So many processes of one register, each behind a line of its own; on SQLite one."""
    made = []
    async with AsyncExitStack() as stack:
        for each in range(1 if settings.url.startswith("sqlite") else number):
            folder = settings.data_dir / f"machine-{each}"
            folder.mkdir()
            line = await stack.enter_async_context(relay_to())
            own = settings.model_copy(update={"data_dir": folder})
            made.append(Machine(stack, own, clock, line))
            await made[-1].start()
        yield made


async def further(account: Account, number: int = SOME) -> None:
    """Wait until so many more alerts were acknowledged."""
    count = len(account.acknowledged) + number
    await until(lambda: len(account.acknowledged) >= count, within=30)


async def expect_everything(account: Account) -> None:
    """Hold that every reader has got everything, the followers in the order of the ledger, without hole or double."""
    await account.settle(within=30)
    report = {each.reader: each for each in account.report()}
    assert [name for name, each in report.items() if each.missing] == [], report
    assert [report[name].duplicates for name in ("stream", "poll", "feed")] == [0, 0, 0]
    assert account.order("stream") == account.order("poll") == account.order("feed")
    assert account.gaps == 0


@asynccontextmanager
async def writing(running: list[Machine], actors: Actors) -> AsyncIterator[Account]:
    """An account that is kept for the block's length, while alerts are raised; then everything must have arrived."""
    addresses, ended = [each.line.url for each in running], asyncio.Event()
    async with accounting(addresses, await Clients.made(actors), urgent_body, SILENCE) as account:
        raising = asyncio.create_task(account.write_until(ended, every=0.02))
        await further(account)
        yield account
        await further(account)
        ended.set()
        await raising
        running[0].clock.advance(minutes=1)  # the leases of webhooks that were under way are over
        await expect_everything(account)


@ON_POSTGRESQL
async def test_rolling_restart(settings: Settings, clock: SettableClock, actors: Actors) -> None:
    async with machines(settings, clock, 2) as running, writing(running, actors) as account:
        for each in running:
            each.process.terminate()
            assert await each.process.ended() == 0
            await further(account)
            await each.start_again()
            await further(account)


async def test_process_killed(settings: Settings, clock: SettableClock, actors: Actors) -> None:
    async with machines(settings, clock) as running, writing(running, actors):
        (machine,) = running
        machine.process.kill()
        await machine.start_again()


async def test_killed_between_commit_and_answer(
    settings: Settings, clock: SettableClock, actors: Actors, counter: Caller
) -> None:
    once, body = (await actors.client("submitter")).once(uuid4().hex), urgent_body()
    async with machines(settings, clock) as (machine,), client_for(machine.line.url) as http:
        async with listening(machine.process.http, counter.headers) as stream:
            await stream.next("heartbeat")
            machine.line.flows_back.clear()
            posting = asyncio.create_task(http.post("/v1/urgent-entries", json=body, headers=once))
            alert = (await stream.next("alert")).json  # committed, and no byte of the answer has arrived
            machine.process.kill()
        machine.line.cut()
        with pytest.raises(httpx2.TransportError):
            await posting
        machine.line.flows_back.set()
        await machine.start_again()
        again = await http.post("/v1/urgent-entries", json=body, headers=once)
        assert again.headers["idempotency-replayed"] == "true"
        assert expect(again, 201)["alert"]["id"] == alert["id"]
        [only] = expect(await http.get("/v1/alerts", headers=counter.headers), 200)["items"]
        assert (only["id"], only["sequence"]) == (alert["id"], alert["sequence"])


async def test_killed_between_webhook_and_its_result(
    settings: Settings, clock: SettableClock, actors: Actors, counter: Caller
) -> None:
    owner = await actors.client("submitter")
    async with (
        machines(settings, clock) as (machine,),
        client_for(machine.line.url) as http,
        receiving() as receiver,
    ):
        endpoint = await subscribe(http, counter, receiver, events=ALERTS)
        receiver.hold.clear()
        await sound(http, owner)
        await until(lambda: receiver.at_once == 1)
        machine.process.kill()
        receiver.hold.set()
        await machine.start_again()
        clock.advance(seconds=31)
        await until(lambda: len(receiver.taken) == 2, within=20)

        async def delivered() -> bool:
            return [each["state"] for each in await deliveries(http, counter, endpoint)] == ["delivered"]

        first, second = receiver.taken
        assert first.headers["webhook-id"] == second.headers["webhook-id"]
        assert first.event == second.event
        await until_answered(delivered)


async def until_beat(stream: Events, *, degraded: bool) -> Json:
    """The next heartbeat of a stream that says so."""
    async with asyncio.timeout(30):
        while True:
            beat: Json = (await stream.next("heartbeat")).json
            if beat["degraded"] is degraded:
                return beat


@ON_POSTGRESQL
async def test_database_down(
    settings: Settings, clock: SettableClock, actors: Actors, counter: Caller
) -> None:
    owner, body = await actors.client("submitter"), urgent_body()
    once = owner.once(uuid4().hex)
    with wire(settings.url) as line:
        app = create_app(settings.model_copy(update={"database_url": line.address}), clock)
        with serving(app) as url:
            async with client_for(url) as http, listening(http, counter.headers) as stream:
                alert = (await sound(http, owner))["alert"]
                await stream.next("alert")
                head = (await until_beat(stream, degraded=False))["head"]
                await asyncio.to_thread(line.cut)
                receipt: Json = {"json": {"level": "received"}, "headers": counter.headers}
                path = f"/v1/alerts/{alert['id']}/receipts"
                for refused in (
                    await http.post("/v1/urgent-entries", json=body, headers=once),
                    await http.post(path, **receipt),
                    await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers),
                ):
                    expect(refused, 503)
                    assert int(refused.headers["retry-after"]) >= 1
                expect(await http.get("/readyz"), 503)
                beats = [await until_beat(stream, degraded=True) for _ in range(2)]
                assert {each["head"] for each in beats} == {head}
                await asyncio.to_thread(line.mend)
                await until_beat(stream, degraded=False)
                expect(await http.post(path, **receipt), 201)
                expect(await http.post(path, **receipt), 200)
                made = expect(await http.post("/v1/urgent-entries", json=body, headers=once), 201)
                arrived = (await stream.next("alert")).json
                assert (arrived["id"], arrived["previous_sequence"]) == (
                    made["alert"]["id"],
                    alert["sequence"],
                )


@ON_POSTGRESQL
@pytest.mark.settings(stale_seconds=60.0)
async def test_notifications_lost(
    served: Served, settings: Settings, runtime: Runtime, counter: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakeups, "_RETRY_SECONDS", 5.0)
    woken = served.app.state.process.tail.wakeups
    async with listening(served.http, counter.headers) as stream:
        await stream.next("heartbeat")
        await until(lambda: woken.listening)
        name = settings.url.rpartition("/")[2]
        listens = f"datname = '{name}' AND query ILIKE 'LISTEN%'"
        await told(settings.url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listens}")
        await until(lambda: not woken.listening)
        async with runtime.writing(SYSTEM) as unit:
            await drill(unit, "Exercise.", None, settings, ())
        await stream.next("alert")
        assert not woken.listening
        await until(lambda: woken.listening)


@pytest.fixture
def apart(run: Run) -> Iterator[Pair]:
    """PostgreSQL servers of this test's own, which it may kill."""
    folder = run.folder / f"pair-{uuid4().hex[:8]}"
    folder.mkdir()
    folder.chmod(0o711)
    with pair(folder, run.signing_keys) as servers:
        yield servers


@pytest.fixture(params=ENGINES)
def place(request: pytest.FixtureRequest) -> str | Pair:
    """The address of a register on SQLite, or a register on PostgreSQL servers of this test's own."""
    found: str | Pair = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "apart")
    return found


@asynccontextmanager
async def register_at(address: str, run: Run, folder: Path) -> AsyncIterator[tuple[Settings, Actors]]:
    """A register that was founded at an address, and who acts on it."""
    settings = Settings(
        env="test",
        database_url=address,
        data_dir=folder,
        key_pepper=PEPPER,
        signing_keys=run.signing_keys,
        webhook_networks=LOOPBACK,
        quota_urgent_entries=10_000,
        heartbeat_seconds=0.5,
        poll_seconds=0.1,
        daily_drill=False,
    )
    runtime = wired_runtime(settings)
    try:
        await take_pepper(runtime)
        yield settings, Actors(runtime)
    finally:
        await runtime.close()


async def test_worker_killed_in_a_storm(place: str | Pair, run: Run, tmp_path: Path) -> None:
    address = place if isinstance(place, str) else place.primary
    async with (
        register_at(address, run, tmp_path) as (settings, actors),
        machines(settings, SettableClock(), 2) as running,
        writing(running, actors) as account,
    ):
        for each in running:
            each.line.delay = 0.02
            await further(account)
            each.line.delay = 0.0
            for way in (each.line.flows_there, each.line.flows_back):
                way.clear()
                await asyncio.sleep(0.5)
                way.set()
            each.line.reset()
            await further(account)
            each.process.kill()
            each.line.cut()
            if isinstance(place, Pair):
                await place.crash_primary()
            await each.start_again()


async def test_fail_over_to_a_standby_that_lacks_rows(apart: Pair, run: Run, tmp_path: Path) -> None:
    folder, keys = tmp_path / "service", str(run.signing_keys)
    folder.mkdir()
    async with register_at(apart.primary, run, tmp_path) as (settings, actors):
        owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
        integrator = await actors.client("integrator")
        both = settings.model_copy(update={"database_url": apart.both})
        async with process(both, folder, **GIVEN, signing_keys=keys) as service:
            http = service.http
            await sound(http, owner)
            await apart.part()
            lost = urgent_body()
            await sound(http, owner, lost)
            cursor = expect(await http.get("/v1/changes", headers=integrator.headers), 200)["cursor"]
            await until_marked(folder, int(cursor.rpartition(".")[2]))
            await apart.kill_primary()
            refused = await http.post("/v1/urgent-entries", json=lost, headers=owner.once("lost"))
            expect(refused, 503)
            await apart.promote()
            await until_rolled_back(http)
            refused = await http.post("/v1/urgent-entries", json=lost, headers=owner.once("lost"))
            assert expect(refused, 503)["type"] == "/problems/register-rolled-back"
            asked: Json = {"json": check_body(lost["subject"]), "headers": counter.headers}
            assert expect(await http.post("/v1/checks", **asked), 200)["registry"]["stale"] is True
            service.terminate()
            assert await service.ended() == 0
        given = {"database_url": apart.both, "data_dir": folder, "signing_keys": keys}
        accepted = cekal("restore", "--json", cwd=tmp_path, **given).json
        assert (accepted["lost_by_mark"], accepted["holds"]) == (2, True)
        async with process(both, folder, **GIVEN, signing_keys=keys) as service:
            gone = await service.http.get("/v1/changes", params={"after": cursor}, headers=integrator.headers)
            assert expect(gone, 410)["type"] == "/problems/cursor-gone"
            made = await service.http.post("/v1/urgent-entries", json=lost, headers=owner.once("lost"))
            expect(made, 201)
