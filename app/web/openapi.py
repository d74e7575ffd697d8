"""The OpenAPI 3.1 document: FastAPI's document with the additions that FastAPI can't derive.

These are names of operations without paths, problems instead of FastAPI's validation errors, the statuses that every
call can return, and parameters that do not claim to accept null. Example bodies are in `examples.json` next to this
module, by the name of the operation; a test posts each of them.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import TypeAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.web.catalogue import CATALOGUE
from app.web.etag import UNCHANGED, VERSION_DEMANDED, etag_of_bytes
from app.web.methods import WITH_BODY
from app.web.openapi_examples import examples, with_nulls
from app.web.openapi_headers import COMPONENTS as HEADERS
from app.web.openapi_headers import QUOTA, carrying, complete
from app.web.openapi_schemas import bound_integers, describe_members, name_plainly
from app.web.parts import Conditions
from app.web.problems import MEDIA_TYPE
from app.web.request_rules import EVENT_STREAM, MODELS

Json = dict[str, Any]

PATH = "/v1/openapi.json"
"""The path of the document."""

API = "/v1/"
"""The path prefix of the guarded part of the API; every call below it needs a key."""

_NEWEST: Final = {"cache-control": "public, no-cache"}
"""Cache headers of the document: caches may store it, and must revalidate it by its tag."""

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_SECTIONS = re.compile(r"\n+(?:Args|Attributes|Raises|Returns|Yields):\n.*", re.DOTALL)
_EXAMPLE = re.compile(r"#/components/examples/([a-z-]+)")
_HEADER = re.compile(r"#/components/headers/([A-Za-z-]+)")
_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")
_NULL = {"type": "null"}
_REFERENCE = "#/components/schemas/{model}"

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
            "description": "Where the parameter is, if the fault is not in the body.",
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
            "description": "`X-Request-Id` of the request, for a report to the operator.",
        },
    },
}


REPEATS: Final = ("idempotency-mismatch", "idempotency-in-flight")
"""Slugs of the problems with a repeat under an `Idempotency-Key`."""

KEY_DEMANDED: Final = "Makes repeats safe: the first 2xx answer is given again for 24 hours. 400 without it."
"""Description of a required `Idempotency-Key` header, by which the generator of the document recognises it."""

BYTES: Final[Json] = {"schema": {"type": "string", "format": "binary"}}
"""The content of a binary answer; client generators need this schema."""

EVENTS: Final[dict[int | str, Json]] = {200: {"content": {"text/event-stream": {}}}}
"""The `responses=` of a stream; its endpoint returns the model of its events, each with `event`, `id` and `data`."""


def problems(*slugs: str) -> dict[int | str, Json]:
    """Return a value for a route's argument `responses`: by status, the answers with these problems as examples.

    `slugs` are the names of the problems in the catalogue (`catalogue.toml`).

    Raises:
        KeyError: the catalogue has no problem with one of the slugs.
    """
    answers: Json = {}
    _add_problems(answers, slugs)
    return {int(status): response for status, response in answers.items()}


def in_parts(*media_types: str) -> dict[int | str, Json]:
    """Return `responses` for a route that serves a file in ranges: 200, 206 (of these media types), 304 and 416."""
    part = {
        "description": "The part that was asked for.",
        "content": dict.fromkeys(media_types, BYTES),
        **carrying(206, "ETag", "Accept-Ranges", "Content-Range")[206],
    }
    whole = carrying(200, "ETag", "Accept-Ranges")
    return {**whole, 206: part, 304: UNCHANGED[304], **problems("range-not-satisfiable")}


def finish(
    app: FastAPI,
    *,
    title: str,
    version: str,
    description: str,
    tags: Sequence[Mapping[str, str]],
    also: Sequence[BaseRoute] = (),
    today: date | None = None,
) -> Json:
    """Build the complete OpenAPI document of an application.

    Args:
        app: the application with all its routes.
        title: the API's name.
        version: the API's version.
        description: what the API is for, in Markdown.
        tags: every tag with its `name` and `description`.
        also: routes that are in the document although `app` does not serve them, such as the description of a route
            that is served by hand-written code.
        today: the legal day to which the days in the examples are moved; None leaves them as they were written.

    Raises:
        ValueError: an operation has no described tag, or two operations or schemas have the same name.
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
    limited = _name_operations(document, routes, app.webhooks.routes)
    components = document.setdefault("components", {})
    _add_models(document, routes)
    schemes = components.setdefault("securitySchemes", {})
    if not any(scheme.get("scheme") == "bearer" for scheme in schemes.values()):
        schemes["bearer"] = {"type": "http", "scheme": "bearer"}
    key = next(name for name, scheme in schemes.items() if scheme.get("scheme") == "bearer")
    sent = examples(today)
    for path, method, operation in _operations(document.get("paths", {})):
        _tidy(operation)
        _add_problems(operation["responses"], ("bad-request", "internal"))
        if path.startswith(API) and operation.get("security") != []:
            operation.setdefault("security", [{key: []}])
            _add_problems(operation["responses"], _slugs_of_every(method, operation))
        operation.setdefault("security", [])  # explicit, because some tools report its absence
        complete(operation, method, quota=operation["operationId"] in limited)
        if operation["operationId"] in sent:
            body = operation["requestBody"]["content"]["application/json"]
            body["examples"] = sent[operation["operationId"]]
        operation["responses"] = dict(sorted(operation["responses"].items()))
    for _, _, operation in _operations(document.get("webhooks", {})):
        _tidy(operation)
        operation["responses"].pop("422", None)  # the receiver defines its own validation errors
    _complete_components(components)
    name_plainly(document)
    describe_members(components["schemas"])
    bound_integers([components["schemas"], document["paths"]])
    used = set(_EXAMPLE.findall(msgspec.json.encode(document).decode()))
    components["examples"] = {slug: _example(slug) for slug in sorted(used)}
    answered = set(_HEADER.findall(msgspec.json.encode(document).decode()))
    components["headers"] = {name: HEADERS[name] for name in sorted(answered)}
    _refuse_loose_ends(document)
    return with_nulls(document)  # type: ignore[no-any-return]  # of a dict it is one


