"""Pages generated from the OpenAPI document: the data dictionary, the code lists, the errors.

All contents come from the OpenAPI document and from the catalogue of problems, so that the pages always agree with the
program.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from app.web.catalogue import CATALOGUE

Json = dict[str, Any]

_REFERENCE: Final = "#/components/schemas/"
_METHODS: Final = ("get", "post", "put", "patch", "delete")
_LARGEST: Final = 2**53 - 1
"""The largest whole number in the document; the pages omit this limit."""
_EVERYWHERE: Final = 12
"""Number of calls above which a page has "many calls" instead of listing them."""


@dataclass(frozen=True, slots=True)
class CodeList:
    """A code list: the fixed values of a member of the API.

    Attributes:
        name: the name of the list's schema; for a list without a schema, the name of the first member that uses it.
        meaning: the description of the list's schema; "" without a schema.
        values: the values, in the document's order.
        members: the members that use the list, such as `CheckOut.action`.
    """

    name: str
    meaning: str
    values: tuple[str, ...]
    members: tuple[str, ...]


def code_lists(document: Json) -> list[CodeList]:
    """Return all code lists of the OpenAPI document, sorted by name; a list that several members share occurs once."""
    schemas: Json = document["components"]["schemas"]
    used: dict[str, set[str]] = defaultdict(set)
    unnamed: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for place, schema in _places(document):
        for part in _parts(schema):
            if "$ref" in part:
                used[part["$ref"].removeprefix(_REFERENCE)].add(place)
            elif len(part.get("enum", ())) > 1:
                unnamed[tuple(map(str, part["enum"]))].add(place)
    found = [
        CodeList(name, _line(schema["description"]), tuple(schema["enum"]), tuple(sorted(used[name])))
        for name, schema in schemas.items()
        if "enum" in schema
    ]
    for values, places in unnamed.items():
        members = tuple(sorted(places))
        found.append(CodeList(members[0], "", values, members))
    return sorted(found, key=lambda each: each.name)


def code_lists_csv(document: Json) -> str:
    """Return the code lists of the OpenAPI document as CSV.

    Each value has a line: the name of its list, the value, and the members of the API that use the list.
    """
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(("list", "value", "members"))
    for each in code_lists(document):
        lines.writerows((each.name, value, " ".join(each.members)) for value in each.values)
    return written.getvalue()


def dictionary(document: Json) -> str:
    """Return the data dictionary of the OpenAPI document in Markdown: code lists, then each object with its members."""
    schemas: Json = document["components"]["schemas"]
    out = [_DICTIONARY_HEAD.format(version=document["info"]["version"]), "## Code lists", ""]
    out += ["| list | words | used by |", "| --- | --- | --- |"]
    for each in code_lists(document):
        words = " ".join(f"`{value}`" for value in each.values)
        meaning = f"<br>{_cell(each.meaning)}" if each.meaning else ""
        out.append(f"| `{each.name}`{meaning} | {words} | {_named(each.members)} |")
    calls, parents = _calls_by_schema(document), _parents(schemas)
    for title, is_sent in (("What is sent", True), ("What is answered", False)):
        out += ["", f"## {title}"]
        for name, schema in sorted(schemas.items()):
            if schema["type"] == "object" and name.endswith("In") is is_sent:
                out += ["", *_object(name, schema, [*calls[name], *sorted(parents[name])])]
    return "\n".join(out) + "\n"


def errors(document: Json) -> str:
    """Return the page of all problems in the OpenAPI document, in Markdown.

    Each problem has its status, cause and remedy, and the calls that answer with it.
    """
    calls: dict[str, list[str]] = defaultdict(list)
    for path, method, operation in _operations(document):
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/problem+json", {})
            for slug in content.get("examples", {}):
                calls[slug].append(f"{method} {path}")
    kinds = sorted(CATALOGUE.values(), key=lambda kind: (kind.status, kind.slug))
    out = [_ERRORS_HEAD, "| status | problems |", "| --- | --- |"]
    for status in dict.fromkeys(kind.status for kind in kinds):
        slugs = (f"[`{kind.slug}`](#{kind.slug})" for kind in kinds if kind.status == status)
        out.append(f"| {status} | {' '.join(slugs)} |")
    for kind in kinds:
        out += ["", f"## {kind.slug}", "", f"{kind.status}: **{kind.title}** (*{kind.title_id}*)", ""]
        out += [f"- Cause: {kind.cause}", f"- Remedy: {kind.remedy}"]
        out += [f"- Answered by: {_named_or_counted(calls[kind.slug]) or 'any call'}."]
    return "\n".join(out) + "\n"


def _object(name: str, schema: Json, where: list[str]) -> Iterator[str]:
    yield from (f"### {name}", "", _line(schema["description"]), "", f"In {_named_or_counted(where)}.", "")
    yield from ("| member | type | | meaning |", "| --- | --- | --- | --- |")
    required = set(schema.get("required", ()))
    for member, described in schema.get("properties", {}).items():
        needed = "required" if member in required else _default(described)
        meaning = _cell(_line(described.get("description", "")))
        yield f"| `{member}` | {_type(described)} | {needed} | {meaning} |"


def _operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield path, method.upper(), item[method]


def _members(schemas: Json) -> Iterator[tuple[str, str, Json]]:
    for name, schema in schemas.items():
        for member, described in schema.get("properties", {}).items():
            yield name, member, described


def _places(document: Json) -> Iterator[tuple[str, Json]]:
    """Yield every member of an object and every parameter of a call."""
    for name, member, schema in _members(document["components"]["schemas"]):
        yield f"{name}.{member}", schema
    for path, method, operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            yield f"{method} {path} ?{parameter['name']}", parameter["schema"]


def _parts(schema: Any) -> Iterator[Json]:
    """Yield a schema and every schema nested in it, without following references."""
    if not isinstance(schema, dict):
        return
    yield schema
    for key in ("anyOf", "oneOf", "allOf"):
        for each in schema.get(key, ()):
            yield from _parts(each)
    for key in ("items", "additionalProperties"):
        yield from _parts(schema.get(key))


def _parents(schemas: Json) -> dict[str, set[str]]:
    parents: dict[str, set[str]] = defaultdict(set)
    for name, member, schema in _members(schemas):
        for part in _parts(schema):
            if "$ref" in part:
                parents[part["$ref"].removeprefix(_REFERENCE)].add(f"{name}.{member}")
    return parents


def _calls_by_schema(document: Json) -> dict[str, list[str]]:
    calls: dict[str, list[str]] = defaultdict(list)
    for path, method, operation in _operations(document):
        asked = operation.get("requestBody", {}).get("content", {})
        answers = (each.get("content", {}) for each in operation["responses"].values())
        used = {
            part["$ref"].removeprefix(_REFERENCE)
            for content in (asked, *answers)
            for media in content.values()
            for part in _parts(media.get("schema"))
            if "$ref" in part
        }
        for name in used:
            calls[name].append(f"{method} {path}")
    return calls


def _type(schema: Json) -> str:
    """Return a short description of a member's type and limits."""
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return " or ".join(dict.fromkeys(_type(each) for each in choices))
    if "$ref" in schema:
        return f"`{schema['$ref'].removeprefix(_REFERENCE)}`"
    words = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    return " ".join(f"`{word}`" for word in words) or _cell(_kind(schema))


