"""What officers do with entries, by HTTP: the way there, for tests that are about what comes after."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx2

from tests.support.actors import Actors, Caller
from tests.support.bodies import entry_body, urgent_body

Json = dict[str, Any]


def expect(response: httpx2.Response, status: int) -> Json:
    """The body of an answer that must have this status; anything else is told with the body."""
    assert response.status_code == status, f"{response.status_code}: {response.text}"
    answer: Json = response.json()
    return answer


def etag(entry: Json) -> str:
    """An `If-Match` for the version of an entry as it was answered."""
    return f'"{entry["version"]}"'


async def submit(http: httpx2.AsyncClient, by: Caller, body: Json | None = None) -> Json:
    """A submitted entry."""
    return expect(await http.post("/v1/entries", json=body or entry_body(), headers=by.headers), 201)


async def decide(
    http: httpx2.AsyncClient, by: Caller, entry: Json, verdict: str, reason: str | None = None
) -> Json:
    """The entry after a decision on the version that is given."""
    body = {"verdict": verdict, "reason": reason}
    path = f"/v1/entries/{entry['id']}/decisions"
    return expect(await http.post(path, json=body, headers=by.on(etag(entry))), 201)


async def impose(http: httpx2.AsyncClient, actors: Actors, body: Json | None = None) -> Json:
    """An active entry: submitted, verified and approved by three people of the agencies it takes.

    An exit ban is KPK's, an entry ban Immigration's own, approved by another of its offices.
    """
    body = body or entry_body()
    agency = "KPK" if body["measure"] == "prevention" else "IMIGRASI"
    return await approve(
        http, actors, await submit(http, await actors.client("submitter", agency=agency), body)
    )


async def approve(http: httpx2.AsyncClient, actors: Actors, entry: Json) -> Json:
    """The entry after its verification by another officer of its agency, and its approval by a third person."""
    entry = await decide(http, await actors.client("verifier", agency=entry["agency"]), entry, "verify")
    return await decide(http, await actors.client("approver"), entry, "approve")


async def formalise(http: httpx2.AsyncClient, by: Caller, urgent: Json, body: Json) -> httpx2.Response:
    """The answer to the formal decision behind an urgent entry, in its case, which may be refused."""
    path = f"/v1/entries/{urgent['id']}/formalisation"
    return await http.post(path, json=in_its_case(body, urgent), headers=by.on(etag(urgent)))


def in_its_case(body: Json, entry: Json) -> Json:
    """A request in the case of an entry."""
    return {**body, "basis": {**body["basis"], "case_reference": entry["basis"]["case_reference"]}}


async def sound(http: httpx2.AsyncClient, by: Caller, body: Json | None = None) -> Json:
    """An urgent entry and its alert, as answered: `{"entry": …, "alert": …}`."""
    headers = by.once(uuid4().hex)
    return expect(await http.post("/v1/urgent-entries", json=body or urgent_body(), headers=headers), 201)


async def file_amendment(http: httpx2.AsyncClient, by: Caller, entry: Json, body: Json) -> httpx2.Response:
    """The answer to an amendment that may be refused."""
    path = f"/v1/entries/{entry['id']}/amendments"
    return await http.post(path, json={"reason": "As the letter says.", **body}, headers=by.on(etag(entry)))


async def amend(http: httpx2.AsyncClient, actors: Actors, entry: Json, body: Json) -> Json:
    """The entry after an amendment that its owner asked for, verified and approved by other persons."""
    agency = entry["agency"]
    owner = await actors.client("submitter", agency=agency)
    amendment = expect(await file_amendment(http, owner, entry, body), 201)
    amendment = await settle(http, await actors.client("verifier", agency=agency), amendment, "verify")
    await settle(http, await actors.client("approver"), amendment, "approve")
    return expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)


async def settle(
    http: httpx2.AsyncClient, by: Caller, amendment: Json, verdict: str, reason: str | None = None
) -> Json:
    """The amendment after a decision on the version that is given."""
    body = {"verdict": verdict, "reason": reason}
    path = f"/v1/amendments/{amendment['id']}/decisions"
    return expect(await http.post(path, json=body, headers=by.on(etag(amendment))), 201)


async def connected(http: httpx2.AsyncClient, by: Caller, alert: Json) -> int:
    """How many checkpoints a process knows to be connected anywhere."""
    told = expect(await http.get(f"/v1/alerts/{alert['id']}/coverage", headers=by.headers), 200)
    return int(told["connected"])


async def becomes(http: httpx2.AsyncClient, by: Caller, alert: Json, requested: int) -> None:
    """Wait until so many are known to be connected."""
    async with asyncio.timeout(10):
        while await connected(http, by, alert) != requested:  # noqa: ASYNC110 - told by another process
            await asyncio.sleep(0.02)