def install(app: FastAPI, *, today: Callable[[], date] | None = None, **described: Any) -> None:
    """Make the application serve its complete OpenAPI document.

    The first request of a day builds it, in a thread, because the half second that this takes would delay alerts. Only
    its text is cached, which needs far less memory than Python's dicts and strings.

    Args:
        app: the application with all its routes.
        today: returns the present legal day, to which the days in the examples are moved; None leaves them unchanged.
        described: the arguments of `finish` that describe the API: `title`, `version`, `description`, `tags`, and
            `also` if there are routes for the document alone.
    """
    made: dict[date | None, bytes] = {}
    making = asyncio.Lock()

    def openapi() -> Json:
        return finish(app, **described)

    def written(day: date | None) -> bytes:
        return msgspec.json.encode(finish(app, today=day, **described))

    async def serve(request: Request) -> Response:
        day = today() if today else None
        async with making:
            if day not in made:
                text = await asyncio.to_thread(written, day)
                made.clear()
                made[day] = text
            text = made[day]
        return Conditions.of(request).answer(text, "application/json", etag_of_bytes(1, text), _NEWEST)

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document
    app.add_route(PATH, serve, include_in_schema=False)


def _operations(paths: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in paths.items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, method, operation


def _name_operations(document: Json, routes: Sequence[BaseRoute], webhooks: Sequence[BaseRoute]) -> set[str]:
    """Name each operation after its function, because FastAPI's names repeat the path.

    Returns:
        The names of the operations that use a quota.
    """
    limited: set[str] = set()
    for group, members in (("paths", routes), ("webhooks", webhooks)):
        for context in iter_route_contexts(members):
            if not isinstance(context.original_route, APIRoute):
                continue
            item = document.get(group, {}).get(context.path_format, {})
            for method in context.methods or ():
                if method.lower() in item:
                    name = str(context.operation_id or context.name)
                    item[method.lower()]["operationId"] = name
                    if getattr(context.original_route.endpoint, QUOTA, None):
                        limited.add(name)
    return limited


def _add_models(document: Json, routes: Sequence[BaseRoute]) -> None:
    """Add the schemas of media types for which a route has models beside that of JSON."""
    schemas = document["components"].setdefault("schemas", {})
    for context in iter_route_contexts(routes):
        models = getattr(getattr(context.original_route, "endpoint", None), MODELS, {})
        for media, model in models.items():
            content = document["paths"][context.path_format]["get"]["responses"]["200"]["content"]
            schema = TypeAdapter(model).json_schema(mode="serialization", ref_template=_REFERENCE)
            for name, described in schema.pop("$defs", {}).items():
                schemas.setdefault(name, described)
            content[media]["schema"] = schema


_DEMANDED = frozenset({VERSION_DEMANDED, KEY_DEMANDED})


def _tidy(operation: Json) -> None:
    """Remove from an operation the parts that describe Python, and correct what FastAPI describes wrongly."""
    operation["description"] = _SECTIONS.sub("", operation.get("description") or f"{operation['summary']}.")
    for parameter in operation.get("parameters", ()):
        parameter["schema"] = _without_null(parameter["schema"])
        if parameter.get("description") in _DEMANDED:
            parameter["required"] = True  # its absence has its own problem, so FastAPI must not know this
    streamed = operation["responses"].get("200", {}).get("content", {})
    if streamed.get(EVENT_STREAM) == {}:  # the endpoint's model is that of its events
        streamed[EVENT_STREAM] = streamed.pop("application/json")
    refused = operation["responses"].get("422", {}).get("content", {}).get("application/json", {})
    if refused.get("schema", {}).get("$ref", "").endswith("/HTTPValidationError"):
        del operation["responses"]["422"]
        _add_problems(operation["responses"], ["validation"])


def _without_null(schema: Json) -> Json:
    """Return a parameter's schema without null, because a parameter is either present or absent."""
    choices = [choice for choice in schema.get("anyOf", ()) if choice != _NULL]
    if not choices or len(choices) == len(schema["anyOf"]):
        return schema
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "default"}}
    return {**rest, "anyOf": choices} if len(choices) > 1 else {**choices[0], **rest}


