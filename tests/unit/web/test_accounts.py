"""Each answered request is told of once, by its route and never by its path."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from app.kit.logs import Formatter

from .conftest import SECRET

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Told = Callable[[], Awaitable[list[dict]]]


class Listener(logging.Handler):
    """Keeps the lines that would be written."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Formatter())
        self.lines: list[dict] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Told:
    """The lines of `app`, once the event loop has turned."""
    caplog.set_level(logging.INFO, "app")
    listener = Listener()
    logging.getLogger().addHandler(listener)

    async def lines() -> list[dict]:
        await asyncio.sleep(0)
        return listener.lines

    yield lines
    logging.getLogger().removeHandler(listener)


async def test_one_line_tells_of_each_request(client: httpx2.AsyncClient, told: Told):
    await client.get("/greet?name=Budi", headers={"x-request-id": "r-1", "traceparent": TRACE})
    (line,) = [line for line in await told() if line["logger"] == "app.access"]
    assert line.pop("ms") >= 0
    del line["at"]
    assert line == {
        "level": "INFO",
        "logger": "app.access",
        "message": "answered",
        "request_id": "r-1",
        "trace_id": TRACE[3:35],
        "method": "GET",
        "route": "/greet",
        "status": 200,
        "client_id": "cli_1",
    }


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/v1/entries/7", "/v1/entries/{entry_id}"),
        ("/problems/four-eyes", "/problems/{slug}"),
        ("/static/photo.jpg", "/static"),
        (f"/v1/entries/{SECRET}/budi", "/v1/entries/*/*"),
        ("/" + "x/" * 100, "/*/*/*/*/*/*/*"),
        ("/v1/entries/", "/v1/entries/"),
    ],
)
async def test_the_line_names_the_route_and_never_the_path(
    client: httpx2.AsyncClient, told: Told, path: str, route: str
):
    await client.get(path)
    assert [line["route"] for line in await told()] == [route]


async def test_an_invented_method_is_not_written(client: httpx2.AsyncClient, told: Told):
    await client.request("BUDI", "/greet")
    assert [line["method"] for line in await told()] == ["other"]


async def test_requests_of_one_turn_keep_their_own_ids(client: httpx2.AsyncClient, told: Told):
    ids = [f"r-{number}" for number in range(5)]
    await asyncio.gather(*(client.get("/greet", headers={"x-request-id": each}) for each in ids))
    assert sorted(line["request_id"] for line in await told()) == ids


async def test_the_lines_of_a_request_share_its_ids(client: httpx2.AsyncClient, told: Told):
    await client.get("/v1/broken?as=bug", headers={"x-request-id": "r-9", "traceparent": TRACE})
    lines = await told()
    assert [line["message"] for line in lines] == ["unexpected error", "answered"]
    assert {(line["request_id"], line["trace_id"]) for line in lines} == {("r-9", TRACE[3:35])}


async def test_nothing_is_noted_of_a_quiet_log(client: httpx2.AsyncClient, told: Told):
    logging.getLogger("app").setLevel(logging.WARNING)
    await client.get("/greet")
    assert await told() == []
