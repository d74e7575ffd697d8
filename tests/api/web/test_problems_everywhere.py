"""What holds for every answer: addresses, headers, and what lies outside one's view (API section 2)."""

import re

import pytest
from httpx2 import AsyncClient

from tests.support.actors import Actors
from tests.support.bodies import entry_body
from tests.support.refusals import refused
from tests.support.steps import decide, expect, impose, submit

ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
"""For what no database has a say in."""

NUL = "%00"


ADDRESSES = [
    ("submitter", "GET", f"/v1/entries/{NUL}", 404),
    ("submitter", "GET", f"/v1/entries/ent_{NUL}/history", 404),
    ("submitter", "GET", f"/v1/entries/ent_{NUL}/photo", 404),
    ("submitter", "PUT", f"/v1/entries/{NUL}", 404),
    ("verifier", "POST", f"/v1/entries/{NUL}/decisions", 404),
    ("admin", "GET", f"/v1/clients/{NUL}", 404),
    ("admin", "DELETE", f"/v1/clients/{NUL}/keys/{NUL}", 404),
    ("admin", "GET", f"/v1/agencies/{NUL}", 404),
    ("checkpoint", "POST", f"/v1/alerts/{NUL}/receipts", 404),
    ("checkpoint", "GET", f"/v1/checks/{NUL}", 404),
    ("supervisor", "GET", f"/v1/departure-delays/{NUL}", 404),
    ("approver", "GET", f"/v1/correction-requests/{NUL}", 404),
    ("approver", "POST", f"/v1/correction-requests/{NUL}/decisions", 404),
    ("approver", "GET", f"/v1/correction-requests?entry_id={NUL}", 422),
    ("approver", "GET", "/v1/correction-requests?cursor=WyIwIiwiXHUwMDAwIl0", 422),
    ("auditor", "GET", f"/v1/departure-delays?sponsor={NUL}", 422),
    ("auditor", "GET", "/v1/departure-delays?cursor=WyJcdTAwMDAiXQ", 422),
    ("auditor", "GET", f"/v1/entries?agency={NUL}", 422),
    ("auditor", "GET", f"/v1/audit?act={NUL}", 422),
    ("auditor", "GET", f"/v1/audit?about={NUL}", 422),
    ("auditor", "GET", "/v1/entries?cursor=WyJcdTAwMDAiXQ", 422),
    ("auditor", "GET", "/v1/audit?cursor=WyJcdTAwMDAiXQ", 422),
    ("auditor", "GET", "/v1/agencies?cursor=WyJcdTAwMDAiXQ", 422),
    ("auditor", "GET", "/v1/clients?cursor=WyJcdTAwMDAiXQ", 422),
]


async def test_a_nul_in_an_address_is_nothing_that_exists_on_either_engine(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
):
    for role, method, path, status in ADDRESSES:
        with subtests.test(str((role, method, path, status))[:80]):
            caller = await actors.client(role)
            body = None if method == "GET" else {}
            response = await http.request(method, path, json=body, headers=caller.on('"1"'))
            refused(response, status, "not-found" if status == 404 else "validation")


async def test_a_nul_in_a_searchs_cursor_is_refused(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    body = {"name": "Somebody", "cursor": "WyJcdTAwMDAiXQ"}
    response = await http.post("/v1/entries/search", json=body, headers=submitter.headers)
    assert refused(response, 422, "validation") == {"/cursor": "cursor"}


@ON_SQLITE
async def test_a_query_that_is_not_known_is_refused_where_a_slip_would_list_everything(
    http: AsyncClient, actors: Actors
):
    auditor = await actors.client("auditor")
    for path in ("/v1/entries", "/v1/worklist", "/v1/agencies/KPK"):
        answer = await http.get(path, params={"agancy": "KPK"}, headers=auditor.headers)
        (fault,) = expect(answer, 422)["errors"]
        assert (fault["in"], fault["name"], fault["code"]) == ("query", "agancy", "unknown_member")
    assert (await http.get("/v1/entries", params={"agancy": "KPK"})).status_code == 401
    known = {"agency": "KPK", "limit": 5}
    assert (await http.get("/v1/entries", params=known, headers=auditor.headers)).status_code == 200


async def test_answers_about_people_are_never_stored_by_caches(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    auditor, submitter = await actors.client("auditor"), await actors.client("submitter")
    path = f"/v1/entries/{entry['id']}"
    answers = [
        await http.get("/v1/entries", headers=auditor.headers),
        await http.get(path, headers=auditor.headers),
        await http.get(f"{path}/history", headers=auditor.headers),
        await http.get(f"{path}/photo", headers=auditor.headers),
        await http.post("/v1/entries", json=entry_body(), headers=submitter.headers),
        await http.post("/v1/entries/search", json={"name": "Nobody"}, headers=submitter.headers),
        await http.get(f"{path}x", headers=auditor.headers),
        await http.get(path),
    ]
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@ON_SQLITE
async def test_request_ids_and_traces_are_echoed_also_by_problems_and_audited(
    http: AsyncClient, actors: Actors
):
    submitter, admin = await actors.client("submitter"), await actors.client("admin")
    sent = {"X-Request-Id": "ticket-4711", "traceparent": TRACE}
    for caller, path in ((submitter, "/v1/entries"), (submitter, "/v1/entries/ent_1"), (None, "/v1/entries")):
        response = await http.get(path, headers={**sent, **(caller.headers if caller else {})})
        assert response.headers["x-request-id"] == "ticket-4711"
        assert response.headers["traceparent"] == TRACE
        if response.status_code >= 400:
            assert response.json()["request_id"] == "ticket-4711"
    await http.delete(f"/v1/clients/{submitter.id}", headers={**admin.headers, **sent})
    audit = expect(await http.get(f"/v1/audit?about={submitter.id}", headers=admin.headers), 200)
    revoked = next(act for act in audit["items"] if act["act"] == "client.revoked")
    assert revoked["request_id"] == "ticket-4711"


@ON_SQLITE
async def test_ids_that_could_forge_a_log_line_are_replaced(http: AsyncClient):
    for bad in ("a b", "x" * 129, "", "é"):
        response = await http.get("/healthz", headers=[(b"X-Request-Id", bad.encode())])
        assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])
    response = await http.get("/healthz", headers={"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01"})
    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", response.headers["traceparent"])


async def test_outside_ones_view_the_answer_is_that_of_nothing_at_all(http: AsyncClient, actors: Actors):
    entry = await submit(http, await actors.client("submitter"))
    stranger = await actors.client(["submitter", "verifier"], agency="POLRI")

    async def answers(entry_id: str) -> list[tuple[int, str]]:
        path = f"/v1/entries/{entry_id}"
        given = [
            await http.get(path, headers=stranger.headers),
            await http.get(f"{path}/history", headers=stranger.headers),
            await http.get(f"{path}/photo", headers=stranger.headers),
            await http.put(
                path, json=entry_body(basis={"instrument": "request"}), headers=stranger.on('"1"')
            ),
            await http.post(f"{path}/decisions", json={"verdict": "verify"}, headers=stranger.on('"1"')),
            await http.post(f"{path}/decisions", json={"verdict": "verify"}, headers=stranger.on('"9"')),
        ]
        return [(answer.status_code, answer.json()["detail"]) for answer in given]

    mine = await answers(entry["id"])
    assert mine == await answers("ent_01m85000000000000000000000")
    assert {status for status, _ in mine} == {404}
    verifier = await actors.client("verifier")
    assert (await decide(http, verifier, entry, "verify"))["state"] == "verified"
