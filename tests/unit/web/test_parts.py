"""Representations whole, in parts, and not at all."""

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from starlette.responses import Response

from app.web.etag import etag_of_bytes
from app.web.parts import Unsatisfiable, WantedPart, part_of

BODY = b"0123456789"
TAG = etag_of_bytes(1, BODY)


@pytest.fixture
def client() -> AsyncClient:
    app = FastAPI()

    @app.get("/it")
    async def it(wanted: WantedPart) -> Response:
        return wanted.answer(BODY, "application/pdf", TAG, {"cache-control": "no-store"})

    return AsyncClient(transport=ASGITransport(app), base_url="http://testserver")


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("bytes=0-0", "0"),
        ("bytes=2-4", "234"),
        ("bytes=7-", "789"),
        ("bytes=7-99", "789"),
        ("bytes=-2", "89"),
        ("bytes=-99", "0123456789"),
        ("BYTES= 2-4 ", "234"),
    ],
)
async def test_a_part_is_sent_alone(client: AsyncClient, wanted: str, part: str) -> None:
    answer = await client.get("/it", headers={"Range": wanted})
    first = BODY.decode().index(part)
    assert (answer.status_code, answer.text) == (206, part)
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(part) - 1}/10"
    assert answer.headers["content-length"] == str(len(part))
    assert (answer.headers["etag"], answer.headers["accept-ranges"]) == (TAG, "bytes")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "wanted",
    ["bytes=4-2", "bytes=0-1,4-5", "bytes", "bytes=", "bytes=-", "lines=1-2", "bytes=a-b", "bytes=1 - 2"],
)
async def test_what_is_no_single_range_of_bytes_gets_the_whole(client: AsyncClient, wanted: str) -> None:
    answer = await client.get("/it", headers={"Range": wanted})
    assert (answer.status_code, answer.content) == (200, BODY)
    assert "content-range" not in answer.headers


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100", "bytes=-0"])
async def test_a_part_that_does_not_exist_is_refused(client: AsyncClient, wanted: str) -> None:
    answer = await client.get("/it", headers={"Range": wanted})
    assert (answer.status_code, answer.json()["type"]) == (416, "/problems/range-not-satisfiable")
    assert answer.headers["content-range"] == "bytes */10"


@pytest.mark.parametrize(
    ("if_range", "status"),
    [(TAG, 206), ('"1-000000000000"', 200), (f"W/{TAG}", 200), ("Mon, 23 Nov 2026 03:00:00 GMT", 200)],
)
async def test_a_part_of_something_else_is_not_mixed_in(
    client: AsyncClient, if_range: str, status: int
) -> None:
    answer = await client.get("/it", headers={"Range": "bytes=2-4", "If-Range": if_range})
    assert answer.status_code == status


async def test_what_is_held_is_not_sent_again(client: AsyncClient) -> None:
    for more in ({}, {"Range": "bytes=2-4"}, {"Range": "bytes=99-"}):
        answer = await client.get("/it", headers={"If-None-Match": f'"other", {TAG}', **more})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", TAG)
        assert answer.headers["cache-control"] == "no-store"
    answer = await client.get("/it", headers={"If-None-Match": '"other"'})
    assert (answer.status_code, answer.content) == (200, BODY)


def test_of_nothing_there_is_no_part() -> None:
    with pytest.raises(Unsatisfiable):
        part_of("bytes=-5", 0)
