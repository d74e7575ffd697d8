"""The OpenAPI document is valid, complete and about this service."""

import json

import httpx2
import jsonschema_rs
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel

from app.web import openapi
from app.web.catalogue import CATALOGUE
from app.web.openapi_schemas import bound_integers
from app.web.problem_pages import TAG

TAGS = [{"name": "entries", "description": "Entries of the register."}, TAG]
ABOUT = {"title": "Register", "version": "1.0.0", "description": "A register."}


class Notice(BaseModel):
    text: str


async def pushed(body: Notice) -> None:
    """A notice is pushed."""


async def ask(body: Notice) -> Notice:
    """Ask something."""
    return body


@pytest.fixture
def document(app: FastAPI) -> dict:
    app.webhooks.add_api_route("notice", pushed, methods=["POST"], summary="A notice", tags=["entries"])
    twin = APIRoute(
        "/v1/questions", ask, methods=["POST"], tags=["entries"], responses=openapi.problems("not-stored")
    )
    openapi.install(app, tags=TAGS, also=[twin], **ABOUT)
    return app.openapi()


def operations(document: dict) -> dict[str, dict]:
    found = {}
    for group in ("paths", "webhooks"):
        for item in document[group].values():
            for operation in item.values():
                found[operation["operationId"]] = operation
    return found


def test_it_is_valid(document: dict):
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")


def test_it_says_who_and_where(document: dict):
    assert document["servers"] == [{"url": "/"}]
    assert document["info"]["contact"]["name"]
    assert document["info"]["license"]["name"] == "Apache-2.0"


def test_operations_are_named_after_their_functions(document: dict):
    assert set(operations(document)) == {
        "submit_entry",
        "list_entries",
        "read_entry",
        "resubmit_entry",
        "amend_entry",
        "break_down",
        "list_problems",
        "read_problem",
        "ask",
        "pushed",
    }


def test_operations_can_be_found_and_read(document: dict):
    for operation in operations(document).values():
        assert operation["tags"]
        assert operation["summary"]
        assert operation["description"]
        assert "Raises:" not in operation["description"]
    assert operations(document)["list_entries"]["description"] == "List entries."


def test_no_reference_dangles_and_no_component_is_unused(document: dict):
    text = json.dumps(document)
    for section, members in document["components"].items():
        for name in members:
            if section != "securitySchemes":
                assert f'"#/components/{section}/{name}"' in text, name
    for piece in text.split('"$ref": "#/components/')[1:]:
        section, name = piece.split('"', 1)[0].split("/")
        assert name in document["components"][section]


def test_fastapis_own_validation_error_is_gone(document: dict):
    assert "HTTPValidationError" not in json.dumps(document)
    assert "422" not in operations(document)["pushed"]["responses"]


def test_every_error_is_a_problem(document: dict):
    for operation in operations(document).values():
        for status, response in operation["responses"].items():
            if status[0] in "45":
                assert list(response["content"]) == ["application/problem+json"]
                assert response["description"]


def test_every_guarded_call_says_what_may_go_wrong(document: dict):
    found = operations(document)
    assert set(found["list_entries"]["responses"]) == {
        "200",
        "400",
        "401",
        "403",
        "406",
        "422",
        "429",
        "500",
        "503",
    }
    assert set(found["submit_entry"]["responses"]) == {
        "201", "400", "401", "403", "406", "408", "413", "415", "422", "429", "500", "503",
    }  # fmt: skip
    assert "404" in found["read_entry"]["responses"]
    assert set(found["list_problems"]["responses"]) == {"200", "400", "500"}
    assert found["submit_entry"]["security"] == [{"bearer": []}]
    assert found["list_problems"]["security"] == []


def test_problems_of_a_route_stand_beside_those_of_every_route(document: dict):
    response = operations(document)["ask"]["responses"]["503"]
    assert set(response["content"]["application/problem+json"]["examples"]) == {"not-stored", "unavailable"}
    assert "`not-stored`" in response["description"]


