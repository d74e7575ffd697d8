"""The UN Security Council's consolidated list as published in XML, read into plain records.

A person is read whole or not at all, and so is the file. Nothing is invented: what the list leaves unclear
stays out, with a remark. The format is the one of the list's own schema, sc-sanctions.xsd.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

import msgspec

from app.lists.un_cells import Remark, cell
from app.lists.un_documents import ListedDocument
from app.lists.un_names import Alias, full_name_of
from app.lists.un_person import ListedPerson, digest, person_in

__all__ = [
    "Alias",
    "ListUnreadable",
    "ListedDocument",
    "ListedPerson",
    "Remark",
    "UnList",
    "UnreadablePerson",
    "digest",
    "read",
]

_ROOT: Final = "CONSOLIDATED_LIST"
_LONGEST_PIECE: Final = 65_536
"""Bytes fed to the parser at once, at most: a line, so that a fault is found on its line."""

_DAY: Final = len("YYYY-MM-DD")


class ListUnreadable(ValueError):
    """The file is no well-formed XML, or no list of the UN; nothing of it is used.

    Attributes:
        line: where it went wrong, from 1.
        column: from 1; 1 where only the line is known.
    """

    def __init__(self, fault: str, line: int, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {fault}")
        self.line = line
        self.column = column


class UnreadablePerson(msgspec.Struct, frozen=True, kw_only=True):
    """An individual left out because what makes an entry is missing.

    Attributes:
        id: its DATAID, else its reference number, else its place in the file ("individual 17").
        reason: `no_data_id`, `no_name`, `no_listing_date` or `data_id_repeated`.
    """

    id: str
    reason: str


class UnList(msgspec.Struct, frozen=True, kw_only=True):
    """An edition of the list.

    Attributes:
        generated_at: when it was generated, UTC; a later edition is a newer one.
        persons: its individuals, in file order.
        unreadable: individuals left out.
        entity_ids: DATAIDs of the listed groups and firms, which can't be entries.
    """

    generated_at: datetime
    persons: tuple[ListedPerson, ...]
    unreadable: tuple[UnreadablePerson, ...]
    entity_ids: tuple[str, ...]

    @property
    def entities(self) -> int:
        """How many groups and firms the edition lists."""
        return len(self.entity_ids)


def read(path: Path) -> UnList:
    """Read an edition of the list from a file, a person at a time.

    No document type, entity or external reference is accepted, so a hostile file can't grow or reach out.

    Raises:
        ListUnreadable: not well-formed, or something other than the list.
        OSError: the file can't be read.
    """
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser, ParseError, iterparse

    parser = DefusedXMLParser(forbid_dtd=True)
    where = parser.parser
    with path.open("rb") as file:
        lines = _ByLine(file)
        try:
            return _read(iterparse(lines, events=("start", "end"), parser=parser), lines)
        except ParseError as fault:
            line, offset = fault.position
            raise ListUnreadable(
                f"not well-formed XML: {str(fault).partition(': line')[0]}", line, offset + 1
            ) from None
        except DefusedXmlException:
            raise ListUnreadable(
                "a document type or entity declaration is not accepted",
                where.CurrentLineNumber,
                where.CurrentColumnNumber + 1,
            ) from None


class _ByLine:
    """A file that gives one line at a read, so that the parser is never ahead of the line it is on.

    Attributes:
        number: of the line last read, from 1.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.number = 1
        self._file = file
        self._ended = False

    def read(self, _size: int = -1) -> bytes:
        """Give the next line, a very long one in pieces."""
        piece = self._file.readline(_LONGEST_PIECE)
        if self._ended and piece:
            self.number += 1
        self._ended = piece.endswith(b"\n")
        return piece


class _Edition:
    """An edition being read."""

    def __init__(self) -> None:
        self.persons: dict[str, ListedPerson] = {}
        self.unreadable: list[UnreadablePerson] = []
        self.entity_ids: list[str] = []

    def take(self, element: Element) -> None:
        """Take over an INDIVIDUAL or ENTITY that is complete."""
        data_id = cell(element, "DATAID")
        if element.tag == "ENTITY":
            self.entity_ids.append(data_id or cell(element, "REFERENCE_NUMBER"))
            return
        full_name = full_name_of(element)
        listed_on = cell(element, "LISTED_ON")[:_DAY]
        if reason := self._reason_against(data_id, full_name, listed_on):
            place = f"individual {len(self.persons) + len(self.unreadable) + 1}"
            given = data_id or cell(element, "REFERENCE_NUMBER") or place
            self.unreadable.append(UnreadablePerson(id=given, reason=reason))
        else:
            self.persons[data_id] = person_in(element, data_id, full_name, listed_on)

    def _reason_against(self, data_id: str, full_name: str, listed_on: str) -> str | None:
        """Say why an individual can't be taken over, None if it can."""
        if not data_id:
            return "no_data_id"
        if data_id in self.persons:
            return "data_id_repeated"
        if not full_name:
            return "no_name"
        return None if _is_day(listed_on) else "no_listing_date"


def _read(events: Iterator[tuple[str, Element]], lines: _ByLine) -> UnList:
    """Read the file to its end; an element is dropped from memory once it is read."""
    edition = _Edition()
    generated_at = _generated_at(_root(events), lines.number)
    section: Element | None = None
    for event, element in events:
        if event == "start" and element.tag in {"INDIVIDUALS", "ENTITIES"}:
            section = element
        elif event == "end" and section is not None and element.tag in {"INDIVIDUAL", "ENTITY"}:
            edition.take(element)
            section.clear()
    if not edition.persons:
        raise ListUnreadable("the list names no individual", lines.number)
    return UnList(
        generated_at=generated_at,
        persons=tuple(edition.persons.values()),
        unreadable=tuple(edition.unreadable),
        entity_ids=tuple(edition.entity_ids),
    )


def _root(events: Iterator[tuple[str, Element]]) -> Element:
    """Give the root as it begins, its attributes known and nothing else.

    Raises:
        ListUnreadable: the file is in an encoding that can't be read.
    """
    from defusedxml.common import DefusedXmlException

    try:
        return next(events)[1]
    except DefusedXmlException:
        raise
    except (LookupError, ValueError) as fault:
        raise ListUnreadable(f"its encoding can't be read: {fault}", 1) from None


def _generated_at(root: Element, line: int) -> datetime:
    """Give the time of an edition, in UTC; a time without an offset is read as UTC.

    Raises:
        ListUnreadable: another kind of file, or no time.
    """
    if root.tag != _ROOT:
        raise ListUnreadable(f"not the UN list: the root is {root.tag!r}, not {_ROOT!r}", line)
    try:
        moment = datetime.fromisoformat(root.get("dateGenerated", ""))
    except ValueError:
        raise ListUnreadable("the list doesn't say when it was generated (dateGenerated)", line) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _is_day(text: str) -> bool:
    """Say whether a text is a day of the calendar, YYYY-MM-DD."""
    try:
        return len(text) == _DAY and date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
