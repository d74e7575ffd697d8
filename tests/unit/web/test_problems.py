"""Whatever goes wrong, the answer is a problem document that repeats nothing of the request."""

import asyncio
import json
import logging
from typing import Never

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.types import Message

from app import errors
from app.kit.logs import Formatter
from app.web import problems
from app.web.metrics import Metrics
from app.web.problems import document_of, problem_document, problem_response

from .conftest import SECRET, build_app

PROBLEM = "application/problem+json"
GOOD = {"name": "Budi", "birth": {"date": "1970"}}


async def test_an_error_of_the_application_keeps_its_words(client: httpx2.AsyncClient):
    answer = await client.get("/v1/broken?as=faulty", headers={"x-request-id": "r-1"})
    assert answer.headers["content-type"] == PROBLEM
    fault = {"pointer": "/a~1b", "code": "wrong", "detail": "It is wrong."}
    assert answer.json() == {
        "type": "/problems/validation",
        "title": "The request's content is not valid",
        "title_id": "Isi permintaan tidak memenuhi ketentuan",
        "status": 422,
        "detail": "Two faults.",
        "errors": [fault, fault],
        "request_id": "r-1",
    }
    assert answer.status_code == 422


async def test_retry_after_travels_in_its_header(client: httpx2.AsyncClient):
    answer = await client.get("/v1/broken?as=busy")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


async def test_a_401_challenges(client: httpx2.AsyncClient):
    answer = await client.get("/v1/broken?as=unknown")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, 'Bearer realm="cekal"')


async def test_further_members_do_not_replace_the_standard_ones(client: httpx2.AsyncClient):
    answer = await client.put("/v1/entries/1", json=GOOD, headers={"if-match": '"2-x"'})
    assert answer.status_code == 412
    assert (answer.json()["status"], answer.json()["current"]) == (412, 3)


async def test_every_fault_of_a_request_is_listed(client: httpx2.AsyncClient):
    body = {"name": "B", "birth": {"age": 1}, "years": [1, "x"], "nik": SECRET, "starts_on": SECRET}
    answer = await client.put(f"/v1/entries/{SECRET}", json=body, headers={"if-match": '"3"'})
    assert answer.status_code == 422
    assert SECRET not in answer.text
    found = {(e["pointer"], e["code"], e.get("in"), e.get("name")) for e in answer.json()["errors"]}
    assert found == {
        ("", "int_parsing", "path", "entry_id"),
        ("/name", "string_too_short", None, None),
        ("/birth/date", "missing", None, None),
        ("/birth/age", "unknown_member", None, None),
        ("/birth/as_of", "missing", None, None),
        ("/years/1", "int_parsing", None, None),
        ("/starts_on", "invalid_value", None, None),
        ("/nik", "unknown_member", None, None),
    }


async def test_only_so_many_faults_are_listed(client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(problems, "MAX_FAULTS", 3)
    answer = await client.post("/v1/entries", json={**GOOD, "years": ["x"] * 9})
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["/years/0", "/years/1", "/years/2"]
    assert answer.json()["detail"] == "The request has faults; the first 3 listed in errors."


async def test_an_absent_body_is_a_fault_of_the_whole_body(client: httpx2.AsyncClient):
    answer = await client.post("/v1/entries")
    assert answer.json()["errors"] == [{"pointer": "", "code": "missing", "detail": "A body is required."}]


@pytest.mark.parametrize("body", [b'{"name": ', b"\xff\xfe", b"[" * 99, b""" {"name": 'x'} """])
async def test_what_is_no_json_is_malformed(client: httpx2.AsyncClient, body: bytes):
    answer = await client.post("/v1/entries", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/malformed-json")


async def test_another_media_type_is_not_read(client: httpx2.AsyncClient):
    answer = await client.post("/v1/entries", content=b"name=Budi", headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")


async def test_an_unknown_path_is_a_problem_too(client: httpx2.AsyncClient):
    answer = await client.get(f"/v1/nothing/{SECRET}")
    assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM)
    assert SECRET not in answer.text


async def test_a_405_names_every_method_of_the_path(client: httpx2.AsyncClient):
    answer = await client.delete("/v1/entries/1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS, PUT")
    assert answer.json()["type"] == "/problems/method-not-allowed"
    assert (await client.post("/greet")).headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize(
    ("status", "slug", "answered"),
    [(401, "unauthenticated", 401), (403, "wrong-role", 403), (408, "request-timeout", 408),
     (415, "unsupported-media-type", 415), (418, "bad-request", 400), (501, "internal", 500),
     (504, "unavailable", 503)],
)  # fmt: skip
async def test_an_http_exception_becomes_a_problem_without_its_words(
    client: httpx2.AsyncClient, status: int, slug: str, answered: int
):
    answer = await client.get(f"/v1/broken?as={status}")
    assert (answer.status_code, answer.json()["type"]) == (answered, f"/problems/{slug}")
    assert SECRET not in answer.text


async def test_a_bug_tells_nothing_but_the_requests_id(
    client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.ERROR):
        answer = await client.get("/v1/broken?as=bug", headers={"x-request-id": "bug-1"})
    assert answer.status_code == 500
    assert answer.json()["type"] == "/problems/internal"
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "bug-1"
    for word in ("LookupError", "SELECT", SECRET):
        assert word not in answer.text
    (record,) = [each for each in caplog.records if each.levelno == logging.ERROR]
    line = Formatter().format(record)
    assert "builtins.LookupError" in line
    assert "break_down" in line
    assert SECRET not in line
    assert "SELECT" not in line


def test_outside_a_request_there_is_no_request_id():
    assert problem_document("not-found")["request_id"] is None


def test_an_error_as_a_document_for_a_row_of_a_batch():
    document = document_of(errors.MrzUnreadable("Two lines of 44 were expected."))
    assert (document["status"], document["detail"]) == (422, "Two lines of 44 were expected.")
    assert "errors" not in document


def test_an_occurrence_may_have_a_reference():
    assert problem_document("not-found", instance="/v1/checks/chk_1")["instance"] == "/v1/checks/chk_1"


def test_a_slug_outside_the_catalogue_is_a_mistake():
    with pytest.raises(KeyError):
        problem_response("no-such-problem")


async def test_a_raw_endpoint_answers_with_a_problem_too():
    sent = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Never:
        raise AssertionError("nothing is to be read")

    response = problem_response("unavailable", "Full.", headers={"retry-after": "2"})
    await response({"type": "http"}, receive, send)
    assert sent[0]["status"] == 503
    assert (b"retry-after", b"2") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["detail"] == "Full."


APP = build_app(Metrics())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | st.just(SECRET),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["name", "birth", "date", "age", "years", "starts_on", "kind"]), inner
        )
    ),
    max_leaves=6,
)


@given(body=JSON)
def test_no_value_ever_comes_back(body: object):
    async def ask() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(APP)
        async with httpx2.AsyncClient(transport=transport, base_url="http://register") as client:
            return [
                await client.post(path, json=body) for path in ("/v1/entries", "/v1/entries/1/amendments")
            ]

    for answer in asyncio.run(ask()):
        assert answer.status_code in {200, 201, 413, 422}
        assert SECRET not in answer.text
