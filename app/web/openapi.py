"""The OpenAPI 3.1 document: FastAPI's, finished with what it can't know.

Names of operations without paths in them, problems instead of FastAPI's own validation errors, the statuses
that every call may answer with, and no parameter that claims to accept null.
"""

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.web.catalogue import CATALOGUE
from app.web.etag import VERSION_DEMANDED
from app.web.problems import MEDIA_TYPE

Json = dict[str, Any]

PATH = "/v1/openapi.json"
"""Where the document is."""

API = "/v1/"
"""Where the guarded part of the API begins; every call below it needs a key."""

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_SECTIONS = re.compile(r"\n+(?:Args|Attributes|Raises|Returns|Yields):\n.*", re.DOTALL)
_EXAMPLE = re.compile(r"#/components/examples/([a-z-]+)")
_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")
_NULL = {"type": "null"}

CONTACT = {"name": "The operator of this register"}
LICENSE = {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"}

FAULT_SCHEMA: Json = {
    "title": "Fault",
    "description": "One thing wrong with a request.",
    "type": "object",
    "required": ["pointer", "code", "detail"],
    "properties": {
        "pointer": {
            "type": "string",
            "description": "RFC 6901 JSON pointer into the body; empty for the whole body or a parameter.",
        },
        "code": {"type": "string", "description": "A stable word that a program can act on."},
        "detail": {"type": "string", "description": "A sentence for a person."},
        "in": {
            "type": "string",
            "enum": ["path", "query", "header", "cookie"],
            "description": "Where the parameter stands, if the fault is not in the body.",
        },
        "name": {"type": "string", "description": "The parameter's name, if the fault is not in the body."},
    },
}
PROBLEM_SCHEMA: Json = {
    "title": "Problem",
    "description": "An error as RFC 9457 describes it; further members may follow.",
    "type": "object",
    "required": ["type", "title", "title_id", "status", "detail", "request_id"],
    "properties": {
        "type": {
            "type": "string",
            "format": "uri-reference",
            "description": "`/problems/<slug>`: the kind of problem, explained there with cause and remedy.",
        },
        "title": {"type": "string", "description": "The kind of problem in English."},
        "title_id": {"type": "string", "description": "The kind of problem in Indonesian."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."},
        "detail": {"type": "string", "description": "What happened this time."},
        "instance": {"type": "string", "format": "uri-reference", "description": "This occurrence."},
        "errors": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/Fault"},
            "description": "Every single fault of the request.",
        },
        "request_id": {
            "type": ["string", "null"],
            "description": "`X-Request-Id` of the request, to be told to the operator.",
        },
    },
}


REPEATS: Final = ("idempotency-mismatch", "idempotency-in-flight")
"""Slugs of what may be wrong with a repeat of a call that is made once."""


def problems(*slugs: str) -> dict[int | str, Json]:
    """The `responses=` of a route that may answer with these problems, with an example of each.

    Raises:
        KeyError: the catalogue has no such slug.
    """
    answers: Json = {}
    _add_problems(answers, slugs)
    return {int(status): response for status, response in answers.items()}


def finish(
    app: FastAPI,
    *,
    title: str,
    version: str,
    description: str,
    tags: Sequence[Mapping[str, str]],
    also: Sequence[BaseRoute] = (),
) -> Json:
    """The finished document of an application.

    Args:
        app: the application with all its routes.
        title: the API's name.
        version: its version.
        description: what it is for, in Markdown.
        tags: every tag with its `name` and `description`.
        also: routes that are documented but served otherwise, such as the twin of a hand-written one.

    Raises:
        ValueError: operations without a described tag, or two of one name.
    """
    routes = [*app.routes, *also]
    document: Json = get_openapi(
        title=title,
        version=version,
        description=description,
        openapi_version=app.openapi_version,
        routes=routes,
        webhooks=app.webhooks.routes,
        tags=[dict(tag) for tag in tags],
        servers=[{"url": "/"}],
        contact=CONTACT,
        license_info=LICENSE,
    )
    _name_operations(document, routes, app.webhooks.routes)
    components = document.setdefault("components", {})
    schemes = components.setdefault("securitySchemes", {})
    if not any(scheme.get("scheme") == "bearer" for scheme in schemes.values()):
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
    key = next(name for name, scheme in schemes.items() if scheme.get("scheme") == "bearer")
    for path, _, operation in _operations(document.get("paths", {})):
        _tidy(operation)
        if path.startswith(API):
            operation.setdefault("security", [{key: []}])
            _add_problems(operation["responses"], _slugs_of_every(operation))
        operation["responses"] = dict(sorted(operation["responses"].items()))
    for _, _, operation in _operations(document.get("webhooks", {})):
        _tidy(operation)
        operation["responses"].pop("422", None)  # that one is for the receiver to say
    _complete_components(components)
    used = set(_EXAMPLE.findall(msgspec.json.encode(document).decode()))
    components["examples"] = {slug: _example(slug) for slug in sorted(used)}
    _refuse_loose_ends(document)
    return document


def install(app: FastAPI, **meanwhile: Any) -> None:
    """Let the application serve its finished document; arguments as `finish`.

    It is made when somebody first asks for it, in a thread, since that takes half a second in which no alert should
    wait. Only its text is kept, a small part of what it takes as Python's dicts and strings.
    """
    made: list[bytes] = []
    making = asyncio.Lock()

    def openapi() -> Json:
        return finish(app, **meanwhile)

    def written() -> bytes:
        return msgspec.json.encode(openapi())

    async def serve(_request: Request) -> Response:
        async with making:
            if not made:
                made.append(await asyncio.to_thread(written))
        return Response(made[0], media_type="application/json")

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
    app.add_route(PATH, serve, include_in_schema=False)


def _operations(paths: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in paths.items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, method, operation


def _name_operations(document: Json, routes: Sequence[BaseRoute], webhooks: Sequence[BaseRoute]) -> None:
    """Name each operation after its function: FastAPI's names repeat the path."""
    for group, members in (("paths", routes), ("webhooks", webhooks)):
        for context in iter_route_contexts(members):
            if not isinstance(context.original_route, APIRoute):
                continue
            item = document.get(group, {}).get(context.path_format, {})
            for method in context.methods or ():
                if method.lower() in item:
                    item[method.lower()]["operationId"] = context.operation_id or context.name


def _tidy(operation: Json) -> None:
    """Say nothing to the caller that is about Python, or isn't so."""
    operation["description"] = _SECTIONS.sub("", operation.get("description") or f"{operation['summary']}.")
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
        if parameter.get("description") == VERSION_DEMANDED:
            parameter["required"] = True  # its absence is a problem of its own, so FastAPI must not see this
    refused = operation["responses"].get("422", {}).get("content", {}).get("application/json", {})
    if refused.get("schema", {}).get("$ref", "").endswith("/HTTPValidationError"):
        del operation["responses"]["422"]
        _add_problems(operation["responses"], ["validation"])


def _without_null(schema: Json) -> Json:
    """A parameter's schema without null: a parameter is there or it isn't."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != _NULL]
    if not choices or len(choices) == len(schema["anyOf"]):
        return schema
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**rest, "anyOf": choices} if len(choices) > 1 else {**choices[0], **rest}


def _slugs_of_every(operation: Json) -> Iterable[str]:
    """The problems that any guarded call with such parameters and such a body may answer with."""
    yield from ("unauthenticated", "wrong-role", "rate-limited", "internal", "unavailable", "validation")
    parameters = operation.get("parameters", ())
    if any(parameter["in"] == "path" for parameter in parameters):
        yield "not-found"
    if "requestBody" in operation:
        yield from ("request-timeout", "body-too-large", "unsupported-media-type")
        if "application/json" in operation["requestBody"].get("content", {}):
            yield "malformed-json"


def _add_problems(answers: Json, slugs: Iterable[str]) -> None:
    """Add problems to an operation's `responses`, beside those already there."""
    for slug in slugs:
        answer = answers.setdefault(str(CATALOGUE[slug].status), {})
        content = answer.setdefault("content", {}).setdefault(MEDIA_TYPE, {})
        content.setdefault("schema", {"$ref": "#/components/schemas/Problem"})
        examples = content.setdefault("examples", {})
        examples[slug] = {"$ref": f"#/components/examples/{slug}"}
        titles = [f"`{each}`: {CATALOGUE[each].title}." for each in examples if each in CATALOGUE]
        answer["description"] = " ".join(titles)


def _example(slug: str) -> Json:
    kind = CATALOGUE[slug]
    value: Json = {
        "type": kind.type,
        "title": kind.title,
        "title_id": kind.title_id,
        "status": kind.status,
        "detail": kind.cause,
        "request_id": "5f2b7c0e9d1a4b3c8e7f6a5b4c3d2e1f",
    }
    if slug == "validation":
        value["detail"] = "The request has faults; 1 listed in errors."
        value["errors"] = [
            {"pointer": "/subject/sex", "code": "missing", "detail": "This member is required."}
        ]
    return {"summary": kind.title, "value": value}


def _complete_components(components: Json) -> None:
    """Put in what `problems` refers to, take out what FastAPI's validation errors left."""
    schemas = components.setdefault("schemas", {})
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    schemas["Problem"], schemas["Fault"] = PROBLEM_SCHEMA, FAULT_SCHEMA
    components["schemas"] = dict(sorted(schemas.items()))


def _refuse_loose_ends(document: Json) -> None:
    """Refuse to publish operations that a reader could not find or tell apart.

    Raises:
        ValueError: lists all of them.
    """
    described = {tag["name"] for tag in document.get("tags", ()) if tag.get("description")}
    places: dict[str, list[str]] = {}
    complaints: list[str] = []
    for group in ("paths", "webhooks"):
        for path, method, operation in _operations(document.get(group, {})):
            place = f"{method.upper()} {path}"
            places.setdefault(operation["operationId"], []).append(place)
            if not operation.get("tags"):
                complaints.append(f"{place} has no tag")
            complaints += [
                f"{place}: the tag {tag} is not described"
                for tag in operation.get("tags", ())
                if tag not in described
            ]
    complaints += [
        f"{name} names several operations: {', '.join(found)}"
        for name, found in places.items()
        if len(found) > 1
    ]
    if complaints:
        raise ValueError("; ".join(complaints))
