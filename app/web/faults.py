"""Conversion of validation errors to faults with RFC 6901 pointers, without the values that were sent.

Pydantic and msgspec each describe the location of an error in their own form, and often quote the value. Here the
location becomes a JSON pointer into the body as sent, and messages with quotes are replaced.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pydantic

from app.errors import Fault

PARAMETERS = frozenset({"path", "query", "header", "cookie"})
"""The locations of faults outside the body, as OpenAPI's values of `in`."""

_NOT_VALID = "The value is not valid."
_REQUIRED = "This member is required."
_UNKNOWN = "This member is not known here."
_NO_OBJECT = "A JSON object belongs here."
_CODES = {
    "extra_forbidden": "unknown_member",
    "model_attributes_type": "object_type",
    "model_type": "object_type",
    "value_error": "invalid_value",
    "assertion_error": "invalid_value",
}
_DETAILS = {
    "missing": _REQUIRED,
    "extra_forbidden": _UNKNOWN,
    "model_type": _NO_OBJECT,
    "model_attributes_type": _NO_OBJECT,
}
"""Replacements for messages that quote the input or mention Python's classes."""

_PYTHONS_DAY = re.compile(r"datetime\.date\((\d+), (\d+), (\d+)\)")
_QUOTING = frozenset({"uuid_parsing", "url_parsing", "url_syntax_violation", "import_error"})
_LONGEST_PART = 64
_LONG_ENOUGH_TO_TELL = 3
_ABSENT = object()

Part = str | int


def pointer_to(parts: Iterable[Part]) -> str:
    """Return the RFC 6901 pointer for a path of member names and array positions.

    If a name has more than 64 characters, the pointer ends before it.
    """
    pointer = ""
    for part in parts:
        name = str(part)
        if len(name) > _LONGEST_PART:
            break
        pointer += "/" + name.replace("~", "~0").replace("/", "~1")
    return pointer


def in_request(errors: Sequence[Any], body: Any) -> list[dict[str, str]]:
    """Return the faults of a request that FastAPI refused, each as a dict for the `errors` of a problem document.

    Args:
        errors: the list from `RequestValidationError.errors()`.
        body: the parsed body as it was sent, or None.

    Returns:
        Dicts of `pointer`, `code`, `detail`, and for a parameter also `in` and `name`; each fault once.
    """
    found: list[dict[str, str]] = []
    for error in errors:
        where, *parts = error["loc"] or ("body",)
        if where in PARAMETERS:
            name = ".".join(map(str, parts))[:_LONGEST_PART]
            detail = f"The {where} parameter {name}: {_detail(error, required='a value is required.')}"
            found.append({"pointer": "", "code": _code(error), "detail": detail, "in": where, "name": name})
        else:
            found.append(as_member(_fault(error, parts, body)))
    return [fault for position, fault in enumerate(found) if fault not in found[:position]]


def in_body(error: pydantic.ValidationError | msgspec.ValidationError, body: Any = None) -> tuple[Fault, ...]:
    """Return the faults of a body that Pydantic or msgspec refused outside FastAPI, to be raised as `errors.Invalid`.

    Args:
        error: the validator's exception.
        body: the parsed body. Without it, a pointer into a member with several models (a union) may have extra parts.
    """
    if isinstance(error, pydantic.ValidationError):
        listed = error.errors(include_url=False)
        return tuple(_fault(each, each["loc"], body) for each in listed)
    return (_from_msgspec(str(error)),)


def as_member(fault: Fault) -> dict[str, str]:
    """Return a fault as an item of a problem document's `errors`: `pointer`, `code` and `detail`."""
    return {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail}


def _fault(error: Mapping[str, Any], parts: Sequence[Part], body: Any) -> Fault:
    place = _place(error, parts, body)
    if error["type"] == "missing" and not place:
        return Fault("", "missing", "A body is required.")
    return Fault(pointer_to(place), _code(error), _detail(error, required=_REQUIRED))


def _code(error: Mapping[str, Any]) -> str:
    code: str = error["type"]
    if code == "too_long" and isinstance(error.get("input"), str):
        return "string_too_long"
    return _CODES.get(code, code)


