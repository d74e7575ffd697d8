"""Every answer that a test gets is held against the OpenAPI document.

The document is the one that the application serves (a test of its own holds the committed one against it).
Here it is read more strictly than a client would: an object may hold no member that the document does not
name, unless the document says so.
"""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from app.main import create_app
from app.settings import Settings

Json = dict[str, Any]

UNDOCUMENTED = ("/docs", "/redoc", "/console")
"""Pages for people, which the document of the API does not describe."""

_URI = "urn:cekal:openapi"
_PROBLEM = "application/problem+json"
_STREAMS = frozenset({"text/event-stream", "application/x-ndjson"})
_OPEN_ENDED = ("Problem", "Fault")
"""Schemas that say themselves that further members may follow (RFC 9457 section 3.2)."""


class ContractBroken(AssertionError):
    """An answer differs from what the OpenAPI document promises."""


class Contract:
    """The promises of one OpenAPI document."""

    def __init__(self, document: Json) -> None:
        self.document = _closed(document)
        resource = DRAFT202012.create_resource(self.document)
        self._registry: Registry[Any] = Registry().with_resource(_URI, resource)
        self._validators: dict[str, Draft202012Validator] = {}
        self._paths = sorted(
            ((_pattern(path), path) for path in document["paths"]), key=lambda pair: pair[1].count("{")
        )

    def check(self, method: str, path: str, status: int, media_type: str | None, body: bytes | None) -> None:
        """Hold one answer against the document.

        Args:
            method: the request's method.
            path: the request's path, without the query.
            status: the answer's status.
            media_type: the answer's, without parameters; None when it has none.
            body: the answer's body; None where it is not to be looked at: a stream's, and that of a HEAD.

        Raises:
            ContractBroken: says what differs and where.
        """
        about = f"{method} {path} answered {status}"
        known = next((template for pattern, template in self._paths if pattern.fullmatch(path)), None)
        if known is None:
            if not path.startswith(UNDOCUMENTED):
                self._problem(about, 404, status, media_type, body)
            return
        operation = self.document["paths"][known].get(method.lower())
        if operation is None:
            self._problem(about, 405, status, media_type, body)
            return
        pointer = f"/paths/{_escaped(known)}/{method.lower()}/responses/{status}"
        declared = operation["responses"].get(str(status))
        if declared is None:
            told = ", ".join(operation["responses"])
            raise ContractBroken(f"{about}: the document declares {told} for it.\n{_excerpt(body)}")
        content = declared.get("content", {})
        if not content:
            if body:
                raise ContractBroken(f"{about}: the document declares no body.\n{_excerpt(body)}")
            return
        if media_type is None or media_type not in content:
            raise ContractBroken(f"{about} as {media_type}; the document declares {', '.join(content)}.")
        if body is not None and media_type.endswith("json"):
            self._validate(about, f"{pointer}/content/{_escaped(media_type)}/schema", body)

    def _problem(self, about: str, due: int, status: int, media_type: str | None, body: bytes | None) -> None:
        if status != due or media_type != _PROBLEM:
            raise ContractBroken(f"{about} as {media_type}; no such operation is documented.")
        if body is not None:
            self._validate(about, "/components/schemas/Problem", body)

    def _validate(self, about: str, pointer: str, body: bytes) -> None:
        validator = self._validators.get(pointer)
        if validator is None:
            validator = self._validators[pointer] = Draft202012Validator(
                {"$ref": f"{_URI}#{pointer}"},
                registry=self._registry,
                format_checker=Draft202012Validator.FORMAT_CHECKER,
            )
        try:
            answer = json.loads(body)
        except ValueError:
            raise ContractBroken(f"{about} with a body that is no JSON.\n{_excerpt(body)}") from None
        worst = best_match(validator.iter_errors(answer))
        if worst is not None:
            raise ContractBroken(f"{about}: at {worst.json_path}: {worst.message}\n{_excerpt(body)}")


@functools.cache
def contract() -> Contract:
    """The contract of the application as it is; made once a process."""
    return Contract(create_app(Settings(env="test", database_url="postgresql://nowhere/nothing")).openapi())


def watch(client: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """Let a client hold every answer that it gets against the contract; gives the client."""
    client.event_hooks["response"].append(_look)
    return client


async def _look(response: httpx2.Response) -> None:
    media_type = response.headers.get("content-type", "").partition(";")[0].strip() or None
    request = response.request
    body = None if media_type in _STREAMS or request.method == "HEAD" else await response.aread()
    contract().check(request.method, request.url.path, response.status_code, media_type, body)


def _closed(document: Json) -> Json:
    """The document with every object closed that does not say whether it is open."""
    closed: Json = json.loads(json.dumps(document))
    for name, schema in closed.get("components", {}).get("schemas", {}).items():
        if name not in _OPEN_ENDED:
            for part in _objects(schema):
                part.setdefault("additionalProperties", False)
    return closed


def _objects(schema: Any) -> Iterator[Json]:
    if isinstance(schema, list):
        for part in schema:
            yield from _objects(part)
    elif isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict) and "allOf" not in schema:
            yield schema
        for part in schema.values():
            yield from _objects(part)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{[^}]+\}", path)))


def _escaped(part: str) -> str:
    """One part of a JSON pointer in a URI fragment (RFC 6901 section 6)."""
    return (
        part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D").replace("+", "%2B")
    )


def _excerpt(body: bytes | None) -> str:
    return (body or b"").decode(errors="replace")[:1500]
