import json
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from tests.support.contract import Contract, ContractBroken, contract

PROBLEM = "application/problem+json"
JSON = "application/json"

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/v1/things": {
            "post": {
                "responses": {
                    "201": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                    "204": {"description": "Nothing to say."},
                }
            }
        },
        "/v1/things/{thing_id}": {
            "get": {
                "responses": {"200": {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Thing"}}}}}
            }
        },
        "/v1/things/newest": {"get": {"responses": {"204": {"description": "None yet."}}}},
        "/v1/stream": {"get": {"responses": {"200": {"content": {"text/event-stream": {}}}}}},
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "required": ["id", "on"],
                "properties": {
                    "id": {"type": "string"},
                    "on": {"type": ["string", "null"], "format": "date"},
                    "at": {"type": "string", "format": "date-time"},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
                    "notes": {"type": "object", "additionalProperties": {"type": "string"}},
                },
            },
            "Problem": {
                "type": "object",
                "required": ["type", "status"],
                "properties": {"type": {"type": "string"}, "status": {"type": "integer"}},
            },
        }
    },
}


@pytest.fixture(scope="module")
def promised() -> Contract:
    return Contract(DOCUMENT)


def thing(**more: Any) -> bytes:
    return json.dumps({"id": "thg_1", "on": "2026-11-23", **more}).encode()


def test_an_answer_as_documented_passes(promised: Contract):
    promised.check("POST", "/v1/things", 201, JSON, thing(notes={"any": "word"}, parts=[]))
    promised.check("POST", "/v1/things", 204, None, b"")
    promised.check("GET", "/v1/things/thg_1", 200, JSON, thing(on=None))
    promised.check("GET", "/v1/stream", 200, "text/event-stream", None)
    promised.check("POST", "/v1/things", 201, JSON, thing(at="2026-11-23T03:00:00.000000Z"))
    promised.check("HEAD", "/v1/things/thg_1", 200, JSON, None)
    promised.check("OPTIONS", "/v1/things", 204, None, b"")


def test_a_path_without_parameters_wins_over_one_with(promised: Contract):
    promised.check("GET", "/v1/things/newest", 204, None, b"")
    with pytest.raises(ContractBroken, match="204"):
        promised.check("GET", "/v1/things/newest", 200, JSON, thing())


@pytest.mark.parametrize(
    ("status", "media_type", "body", "complaint"),
    [
        (200, JSON, thing(), "declares 201, 204"),
        (422, PROBLEM, b"{}", "declares 201, 204"),
        (201, "text/html", b"<p>", "as text/html"),
        (201, None, b"", "as None"),
        (201, JSON, b"no json", "no JSON"),
        (201, JSON, b'{"id": "thg_1"}', '"on" is a required property'),
        (201, JSON, thing(id=1), 'at /id: 1 is not of type "string"'),
        (201, JSON, thing(on="2026-02-30"), 'is not a "date"'),
        (201, JSON, thing(at="2026-11-23T10:00:00+07:00"), 'is not a "date-time"'),
        (201, JSON, thing(at="2026-11-23T25:00:00Z"), 'is not a "date-time"'),
        (201, JSON, thing(secret=1), "Additional properties are not allowed"),
        (201, JSON, thing(parts=[{"id": "thg_2"}]), "at /parts/0: "),
        (204, None, b"something", "declares no body"),
    ],
)
def test_an_answer_that_differs_is_told(
    promised: Contract, status: int, media_type: str | None, body: bytes, complaint: str
):
    with pytest.raises(ContractBroken, match=complaint):
        promised.check("POST", "/v1/things", status, media_type, body)


def test_what_is_not_documented_may_only_be_refused(promised: Contract):
    promised.check(
        "GET", "/nowhere", 404, PROBLEM, b'{"type": "/problems/not-found", "status": 404, "more": 1}'
    )
    promised.check("PUT", "/v1/things", 405, PROBLEM, b'{"type": "/problems/x", "status": 405}')
    for status, media_type, body in [(200, JSON, b"{}"), (404, JSON, b"{}"), (404, PROBLEM, b"{}")]:
        with pytest.raises(ContractBroken):
            promised.check("GET", "/nowhere", status, media_type, body)


def test_pages_for_people_are_no_part_of_the_contract(promised: Contract):
    promised.check("GET", "/docs", 200, "text/html", b"<p>")


def test_the_applications_own_document_can_be_held_against_every_operation():
    held = contract()
    for path, operations in held.document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                for media_type in answer.get("content", {}):
                    if (
                        media_type.endswith("json")
                        and status != "206"
                        and "schema" in answer["content"][media_type]
                    ):
                        where = path.replace("{", "").replace("}", "")
                        with pytest.raises(ContractBroken, match="no JSON"):
                            held.check(method.upper(), where, int(status), media_type, b"?")


async def test_the_client_holds_answers_against_the_contract(http: httpx2.AsyncClient, app: FastAPI):
    """An answer that nobody documented fails the test that got it."""

    @app.get("/v1/undocumented")
    async def slipped_in() -> dict[str, str]:
        return {}

    with pytest.raises(ContractBroken, match="no such operation"):
        await http.get("/v1/undocumented")


def test_a_header_is_declared_where_it_comes_and_comes_where_it_is_promised():
    header = {"$ref": "#/components/headers/ETag"}
    document = json.loads(json.dumps(DOCUMENT))
    document["components"]["headers"] = {
        "ETag": {"required": True, "schema": {"type": "string", "pattern": '^"'}},
        "Retry-After": {"schema": {"type": "integer", "maximum": 9}},
    }
    answers = document["paths"]["/v1/things"]["post"]["responses"]
    answers["204"]["headers"] = {"ETag": header, "Retry-After": header}
    strict = Contract(document)
    strict.check("POST", "/v1/things", 204, None, b"", {"ETag": '"1"', "Retry-After": "3"})
    with pytest.raises(ContractBroken, match="without ETag"):
        strict.check("POST", "/v1/things", 204, None, b"", {})
    with pytest.raises(ContractBroken, match="declares none"):
        strict.check("POST", "/v1/things", 201, JSON, thing(), {"ETag": '"1"'})
    for wrong in ({"ETag": "1"}, {"ETag": '"1"', "Retry-After": "10"}):
        with pytest.raises(ContractBroken, match="which its schema does not allow"):
            strict.check("POST", "/v1/things", 204, None, b"", wrong)
