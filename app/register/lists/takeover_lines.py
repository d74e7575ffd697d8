"""Reader of the lines of an older register's file: NDJSON of any size, read in batches of bounded size."""

import hashlib
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import msgspec

from app.kit import json_text
from app.register.entries.listing import Key

STEP_BYTES: Final = 8 * 1024 * 1024
"""Maximum size of the lines in memory at once, in bytes; lines with photos are long."""

LONGEST_LINE: Final = 3 * 1024 * 1024
"""Maximum length of a line in bytes: twice the size of a 1 MiB photo in base64 with all other data."""


class NotNdjson(ValueError):
    """The file does not look like NDJSON: none of its first lines is a JSON object; nothing of it is imported."""


class _Head(msgspec.Struct):
    """The members that identify a line, where they are well-formed."""

    agency: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    reference: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,200}$")]


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line of the file.

    Attributes:
        number: its number, from 1.
        text: the text without the end of line; empty where the line is too long.
        head: agency and reference of the line; None where the line is no object, or has no valid key.
    """

    number: int
    text: bytes
    head: _Head | None

    @property
    def where(self) -> str:
        """The line's position in words: "line 7"."""
        return f"line {self.number}"

    @property
    def name(self) -> str:
        """The line's name in the report: its reference in the older register, else its position."""
        return self.head.reference if self.head else self.where

    @property
    def key(self) -> Key:
        """The line's key in the register: its source and reference. Two empty texts if the line has no valid key."""
        return (origin_of(self.head.agency), self.head.reference.strip()) if self.head else ("", "")

    @property
    def digest(self) -> str:
        """SHA-256 of the line in hexadecimal; it shows whether the line has changed."""
        return hashlib.sha256(self.text).hexdigest()


def origin_of(agency: str) -> str:
    """Return the name of the source of entries from an agency's older register: `takeover:` and the agency's code."""
    return f"takeover:{agency}"


def lines_of(file: BinaryIO) -> Iterator[RawLine]:
    """Yield the lines that are not blank; a line of more than `LONGEST_LINE` bytes is yielded with an empty text."""
    number = 0
    while text := file.readline(LONGEST_LINE):
        number += 1
        if len(text) < LONGEST_LINE or text.endswith(b"\n"):
            content = text.removeprefix(BOM_UTF8).strip() if number == 1 else text.strip()
            if content:
                yield RawLine(number, content, _head(content))
            continue
        while text and not text.endswith(b"\n"):
            text = file.readline(LONGEST_LINE)
        yield RawLine(number, b"", None)


def _head(text: bytes) -> _Head | None:
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_head(text)
    return None


_decode_head = msgspec.json.Decoder(_Head).decode


def steps_of(file: BinaryIO, most: Callable[[], int]) -> Iterator[list[RawLine]]:
    """Yield the lines in lists of at most `STEP_BYTES`; no key occurs twice in a list.

    `most` is a function that returns the maximum number of lines in a list. It is called before each line, so that the
    maximum may change while the file is read. A list may have several lines without a valid key.
    """
    step: list[RawLine] = []
    keys: set[Key] = set()
    size = 0
    for line in lines_of(file):
        if len(step) >= most() or size + len(line.text) > STEP_BYTES or (line.head and line.key in keys):
            yield step
            step, keys, size = [], set(), 0
        step.append(line)
        keys.add(line.key)
        size += len(line.text)
    if step:
        yield step


def expect_objects(lines: Iterable[RawLine], path: Path) -> None:
    """Raise `NotNdjson` unless at least one of the lines is a JSON object; `path` is named in the error.

    Raises:
        NotNdjson: no line is a JSON object.
    """
    for line in lines:
        with suppress(json_text.NotJson):
            if line.head is not None or isinstance(json_text.read(line.text), dict):
                return
    raise NotNdjson(f"{path.name} is no NDJSON: it should hold an object of JSON on each line.")
