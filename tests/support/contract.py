"""Every answer that a test gets is held against the OpenAPI document.

The document is the one that the application serves (a test of its own holds the committed one against it).
Here it is read more strictly than a client would: an object may hold no member that the document does not
name, unless the document says so.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import httpx2
from jsonschema_rs import Draft202012Validator, Registry

from app.main import create_app
from app.settings import Settings
from app.web.catalogue import CATALOGUE
from app.web.openapi_headers import COMPONENTS

Json = dict[str, Any]

DOCUMENT = "/v1/openapi.json"
"""Where the document is, which says nothing of itself."""

UNDOCUMENTED = ("/docs", "/redoc", "/console")
"""Pages for people, which the document of the API does not describe."""

_URI = "urn:cekal:openapi"
_OURS = re.compile(r"(?<![\w.}])/(?:v\d+|problems)/[\w.{}-]+(?:/[\w.{}-]+)*")
_PROBLEM = "application/problem+json"
_IN_UTC = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z")
_STREAMS = frozenset({"text/event-stream", "application/x-ndjson"})
_OPEN_ENDED = ("Problem", "Fault")
"""Schemas that say themselves that further members may follow (RFC 9457 section 3.2)."""


def _is_in_utc(value: str) -> bool:
    """Whether a time is written in UTC: RFC 3339 allows others, this service gives none."""
    try:
        return _IN_UTC.fullmatch(value) is not None and bool(datetime.fromisoformat(value))
    except ValueError:
        return False


class ContractBroken(AssertionError):
    """An answer differs from what the OpenAPI document promises."""


class Contract:
    """The promises of one OpenAPI document."""

    def __init__(self, document: Json) -> None:
        self.document = _closed(document)
        self._registry = Registry([(_URI, self.document)])
        self._validators: dict[str, Draft202012Validator] = {}
        self._paths = sorted(
            ((_pattern(path), path) for path in document["paths"]), key=lambda pair: pair[1].count("{")
        )

    def check(
        self,
        method: str,
        path: str,
        status: int,
        media_type: str | None,
        body: bytes | None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Hold one answer against the document.

        Args:
            method: the request's method.
            path: the request's path, without the query.
            status: the answer's status.
            media_type: the answer's, without parameters; None when it has none.
            body: the answer's body; None where it is not to be looked at: a stream's, and that of a HEAD.
            headers: the answer's; None where they are not to be looked at.

        Raises:
            ContractBroken: says what differs and where.
        """
        about = f"{method} {path} answered {status}"
        known = next((template for pattern, template in self._paths if pattern.fullmatch(path)), None)
        if known is None:
            if path != "/" and not path.startswith((*UNDOCUMENTED, DOCUMENT)):
                self._problem(about, 404, status, media_type, body)
            return
        described = (
            "get" if method == "HEAD" else method.lower()
        )  # HEAD is wherever GET is, and answers its headers
        operation = self.document["paths"][known].get(described)
        if operation is None:
            self._undescribed(about, method, status, media_type, body)
            return
        pointer = f"/paths/{_escaped(known)}/{described}/responses/{status}"
        declared = operation["responses"].get(str(status))
        if declared is None:
            told = ", ".join(operation["responses"])
            raise ContractBroken(f"{about}: the document declares {told} for it.\n{_excerpt(body)}")
        if headers is not None:
            self._headers(about, declared.get("headers", {}), headers)
        content = declared.get("content", {})
        if not content:
            if body:
                raise ContractBroken(f"{about}: the document declares no body.\n{_excerpt(body)}")
            return
        if media_type is None or media_type not in content:
            raise ContractBroken(f"{about} as {media_type}; the document declares {', '.join(content)}.")
        if body is not None and media_type.endswith("json") and status != 206:  # a part of JSON is none
            self._validate(about, f"{pointer}/content/{_escaped(media_type)}/schema", body)
            self._listed(about, media_type, content[media_type].get("examples", {}), body)

    def _listed(self, about: str, media_type: str, listed: Json, body: bytes) -> None:
        """Hold a problem's slug against those that its operation lists."""
        if media_type != _PROBLEM:
            return
        slug = json.loads(body)["type"].rpartition("/")[2]
        if slug not in listed:
            raise ContractBroken(f"{about} with {slug}; the document lists {', '.join(listed)}.")

    def check_event(self, path: str, event: Json) -> None:
        """Hold one event of a stream, with its data read, against the document.

        Raises:
            ContractBroken: says what differs and where.
        """
        known = next(template for pattern, template in self._paths if pattern.fullmatch(path))
        pointer = f"/paths/{_escaped(known)}/get/responses/200/content/text~1event-stream/schema"
        self._validate(f"An event of {path}", pointer, json.dumps(event).encode())

    def check_line(self, path: str, line: bytes) -> None:
        """Hold one line of an answer in lines against the document.

        Raises:
            ContractBroken: says what differs and where.
        """
        known = next(template for pattern, template in self._paths if pattern.fullmatch(path))
        pointer = f"/paths/{_escaped(known)}/get/responses/200/content/application~1x-ndjson/schema"
        self._validate(f"A line of {path}", pointer, line)

    def _undescribed(
        self, about: str, method: str, status: int, media_type: str | None, body: bytes | None
    ) -> None:
        """Hold the answer to a method that the document does not describe: every path has OPTIONS, and no other."""
        if method != "OPTIONS":
            self._problem(about, 405, status, media_type, body)
        elif status != 204 or body:
            raise ContractBroken(f"{about}; OPTIONS is 204 everywhere.")

    def _headers(self, about: str, declared: Json, found: Mapping[str, str]) -> None:
        """Hold the headers that a client may act on against those that are declared, both ways."""
        described = self.document.get("components", {}).get("headers", {})
        for name in {*COMPONENTS, *described}:
            value = found.get(name)
            if name not in declared:
                if value is not None:
                    raise ContractBroken(f"{about} with {name}; the document declares none.")
            elif value is None:
                if described[name].get("required"):
                    raise ContractBroken(f"{about} without {name}, which the document promises.")
            else:
                schema = described[name]["schema"]
                kind = int if schema["type"] == "integer" else str
                if not Draft202012Validator(schema).is_valid(kind(value)):
                    raise ContractBroken(f"{about} with {name}: {value}, which its schema does not allow.")

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
                validate_formats=True,
                formats={"date-time": _is_in_utc},
            )
        try:
            answer = json.loads(body)
        except ValueError:
            raise ContractBroken(f"{about} with a body that is no JSON.\n{_excerpt(body)}") from None
        for error in validator.iter_errors(answer):
            where = "/".join(str(part) for part in error.instance_path)
            raise ContractBroken(f"{about}: at /{where}: {error.message}\n{_excerpt(body)}")

    def expect_served(self, about: str, problem: bytes) -> None:
        """Hold that a problem names no path of ours that is not served.

        Raises:
            ContractBroken: it does.
        """
        named = unserved(problem.decode())
        if named:
            raise ContractBroken(f"{about}: {named[0]} is not served.\n{_excerpt(problem)}")

    def serves(self, path: str) -> bool:
        """Whether there is an operation at a path."""
        return any(pattern.fullmatch(path) for pattern, _ in self._paths)


