"""Checks of query parameters: known to the route, not repeated, and numbers in plain digits."""

import re
from collections.abc import Set as AbstractSet
from typing import Any, Final, get_origin

from fastapi import params
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.datastructures import QueryParams

_DIGITS = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})?")


def _whole(value: Any) -> Any:
    if isinstance(value, str) and not _DIGITS.fullmatch(value):
        raise PydanticCustomError("int_parsing", "The number is written with digits only")
    return value


def _decimal(value: Any) -> Any:
    if isinstance(value, str) and not _DECIMAL.fullmatch(value):
        raise PydanticCustomError(
            "float_parsing", "The number is written with digits, and a point if need be"
        )
    return value


WHOLE: Final = BeforeValidator(_whole)
"""Validator to add after the `Query` of an `int`: accepts only digits, not Python's other forms (`1_0`, `+5`)."""

DECIMAL: Final = BeforeValidator(_decimal)
"""Validator to add after the `Query` of a `float`: accepts only decimal digits with a point, not `1e3` or `nan`."""


def parameters_of(dependant: Dependant) -> tuple[AbstractSet[str], AbstractSet[str]]:
    """Return the names of a route's query parameters, and the names of those that are lists and may be repeated."""
    fields = [field for field in get_flat_params(dependant) if isinstance(field.field_info, params.Query)]
    lists = {field.alias for field in fields if _is_list(field.field_info.annotation)}
    return {field.alias for field in fields}, lists


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(map(_is_list, getattr(annotation, "__args__", ())))


def expect_parameters(query: QueryParams, known: AbstractSet[str], lists: AbstractSet[str]) -> None:
    """Raise RequestValidationError if a query has unknown or repeated parameters.

    If they were ignored, a misspelt filter would list everything, and the value of a repeated one would be a guess.

    Args:
        query: the request's query.
        known: the names of the route's parameters.
        lists: the names of those that may be repeated.

    Raises:
        RequestValidationError: lists each faulty parameter.
    """
    given = [name for name, _ in query.multi_items()]
    names = sorted(set(given))
    unknown = [("extra_forbidden", "", name) for name in names if name not in known]
    repeated = [
        ("repeated_parameter", "It is given more than once", name)
        for name in names
        if name in known and name not in lists and given.count(name) > 1
    ]
    if faults := [*unknown, *repeated]:
        raise RequestValidationError(
            [{"type": kind, "msg": message, "loc": ("query", name)} for kind, message, name in faults]
        )
