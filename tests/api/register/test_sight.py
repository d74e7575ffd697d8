"""One rule of sight: no route shows a sealed entry, by its id or by its person, to whoever its seal keeps out (R61)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.routing import iter_route_contexts

from app.main import create_app
from app.settings import Settings
from tests.api.register import test_correction_requests as requests
from tests.api.register import test_objections as objections
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, urgent_body
from tests.support.crossings import ask, clearances, hit_of, judge, namesakes, say
from tests.support.refusals import refused
from tests.support.steps import decide, etag, expect, file_amendment, sound, submit

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text())

TOLD_BY_ID = {
    "/v1/alerts": "an alert of a sealed entry has its id and names nobody (API section 4)",
    "/v1/alerts/stream": "the same",
    "/v1/changes": "a leaf holds ids, never persons (API section 6)",
    "/v1/audit": "what was done, by ids; the trail holds nobody's name",
}
"""Paths that may tell an outsider the id of a sealed entry, and why. None may tell the person."""

STREAMS = ("/v1/alerts/stream", "/v1/notices/stream", "/v1/manifests/{manifest_id}/stream")
"""What never ends; each has a twin that is read page by page and told by the same rule."""

HANGING = (
    "entry_id",
    "alert_id",
    "hit_id",
    "check_id",
    "clearance_id",
    "amendment_id",
    "objection_id",
    "request_id",
)
"""Parameters of paths by which something is named that hangs on an entry; the walk fills them all."""

NOT_ABOUT_ENTRIES = {
    "code": "a place",
    "closure_id": "a time at which a place is closed",
    "client_id": "an account",
    "key_id": "a key",
    "change_id": "a change of a place, an account or a key",
    "manifest_id": "its passengers are told by board, do_not_board and contact, never by entry",
    "delay_id": "a traveller's departure",
    "endpoint_id": "an address of a client, to which records are posted as the client may see them",
    "delivery_id": "a delivery to such an address, by ids",
    "report_id": "a supervision team's report, before there is an entry",
    "slug": "a kind of problem",
    "level": "a level of the log's tiles",
    "path": "a tile of the log, whose leaves hold codes and days only",
}
"""Other parameters, and what they name."""

UNDOCUMENTED = {("get", "/v1/openapi.json"), ("head", "/v1/openapi.json")}

OUTSIDERS: dict[str, tuple[str, dict[str, str]]] = {
    "a colleague of the author": ("submitter", {}),
    "the owner's verifier": ("verifier", {}),
    "another agency's officer": ("submitter", {"agency": "BNN"}),
    "an approver": ("approver", {}),
    "a duty officer": ("duty_officer", {}),
    "a supervision team": ("timpora", {}),
    "another checkpoint's supervisor": ("supervisor", {"checkpoint": "DPS"}),
    "another checkpoint's counter": ("checkpoint", {"checkpoint": "DPS"}),
    "another checkpoint's gate": ("checkpoint", {"checkpoint": "DPS", "kind": "autogate"}),
    "an airline": ("carrier", {}),
    "Immigration's integrator": ("integrator", {"agency": "IMIGRASI"}),
    "the owner's integrator": ("integrator", {"agency": "KPK"}),
    "another agency's integrator": ("integrator", {"agency": "BNN"}),
    "an admin": ("admin", {}),
}


class Sealed:
    """An urgent entry, sealed or not, with all that may hang on an entry.

    Attributes:
        ids: what the parameters of paths name.
        persons: what tells of the listed person, or of the namesake who was taken for them.
        insiders: those who may see the entry despite a seal.
    """

    def __init__(self, ids: dict[str, str], persons: tuple[str, ...], insiders: list[Caller]) -> None:
        self.ids = ids
        self.persons = persons
        self.insiders = insiders


@pytest.fixture
async def sealed(http: httpx2.AsyncClient, actors: Actors) -> Sealed:
    """The entry of this walk."""
    return await hang_everything(http, actors, seal=True)


async def hang_everything(http: httpx2.AsyncClient, actors: Actors, *, seal: bool) -> Sealed:
    """An urgent entry, countersigned, with an alert, a hit, a clearance, an amendment, an objection and a request."""
    roles = ("submitter", "verifier", "approver", "duty_officer", "duty_officer")
    insiders = [await actors.client(role) for role in roles]
    author, verifier, approver, duty, second = insiders
    listed, question = namesakes()
    body = urgent_body(sealed_for=[by.person for by in insiders[1:]] if seal else None)
    body |= {"subject": listed["subject"], "unknown": listed["unknown"]}
    made = await sound(http, author, body)
    entry = await decide(http, duty, made["entry"], "countersign")
    counter, supervisor = await actors.client("checkpoint"), await actors.client("supervisor")
    answer = await ask(http, counter, question)
    hit = await hit_of(http, supervisor, answer)
    assert expect(await say(http, supervisor, hit, "not_same_person"), 201)["resolutions"]
    (clearance,) = await clearances(http, duty)
    expect(await judge(http, second, clearance), 201)
    number = entry["basis"]["number"]
    letter = {"number": "R-77/2026", "issued_on": "2026-11-23"}
    wanted = {"kind": "revocation", "revocation": {"refers_to_number": number}, "letter": letter}
    amendment = expect(await file_amendment(http, author, entry, wanted), 201)
    objection = expect(await objections.file(http, author, entry), 201)
    told = await requests.file(http, await actors.client("supervisor"), entry)
    ids = {
        "entry_id": entry["id"],
        "alert_id": made["alert"]["id"],
        "hit_id": hit["id"],
        "check_id": answer["id"],
        "clearance_id": clearance["id"],
        "amendment_id": amendment["id"],
        "objection_id": objection["id"],
        "request_id": told["id"],
    }
    assert tuple(ids) == HANGING
    persons = (
        listed["subject"]["full_name"],
        listed["subject"]["documents"][0]["number"],
        question["document"]["number"],
        question["person"]["birth_date"],
        number,
    )
    return Sealed(ids, persons, [author, verifier, approver, duty, second])


def calls() -> Iterator[tuple[str, str]]:
    """Every call of the API."""
    for path, methods in DOCUMENT["paths"].items():
        for method in methods:
            if path not in STREAMS and method in {"get", "post", "put", "delete"}:
                yield method, path


async def called(
    http: httpx2.AsyncClient, by: Caller, method: str, path: str, ids: dict[str, str]
) -> httpx2.Response:
    """The answer to a call about the sealed entry and what hangs on it; a write carries nothing that is valid."""
    filled = path.format_map(_Ids(ids))
    if method == "get":
        return await http.get(filled, headers=by.headers)
    body: Json = {"name": namesakes()[1]["person"]["name"]} if path.endswith("/search") else {}
    if method == "delete":
        return await http.delete("/v1/clients/cli_nobody", headers=by.headers)
    return await http.request(method.upper(), filled, json=body, headers=by.on('"1"'))


class _Ids(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"no_{name}"


def test_no_route_is_left_out_of_the_walk() -> None:
    """A route that is not documented, or that names something new, fails here until the walk knows it."""
    application = create_app(Settings(env="test", database_url="postgresql://nowhere/nothing"))
    routes = {
        (method.lower(), context.path)
        for context in iter_route_contexts(application.routes)
        for method in getattr(context.original_route, "methods", None) or ()
    }
    documented = {(method, path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert {(method, path) for method, path in routes if path.startswith("/v1/")} <= documented | UNDOCUMENTED
    walked = set(calls()) | {("get", path) for path in STREAMS}
    assert documented - walked == set()
    named = {name for _, path in documented for name in re.findall(r"{(\w+)}", path)}
    assert named == set(HANGING) | set(NOT_ABOUT_ENTRIES)


async def test_no_route_shows_a_sealed_entry_to_an_outsider(
    http: httpx2.AsyncClient, actors: Actors, sealed: Sealed
) -> None:
    shown: list[str] = []
    callers = {name: await actors.client(role, **given) for name, (role, given) in OUTSIDERS.items()}
    callers["an integrator of no agency"] = await actors.integrator_of_nobody()
    for name, by in callers.items():
        for method, path in calls():
            answer = (await called(http, by, method, path, sealed.ids)).text
            shown += [f"{name}: {method} {path} tells {each}" for each in sealed.persons if each in answer]
            if sealed.ids["entry_id"] in answer and path not in TOLD_BY_ID:
                shown.append(f"{name}: {method} {path} tells the id")
    assert shown == []


async def test_the_same_walk_shows_it_to_those_whom_the_seal_names(
    http: httpx2.AsyncClient, sealed: Sealed
) -> None:
    duty, seen = sealed.insiders[3], set[str]()
    for method, path in calls():
        answer = (await called(http, duty, method, path, sealed.ids)).text
        if sealed.ids["entry_id"] in answer:
            seen.add(f"{method} {path}")
    assert {
        "get /v1/clearances",
        "get /v1/clearances/{clearance_id}",
        "get /v1/entries",
        "get /v1/entries/{entry_id}",
        "get /v1/amendments/{amendment_id}",
        "get /v1/objections/{objection_id}",
        "get /v1/correction-requests",
        "post /v1/entries/search",
        "get /v1/worklist",
    } <= seen


async def test_a_clearance_against_a_sealed_entry_is_for_those_whom_the_seal_names(
    http: httpx2.AsyncClient, actors: Actors, sealed: Sealed
) -> None:
    path = f"/v1/clearances/{sealed.ids['clearance_id']}"
    for by in (*sealed.insiders, await actors.client("auditor")):
        expect(await http.get(path, headers=by.headers), 200)
        assert [each["id"] for each in await clearances(http, by)] == [sealed.ids["clearance_id"]]
    outsiders: list[tuple[str, dict[str, Any]]] = [
        *((role, {}) for role in ("submitter", "verifier", "approver", "duty_officer", "supervisor")),
        ("verifier", {"agency": "BNN"}),
    ]
    for role, given in outsiders:
        by = await actors.client(role, **given)
        refused(await http.get(path, headers=by.headers), 404, "not-found")
        assert await clearances(http, by) == []


async def test_a_repeat_shows_nothing_that_was_sealed_from_the_caller_meanwhile(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    author, colleague, verifier = [
        await actors.client(role) for role in ("submitter", "submitter", "verifier")
    ]
    entry = await decide(http, verifier, await submit(http, author), "verify")
    entry = await decide(http, await actors.client("approver"), entry, "approve")
    path, supervisor = f"/v1/entries/{entry['id']}/objections", await actors.client("supervisor")

    async def filed() -> httpx2.Response:
        return await http.post(path, json=objections.objection(), headers=colleague.once("again"))

    async def requested() -> httpx2.Response:
        body = requests.request_body(entry)
        return await http.post(requests.PATH, json=body, headers=supervisor.once("again"))

    first, asked = await filed(), await requested()
    assert (first.status_code, asked.status_code) == (201, 201)
    again = await filed()
    assert (again.headers["idempotency-replayed"], again.content) == ("true", first.content)
    put = {"persons": [verifier.person]}
    seal = await http.put(f"/v1/entries/{entry['id']}/seal", json=put, headers=author.on(etag(entry)))
    expect(seal, 200)
    refused(await filed(), 404, "not-found")
    assert (await requested()).content == asked.content, "its filer is answered whatever the seal"
