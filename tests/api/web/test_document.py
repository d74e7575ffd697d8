"""The OpenAPI document of the whole service: what a reader or a generator of clients trips over."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.contract import contract

Json = dict[str, Any]

STREAMS = {
    "/v1/alerts/stream": {"alert", "heartbeat"},
    "/v1/manifests/{manifest_id}/stream": {"change", "heartbeat", "closed"},
    "/v1/notices/stream": {"notice", "heartbeat"},
}


@pytest.fixture(scope="module")
def document() -> Json:
    return contract().document


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def headers_of_requests(operation: Json) -> dict[str, Json]:
    return {each["name"]: each for each in operation.get("parameters", ()) if each["in"] == "header"}


def resolved(document: Json, schema: Json) -> Json:
    return (
        document["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    )


def walk(part: Any) -> Iterator[Json]:
    if isinstance(part, list):
        for each in part:
            yield from walk(each)
    elif isinstance(part, dict):
        yield part
        for each in part.values():
            yield from walk(each)


def test_every_schema_has_a_plain_name_of_its_own(document: Json):
    schemas = document["components"]["schemas"]
    assert [name for name in schemas if not re.fullmatch("[A-Z][A-Za-z0-9]+", name)] == []
    assert max(Counter(name.lower() for name in schemas).values()) == 1
    assert {name: schema["title"] for name, schema in schemas.items() if schema["title"] != name} == {}


def test_a_key_against_repeats_is_offered_where_it_counts_and_nowhere_else(document: Json):
    offered = {
        operation["operationId"]: headers_of_requests(operation)["Idempotency-Key"]
        for _, _, operation in operations(document)
        if "Idempotency-Key" in headers_of_requests(operation)
    }
    posts = {each["operationId"] for _, method, each in operations(document) if method == "post"}
    assert posts - set(offered) == {
        "make_check",
        "make_checks",
        "search_entries",
        "explain_check",
        "preview_urgent_entry",
    }
    assert set(offered) <= posts
    assert [name for name, each in offered.items() if each["required"]] == ["make_urgent_entry"]
    pattern = re.compile(offered["submit_entry"]["schema"]["pattern"])
    assert pattern.search("a" * 255)
    assert not any(map(pattern.search, ("", "a" * 256, "\u00e9", " a")))


def test_a_stream_is_described_as_what_it_sends(document: Json):
    for path, names in STREAMS.items():
        operation = document["paths"][path]["get"]
        (media_type,) = operation["responses"]["200"]["content"].items()
        assert media_type[0] == "text/event-stream"
        mapping = media_type[1]["schema"]["discriminator"]["mapping"]
        assert set(mapping) == names
        for name, reference in mapping.items():
            event = resolved(document, {"$ref": reference})
            assert event["properties"]["event"]["const"] == name
            assert resolved(document, event["properties"]["data"])["type"] == "object"
        assert "Last-Event-ID" in headers_of_requests(operation)
        assert "after" in {each["name"] for each in operation["parameters"]}


def test_no_other_word_is_used_than_json_schema_knows(document: Json):
    unknown = {"ge", "gt", "le", "lt"}
    assert [each for each in walk(document["components"]["schemas"]) if unknown & set(each)] == []


def test_instants_and_days_say_so(document: Json):
    for name, schema in document["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            if member.endswith(("_at", "_on")):
                kinds = [each for each in walk(described) if each.get("type") == "string"]
                wanted = "date-time" if member.endswith("_at") else "date"
                assert [each.get("format") for each in kinds] == [wanted], f"{name}.{member}"


def test_each_answer_says_its_headers(document: Json):
    for path, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            headers = set(answer["headers"])
            about = f"{operation['operationId']} {status}"
            assert "X-Request-Id" in headers, about
            assert ("WWW-Authenticate" in headers) is (status == "401"), about
            assert ("Retry-After" in headers) >= (status in {"429", "503"}), about
            assert ("RateLimit" in headers) is ("RateLimit-Policy" in headers), about
            if status in {"201", "202", "204"} and "{" not in path:
                assert "ETag" in headers or "Location" in headers or path == "/v1/alerts", about
    posted = document["paths"]["/v1/entries"]["post"]["responses"]["201"]
    assert set(posted["headers"]) == {"ETag", "Location", "Idempotency-Replayed", "X-Request-Id"}


def test_each_success_is_said_in_a_sentence(document: Json):
    for _, _, operation in operations(document):
        for status, answer in operation["responses"].items():
            if status[0] in "23":
                said = answer["description"]
                assert said[0].isupper(), said
                assert said.endswith("."), said
                assert said != "Successful Response"


def test_what_needs_no_key_says_so(document: Json):
    public = {path for path, _, operation in operations(document) if not operation["security"]}
    assert public == {"/healthz", "/readyz", "/problems", "/problems/{slug}", "/v1/signing-keys"}


def test_every_member_says_what_it_is(document: Json):
    silent = [
        f"{name}.{member}"
        for name, schema in document["components"]["schemas"].items()
        for member, described in schema.get("properties", {}).items()
        if not described.get("description", "").endswith((".", "`"))
    ]
    assert silent == []
    assert [name for name, each in document["components"]["schemas"].items() if not each["description"]] == []


def test_every_parameter_says_what_it_is(document: Json):
    silent = [
        f"{operation['operationId']} {each['name']}"
        for _, _, operation in operations(document)
        for each in operation.get("parameters", ())
        if not each.get("description")
    ]
    assert silent == []


def test_every_text_list_and_number_of_a_request_is_bounded(document: Json):
    """Stands for three of OWASP's rules, which would want the same of answers."""
    bounded = {"const", "enum", "format", "maxLength", "pattern"}
    seen: set[str] = set()
    loose: list[str] = []

    def look(schema: Json, where: str) -> None:
        name = schema.get("$ref", "").rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            look(document["components"]["schemas"][name], name)
        for choice in schema.get("anyOf", ()):
            look(choice, where)
        for member, described in schema.get("properties", {}).items():
            look(described, f"{where}.{member}")
        if schema.get("type") == "array":
            look(schema["items"], where)
        if (schema.get("type") == "string" and not bounded & set(schema)) or (
            schema.get("type") == "array" and "maxItems" not in schema
        ):
            loose.append(where)

    for _, _, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            look(content["application/json"]["schema"], operation["operationId"])
    assert loose == []
    assert "BasisIn" in seen
