"""What validators found, as faults with RFC 6901 pointers; never with a value that was sent.

Pydantic and msgspec both tell where a value is wrong in their own way, and both like to quote it. Here
the place becomes a JSON pointer into the body as it was sent, and quoting messages are replaced.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pydantic

from app.errors import Fault

PARAMETERS = frozenset({"path", "query", "header", "cookie"})
"""Where a fault may lie outside the body; OpenAPI's words for `in`."""

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
"""Sentences in place of those that quote, or speak of Python's classes."""

_PYTHONS_DAY = re.compile(r"datetime\.date\((\d+), (\d+), (\d+)\)")
_QUOTING = frozenset({"uuid_parsing", "url_parsing", "url_syntax_violation", "import_error"})
_LONGEST_PART = 64
_LONG_ENOUGH_TO_TELL = 3
_ABSENT = object()

Part = str | int


def pointer_to(parts: Iterable[Part]) -> str:
    """The RFC 6901 pointer of a path of member names and array positions; stops before an overlong name."""
    pointer = ""
    for part in parts:
        name = str(part)
        if len(name) > _LONGEST_PART:
            break
        pointer += "/" + name.replace("~", "~0").replace("/", "~1")
    return pointer


def in_request(errors: Sequence[Any], body: Any) -> list[dict[str, str]]:
    """The faults of a request that FastAPI refused, as members of a problem document.

    Args:
        errors: what `RequestValidationError.errors()` lists.
        body: the parsed body as it was sent, or None.

    Returns:
        `pointer`, `code`, `detail`, and for a parameter also `in` and `name`; each fault once.
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
    """The faults of a body that was validated by hand, for an `errors.Invalid`.

    Args:
        error: what the validator raised.
        body: the parsed body, where the caller has it: it makes the pointers of unions exact.
    """
    if isinstance(error, pydantic.ValidationError):
        listed = error.errors(include_url=False)
        return tuple(_fault(each, each["loc"], body) for each in listed)
    return (_from_msgspec(str(error)),)


def as_member(fault: Fault) -> dict[str, str]:
    """A fault as an item of a problem document's `errors`."""
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
    """The validator's sentence, unless it quotes the input."""
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
    """Whether the message holds a text or number that was sent."""
    match value:
        case str():
            return len(value) >= _LONG_ENOUGH_TO_TELL and value in message
        case bool() | None:
            return False
        case int() | float():
            return str(value) in message
        case Mapping():
            return any(_quotes(message, each) for each in value.values())
        case list() | tuple():
            return any(_quotes(message, each) for each in value)
        case _:
            return str(value) in message


def _place(error: Mapping[str, Any], parts: Sequence[Part], body: Any) -> Sequence[Part]:
    """The path in the body as sent: Pydantic's `loc` without the tags of unions and validators in it.

    A tag may bear the name of a member (`{"kind": "extension", "extension": {…}}`), so of the possible
    readings the first that ends at the very value Pydantic complained of is right.
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
    """The fault in msgspec's one message, such as ``Expected `str`, got `int` - at `$.mrz` ``."""
    at = _AT.search(message)
    said = message[: at.start()] if at else message
    path: list[Part] = []
    if at:
        for name, index in _STEP.findall(at["path"].partition("[...]")[0]):
            path.append(int(index) if index else name)
    if missing := _MISSING.match(said):
        return Fault(pointer_to([*path, missing[1]]), "missing", _REQUIRED)
    if extra := _EXTRA.match(said):
        return Fault(pointer_to([*path, extra[1]]), "unknown_member", _UNKNOWN)
    if said.startswith("Invalid enum value"):
        return Fault(pointer_to(path), "enum", "The value is none of those allowed here.")
    if _HARMLESS.match(said):
        code = "type" if ", got `" in said else "constraint"
        return Fault(pointer_to(path), code, said.replace("`", "") + ".")
    return Fault(pointer_to(path), "invalid_value", _NOT_VALID)
