"""The schemas of the OpenAPI document: plain unique names, and a description of every member."""

import ast
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from pydantic import BaseModel

from app.web.paging import Page
from app.web.wire import WireIn, WireOut

Json = dict[str, Any]
_Texts = dict[str, dict[str, str]]
"""Texts by class and member."""

_PLAIN: Final = re.compile(r"[A-Z][A-Za-z0-9]*")
_REFERENCE: Final = "#/components/schemas/"
_LARGEST: Final = 2**53 - 1


def name_plainly(document: Json) -> None:
    """Rename every schema of the OpenAPI document to its title, with all references; changes the document.

    Client generators use the names of schemas as names of classes.

    Raises:
        ValueError: two schemas have the same title, or a title is not a plain word; the message lists them.
    """
    schemas: Json = document["components"]["schemas"]
    titled = defaultdict(list)
    for name, schema in schemas.items():
        titled[schema["title"]].append(name)
    complaints = [
        f"{title} is the title of several schemas: {', '.join(names)}"
        for title, names in titled.items()
        if len(names) > 1
    ]
    complaints += [f"{title} is no plain name of a schema" for title in titled if not _PLAIN.fullmatch(title)]
    if complaints:
        raise ValueError("; ".join(complaints))
    named = {_REFERENCE + name: _REFERENCE + schema["title"] for name, schema in schemas.items()}
    document["components"]["schemas"] = {schema["title"]: schema for schema in schemas.values()}
    _refer(document, named)


def _refer(part: Any, named: dict[str, str]) -> None:
    if isinstance(part, list):
        for each in part:
            _refer(each, named)
    elif isinstance(part, dict):
        for name, value in part.items():
            if isinstance(value, str):
                if name == "$ref" and value in named:
                    part[name] = named[value]
            else:
                _refer(value, named)
        mapping = part.get("mapping")  # of a discriminator
        if isinstance(mapping, dict):
            part["mapping"] = {kind: named.get(value, value) for kind, value in mapping.items()}


def describe_members(schemas: Json) -> None:
    """Describe each member by the text below it in its model (PEP 257, "attribute docstrings"); changes the schemas.

    A member without a text in an answer's model (`EntryOut`) gets that of the request's model (`EntryIn`). Pydantic can
    read these texts too, but when each class is created, which would lengthen a process's start by a third.
    """
    models = {model.__name__: model for base in (WireIn, WireOut) for model in _below(base)}
    sources: dict[str, _Texts] = {}
    for name, schema in schemas.items():
        request_name = name.removesuffix("Out") + "In"
        texts = {
            member: described["description"]
            for member, described in schemas.get(request_name, {}).get("properties", {}).items()
            if "description" in described
        }
        texts |= _texts(models.get(request_name), sources) | _texts(models.get(name), sources)
        if name.endswith("Page"):
            schema.setdefault("description", "One page of a list.")
            texts = _texts(Page, sources)
        for member, described in schema.get("properties", {}).items():
            if member in texts:
                described.setdefault("description", texts[member])


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from _below(each)


def _texts(model: type[BaseModel] | None, sources: dict[str, _Texts]) -> dict[str, str]:
    """Return a model's texts, inherited ones included, by the JSON names of its members."""
    if model is None:
        return {}
    found: dict[str, str] = {}
    for each in reversed(model.__mro__):
        if issubclass(each, BaseModel) and each is not BaseModel:
            if each.__module__ not in sources:
                sources[each.__module__] = _texts_of_module(each.__module__)
            found |= sources[each.__module__].get(each.__name__, {})
    return {model.model_fields[name].alias or name: text for name, text in found.items()}


def _texts_of_module(name: str) -> _Texts:
    source = inspect.getsource(sys.modules[name])
    return {
        node.name: {
            member.target.id: " ".join(text.value.value.split())
            for member, text in pairwise(node.body)
            if isinstance(member, ast.AnnAssign)
            and isinstance(member.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        }
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef)
    }


def bound_integers(part: Any) -> None:
    """Give every integer in a part of the document, at every depth, the bounds that it lacks, and a `format`.

    An integer without bounds is a count: at least 0, and at most what JSON represents exactly. Integers of fixed values
    (`const`, `enum`) stay as they are.
    """
    if isinstance(part, list):
        for each in part:
            bound_integers(each)
    elif isinstance(part, dict):
        for each in part.values():
            bound_integers(each)
        if part.get("type") == "integer" and not {"const", "enum"} & part.keys():
            least, most = part.setdefault("minimum", 0), part.setdefault("maximum", _LARGEST)
            part["format"] = "int32" if least >= -(2**31) and most < 2**31 else "int64"
