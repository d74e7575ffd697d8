"""Every exchange with PostgreSQL has an end, whatever hangs: a backend, a lock, a network that swallows packets."""

import asyncio
import socket
from typing import Any

import pytest
from sqlalchemy import event, func, select, text

from app.access.domain import SYSTEM
from app.cli import register
from app.db.faults import Outage, outage
from app.db.lines import LONG_SECONDS
from app.runtime import Runtime
from app.settings import Settings
from app.wiring import wired_runtime
from app.worker import Worker
from tests.support.backends import ended, stopped

pytestmark = [
    pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True),
    pytest.mark.settings(database_seconds=1.0),
]

_LOCKING = text("SELECT size FROM ledger_head FOR UPDATE")

ENDED = 10.0
"""Seconds within which a wait of about one second has certainly come to its end."""


async def ask(runtime: Runtime) -> int:
    async with runtime.reading(SYSTEM) as reader:
        return int((await reader.run(select(func.pg_backend_pid()))).scalar_one())


async def ask_at_once(runtime: Runtime, times: int) -> set[int]:
    """The backends that answer questions which are asked together, so on a connection each."""

    async def one() -> int:
        async with runtime.reading(SYSTEM) as reader:
            return int((await reader.run(text("SELECT pg_backend_pid() FROM pg_sleep(0.1)"))).scalar_one())

    return set(await asyncio.gather(*(one() for _ in range(times))))


async def test_an_exchange_with_a_stopped_backend_ends_and_every_other_connection_is_made_anew(
    runtime: Runtime, settings: Settings
) -> None:
    before = await ask_at_once(runtime, 4)
    assert len(before) == 4
    async with stopped(settings.url), asyncio.timeout(ENDED):
        with pytest.raises(TimeoutError) as failed:
            await ask(runtime)
        assert outage(failed.value) is Outage.SILENT
        after = await ask_at_once(runtime, 4)
    assert len(after) == 4
    assert after.isdisjoint(before)


async def test_who_stops_waiting_for_a_stopped_backend_is_not_kept(
    settings: Settings, runtime: Runtime
) -> None:
    patient = wired_runtime(settings.model_copy(update={"database_seconds": 60.0}))
    await ask(patient)
    async with stopped(settings.url), asyncio.timeout(ENDED):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await ask(patient)
        await ask(patient)
        await patient.close()


async def test_closing_ends_though_backends_are_stopped(settings: Settings, runtime: Runtime) -> None:
    await ask_at_once(runtime, 4)
    async with stopped(settings.url) as present, asyncio.timeout(ENDED):
        await runtime.close()
    await ended(settings.url, present)


async def test_a_connection_that_was_ended_while_idle_is_made_anew_unnoticed(
    settings: Settings, runtime: Runtime
) -> None:
    before = await ask(runtime)
    other = wired_runtime(settings)
    async with other.writing(SYSTEM) as unit:
        await unit.run(select(func.pg_terminate_backend(before)))
    await other.close()
    await ended(settings.url, [before])
    assert await ask(runtime) != before


@pytest.mark.settings(database_seconds=4.0)
async def test_a_lock_that_another_holds_is_waited_for_so_long_and_the_fault_is_that_it_is_busy(
    settings: Settings, runtime: Runtime
) -> None:
    other = wired_runtime(settings)
    async with other.writing(SYSTEM) as first, asyncio.timeout(ENDED):
        await first.run(_LOCKING)
        with pytest.raises(Exception, match="lock") as refused:
            async with runtime.writing(SYSTEM) as second:
                await second.run(_LOCKING)
        assert outage(refused.value) is Outage.BUSY
    await other.close()


@pytest.mark.parametrize(
    ("name", "value"),
    [("statement_timeout", "1s"), ("lock_timeout", "500ms"), ("idle_in_transaction_session_timeout", "1s")],
)
async def test_the_server_ends_by_itself_what_takes_too_long(runtime: Runtime, name: str, value: str) -> None:
    for transaction in (runtime.reading, runtime.writing):
        async with transaction(SYSTEM) as reader:
            assert (await reader.run(text(f"SHOW {name}"))).scalar_one() == value


async def test_a_transaction_that_the_server_has_ended_hides_no_other_refusal(runtime: Runtime) -> None:
    async def refuse() -> None:
        async with runtime.writing(SYSTEM) as unit:
            await unit.run(select(1))
            await asyncio.sleep(1.5)
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        await refuse()
    assert await ask(runtime)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="this system has no such limit")
async def test_the_kernel_is_told_when_to_give_a_connection_up(runtime: Runtime) -> None:
    lines: list[Any] = []
    event.listen(
        runtime.register._engine,  # type: ignore[attr-defined]  # PostgreSQL's
        "checkout",
        lambda connection, *_: lines.append(connection.driver_connection),
    )
    await ask(runtime)
    sock = lines[0]._transport.get_extra_info("socket")
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 1000
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 1


async def test_commands_have_an_hour_for_what_legitimately_takes_long(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEKAL_DATABASE_URL", settings.url)
    monkeypatch.setenv("CEKAL_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("CEKAL_DATABASE_SECONDS", "1")
    given = register.load_command_settings()
    assert given.database_seconds == LONG_SECONDS
    command = wired_runtime(given)
    async with command.writing(SYSTEM) as unit:
        assert (await unit.run(text("SHOW statement_timeout"))).scalar_one() == "1h"
        assert (await unit.run(text("SHOW lock_timeout"))).scalar_one() == "5s"
        await unit.run(text("SELECT pg_sleep(2.5)"))
    await command.close()


async def test_a_round_of_the_worker_keeps_its_lock_longer_than_an_idle_transaction_lives(
    runtime: Runtime, settings: Settings
) -> None:
    held: list[bool] = []
    other = wired_runtime(settings)

    async def act() -> None:
        await asyncio.sleep(2.5)
        async with other.writing(SYSTEM) as unit:
            held.append(not (await unit.run(select(func.pg_try_advisory_xact_lock(4711)))).scalar_one())

    await Worker(runtime).rounds.run(act, 4711)
    assert held == [True]
    await other.close()
