from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support.sse import Event, listening

STREAM = """retry: 1000

: a comment

id: e.1
event: alert
data: {"a":
data: 1}

event: heartbeat
data:no space
unknown: field

event: nothing

data: last

event: cut off
data: never dispatched"""


def client(text: str) -> httpx2.AsyncClient:
    async def body() -> AsyncIterator[bytes]:
        for i in range(0, len(text), 7):
            yield text[i : i + 7].encode()

    def answer(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["accept"] == "text/event-stream"
        assert request.headers["last-event-id"] == "e.0"
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body())

    return httpx2.AsyncClient(transport=httpx2.MockTransport(answer), base_url="http://testserver")


async def test_events_are_read_as_the_standard_says():
    async with client(STREAM) as http, listening(http, {}, last_event_id="e.0", promised=False) as stream:
        first = await stream.next()
        assert first == Event("alert", "e.1", '{"a":\n1}')
        assert first.json == {"a": 1}
        assert await stream.rest() == [Event("heartbeat", None, "no space"), Event("message", None, "last")]
        with pytest.raises(EOFError):
            await stream.next()


async def test_an_event_is_awaited_by_its_name():
    async with client(STREAM) as http, listening(http, {}, last_event_id="e.0", promised=False) as stream:
        assert (await stream.next("heartbeat")).data == "no space"
