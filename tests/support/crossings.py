"""What checkpoints and supervisors do about a traveller, by HTTP: the way there, for tests of hits and clearances."""

from typing import Any

import httpx2

from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, entry_body, merged
from tests.support.steps import etag, expect

NAME = "Muhammad Ali Pratama"


def namesakes() -> tuple[Json, Json]:
    """The body of an entry, and a question about another person of the same name, born in the same year.

    Of the listed person no more than the year is known, so that the two agree as far as one can tell.
    """
    body = entry_body(subject={"full_name": NAME, "birth": {"date": "1985"}, "nik": ..., "aliases": []})
    body["unknown"] = ["nik"]
    return body, {
        "direction": "exit",
        "document": {"number": "B7654321", "issuing_state": "IDN", "type": "passport"},
        "person": {"name": NAME, "birth_date": "1985-09-14", "sex": "male", "nationality": "IDN"},
    }


async def ask(http: httpx2.AsyncClient, by: Caller, question: Json, **given: Any) -> Json:
    """The answer to a check."""
    sent = merged(question, given)
    return expect(await http.post("/v1/checks", json=sent, headers=by.headers), 200)


async def hit_of(http: httpx2.AsyncClient, by: Caller, answer: Json) -> Json:
    """The hit that an answer opened, in full."""
    return expect(await http.get(f"/v1/hits/{answer['hit_id']}", headers=by.headers), 200)


async def say(
    http: httpx2.AsyncClient, by: Caller, hit: Json, outcome: str, action: str | None = "allow", **given: Any
) -> httpx2.Response:
    """The answer to a supervisor's word that may be refused."""
    body = {"outcome": outcome, "action": action, "note": "Compared photo and face.", **given}
    return await http.post(f"/v1/hits/{hit['id']}/resolutions", json=body, headers=by.on(etag(hit)))


async def judge(
    http: httpx2.AsyncClient, by: Caller, clearance: Json, verdict: str = "confirm", reason: str | None = None
) -> httpx2.Response:
    """The answer to a second person's word that may be refused."""
    path = f"/v1/clearances/{clearance['id']}/decisions"
    body = {"verdict": verdict, "reason": reason}
    return await http.post(path, json=body, headers=by.on(etag(clearance)))


async def clearances(http: httpx2.AsyncClient, by: Caller, **asked: Any) -> list[Json]:
    """The clearances that somebody sees."""
    return list(expect(await http.get("/v1/clearances", params=asked, headers=by.headers), 200)["items"])


async def cleared(http: httpx2.AsyncClient, actors: Actors, counter: Caller, question: Json) -> Json:
    """A standing clearance: asked, found to be another person, confirmed by an officer of Immigration."""
    supervisor, duty = await actors.client("supervisor"), await actors.client("duty_officer")
    hit = await hit_of(http, supervisor, await ask(http, counter, question))
    resolved = expect(await say(http, supervisor, hit, "not_same_person"), 201)
    (proposal,) = resolved["resolutions"][-1]["clearances"]
    path = f"/v1/clearances/{proposal['clearance_id']}"
    proposed = expect(await http.get(path, headers=duty.headers), 200)
    return expect(await judge(http, duty, proposed), 201)
