"""Work that nobody waits for any more: rows of a batch or of a manifest whose sender has gone."""

import asyncio
import json
from typing import Any

import pytest

from app.runtime import Runtime
from tests.api.border.test_checks_refused import stored
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body
from tests.support.manifests import manifest_body, passenger
from tests.support.served import Served

ROWS = 1000
_PERSON = entry_body()["subject"]
SENT: dict[str, Any] = {
    "/v1/checks/batch": {"items": [check_body(_PERSON)] * ROWS},
    "/v1/manifests": manifest_body(*(passenger(_PERSON, str(row)) for row in range(ROWS))),
}


@pytest.mark.parametrize("path", SENT)
async def test_rows_are_not_answered_after_their_sender_has_gone(
    served: Served, runtime: Runtime, actors: Actors, counter: Caller, path: str
) -> None:
    by = counter if "checks" in path else await actors.client("carrier")
    body = json.dumps(SENT[path]).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {by.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(head.encode() + body)
    async with asyncio.timeout(20):
        while not await stored(runtime):  # noqa: ASYNC110 - another thread's application stores them
            await asyncio.sleep(0.01)
    writer.close()
    seen, now = -1, await stored(runtime)
    async with asyncio.timeout(20):
        while now != seen:  # until no more of them are answered
            await asyncio.sleep(0.3)
            seen, now = now, await stored(runtime)
    assert now < ROWS
    answer = await served.http.post("/v1/checks", json=check_body(_PERSON), headers=counter.headers)
    assert answer.status_code == 200
