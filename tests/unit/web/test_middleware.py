"""The edge: ids, limits, headers, the access log; each seen from outside."""

import asyncio
import json
import logging
import re

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.metrics import Metrics
from app.web.middleware import BodyLimits, _read_headers

from .conftest import build_app

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_a_callers_ids_are_echoed(client: httpx2.AsyncClient):
    answer = await client.get("/greet", headers={"x-request-id": "Az0._-", "traceparent": TRACE})
    assert (answer.headers["x-request-id"], answer.headers["traceparent"]) == ("Az0._-", TRACE)


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "a/b", "\u00e9", '"'])
async def test_a_malformed_request_id_is_replaced(client: httpx2.AsyncClient, sent: str):
    answer = await client.get("/greet", headers={"x-request-id": sent.encode()})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["x-request-id"])


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "00",
        TRACE.upper(),
        TRACE + "-x",
        "ff" + TRACE[2:],
        "00-" + "0" * 32 + TRACE[35:],
        TRACE[:36] + "0" * 16 + "-01",
    ],
)
async def test_a_malformed_traceparent_is_replaced(client: httpx2.AsyncClient, sent: str):
    traceparent = (await client.get("/greet", headers={"traceparent": sent})).headers["traceparent"]
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", traceparent)
    assert traceparent != sent


@given(st.binary(max_size=140), st.binary(max_size=60))
def test_whatever_is_sent_the_ids_are_well_formed(request_id: bytes, traceparent: bytes):
    told = _read_headers([(b"x-request-id", request_id), (b"traceparent", traceparent)])
    assert re.fullmatch(rb"[A-Za-z0-9._-]{1,128}", told.request_id)
    assert re.fullmatch(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", told.traceparent)


@pytest.mark.parametrize("path", ["/v1/entries/1", "/nowhere", "/v1/broken?as=bug", "/static/x"])
async def test_every_answer_carries_the_guarding_headers(client: httpx2.AsyncClient, path: str):
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert "strict-transport-security" not in headers


async def test_what_the_application_says_of_itself_stands(client: httpx2.AsyncClient):
    headers = (await client.get("/greet")).headers
    assert headers.get_list("cache-control") == ["public"]
    assert headers.get_list("content-security-policy") == ["default-src 'self'"]


async def test_https_is_insisted_on_only_over_https(app: FastAPI):
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="https://register") as client:
        answer = await client.get("/greet")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


class Exchange:
    """One request to a raw ASGI application, its body coming message by message."""

    def __init__(
        self, path: str, headers: list[tuple[bytes, bytes]], *chunks: bytes, more: bool = False
    ) -> None:
        self.scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "query_string": b"",
            "http_version": "1.1",
            "headers": [(b"host", b"register"), *headers],
            "root_path": "",
            "scheme": "http",
        }
        last = len(chunks) - 1
        self.waiting = [
            {"type": "http.request", "body": chunk, "more_body": more or number < last}
            for number, chunk in enumerate(chunks)
        ]
        self.received = 0
        self.sent: list[dict] = []

    async def receive(self) -> Message:
        self.received += 1
        if self.waiting:
            return self.waiting.pop(0)
        return await asyncio.get_running_loop().create_future()

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def of(self, app: ASGIApp) -> "Exchange":
        await app(self.scope, self.receive, self.send)
        return self

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


@pytest.mark.parametrize("hosts", [[], [b"a", b"b"], [b"a", b"a"], [b"a b"], [b"a/b"], [b"[::1"], [b"a:b"]])
async def test_a_request_names_one_host(app: FastAPI, hosts: list[bytes]):
    exchange = Exchange("/greet", [])
    exchange.scope["headers"] = [(b"host", host) for host in hosts]
    await exchange.of(app)
    assert exchange.status == 400
    assert json.loads(exchange.sent[1]["body"])["type"] == "/problems/bad-request"


@pytest.mark.parametrize("host", [b"", b"register", b"a.b:8000", b"127.0.0.1:", b"[::1]:8000"])
async def test_a_host_is_a_name_or_an_address(app: FastAPI, host: bytes):
    exchange = Exchange("/static/x", [])
    exchange.scope["headers"] = [(b"host", host)]
    assert (await exchange.of(app)).status == 200


async def test_http_1_0_knows_no_host(app: FastAPI):
    exchange = Exchange("/static/x", [])
    exchange.scope |= {"headers": [], "http_version": "1.0"}
    assert (await exchange.of(app)).status == 200


@pytest.mark.parametrize("path", ["/greet", "/off", "/nowhere"])
@pytest.mark.parametrize("name", [b"authorization", b"content-type", b"idempotency-key", b"last-event-id"])
async def test_what_decides_is_said_once_to_every_kind_of_route(app: FastAPI, path: str, name: bytes):
    exchange = await Exchange(path, [(name, b"a"), (name, b"b")]).of(app)
    assert (exchange.status, exchange.headers[b"content-type"]) == (400, b"application/problem+json")


@pytest.mark.parametrize(
    ("noughts", "number", "status"), [(4301, b"", 200), (5, b"400", 200), (0, b"9" * 4301, 413)]
)
async def test_a_length_is_read_however_long_it_is(app: FastAPI, noughts: int, number: bytes, status: int):
    announced = [(b"content-length", b"0" * noughts + number)]
    assert (await Exchange("/swallow", announced, b"x" * 400).of(app)).status == status