def _slugs_of_every(method: str, operation: Json) -> Iterable[str]:
    """Yield the slugs of the problems that every guarded call with such parameters and such a body can return."""
    yield from (
        "unauthenticated",
        "wrong-role",
        "not-acceptable",
        "rate-limited",
        "unavailable",
        "validation",
    )
    if "not-stored" not in str(operation["responses"].get("503")):  # checks are stored in any case
        yield "register-rolled-back"
    parameters = operation.get("parameters", ())
    if any(parameter["in"] == "path" for parameter in parameters):
        yield "not-found"
    if method.upper() in WITH_BODY:
        yield from ("request-timeout", "body-too-large", "unsupported-media-type", "malformed-json")


def _add_problems(answers: Json, slugs: Iterable[str]) -> None:
    """Add problems to an operation's `responses`, in addition to the present ones."""
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
    """Add the components that `problems` refers to, and remove those of FastAPI's validation errors."""
    schemas = components.setdefault("schemas", {})
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    schemas["Problem"], schemas["Fault"] = PROBLEM_SCHEMA, FAULT_SCHEMA
    components["schemas"] = dict(sorted(schemas.items()))


def _refuse_loose_ends(document: Json) -> None:
    """Raise ValueError, listing them, for operations without a described tag and for those with the same name."""
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
