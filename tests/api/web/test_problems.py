"""Problems: one shape for every refusal, whatever was wrong and wherever (API section 2, RFC 9457)."""

import json
import re
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.web.catalogue import CATALOGUE
from tests.support.actors import Actors
from tests.support.bodies import entry_body
from tests.support.refusals import refused
from tests.support.steps import submit

ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
"""For what no database has a say in."""

FIXED = [
    *("validation", "missing-subject-data", "wni-cannot-be-deterred", "period-required", "period-too-long"),
    *(
        "lifetime-not-allowed",
        "witness-not-allowed",
        "stage-not-allowed",
        "instrument-mismatch",
        "photo-invalid",
    ),
    *(
        "four-eyes",
        "wrong-agency",
        "wrong-role",
        "unauthenticated",
        "not-found",
        "method-not-allowed",
        "wrong-state",
    ),
    *("extension-exhausted", "extension-late", "urgent-not-repeatable", "duplicate-entry"),
    *("stale-version", "version-required", "idempotency-key-required", "idempotency-mismatch"),
    *(
        "idempotency-in-flight",
        "secret-already-shown",
        "cursor-gone",
        "body-too-large",
        "rate-limited",
        "not-stored",
    ),
]
"""The slugs that are fixed: programs rely on them."""

STATUSES = {
    "stale-version": 412,
    "version-required": 428,
    "idempotency-key-required": 400,
    "idempotency-mismatch": 422,
    "idempotency-in-flight": 409,
    "secret-already-shown": 409,
    "cursor-gone": 410,
    "body-too-large": 413,
    "rate-limited": 429,
    "not-stored": 503,
}
"""And their statuses, where it fixes them."""


@pytest.mark.parametrize("slug", FIXED)
def test_every_fixed_slug_is_in_the_catalogue(slug: str):
    kind = CATALOGUE[slug]
    assert kind.type == f"/problems/{slug}"
    assert kind.status == STATUSES.get(slug, kind.status)
    assert kind.title != kind.title_id


@ON_SQLITE
async def test_every_problem_is_explained_where_its_type_points(http: AsyncClient):
    for kind in CATALOGUE.values():
        page = await http.get(kind.type, headers={"Accept": "application/json"})
        assert page.status_code == 200
        assert json.dumps(kind.remedy)[1:-1] in page.text or kind.remedy in page.text


REFUSALS = [
    ("GET", "/v1/nothing", 404, "not-found"),
    ("GET", "/v1/entries/", 404, "not-found"),
    ("POST", "/v1/entries/search/more", 404, "not-found"),
    ("GET", "/problems/unheard-of", 404, "not-found"),
    ("DELETE", "/v1/entries", 405, "method-not-allowed"),
    ("DELETE", "/v1/entries/ent_1", 405, "method-not-allowed"),
    ("PATCH", "/v1/entries/ent_1", 405, "method-not-allowed"),
    ("GET", "/v1/checks", 405, "method-not-allowed"),
    ("POST", "/v1/alerts/stream", 405, "method-not-allowed"),
    ("GET", "/v1/entries", 401, "unauthenticated"),
    ("POST", "/v1/checks", 401, "unauthenticated"),
    ("GET", "/v1/alerts/stream", 401, "unauthenticated"),
    ("GET", "/metrics", 401, "unauthenticated"),
]


@ON_SQLITE
async def test_every_refusal_is_a_problem_also_on_unknown_paths(http: AsyncClient, subtests: pytest.Subtests):
    for method, path, status, slug in REFUSALS:
        with subtests.test(str((method, path, status, slug))[:80]):
            response = await http.request(method, path)
            assert refused(response, status, slug) == {}
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert problem["title"] == CATALOGUE[slug].title
            assert problem["title_id"] == CATALOGUE[slug].title_id
            if status == 405:
                assert method not in response.headers["allow"]
            if status == 401:
                assert response.headers["www-authenticate"].startswith("Bearer")


@ON_SQLITE
async def test_a_wrong_role_is_refused_and_the_right_ones_are_named(http: AsyncClient, actors: Actors):
    callers = {
        role: await actors.client(role)
        for role in ("submitter", "verifier", "duty_officer", "supervisor", "auditor", "admin", "checkpoint")
    }
    may = {
        ("POST", "/v1/entries"): {"submitter"},
        ("POST", "/v1/urgent-entries"): {"submitter"},
        ("GET", "/v1/entries"): {"submitter", "verifier", "duty_officer", "auditor"},
        ("POST", "/v1/entries/search"): {"submitter", "verifier", "duty_officer", "auditor"},
        ("PUT", "/v1/entries/ent_1"): {"submitter"},
        ("POST", "/v1/entries/ent_1/decisions"): {"verifier", "duty_officer"},
        ("GET", "/v1/entries/ent_1/history"): {"submitter", "verifier", "duty_officer", "auditor"},
        ("GET", "/v1/clients"): {"admin", "auditor"},
        ("POST", "/v1/clients"): {"admin"},
        ("GET", "/v1/audit"): {"admin", "auditor"},
        ("POST", "/v1/checks"): {"checkpoint"},
        ("GET", "/v1/alerts"): {"checkpoint"},
        ("POST", "/v1/alerts"): {"duty_officer"},
        ("GET", "/v1/worklist"): set(callers) - {"checkpoint"},
        ("GET", "/metrics"): {"admin"},
    }
    for (method, path), allowed in may.items():
        for role, caller in callers.items():
            body = None if method == "GET" else {}
            response = await http.request(method, path, json=body, headers=caller.headers)
            if role in allowed:
                assert response.status_code != 403, (method, path, role)
            else:
                refused(response, 403, "wrong-role")


