"""docs/api.md names calls, roles and states as the program's own OpenAPI document has them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli.openapi import document
from tests.support.contract import unserved

ROOT = Path(__file__).resolve().parents[2]
PAGE = " ".join((ROOT / "docs" / "api.md").read_text(encoding="utf-8").split())
MATRIX = (ROOT / "docs" / "roles.md").read_text(encoding="utf-8")

PAGES = {("GET", "/"), ("GET", "/docs"), ("GET", "/docs/{}")}
"""What a browser reads; the document of the API leaves it out."""

_CALL = re.compile(r"\b(GET|POST|PUT|DELETE|PATCH) (/[\w{}/.-]*)(?:\?([\w=&]*))?")
_ROW = re.compile(r"^\| `(\w+) (/[^`]*)` \|(.*)\|$", re.MULTILINE)


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    described: dict[str, Any] = json.loads(document())
    return described


def shape(path: str) -> str:
    """The path with `{}` for each parameter, whatever its name."""
    return re.sub(r"\{\w+\}", "{}", path)


def operations(api: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), shape(path)): operation
        for path, item in api["paths"].items()
        for method, operation in item.items()
        if method in {"get", "post", "put", "delete", "patch"}
    }


def wrong_calls(page: str, api: dict[str, Any]) -> Iterator[str]:
    """Calls that a page names and the document has not, or has without a named query parameter."""
    known = operations(api)
    for method, path, query in _CALL.findall(page):
        operation = known.get((method, shape(path.rstrip("."))))
        if operation is None:
            yield f"{method} {path}"
            continue
        parameters = {each.get("name") for each in operation.get("parameters", ())}
        named = {each.partition("=")[0] for each in query.split("&") if each}
        yield from (f"{method} {path}?{name}" for name in sorted(named - parameters))


def table(heading: str) -> set[str]:
    """The words in the first column of the page's table with this heading."""
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = text.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    return {word for row in rows for word in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_each_call_on_the_page_is_one_of_the_document(api: dict[str, Any]) -> None:
    assert list(wrong_calls(PAGE, api)) == []
    assert unserved(PAGE) == []


@pytest.mark.parametrize(
    "call",
    ["PUT /v1/alerts", "GET /v1/entries/{id}/picture", "GET /v1/changes?page=", "POST /v1/checks/many"],
)
def test_a_call_that_the_document_lacks_would_be_seen(call: str, api: dict[str, Any]) -> None:
    assert list(wrong_calls(f"Send `{call}`.", api)) == [call.rstrip("=")]


def test_every_resource_of_the_document_is_on_the_page(api: dict[str, Any]) -> None:
    resources = {"/".join(path.split("/")[:3]) for path in api["paths"] if path.startswith("/v1/")}
    assert {each for each in resources if not re.search(rf"{re.escape(each)}\b", PAGE)} == set()


def test_the_roles_of_the_page_are_those_of_the_document(api: dict[str, Any]) -> None:
    assert table("role") == set(api["components"]["schemas"]["Role"]["enum"])


def test_the_states_of_the_page_are_those_of_the_document(api: dict[str, Any]) -> None:
    assert table("state") == set(api["components"]["schemas"]["State"]["enum"])


def test_the_table_of_calls_has_each_call_and_each_role_of_the_document(api: dict[str, Any]) -> None:
    rows = {(method, shape(path)) for method, path, _ in _ROW.findall(MATRIX)}
    assert rows == set(operations(api)) | PAGES
    [heading] = re.findall(r"^\| call \| (.*) \|$", MATRIX, re.MULTILINE)
    roles = heading.split(" | ")
    assert roles == [*api["components"]["schemas"]["Role"]["enum"], "no key"]
    assert {len(cells.split("|")) for *_, cells in _ROW.findall(MATRIX)} == {len(roles)}


def test_a_call_for_anybody_needs_no_key_in_the_document_and_each_other_one_does(api: dict[str, Any]) -> None:
    known = operations(api)
    for method, path, cells in _ROW.findall(MATRIX):
        if (method, shape(path)) in PAGES:
            continue
        needs_key = cells.split("|")[-1].strip() == "-"
        assert needs_key == bool(known[method, shape(path)].get("security")), f"{method} {path}"
