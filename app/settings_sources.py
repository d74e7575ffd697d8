"""Reading of settings from the environment and from the file that CEKAL_SETTINGS names; unknown names are refused."""

import os
import types
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

import msgspec
from dotenv.parser import parse_stream
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from app.kit.redaction import redact_text
from app.settings import Settings

FILE: Final = "CEKAL_SETTINGS"
_HIDDEN: Final = "(hidden)"


class Source(StrEnum):
    """The source of a setting's value."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"


@dataclass(frozen=True, slots=True)
class SettingValue:
    """A setting with its value in this environment.

    Attributes:
        name: the environment variable.
        value: the value in force, as written in the environment; a secret is hidden.
        source: the source of the value.
        default: the value without a setting, as written in the environment.
        values: a description of the accepted values.
        meaning: a description of the setting's effect.
    """

    name: str
    value: str
    source: Source
    default: str
    values: str
    meaning: str


def load_settings(**given: object) -> Settings:
    """Load settings from the environment, the file named by CEKAL_SETTINGS, and arguments, which take precedence.

    `given` has values by the names of the fields of `Settings`, such as `data_dir`.

    Raises:
        pydantic.ValidationError: a value is wrong.
        ValueError: a `CEKAL_…` variable, or a line of the file, is no setting.
        FileNotFoundError: the file named by CEKAL_SETTINGS does not exist.
    """
    path = _file()
    _named_in(path)
    known = {*_NAMES, FILE}
    unknown = sorted(name for name in os.environ if name.startswith("CEKAL_") and name not in known)
    if unknown:
        raise ValueError(f"unknown settings in the environment: {', '.join(unknown)}{_meant(unknown[0])}")
    return Settings(_env_file=path, **given)  # type: ignore[arg-type]  # pydantic-settings' own argument


def list_settings() -> list[SettingValue]:
    """Return every setting, in the order of declaration, with its value in this environment and its source.

    Raises:
        pydantic.ValidationError: a value is wrong.
        ValueError: a `CEKAL_…` variable, or a line of the file, is no setting.
        FileNotFoundError: the file named by CEKAL_SETTINGS does not exist.
    """
    settings = load_settings()
    in_file = _named_in(_file())
    return [
        SettingValue(
            name=name,
            value=_written(getattr(settings, field)),
            source=_source(name, in_file),
            default=_written(info.get_default(call_default_factory=True)),
            values=_values(info),
            meaning=info.description or "",
        )
        for name, (field, info) in _NAMES.items()
    ]


_NAMES: Final = {f"CEKAL_{field.upper()}": (field, info) for field, info in Settings.model_fields.items()}


def _file() -> Path | None:
    path = os.environ.get(FILE)
    if not path:
        return None
    if not Path(path).is_file():
        raise FileNotFoundError(f"the settings file {path} is not there")
    return Path(path)


def _named_in(path: Path | None) -> set[str]:
    """Return the settings that a file contains.

    Raises:
        ValueError: a line of the file is not a setting, or repeats one.
    """
    if path is None:
        return set()
    named: set[str] = set()
    with path.open(encoding="utf-8") as lines:
        for line in parse_stream(lines):
            name, where = (line.key or "").upper(), f"{path}, line {line.original.line}"
            if line.error:
                raise ValueError(f"{where}: no setting is written like this; one is NAME=value")
            if not name:
                continue
            if name not in _NAMES:
                raise ValueError(f"{where}: {line.key} is no setting{_meant(name)}")
            if name in named:
                raise ValueError(f"{where}: {line.key} was set above already")
            named.add(name)
    return named


def _meant(name: str) -> str:
    close = [f"CEKAL_{name}"] if f"CEKAL_{name}" in _NAMES else get_close_matches(name, _NAMES, 1, 0.8)
    return f"; {close[0]} is one" if close else ""


def _source(name: str, in_file: set[str]) -> Source:
    if any(each.upper() == name and value for each, value in os.environ.items()):
        return Source.ENVIRONMENT
    return Source.FILE if name in in_file else Source.DEFAULT


def _written(value: Any) -> str:
    """Return a value as it would be written in the environment; empty for None."""
    if isinstance(value, SecretStr):
        return _HIDDEN
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return msgspec.json.encode(value).decode() if value else ""
    if isinstance(value, frozenset):
        return ",".join(sorted(map(str, value)))
    if isinstance(value, tuple):
        return ("|" if all(isinstance(each, str) for each in value) else ",").join(map(str, value))
    return "" if value is None else redact_text(str(value))


def _values(info: FieldInfo) -> str:
    return ", ".join([_kind(info.annotation), *_bounds(info)])


def _kind(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Literal:
        return " or ".join(map(str, get_args(annotation)))
    if origin in {Union, types.UnionType}:
        return _kind(next(each for each in get_args(annotation) if each is not type(None)))
    kinds = {
        bool: "true or false",
        int: "whole number",
        float: "number",
        dict: "JSON object",
        Path: "path",
        frozenset: "list",
        tuple: "list",
    }
    return kinds.get(origin or annotation, "text")


def _bounds(info: FieldInfo) -> Iterator[str]:
    words = {"ge": "at least", "gt": "more than", "le": "at most"}
    for each in info.metadata:
        for bound, words_of in words.items():
            if (limit := getattr(each, bound, None)) is not None:
                yield f"{words_of} {limit:g}"