def served(path: str) -> bool:
    """Whether a path of ours leads to something."""
    kind, _, slug = path.removeprefix("/").partition("/")
    if kind == "problems":
        return slug in {*CATALOGUE, "{}"}
    return path == DOCUMENT or contract().serves(path)


def unserved(text: str) -> list[str]:
    """The paths in a text that look like ours and lead to nothing."""
    named = [found[0].rstrip(".") for found in _OURS.finditer(text)]
    return [path for path in named if not served(path)]


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
    contract().check(
        request.method, request.url.path, response.status_code, media_type, body, response.headers
    )
    if media_type == _PROBLEM and body:
        contract().expect_served(f"{request.method} {request.url.path} answered", body)


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
    """The paths of a template; a parameter is one part of a path, but `path` is the rest of it."""
    parts = re.split(r"(\{[^}]+\})", path)
    match = {"{path}": ".+"}
    return re.compile("".join(match.get(p, "[^/]+") if p.startswith("{") else re.escape(p) for p in parts))


def _escaped(part: str) -> str:
    """One part of a JSON pointer in a URI fragment (RFC 6901 section 6)."""
    return (
        part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D").replace("+", "%2B")
    )


def _excerpt(body: bytes | None) -> str:
    return (body or b"").decode(errors="replace")[:1500]