@pytest.mark.parametrize("slug", CATALOGUE)
def test_the_example_of_a_problem_is_valid(slug: str):
    schema = {
        **openapi.PROBLEM_SCHEMA,
        "$defs": {"Fault": openapi.FAULT_SCHEMA},
    }
    text = json.dumps(schema).replace("#/components/schemas/Fault", "#/$defs/Fault")
    example = openapi._example(slug)["value"]
    jsonschema_rs.validate(json.loads(text), example, validate_formats=True)
    assert list(openapi.problems(slug)) == [example["status"]]


def test_problems_share_a_status():
    answers = openapi.problems("four-eyes", "wrong-role", "wrong-state")
    assert list(answers) == [403, 409]
    assert list(answers[403]["content"]["application/problem+json"]["examples"]) == [
        "four-eyes",
        "wrong-role",
    ]


def test_a_parameter_never_claims_to_be_null(document: dict):
    for operation in operations(document).values():
        for parameter in operation.get("parameters", ()):
            assert '"null"' not in json.dumps(parameter)
    (cursor,) = [p for p in operations(document)["list_entries"]["parameters"] if p["name"] == "cursor"]
    assert cursor["schema"]["type"] == "string"
    assert cursor["schema"]["maxLength"] == 1024


def test_if_match_is_required(document: dict):
    (match,) = [p for p in operations(document)["resubmit_entry"]["parameters"] if p["in"] == "header"]
    assert (match["name"], match["required"], match["schema"]["type"]) == ("If-Match", True, "string")


async def test_it_is_served(app: FastAPI, document: dict, client: httpx2.AsyncClient):
    assert (await client.get("/v1/openapi.json")).json() == document


def test_a_scheme_that_is_there_is_used(app: FastAPI):
    from typing import Annotated

    from fastapi import Security
    from fastapi.security import HTTPBearer

    async def guarded(_: Annotated[object, Security(HTTPBearer(scheme_name="key"))]) -> Notice:
        return Notice(text="x")

    app.add_api_route("/v1/guarded", guarded, tags=["entries"])
    made = openapi.finish(app, tags=TAGS, **ABOUT)
    assert list(made["components"]["securitySchemes"]) == ["key"]
    assert operations({**made, "webhooks": {}})["list_entries"]["security"] == [{"key": []}]


def test_loose_ends_are_refused(app: FastAPI):
    async def list_entries() -> None:
        """A second one."""

    app.add_api_route("/v1/others", list_entries)
    app.add_api_route("/v1/tagged", ask, methods=["POST"], tags=["nowhere"])
    with pytest.raises(ValueError, match="has no tag") as refused:
        openapi.finish(app, tags=TAGS, **ABOUT)
    assert "POST /v1/tagged: the tag nowhere is not described" in str(refused.value)
    assert "list_entries names several operations: GET /v1/entries, GET /v1/others" in str(refused.value)


def test_a_schema_has_a_plain_name_that_no_other_has(app: FastAPI):
    class Question(BaseModel):
        text: str

    other = type("Question", (BaseModel,), {"__annotations__": {"number": int}, "__module__": "elsewhere"})

    async def first(body: Question) -> None:
        """Ask."""

    async def second(body: other) -> None:  # type: ignore[valid-type]
        """Ask otherwise."""

    app.add_api_route("/v1/first", first, methods=["POST"], tags=["entries"])
    app.add_api_route("/v1/second", second, methods=["POST"], tags=["entries"])
    with pytest.raises(ValueError, match="Question is the title of several schemas"):
        openapi.finish(app, tags=TAGS, **ABOUT)


def test_integers_say_how_large_they_can_be():
    schema: dict = {
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "minimum": 1, "maximum": 9}}
    }
    bound_integers(schema)
    assert schema["properties"]["a"] == {
        "type": "integer",
        "minimum": 0,
        "maximum": 2**53 - 1,
        "format": "int64",
    }
    assert schema["properties"]["b"]["format"] == "int32"