@ON_SQLITE
async def test_all_faults_are_listed_at_once_with_pointers_into_the_body(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    body = entry_body(
        measure="banishment",
        starts_on="23-11-2026",
        lifetime="perhaps",
        unknown=["shoe size"],
        subject={
            "sex": "m",
            "birth": {"date": "1970-13"},
            "birth_alternatives": [
                {"from": "1970", "to": "1968"},
                {"age": 45, "as_of": "2026-02-30"},
                {"age": 45},
                {"from": "1970", "date": "1970"},
            ],
            "nationalities": ["IDN", "id"],
            "documents": [{"type": "library card"}],
            "a/b~c": 1,
        },
        basis={"issued_on": None, "amount_idr": -1},
    )
    response = await http.post("/v1/entries", json=body, headers=submitter.headers)
    assert set(refused(response, 422, "validation")) == {
        "/measure",
        "/starts_on",
        "/lifetime",
        "/unknown/0",
        "/subject/sex",
        "/subject/birth",
        "/subject/birth_alternatives/0",
        "/subject/birth_alternatives/1/as_of",
        "/subject/birth_alternatives/2/as_of",
        "/subject/birth_alternatives/3/to",
        "/subject/birth_alternatives/3/date",
        "/subject/nationalities/1",
        "/subject/documents/0/type",
        "/subject/documents/0/number",
        "/subject/a~1b~0c",
        "/basis/issued_on",
        "/basis/amount_idr",
    }


OTHER_TYPES = [
    ({"lifetime": "no"}, "/lifetime"),
    ({"lifetime": 0}, "/lifetime"),
    ({"starts_on": 1_795_392_000}, "/starts_on"),
    ({"starts_on": "1795392000"}, "/starts_on"),
    ({"starts_on": "2026-11-23T00:00:00Z"}, "/starts_on"),
    ({"starts_on": "0001-01-01"}, "/starts_on"),
    ({"ends_on": "9999-12-31"}, "/ends_on"),
    ({"subject": {"birth": {"age": "45", "as_of": "2026-11-23"}}}, "/subject/birth/age"),
    ({"subject": {"birth": {"age": True, "as_of": "2026-11-23"}}}, "/subject/birth/age"),
    ({"basis": {"amount_idr": True}}, "/basis/amount_idr"),
    ({"basis": {"number": 12}}, "/basis/number"),
    ({"subject": {"full_name": " "}}, "/subject/full_name"),
    ({"subject": {"full_name": "x" * 301}}, "/subject/full_name"),
]


@ON_SQLITE
async def test_a_value_of_another_type_is_refused_and_never_reinterpreted(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
):
    for changes, pointer in OTHER_TYPES:
        with subtests.test(str((changes, pointer))[:80]):
            submitter = await actors.client("submitter")
            response = await http.post("/v1/entries", json=entry_body(**changes), headers=submitter.headers)
            assert pointer in refused(response, 422, "validation")


NO_OBJECTS = [
    (b"", "application/json", 422, "validation"),
    (b"{", "application/json", 400, "malformed-json"),
    (b'{"measure": "\xff"}', "application/json", 400, "malformed-json"),
    (b"[" * 100_000, "application/json", 400, "malformed-json"),
    (b'{"lifetime": ' + b"9" * 5000 + b"}", "application/json", 400, "malformed-json"),
    (b"[]", "application/json", 422, "validation"),
    (b"null", "application/json", 422, "validation"),
    (b'"text"', "application/json", 422, "validation"),
    (b"{}", "text/plain", 415, "unsupported-media-type"),
    (b"measure=prevention", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
]


@ON_SQLITE
async def test_what_is_no_json_object_is_refused_as_what_it_is(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
):
    for content, media_type, status, slug in NO_OBJECTS:
        with subtests.test(str((content, media_type, status, slug))[:80]):
            submitter = await actors.client("submitter")
            headers = {**submitter.headers, "Content-Type": media_type}
            refused(await http.post("/v1/entries", content=content, headers=headers), status, slug)


async def test_no_problem_repeats_what_was_sent(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    entry = await submit(http, submitter)
    secret = "Rahasia Sekali"
    odd = {"sex": secret, "nik": secret, "birth": {"date": secret}, "nationalities": [secret]}
    entries = [
        entry_body(measure=secret, subject=odd),
        entry_body(subject={"full_name": secret, "photo": {"data": secret}}),
        entry_body(subject={"full_name": secret}, basis={"reason": secret, "instrument": "request"}),
        {**entry_body(basis={"number": entry["basis"]["number"]}), "subject": _known(entry)},
    ]
    sent: list[tuple[str, str, Any]] = [
        *(("POST", "/v1/entries", body) for body in entries),
        ("POST", "/v1/entries/search", {"name": secret, "nik": secret}),
        ("GET", f"/v1/entries/{secret}", None),
        ("GET", f"/v1/{secret}", None),
        ("GET", f"/v1/entries?agency={secret}&state={secret}&cursor={secret}", None),
    ]
    for method, path, body in sent:
        response = await http.request(method, path, json=body, headers=submitter.headers)
        assert response.status_code >= 400
        said = json.dumps(response.json(), ensure_ascii=False)
        for value in (secret, "Rahasia", entry["subject"]["full_name"], entry["subject"]["nik"]):
            assert value not in said
        assert not re.search(r"Traceback|SELECT |sqlalchemy|pydantic|Error\b", said)


def _known(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry["subject"], "photo": entry_body()["subject"]["photo"]}


@pytest.mark.parametrize("path", ["/v1/checks/batch", "/v1/entries/search"])
async def test_a_path_of_its_own_is_not_taken_for_an_id(http: AsyncClient, path: str):
    response = await http.request("PATCH", path)
    assert (response.status_code, response.headers["allow"]) == (405, "OPTIONS, POST")
