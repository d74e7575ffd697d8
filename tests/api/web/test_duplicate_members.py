"""What a request says twice, or in a way that only one reader understands, is refused (RFC 7493, RFC 9110)."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from tests.support.actors import Actors, Caller
from tests.support.refusals import refused
from tests.support.served import Served
from tests.support.steps import expect, impose

ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
"""For what no database has a say in."""

LISTED = '{"number": "X1234567", "issuing_state": "IDN"}'
OTHER = '{"number": "A7654321", "issuing_state": "IDN"}'

TWICE = {
    f'{{"direction": "exit", "document": {LISTED}, "document": {OTHER}}}': ["/document"],
    f'{{"direction": "exit", "document": {OTHER}, "document": {LISTED}}}': ["/document"],
    f'{{"direction": "exit", "document": {LISTED}, "document": {LISTED}}}': ["/document"],
    f'{{"direction": "exit", "document": {LISTED}, "document": null, "person": {{"nik": "1"}}}}': [
        "/document"
    ],
    f'{{"direction": "entry", "direction": "exit", "document": {LISTED}}}': ["/direction"],
    '{"direction": "exit", "document": {"number": "X1234567", "number": "A7654321"}}': ["/document/number"],
    '{"direction": "exit", "document": {"number": "X1234567", "\\u006eumber": "A7654321"}}': [
        "/document/number"
    ],
    '{"direction": "exit", "person": {"nik": "1", "name": "A: B", "nik": "2"}}': ["/person/nik"],
    '{"direction": "exit", "direction": "exit", "document": {"number": "A1", "number": "A2"}}': [
        "/direction",
        "/document/number",
    ],
}
"""Questions that two readers take for different ones, and what is wrong with them."""


def sent(caller: Caller, **more: str) -> dict[str, str]:
    return {**caller.headers, "Content-Type": "application/json", **more}


def repeated(response: Response) -> list[str]:
    """The pointers of a refusal of repeated members."""
    faults = refused(response, 422, "validation")
    assert set(faults.values()) == {"repeated_member"}
    return sorted(faults)


async def test_a_check_that_says_a_member_twice_is_refused(http: AsyncClient, actors: Actors):
    counter = await actors.client("checkpoint")
    for question, pointers in TWICE.items():
        response = await http.post("/v1/checks", content=question, headers=sent(counter))
        assert repeated(response) == pointers, question
    entry = await impose(http, actors)
    document = json.dumps(
        {name: entry["subject"]["documents"][0][name] for name in ("number", "issuing_state")}
    )
    plain = f'{{"direction": "exit", "document": {document}, "officer_reference": "A: B, \\"C\\":"}}'
    answer = expect(await http.post("/v1/checks", content=plain, headers=sent(counter)), 200)
    assert answer["outcome"] == "refuse", "a colon in a value is no second member"


async def test_a_row_that_says_a_member_twice_is_refused_alone(http: AsyncClient, actors: Actors):
    counter = await actors.client("checkpoint")
    plain = f'{{"direction": "exit", "document": {OTHER}}}'
    body = f'{{"items": [{plain}, {", ".join(TWICE)}, {plain}]}}'
    answer = expect(await http.post("/v1/checks/batch", content=body, headers=sent(counter)), 200)
    first, *faulty, last = answer["items"]
    assert (first["outcome"], last["outcome"]) == ("clear", "clear")
    found = [sorted(fault["pointer"] for fault in row["problem"]["errors"]) for row in faulty]
    assert found == list(TWICE.values())
    whole = f'{{"items": [], "items": [{plain}]}}'
    assert repeated(await http.post("/v1/checks/batch", content=whole, headers=sent(counter))) == ["/items"]


async def test_a_passenger_that_says_a_member_twice_is_refused_alone(http: AsyncClient, actors: Actors):
    carrier = await actors.client("carrier")
    journey = '"flight": "GA1", "direction": "entry", "departs_at": "2026-11-24T03:00:00Z", "from": "SIN", "to": "CGK"'
    faulty = f'{{"reference": "1", "document": {LISTED}, "document": {OTHER}}}'
    good = f'{{"reference": "2", "document": {OTHER}}}'
    body = f'{{{journey}, "passengers": [{faulty}, {good}]}}'
    answer = expect(await http.post("/v1/manifests", content=body, headers=sent(carrier)), 201)
    problem = answer["items"][0]["problem"]
    assert [fault["pointer"] for fault in problem["errors"]] == ["/document"]
    assert (answer["items"][0]["reference"], answer["items"][1]["status"]) == ("1", "board")
    for twice in ('"passengers": []', '"flight": "GA2"'):
        body = f'{{{journey}, "passengers": [{good}], {twice}}}'
        answered = await http.post("/v1/manifests", content=body, headers=sent(carrier))
        assert repeated(answered) == [f"/{twice.split(chr(34))[1]}"]


@ON_SQLITE
async def test_every_route_with_a_body_refuses_a_member_that_is_said_twice(
    http: AsyncClient, actors: Actors, app: FastAPI, subtests: pytest.Subtests
):
    raw = {"/v1/checks": "checkpoint", "/v1/checks/batch": "checkpoint", "/v1/manifests": "carrier"}
    callers = {role: await actors.client(role) for role in ("submitter", "checkpoint", "carrier")}
    paths: dict[str, dict[str, Any]] = app.openapi()["paths"]
    routes = [
        (method, path)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert len(routes) > 25
    for method, path in routes:
        with subtests.test(f"{method} {path}"):
            caller = callers[raw.get(path, "submitter")]
            where = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
            body = '{"reason": "a", "inner": [{"b": 1, "b": 2}], "reason": "b"}'
            response = await http.request(method, where, content=body, headers=sent(caller))
            faults = refused(response, 422, "validation")
            assert path == "/v1/checks" or faults.get("/reason") == "repeated_member", (
                "a check has neither member"
            )
            nobody = await http.request(
                method, where, content=body, headers={"Content-Type": "application/json"}
            )
            assert nobody.status_code == 401


@ON_SQLITE
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"name": "Somebody", "limit": NaN}', 422),
        (b'{"name": "Somebody", "limit": -Infinity}', 422),
        (b'{"name": "Somebody", "limit": 1e400}', 422),
        (b'{"name": "Somebody", "limit": %b}' % (b"9" * 5000), 400),
        ('{"name": "Somebody"}'.encode("utf-16"), 400),
        (b"[" * 100_000, 400),
        (b'{"name": "Somebody", "more": %b}' % (b"[" * 450 + b"]" * 450), 422),
        (b'{"name": %b}' % (b'{"a":' * 450 + b"1" + b"}" * 450), 422),
    ],
    ids=["NaN", "Infinity", "1e400", "digits", "UTF-16", "brackets", "deep lists", "deep objects"],
)
async def test_what_is_no_number_and_no_json_is_refused(
    http: AsyncClient, actors: Actors, body: bytes, status: int
):
    submitter = await actors.client("submitter")
    answer = await http.post("/v1/entries/search", content=body, headers=sent(submitter))
    refused(answer, status, "validation" if status == 422 else "malformed-json")


def numbers(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    """Every numeric query parameter: path, name and schema."""
    return [
        (path, parameter["name"], parameter["schema"])
        for path, operations in app.openapi()["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", ())
        if parameter["in"] == "query" and parameter["schema"].get("type") in {"integer", "number"}
    ]


@ON_SQLITE
async def test_numbers_in_a_query_are_digits(
    http: AsyncClient, actors: Actors, app: FastAPI, subtests: pytest.Subtests
):
    roles = ("auditor", "admin", "checkpoint", "submitter", "supervisor", "approver", "integrator")
    callers = [await actors.client(role) for role in roles]
    found = numbers(app)
    assert {name for _, name, _ in found} == {"limit", "wait", "at_least", "sequence", "size", "from", "to"}
    also = {"/v1/proofs/inclusion": "sequence", "/v1/proofs/consistency": "from"}
    odd = ("1_0", "+5", "%205", "5%20", "5%0A", "1e1", "0x5", "%EF%BC%95", "-0", "", "5,")
    for path, name, schema in found:
        where = "/".join("x" if part.startswith("{") else part for part in path.split("/"))
        needed = f"{also[path]}=1&" if also.get(path, name) != name else ""
        for written in (*odd, *(("5.0",) if schema["type"] == "integer" else ("5.", ".5", "inf", "nan"))):
            with subtests.test(f"{path}?{name}={written}"):
                answers = [
                    await http.get(f"{where}?{needed}{name}={written}", headers=caller.headers)
                    for caller in callers
                ]
                assert {answer.status_code for answer in answers} <= {403, 404, 422}
                [fault] = next(a for a in answers if a.status_code == 422).json()["errors"]
                assert (fault["in"], fault["name"]) == ("query", name)


@ON_SQLITE
async def test_a_query_parameter_that_is_given_twice_is_refused_on_plain_routes_and_on_streams(
    http: AsyncClient, actors: Actors
):
    auditor, counter = await actors.client("auditor"), await actors.client("checkpoint")
    carrier, submitter = await actors.client("carrier"), await actors.client("submitter")
    for caller, path, name in (
        (auditor, "/v1/entries?limit=1&limit=500", "limit"),
        (auditor, "/v1/entries?limit=1&limit=1", "limit"),
        (auditor, "/v1/entries?agency=KPK&in_force=true&agency=BNN", "agency"),
        (auditor, "/v1/audit?about=a&about=b", "about"),
        (counter, "/v1/alerts?after=1&after=2", "after"),
        (counter, "/v1/alerts/stream?after=1&after=2", "after"),
        (submitter, "/v1/notices/stream?after=1&after=2", "after"),
        (carrier, "/v1/manifests/mft_1/stream?after=1&after=2", "after"),
    ):
        [fault] = expect(await http.get(path, headers=caller.headers), 422)["errors"]
        assert (fault["code"], fault["in"], fault["name"]) == ("repeated_parameter", "query", name)
    twice = await http.get("/v1/statistics?by=agency&by=month", headers=auditor.headers)
    assert twice.status_code == 200, "a list may have two members"
    [fault] = expect(await http.get("/v1/alerts/stream?aftr=1", headers=counter.headers), 422)["errors"]
    assert (fault["code"], fault["name"]) == ("unknown_member", "aftr")


@ON_SQLITE
async def test_a_day_in_a_query_is_written_as_a_day(http: AsyncClient, actors: Actors):
    auditor = await actors.client("auditor")
    for written in ("1700000000", "20261123", "2026-11-23T00:00:00Z", "23-11-2026"):
        answer = await http.get(f"/v1/entries?ending_before={written}", headers=auditor.headers)
        refused(answer, 422, "validation")


@ON_SQLITE
async def test_two_keys_in_one_request_are_refused(served: Served, actors: Actors):
    auditor, other = await actors.client("auditor"), await actors.client("submitter")
    async with AsyncClient(base_url=f"http://127.0.0.1:{served.port}") as http:
        for second in (auditor, other):
            headers = [("Authorization", each.headers["Authorization"]) for each in (auditor, second)]
            refused(await http.get("/v1/entries", headers=headers), 400, "bad-request")


def test_the_questions_are_ones_that_a_reader_would_take():
    assert all(json.loads(question)["direction"] for question in TWICE)
