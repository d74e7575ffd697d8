"""Reader of the UN Security Council's consolidated list, published in XML.

A person is read completely or not at all, and so is the file. The reader makes no guesses: unclear content is left
out, with a remark. The format is defined by the list's own schema, sc-sanctions.xsd.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final
from xml.etree.ElementTree import Element

import msgspec

from app.register.lists.un_cells import Remark, cell
from app.register.lists.un_documents import ListedDocument
from app.register.lists.un_names import Alias, full_name_of
from app.register.lists.un_person import ListedPerson, digest, person_in

__all__ = [
    "NO_NAME",
    "REPEATED",
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

NO_NAME: Final = "no_name"
REPEATED: Final = "repeated"

_ROOT: Final = "CONSOLIDATED_LIST"
_LONGEST_PIECE: Final = 65_536
"""Maximum number of bytes fed to the parser at once; usually one line, so that a fault is reported on its line."""


class ListUnreadable(ValueError):
    """The file is not well-formed XML, or not the UN list; nothing of it is imported.

    Attributes:
        line: line of the fault, from 1.
        column: column of the fault, from 1; 1 where only the line is known.
    """

    def __init__(self, fault: str, line: int, column: int = 1) -> None:
        super().__init__(f"line {line}, column {column}: {fault}")
        self.line = line
        self.column = column


class UnreadablePerson(msgspec.Struct, frozen=True, kw_only=True):
    """An individual that is left out: without a name, or a repetition of an earlier one.

    Attributes:
        id: its name in the report: the DATAID, else the reference number, else the position in the file ("individual
            17").
        reason: NO_NAME, or REPEATED where the same individual occurs earlier in the file.
        data_id: its DATAID; "" where it has none.
        reference: its reference number; "" where it has none.
    """

    id: str
    reason: str
    data_id: str = ""
    reference: str = ""


class UnList(msgspec.Struct, frozen=True, kw_only=True):
    """An edition of the list.

    Attributes:
        generated_at: when it was generated, in UTC; the edition with the later time is the newer one.
        persons: its individuals, in file order.
        unreadable: the individuals that are left out.
        entity_ids: DATAIDs of the listed groups and firms, which can't be entries.
    """

    generated_at: datetime
    persons: tuple[ListedPerson, ...]
    unreadable: tuple[UnreadablePerson, ...]
    entity_ids: tuple[str, ...]


def read(path: Path) -> UnList:
    """Return an edition of the list, read from a file one person at a time.

    XML document types, XML entities and external references are refused, so that a hostile file can't exhaust memory or
    read other files.

    Raises:
        ListUnreadable: the file is not well-formed, is not the list, or names no individual.
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
    """A file object that returns one line per read, so that the parser's position is always in the current line.

    Attributes:
        number: number of the line last read, from 1.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.number = 1
        self._file = file
        self._ended = False

    def read(self, _size: int = -1) -> bytes:
        """Return the next line; a very long line in pieces."""
        piece = self._file.readline(_LONGEST_PIECE)
        if self._ended and piece:
            self.number += 1
        self._ended = piece.endswith(b"\n")
        return piece


class _Edition:
    """An edition being read.

    Args:
        generated_at: when it was generated.
    """

    def __init__(self, generated_at: datetime) -> None:
        self.persons: list[ListedPerson] = []
        self.unreadable: list[UnreadablePerson] = []
        self.entity_ids: list[str] = []
        self._generated_on = generated_at.date()
        self._seen: set[str] = set()

    def take(self, element: Element) -> None:
        """Add a complete INDIVIDUAL or ENTITY element."""
        data_id, reference = cell(element, "DATAID"), cell(element, "REFERENCE_NUMBER")
        if element.tag == "ENTITY":
            self.entity_ids.append(data_id or reference)
            return
        full_name = full_name_of(element)
        person = person_in(element, data_id, full_name, self._generated_on)
        content = digest(person)
        if full_name and content not in self._seen:
            self._seen.add(content)
            self.persons.append(person)
            return
        place = f"individual {len(self.persons) + len(self.unreadable) + 1}"
        reason = REPEATED if full_name else NO_NAME
        self.unreadable.append(
            UnreadablePerson(
                id=data_id or reference or place, reason=reason, data_id=data_id, reference=reference
            )
        )


def _read(events: Iterator[tuple[str, Element]], lines: _ByLine) -> UnList:
    """Read the file to its end; each element is removed from memory after it is read."""
    generated_at = _generated_at(_root(events), lines.number)
    edition = _Edition(generated_at)
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
        persons=tuple(edition.persons),
        unreadable=tuple(edition.unreadable),
        entity_ids=tuple(edition.entity_ids),
    )


def _root(events: Iterator[tuple[str, Element]]) -> Element:
    """Return the root element at its start tag, with its attributes.

    Raises:
        ListUnreadable: the file has an encoding that can't be read.
    """
    from defusedxml.common import DefusedXmlException

    try:
        return next(events)[1]
    except DefusedXmlException:
        raise
    except (LookupError, ValueError) as fault:
        raise ListUnreadable(f"its encoding can't be read: {fault}", 1) from None


def _generated_at(root: Element, line: int) -> datetime:
    """Return the time of an edition in UTC; a time without an offset is read as UTC.

    Raises:
        ListUnreadable: the file is not the list, or has no time.
    """
    if root.tag != _ROOT:
        raise ListUnreadable(f"not the UN list: the root is {root.tag!r}, not {_ROOT!r}", line)
    try:
        moment = datetime.fromisoformat(root.get("dateGenerated", ""))
    except ValueError:
        raise ListUnreadable("the list doesn't say when it was generated (dateGenerated)", line) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
