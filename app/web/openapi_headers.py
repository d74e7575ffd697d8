"""The headers of requests and answers in the OpenAPI document.

A route declares the headers of its successful answer (`carrying`); all others follow from its statuses.
"""

from collections.abc import Mapping
from typing import Any, Final

Json = dict[str, Any]

QUOTA: Final = "quota"
"""Name of the attribute that marks an endpoint with a quota."""

KEY_PATTERN: Final = r"^[!-~]([ -~]{0,253}[!-~])?$"
"""Form of an `Idempotency-Key`: 1 to 255 printable ASCII characters, without surrounding blanks."""

_NAMES: Final = ("Idempotency-Key", "If-Match", "If-None-Match", "If-Range", "Last-Event-ID", "Range")
_SPELLED: Final = {name.lower(): name for name in _NAMES}
_TEXT: Final[Json] = {"type": "string", "maxLength": 1024}

COMPONENTS: Final[Mapping[str, Json]] = {
    "Accept-Ranges": {
        "description": "`bytes`: a part may be asked for by `Range`; `none`: only the whole is there.",
        "schema": {"type": "string", "pattern": "^(bytes|none)$", "maxLength": 5},
        "example": "bytes",
    },
    "Content-Disposition": {
        "description": "A name under which the answer may be saved.",
        "schema": _TEXT,
    },
    "Content-Range": {
        "description": "Which part this is, and of how many bytes.",
        "schema": {"type": "string", "pattern": r"^bytes ([0-9]+-[0-9]+|\*)/[0-9]+$", "maxLength": 64},
        "example": "bytes 0-1023/146515",
    },
    "ETag": {
        "description": "The strong tag of this representation, with `-gzip` where it is compressed: send it as "
        "`If-Match` with an act on the version that was read, or as `If-None-Match` to read it again only if it has "
        "changed.",
        "required": True,
        "schema": {"type": "string", "pattern": r'^"[0-9]{1,9}-[0-9a-f]{12}(-gzip)?"$', "maxLength": 32},
        "example": '"3-8f1d0c5b2a7e"',
    },
    "Idempotency-Replayed": {
        "description": "`true` where this is the answer to an earlier request with the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Location": {
        "description": "Where what was made is read.",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference", "maxLength": 200},
        "example": "/v1/entries/ent_0k3v9c2m7q",
    },
    "RateLimit": {
        "description": "What is left of the quota: its name, `r` the rest, `t` seconds until one more is available "
        "(draft-ietf-httpapi-ratelimit-headers-10). Absent where the caller was refused before it was looked at.",
        "schema": _TEXT,
        "example": '"searches";r=29;t=1',
    },
    "RateLimit-Policy": {
        "description": "The quota of this call: its name, `q` how much one key may take, `w` in how many seconds, or "
        "`qu` in which unit.",
        "schema": _TEXT,
        "example": '"searches";q=30;w=30',
    },
    "Retry-After": {
        "description": "Seconds after which a repeat makes sense; absent where none does.",
        "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86400},
        "example": 1,
    },
    "WWW-Authenticate": {
        "description": "How to identify oneself (RFC 6750 section 3).",
        "required": True,
        "schema": _TEXT,
        "example": 'Bearer realm="cekal"',
    },
    "X-Request-Id": {
        "description": "The request's id, as it was sent in a header of this name or made here; the operator finds the "
        "request by it.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$", "maxLength": 128},
        "example": "5f2b7c0e9d1a4b3c8e7f6a5b4c3d2e1f",
    },
}
"""The headers of answers that a client may act on, by name."""

_OF_STATUS: Final = {
    "401": ("WWW-Authenticate",),
    "416": ("Accept-Ranges", "Content-Range"),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}
_OF_QUOTAS: Final = ("RateLimit", "RateLimit-Policy")


def reference(name: str) -> Json:
    """Return the OpenAPI reference (`$ref`) to the description of the header with this name.

    Raises:
        KeyError: the header is not in `COMPONENTS`.
    """
    assert COMPONENTS[name]
    return {"$ref": f"#/components/headers/{name}"}


def carrying(status: int, *names: str) -> dict[int | str, Json]:
    """Return a value for a route's argument `responses`: an answer of this status always has the named headers.

    Raises:
        KeyError: a header is not in `COMPONENTS`.
    """
    return {status: {"headers": {name: reference(name) for name in names}}}


def complete(operation: Json, method: str, *, quota: bool) -> None:
    """Complete the headers in an operation of the OpenAPI document; changes the operation.

    Request headers get their usual spelling, and `Idempotency-Key` stays with `post` only. Each answer gets the headers
    that the service adds to every answer of its status.

    Args:
        operation: the operation, with its parameters and responses.
        method: its method in lower case.
        quota: whether the operation's requests use a quota, so that its answers have the quota's headers.

    Raises:
        KeyError: this module does not know a header of the operation's requests or answers.
    """
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "header":
            parameter["name"] = _SPELLED[parameter["name"].lower()]
    if method != "post":  # the idempotency key has no effect elsewhere
        parameters[:] = [each for each in parameters if each["name"] != "Idempotency-Key"]
    if not parameters:
        operation.pop("parameters", None)
    once = any(each["name"] == "Idempotency-Key" for each in parameters)
    for status, answer in operation["responses"].items():
        names = ["X-Request-Id", *answer.get("headers", ()), *_OF_STATUS.get(status, ())]
        if quota:
            names += _OF_QUOTAS
        if once and status.startswith("2"):
            names.append("Idempotency-Replayed")
        if "idempotency-in-flight" in _examples(answer):
            names.append("Retry-After")
        answer["headers"] = {name: reference(name) for name in sorted(names)}


def _examples(answer: Json) -> set[str]:
    return {name for each in answer.get("content", {}).values() for name in each.get("examples", ())}
