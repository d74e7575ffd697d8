"""Labelled sets, read from files to evaluate the matching: pairs of names, or queries with the entry to be found.

A malformed file is refused with the line and its fault; the rows of a set never leave this process.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import msgspec

from app.identity.births import Birth, BirthUnreadable
from app.kit import json_text

Kind = Literal["pairs", "mrz_pairs", "queries"]
"""The kind of a labelled set; in `mrz_pairs` one name of each pair is the field of names of a machine-readable zone."""

_COLUMNS: Final[dict[Kind, frozenset[str]]] = {
    "pairs": frozenset({"name_query", "name_entry", "label"}),
    "mrz_pairs": frozenset({"mrz_name_field", "name_entry", "label"}),
    "queries": frozenset({"name", "expected_id"}),
}
_LONGEST_FIELD: Final = 100_000
_DATE: Final = re.compile(r"([0-9]{4})(?:-?([0-9]{2})(?:-?([0-9]{2}))?)?").fullmatch


class NotLabelled(ValueError):
    """Raised if a file can't be read as a labelled set; the message names the file, and the line if it is known."""


class Pair(msgspec.Struct, frozen=True):
    """A labelled pair: two names, and whether they belong to one person.

    Attributes:
        set: name of the set to which the pair belongs.
        category: name of its category in the set.
        queried, listed: the traveller's name, and the name in the list.
        same: whether both names belong to one person.
        queried_births, listed_births: the births that go with each name.
        cut: whether the end of the traveller's name may be missing, because it filled its field in the passport.
    """

    set: str
    category: str
    queried: str
    listed: str
    same: bool
    queried_births: tuple[Birth, ...] = ()
    listed_births: tuple[Birth, ...] = ()
    cut: bool = False


class Query(msgspec.Struct, frozen=True):
    """A name to look up, and the entry that should be found.

    Attributes:
        set: name of the set to which the query belongs.
        category: name of its category in the set.
        expected: id of the entry that should be found.
        without_own: whether names of the expected entry that equal the query are ignored, so that the entry must be
            found by its other names.
    """

    set: str
    category: str
    name: str
    births: tuple[Birth, ...]
    expected: str
    without_own: bool


class ListedRow(msgspec.Struct, frozen=True):
    """An entry of the list in which queries are looked up."""

    id: str
    names: tuple[str, ...]
    births: tuple[Birth, ...]


class _WrittenRow(msgspec.Struct):
    """An entry of a list as written in the file; other members are ignored."""

    id: str
    names: list[str]
    dob: list[str] | None = None

    def read(self) -> ListedRow:
        """Read its dates."""
        births = tuple(birth for date in self.dob or () for birth in births_of(date))
        return ListedRow(self.id, tuple(self.names), births)


def kind_of(path: Path) -> Kind:
    """Return the kind of a labelled set in a CSV file, by its first line: `pairs`, `mrz_pairs` or `queries`.

    Raises:
        NotLabelled: the first line lacks columns of every kind, or the file is no CSV in UTF-8.
        OSError: the file can't be opened.
    """
    columns = frozenset(next(_rows(path, header=True))[1])
    for kind, needed in _COLUMNS.items():
        if needed <= columns:
            return kind
    required_columns = "; or ".join(", ".join(sorted(needed)) for needed in _COLUMNS.values())
    raise NotLabelled(f"{path}: the first line must name these columns: {required_columns}.")


def read_pairs(path: Path) -> list[Pair]:
    """Return the labelled pairs in a CSV file of the kind `pairs` or `mrz_pairs`, in the order of the file.

    Raises:
        NotLabelled: the columns or a line are wrong; the message names the line.
        OSError: the file can't be opened.
    """
    zone = kind_of(path) == "mrz_pairs"
    pairs = []
    for line, row in _rows(path):
        label = row["label"].strip()
        if label not in {"0", "1"}:
            raise NotLabelled(
                f"{path}: line {line}: label must be 1 (same person) or 0 (not), not {label[:20]!r}."
            )
        field = row["mrz_name_field"] if zone else ""
        pairs.append(
            Pair(
                set=row.get("set") or path.stem,
                category=row.get("category", ""),
                queried=field.replace("<", " ") if zone else row["name_query"],
                listed=row["name_entry"],
                same=label == "1",
                queried_births=births_of(row.get("dob_query", "")),
                listed_births=births_of(row.get("dob_entry", "")),
                cut=zone and not field.endswith("<<"),
            )
        )
    return pairs


def read_queries(path: Path) -> list[Query]:
    """Return the queries in a CSV file, in the order of the file; `kind_of` must have recognised its columns.

    Raises:
        NotLabelled: a line is wrong; the message names it.
        OSError: the file can't be opened.
    """
    return [
        Query(
            set=row.get("set") or path.stem,
            category=row.get("category", ""),
            name=row["name"],
            births=births_of(row.get("dob", "")),
            expected=row["expected_id"],
            without_own=row.get("mode", "") == "exclude_alias",
        )
        for _, row in _rows(path)
    ]


def read_list(path: Path) -> list[ListedRow]:
    """Return the list in which queries are looked up, in the order of the file.

    The file is NDJSON: each line has `id`, `names` and perhaps `dob` (a list of birth dates).

    Raises:
        NotLabelled: a line is wrong; the message names it.
        OSError: the file can't be opened.
    """
    entries = []
    for line, text in enumerate(_text(path).splitlines(), 1):
        if not text.strip():
            continue
        try:
            sent = json_text.read(text.encode())
            row = msgspec.convert(sent, _WrittenRow)
        except (msgspec.MsgspecError, json_text.NotJson) as error:
            raise NotLabelled(
                f'{path}: line {line} must be a JSON object like {{"id": "a1", "names": ["…"], "dob": ["1970"]}}: '
                f"{error}."
            ) from None
        if next(json_text.repeated_members(sent), None) is not None:
            raise NotLabelled(f"{path}: line {line} gives a member more than once.")
        entries.append(row.read())
    return entries


def births_of(text: str) -> tuple[Birth, ...]:
    """Return the birth in a text YYYY, YYYY-MM, YYYY-MM-DD or YYYYMMDD, as a tuple of at most one.

    If the day or the month does not exist, the rest of the date is returned; another text gives an empty tuple.
    """
    found = _DATE(text.strip())
    if not found:
        return ()
    year, month, day = found.groups()
    for parts in ((year, month, day), (year, month), (year,)):
        if all(parts):
            try:
                return (Birth(date="-".join(parts)),)
            except BirthUnreadable:
                continue
    return ()


def _rows(path: Path, *, header: bool = False) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row with its line number, or only the header if requested."""
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.DictReader(_text(path).splitlines(keepends=True), strict=True)
    try:
        columns = reader.fieldnames
        if not columns:
            raise NotLabelled(f"{path}: the file is empty.")
        if header:
            yield 1, {column: column for column in columns}
            return
        for row in reader:
            if None in row or None in row.values():
                raise NotLabelled(
                    f"{path}: line {reader.line_num} has not as many columns as the first line."
                )
            yield reader.line_num, row
    except csv.Error as error:
        raise NotLabelled(f"{path}: after line {reader.line_num}: {error}.") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotLabelled(f"{path}: not UTF-8 at byte {error.start}.") from None
