"""Look-ups of receivers' names: one that hangs keeps no other waiting, and simultaneous ones of a name are one."""

import asyncio
import socket
from collections.abc import Iterator
from threading import Event

import pytest

from app.sync.webhooks import names


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The names that were looked up; those that begin with `dead` are answered only when the test is over."""
    found: list[str] = []
    over = Event()

    def getaddrinfo(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        found.append(host)
        if host.startswith("dead"):
            over.wait(20)
            raise socket.gaierror("no answer")
        if host.startswith("none"):
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(names, "_under_way", {})
    yield found
    over.set()


async def test_names_that_are_not_answered_keep_no_other_waiting(asked: list[str]) -> None:
    hanging = [asyncio.create_task(names.look_up(f"dead{i}.example", 443)) for i in range(40)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        [(_, _, _, _, address)] = await names.look_up("good.example", 443)
    assert address == ("192.0.2.7", 443)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


async def test_simultaneous_look_ups_of_a_name_are_one_and_later_ones_are_new(asked: list[str]) -> None:
    both = await asyncio.gather(*(names.look_up("good.example", 443) for _ in range(5)))
    assert all(each == both[0] for each in both)
    assert asked == ["good.example"]
    await names.look_up("good.example", 443)
    assert asked == ["good.example"] * 2


async def test_a_name_that_does_not_exist_fails_for_all_that_ask(asked: list[str]) -> None:
    failures = await asyncio.gather(
        *(names.look_up("none.example", 443) for _ in range(3)), return_exceptions=True
    )
    assert [type(each) for each in failures] == [socket.gaierror] * 3


async def test_too_many_look_ups_at_once_fail_instead_of_making_threads(
    asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "THREADS", 2)
    hanging = [asyncio.create_task(names.look_up(f"dead{i}.example", 443)) for i in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(OSError, match="too many"):
        await names.look_up("good.example", 443)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)