async def test_what_fails_before_the_application_is_a_problem_too(
    app: FastAPI, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
):
    def fail(_headers: object) -> None:
        raise LookupError

    monkeypatch.setattr("app.web.middleware._read_headers", fail)
    exchange = await Exchange("/greet", []).of(app)
    assert (exchange.status, exchange.headers[b"content-type"]) == (500, b"application/problem+json")
    assert exchange.headers[b"cache-control"] == b"no-store"


async def test_a_body_announced_too_large_is_not_read(app: FastAPI):
    exchange = await Exchange("/swallow", [(b"content-length", b"1001")], b"x" * 1001).of(app)
    assert (exchange.status, exchange.received) == (413, 0)
    assert b"connection" not in exchange.headers
    assert exchange.headers[b"x-content-type-options"] == b"nosniff"
    assert json.loads(exchange.sent[1]["body"])["type"] == "/problems/body-too-large"


@pytest.mark.parametrize("announced", [[(b"transfer-encoding", b"chunked")], [(b"content-length", b"lots")]])
async def test_a_body_that_grows_too_large_is_cut_off(app: FastAPI, announced: list[tuple[bytes, bytes]]):
    exchange = await Exchange("/swallow", announced, b"x" * 600, b"x" * 401, more=True).of(app)
    assert (exchange.status, exchange.received) == (413, 2)


async def test_a_body_up_to_the_paths_limit_is_read(app: FastAPI):
    chunked = [(b"transfer-encoding", b"chunked")]
    assert (await Exchange("/swallow", chunked, b"x" * 600, b"x" * 400).of(app)).sent[1]["body"] == b"1000"
    assert (await Exchange("/swallow", [(b"content-length", b"1000")], b"x" * 1000).of(app)).status == 200
    assert (await Exchange("/v1/entries", [(b"content-length", b"401")], b"x").of(app)).status == 413


async def test_a_body_that_never_comes_is_not_waited_for_for_ever(metrics: Metrics):
    app = build_app(metrics, body_timeout=0.01)
    exchange = await Exchange("/swallow", [(b"content-length", b"10")]).of(app)
    assert (exchange.status, exchange.headers[b"connection"]) == (408, b"close")
    stuck = await Exchange("/v1/entries", [(b"content-length", b"10")], b"{", more=True).of(app)
    assert stuck.status == 408


async def test_a_slow_but_steady_body_is_waited_for_only_so_long(metrics: Metrics):
    app = build_app(metrics, body_timeout=0.02)
    exchange = Exchange("/swallow", [(b"transfer-encoding", b"chunked")])

    async def drip() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    exchange.receive = drip
    assert (await asyncio.wait_for(exchange.of(app), 5)).status == 408


async def test_a_request_that_is_cancelled_from_outside_stays_cancelled(app: FastAPI):
    task = asyncio.create_task(Exchange("/swallow", [(b"content-length", b"10")]).of(app))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_waiting_for_the_end_of_the_connection_has_no_limit(metrics: Metrics):
    app = build_app(metrics, body_timeout=0.01)

    async def watch(scope: Scope, receive: Receive, send: Send) -> None:
        """As a stream does: it reads its request's end, then waits for the client to go."""
        await receive()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(receive(), 0.05)
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    app.mount("/watch", watch)
    for headers in ([], [(b"content-length", b"1")]):
        assert (await Exchange("/watch/", headers, b"x").of(app)).status == 204


def test_limits_are_by_path():
    limits = BodyLimits(10, {"/big": 20})
    assert (limits("/big"), limits("/big/1"), limits("/")) == (20, 10, 10)


async def test_one_message_may_be_sent_to_many(metrics: Metrics):
    app = build_app(metrics)
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"text/event-stream")],
    }

    async def shared(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start)
        await send({"type": "http.response.body", "body": b""})

    app.mount("/shared", shared)
    answers = [await Exchange("/shared/", []).of(app) for _ in range(2)]
    assert start["headers"] == [(b"content-type", b"text/event-stream")]
    assert answers[0].headers[b"x-request-id"] != answers[1].headers[b"x-request-id"]


async def test_a_broken_off_answer_is_left_to_the_server(app: FastAPI, caplog: pytest.LogCaptureFixture):
    exchange = Exchange("/off", [])
    with pytest.raises(LookupError):
        await exchange.of(app)
    assert [message["type"] for message in exchange.sent] == ["http.response.start"]
    assert any(record.getMessage() == "the answer broke off" for record in caplog.records)


async def test_a_client_that_left_is_no_error(app: FastAPI, caplog: pytest.LogCaptureFixture):
    exchange = Exchange("/swallow", [(b"content-length", b"10")])
    exchange.waiting = [{"type": "http.disconnect"}]
    with caplog.at_level(logging.INFO):
        await exchange.of(app)
    assert exchange.sent == []
    assert all(record.levelno == logging.INFO for record in caplog.records)


async def test_the_lifespan_passes_untouched(app: FastAPI):
    messages = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive() -> Message:
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await app({"type": "lifespan"}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
