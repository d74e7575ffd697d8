"""Checkpoints that fall silent, told to the duty officers (R55): those that leave, and those whose line is cut."""

import asyncio
import ctypes
import socket
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.alerting.alerts.tables import presence
from app.alerting.notices.lookout import Lookout
from app.kit.clock import rfc3339
from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.support.actors import Actors, Caller
from tests.support.admins import change_place
from tests.support.clock import SettableClock
from tests.support.processes import process
from tests.support.served import client_for, serving
from tests.support.sse import listening
from tests.support.steps import Json, becomes, expect, sound

_DROP_ALL = struct.pack("HBBI", 6, 0, 0, 0)
"""A socket filter of one instruction, "return 0": the kernel drops every segment before TCP can confirm it."""

_SO_ATTACH_FILTER = 26


@pytest.fixture
async def http(settings: Settings, clock: SettableClock) -> AsyncIterator[httpx2.AsyncClient]:
    """A real server whose worker stands still."""
    with serving(create_app(settings, clock, work=False)) as url:
        async with client_for(url) as client:
            yield client


@pytest.fixture
def lookout(runtime: Runtime) -> Lookout:
    return Lookout(runtime)


async def present(runtime: Runtime, wanted: set[str]) -> None:
    """Wait until just these checkpoints are noted as connected."""
    async with asyncio.timeout(10):
        while True:
            async with runtime.reading(SYSTEM) as reader:
                if set((await reader.run(select(presence.c.checkpoint))).scalars()) == wanted:
                    return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def connected(
    http: httpx2.AsyncClient, runtime: Runtime, lookout: Lookout, *machines: Caller
) -> AsyncIterator[None]:
    """Machines of checkpoints that listen for the block's length, and that the lookout has seen."""
    async with listening(http, machines[0].headers), listening(http, machines[-1].headers):
        await present(runtime, {str(each.checkpoint) for each in machines})
        await lookout.look()
        yield
    await present(runtime, set())


async def pass_by(clock: SettableClock, lookout: Lookout, seconds: int) -> list[int]:
    """Let time pass as a worker would see it, in rounds of at most fifteen seconds."""
    told = []
    while seconds > 0:
        clock.advance(seconds=min(15, seconds))
        seconds -= 15
        told.append(await lookout.look())
    return told


async def told(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    """The notices that an officer can read."""
    return list(expect(await http.get("/v1/notices", headers=by.headers), 200)["items"])


async def test_silence_is_told_once_after_two_minutes_and_so_is_its_end(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, clock: SettableClock, lookout: Lookout
) -> None:
    duty, submitter = await actors.client("duty_officer"), await actors.client("submitter")
    machines = [await actors.client("checkpoint", checkpoint=code) for code in ("CGK", "DPS")]
    left_at = clock()
    async with connected(http, runtime, lookout, *machines):
        pass
    assert sum(await pass_by(clock, lookout, 120)) == 0
    assert await pass_by(clock, lookout, 1) == [2]
    (notice,) = await told(http, duty)
    assert (notice["name"], notice["checkpoints"]) == ("checkpoints_silent", ["CGK", "DPS"])
    assert notice["effective_at"] == rfc3339(left_at + timedelta(minutes=2))
    assert await told(http, submitter) == []
    assert sum(await pass_by(clock, lookout, 3600)) == 0

    async with connected(http, runtime, lookout, machines[0]):
        assert [(each["name"], each["checkpoints"]) for each in (await told(http, duty))[1:]] == [
            ("checkpoints_back", ["CGK"])
        ]
    assert sum(await pass_by(clock, lookout, 135)) == 1
    assert [each["checkpoints"] for each in (await told(http, duty))[2:]] == [["CGK"]]


async def test_who_was_never_connected_or_is_closed_is_not_missed(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, clock: SettableClock, lookout: Lookout
) -> None:
    closing = await actors.client("checkpoint", checkpoint="DPS")
    async with connected(http, runtime, lookout, closing):
        await change_place(http, actors, "/v1/checkpoints/DPS", active=False)
    assert sum(await pass_by(clock, lookout, 600)) == 0


async def test_after_a_standstill_of_the_service_everybody_has_time_to_come_back(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, clock: SettableClock, lookout: Lookout
) -> None:
    machine = await actors.client("checkpoint", checkpoint="CGK")
    async with connected(http, runtime, lookout, machine):
        pass
    clock.advance(days=2)
    assert sum(await pass_by(clock, lookout, 120)) == 0
    assert await pass_by(clock, lookout, 15) == [1]


@pytest.mark.skipif(sys.platform != "linux", reason="socket filters and their time-out are Linux's")
async def test_a_line_that_is_cut_without_a_word_counts_as_connected_no_longer(
    settings: Settings, actors: Actors, tmp_path: Path
) -> None:
    counter, submitter = await actors.client("checkpoint"), await actors.client("submitter")
    async with process(settings, tmp_path, heartbeat_seconds="0.5") as service:
        with socket.create_connection(("127.0.0.1", service.http.base_url.port or 0)) as line:
            asked = (
                f"GET /v1/alerts/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {counter.key}\r\n\r\n"
            )
            line.sendall(asked.encode())
            alert = (await sound(service.http, submitter))["alert"]
            await becomes(service.http, submitter, alert, 1)
            program = ctypes.create_string_buffer(_DROP_ALL)
            line.setsockopt(
                socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, ctypes.addressof(program))
            )
            await becomes(service.http, submitter, alert, 0)