def _kind(schema: Json) -> str:
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        most = f", at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"list of {_type(schema.get('items', {}))}{most}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    return f"{kind}{_limits(schema)}"


def _limits(schema: Json) -> str:
    limits = []
    if schema.get("format") not in {None, "int32", "int64", "double"}:
        limits.append(schema["format"])
    if "maxLength" in schema:
        limits.append(f"at most {schema['maxLength']} characters")
    if schema.get("minimum") is not None and schema.get("maximum", _LARGEST) < _LARGEST:
        limits.append(f"{schema['minimum']} to {schema['maximum']}")
    elif schema.get("minimum"):
        limits.append(f"at least {schema['minimum']}")
    if "pattern" in schema:
        limits.append(f"`{schema['pattern']}`")
    return f", {', '.join(limits)}" if limits else ""


def _default(schema: Json) -> str:
    if schema.get("default") in (None, [], {}, ""):
        return ""
    return _cell(f"default `{str(schema['default']).lower()}`")


def _named(places: Iterable[str]) -> str:
    return ", ".join(f"`{place}`" for place in places)


def _named_or_counted(calls: list[str]) -> str:
    return f"{len(calls)} calls" if len(calls) > _EVERYWHERE else _named(calls)


def _line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


def _cell(text: str) -> str:
    return text.replace("|", "&#124;")


_DICTIONARY_HEAD: Final = """\
# Data dictionary

Every object that the API takes or answers with, version {version} of its document, and every fixed list of words.

- Unknown members in a request are refused; a member of an answer is always there, `null` where nothing is known.
- `date-time` is RFC 3339 in UTC; `date` is a legal day in Asia/Jakarta, the last day included.
- What is not `required` in a request may be left out, or be `null` where its type allows that.
- Countries are ICAO Doc 9303's codes of three letters; agencies, offices and checkpoints are data of the register:
  `GET /v1/agencies`, `/v1/offices`, `/v1/checkpoints`.

The same lists for a machine are in [code-lists.csv](code-lists.csv). This page is printed by
`cekal openapi --dictionary` and the lists by `cekal openapi --code-lists`, from the OpenAPI document; a test holds both
to it.
"""

_ERRORS_HEAD: Final = """\
# Errors

Every answer of 400 or more is a problem document (RFC 9457, `application/problem+json`). `type` is `/problems/<slug>`,
a path of the service with cause and remedy; `title` is English, `title_id` Indonesian; `detail` says
what happened this time; `errors` lists every fault with a JSON pointer into the body; `request_id` is what the operator
finds in the log. Act on `type` and on the codes in `errors`, never on a text.

| status | what a program does |
| --- | --- |
| 400, 413, 415, 422, 431 | corrects the request; the same one is refused again |
| 401 | stops and has its key replaced |
| 403, 404, 405, 406 | stops: it is not for this key, not there, or not in the form that `Accept` asks for |
| 408, 429, 503 | repeats it after `Retry-After` seconds where the answer has them; a POST with its `Idempotency-Key` |
| 409 | reads the thing again, and a person decides; `idempotency-in-flight` is repeated after `Retry-After` |
| 410 | begins anew without its cursor, at the path that `restart` names |
| 416 | asks for a range within the file, or for all of it |
| 412, 428 | reads the thing again and sends `If-Match` with its present version |
| 500 | repeats later, and gives `request_id` to the operator |

This page is printed by `cekal openapi --errors`, from the catalogue of problems and the OpenAPI document; a test holds
it to them.
"""
