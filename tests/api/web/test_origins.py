"""Web pages of other hosts: none may call unless the deployment names its origin, and a preflight needs no key."""

import pytest
from httpx2 import AsyncClient

from tests.support.actors import Caller
from tests.support.served import Served
from tests.support.steps import expect

DESK = "https://desk.example"
OURS = pytest.mark.settings(cors_origins=(DESK, "http://localhost:3000", "https://usual.example:443"))
ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)

ASKS = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization, content-type",
}


def told(headers: object) -> dict[str, str]:
    """What an answer says to a browser."""
    return {name: value for name, value in dict(headers).items() if name.startswith("access-control-")}  # type: ignore[call-overload]  # httpx's headers are a mapping


@ON_SQLITE
async def test_by_default_no_page_of_another_host_may_call(http: AsyncClient, auditor: Caller) -> None:
    for answer in (
        await http.options("/v1/checks", headers={"Origin": DESK, **ASKS}),
        await http.get("/v1/entries", headers={"Origin": DESK, **auditor.headers}),
    ):
        assert told(answer.headers) == {}
        assert "origin" not in answer.headers.get("vary", "")


@ON_SQLITE
@OURS
async def test_a_preflight_is_answered_without_a_key(http: AsyncClient) -> None:
    for origin in (DESK, "http://localhost:3000", "https://usual.example"):
        answer = await http.options("/v1/checks", headers={"Origin": origin, **ASKS})
        assert answer.status_code == 204
        allowed = told(answer.headers)
        assert allowed["access-control-allow-origin"] == origin
        assert allowed["access-control-allow-methods"] == "OPTIONS, POST"
        sendable = allowed["access-control-allow-headers"].lower().split(", ")
        assert {"authorization", "content-type", "idempotency-key", "if-match", "last-event-id"} <= set(
            sendable
        )
        assert "access-control-allow-credentials" not in allowed
        assert answer.headers["vary"] == "origin"


@ON_SQLITE
@OURS
async def test_every_answer_may_be_read_by_that_page_refusals_too(http: AsyncClient, auditor: Caller) -> None:
    answers = [
        await http.get("/v1/entries", headers={"Origin": DESK, **auditor.headers}),
        await http.get("/v1/entries", headers={"Origin": DESK}),
        await http.post("/v1/checks", headers={"Origin": DESK}),
        await http.get("/v1/nothing", headers={"Origin": DESK}),
        await http.get("/healthz", headers={"Origin": DESK, "Host": "b ad"}),
    ]
    assert [each.status_code for each in answers] == [200, 401, 401, 404, 400]
    for answer in answers:
        readable = told(answer.headers)
        assert readable["access-control-allow-origin"] == DESK
        assert {"ETag", "Location", "Retry-After", "X-Request-Id"} <= set(
            readable["access-control-expose-headers"].split(", ")
        )
        assert "origin" in answer.headers["vary"]


@ON_SQLITE
@OURS
async def test_a_page_of_a_host_that_is_not_named_is_told_nothing(http: AsyncClient, auditor: Caller) -> None:
    for origin in ("https://desk.example.evil", "http://desk.example", "null", DESK.upper(), DESK + ":444"):
        preflight = await http.options("/v1/checks", headers={"Origin": origin, **ASKS})
        answer = await http.get("/v1/entries", headers={"Origin": origin, **auditor.headers})
        for each in (preflight, answer):
            assert told(each.headers) == {}
            assert "origin" in each.headers["vary"]


@ON_SQLITE
@OURS
async def test_a_stream_may_be_read_by_that_page(served: Served, counter: Caller) -> None:
    headers = {"Origin": DESK, **counter.headers}
    async with served.http.stream("GET", "/v1/alerts/stream", headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["access-control-allow-origin"] == DESK


@ON_SQLITE
@OURS
async def test_a_page_can_check(http: AsyncClient, counter: Caller) -> None:
    body = {"direction": "exit", "document": {"number": "X1234567", "issuing_state": "IDN"}}
    answer = await http.post("/v1/checks", json=body, headers={"Origin": DESK, **counter.headers})
    assert expect(answer, 200)["id"]
    assert answer.headers["access-control-allow-origin"] == DESK