async def test_silence_is_told_although_a_clock_ran_ahead_before(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, clock: SettableClock, lookout: Lookout
) -> None:
    machine = await actors.client("checkpoint", checkpoint="CGK")
    clock.advance(days=1)
    async with connected(http, runtime, lookout, machine):
        pass
    clock.advance(days=-1)
    async with connected(http, runtime, lookout, machine):
        pass
    assert sum(await pass_by(clock, lookout, 180)) == 1


async def test_who_was_missed_by_a_clock_that_ran_ahead_can_be_missed_again(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, clock: SettableClock, lookout: Lookout
) -> None:
    machine = await actors.client("checkpoint", checkpoint="CGK")
    async with connected(http, runtime, lookout, machine):
        pass
    clock.advance(days=1)
    assert sum(await pass_by(clock, lookout, 180)) == 1
    clock.advance(days=-1)
    async with connected(http, runtime, lookout, machine):
        pass
    assert sum(await pass_by(clock, lookout, 180)) == 1


async def test_who_is_closed_is_not_missed_and_has_time_to_connect_once_open(
    http: httpx2.AsyncClient, runtime: Runtime, actors: Actors, clock: SettableClock, lookout: Lookout
) -> None:
    admin = await actors.client("admin")
    openings = [
        {"weekday": "monday", "opens": opens, "closes": closes}
        for opens, closes in (("08:00", "10:01"), ("10:10", "12:00"))
    ]
    for code, standby in (("CGK", True), ("SUB", False)):
        path, body = f"/v1/checkpoints/{code}/hours", {"weekly": openings, "standby": standby}
        expect(await http.put(path, json=body, headers=admin.on('"0"')), 200)
    machines = [await actors.client("checkpoint", checkpoint=code) for code in ("CGK", "SUB")]
    async with connected(http, runtime, lookout, *machines):
        pass
    assert sum(await pass_by(clock, lookout, 60)) == 0
    assert sum(await pass_by(clock, lookout, 9 * 60)) == 1  # the one on standby
    assert sum(await pass_by(clock, lookout, 105)) == 0
    assert await pass_by(clock, lookout, 15) == [1]
    notices = await told(http, await actors.client("duty_officer"))
    assert [each["checkpoints"] for each in notices] == [["CGK"], ["SUB"]]