def _detail(error: Mapping[str, Any], *, required: str) -> str:
    """Return the validator's message, or a replacement if it quotes the input."""
    kind, context = error["type"], error.get("ctx", {})
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    message = _PYTHONS_DAY.sub(lambda day: "{:04}-{:02}-{:02}".format(*map(int, day.groups())), message)
    if kind == "missing":
        return required
    if kind == "too_long" and isinstance(error.get("input"), str):  # of "items", though a text has characters
        return f"String should have at most {context['max_length']} characters."
    if kind == "union_tag_invalid":
        return f"{context['discriminator']} must be one of {context['expected_tags']}."
    if kind in _QUOTING or (kind in _CODES and _quotes(message, error.get("input"))):
        return _NOT_VALID
    return _DETAILS.get(kind) or message.rstrip(".") + "."


def _quotes(message: str, value: Any) -> bool:
    """Return whether the message contains a text or number of the value, at any depth."""
    left = [value]
    while left:
        match left.pop():
            case str() as text if len(text) >= _LONG_ENOUGH_TO_TELL and text in message:
                return True
            case str() | bool() | None:
                pass
            case Mapping() as members:
                left += members.values()
            case list() | tuple() as parts:
                left += parts
            case other if str(other) in message:
                return True
    return False


def _place(error: Mapping[str, Any], parts: Sequence[Part], body: Any) -> Sequence[Part]:
    """Return the path in the body as sent: Pydantic's `loc` without the tags of unions and validators.

    A tag can equal the name of a member (`{"kind": "extension", "extension": {…}}`). Therefore, of the possible paths,
    the first one that leads to the value in Pydantic's error is used.
    """
    if body is None:
        return [part for part in parts if isinstance(part, int) or part.isidentifier()]
    readings = list(_readings(body, tuple(parts), missing=error["type"] == "missing"))
    for path, end in readings:
        if end is error.get("input"):
            return path
    return readings[0][0]


def _readings(value: Any, parts: tuple[Part, ...], *, missing: bool) -> Iterator[tuple[list[Part], Any]]:
    if not parts:
        yield [], value
        return
    head, rest = parts[0], parts[1:]
    if missing and not rest:
        yield [head], value
        return
    child = _child(value, head)
    if child is not _ABSENT:
        for path, end in _readings(child, rest, missing=missing):
            yield [head, *path], end
    yield from _readings(value, rest, missing=missing)


def _child(value: Any, part: Part) -> Any:
    if isinstance(value, Mapping):
        return value.get(part, _ABSENT)
    if isinstance(value, list) and isinstance(part, int) and 0 <= part < len(value):
        return value[part]
    return _ABSENT


_AT = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_EXTRA = re.compile(r"Object contains unknown field `([^`]+)`")
_HARMLESS = re.compile(r"Expected `[^`]+`(?:, got `[^`]+`|.*(?:length|[<>]=?|regex|multiple).*)$")


def _from_msgspec(message: str) -> Fault:
    """Parse msgspec's message into a fault; a message is, for example, ``Expected `str`, got `int` - at `$.mrz` ``."""
    at = _AT.search(message)
    wording = message[: at.start()] if at else message
    path: list[Part] = []
    if at:
        for name, index in _STEP.findall(at["path"].partition("[...]")[0]):
            path.append(int(index) if index else name)
    if missing := _MISSING.match(wording):
        return Fault(pointer_to([*path, missing[1]]), "missing", _REQUIRED)
    if extra := _EXTRA.match(wording):
        return Fault(pointer_to([*path, extra[1]]), "unknown_member", _UNKNOWN)
    if wording.startswith("Invalid enum value"):
        return Fault(pointer_to(path), "enum", "The value is none of those allowed here.")
    if _HARMLESS.match(wording):
        code = "type" if ", got `" in wording else "constraint"
        return Fault(pointer_to(path), code, wording.replace("`", "") + ".")
    return Fault(pointer_to(path), "invalid_value", _NOT_VALID)
