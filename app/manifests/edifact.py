"""UN/EDIFACT's syntax (ISO 9735), read as senders write it and written as it should be; pure.

What real interchanges do and a strict reader refuses: text of a telex before the first segment and behind the last,
line breaks anywhere, also in the middle of a word, blanks before a tag, separators of their own without a service
string that says so, bytes of another character set than the one that is named.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

MOST_SEGMENTS: Final = 60_000
"""More than a thousand passengers with every part of the guide need; empty ones count."""

LONGEST_SEGMENT: Final = 4_000
_MOST_ELEMENTS: Final = 100

_CHARSETS: Final = {
    "UNOC": "latin-1",
    "UNOD": "iso8859-2",
    "UNOE": "iso8859-5",
    "UNOF": "iso8859-7",
    "UNOG": "iso8859-3",
    "UNOH": "iso8859-4",
    "UNOI": "iso8859-6",
    "UNOJ": "iso8859-8",
    "UNOK": "iso8859-9",
}
"""The 8-bit character sets by syntax identifier (ISO 9735-1, code list 0001)."""

_HEADERS: Final = 2_000
"""Within so many characters the headers of interchange and group have ended."""

_BREAKS: Final = re.compile(r"[\r\n]+")
_FIRST: Final = re.compile(r"UN[ABH]")
_HEADER: Final = re.compile(r"UN[BH][^\w\s]")
_COMPONENT: Final = re.compile(r"[A-Z]{4}([^\w\s])\d")
_NEVER_SEPARATES: Final = re.compile(r"[\w\s]")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Unreadable(Exception):
    """What was sent is no interchange, or breaks off.

    Attributes:
        code: a stable word.
        segment: number of the segment, from 1, at which it broke; 0 before the first.
        tag: that segment's tag, if it has one.
    """

    def __init__(self, code: str, detail: str, segment: int = 0, tag: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.segment = segment
        self.tag = tag


class Separators(NamedTuple):
    """The six characters of a service string; no release character is an empty text."""

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = " "
    terminator: str = "'"


class Segment(NamedTuple):
    """One segment: its tag and its elements, each with its components; what is absent reads as empty."""

    number: int
    tag: str
    elements: tuple[tuple[str, ...], ...]
    ended: bool

    def get(self, element: int, component: int = 0) -> str:
        """A component, by positions from 0; empty where the segment does not reach so far."""
        try:
            return self.elements[element][component]
        except IndexError:
            return ""


class Text(NamedTuple):
    """An interchange, decoded, and how it is to be taken apart.

    Attributes:
        body: from the first header on.
        separators: as its service string says, or as they were found.
        charset: by which it was decoded.
        contradicted: the service string names other separators than those that are used.
    """

    body: str
    separators: Separators
    charset: str
    contradicted: bool


def decode(data: bytes) -> Text:
    """Find the interchange in what was sent, its character set and its separators.

    Raises:
        Unreadable: there is no header of an interchange or a message.
    """
    text, charset = _decoded(data)
    first = _FIRST.search(text)
    if first is None:
        raise Unreadable("no_interchange", "There is no UNA, UNB or UNH segment.")
    body = text[first.start() :]
    service = body[3:9] if body.startswith("UNA") else None
    header = _HEADER.search(body)
    if header is None:
        raise Unreadable("no_interchange", "There is no UNB or UNH segment.")
    body = body[header.start() :]
    found, said = _found(body), _said(service)
    if said is not None and _fits(said, body):
        return Text(body, said, charset, contradicted=False)
    return Text(body, found, charset, contradicted=service is not None)


def _fits(said: Separators, body: str) -> bool:
    """Whether an interchange is written with the separators that its service string names."""
    component = _COMPONENT.search(body[4:12])
    return (
        said.element == body[3]
        and (component is None or said.component == component[1])
        and said.terminator in body
    )


def _decoded(data: bytes) -> tuple[str, str]:
    """UTF-8 wherever it is that, for no other text looks like it; else what the syntax identifier says."""
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        named = re.search(rb"UNB[^A-Za-z0-9]\s*([A-Z]{4})", data)
        charset = _CHARSETS.get(named[1].decode("ascii"), "latin-1") if named else "latin-1"
        return data.decode(charset, errors="replace"), charset


def _said(service: str | None) -> Separators | None:
    """What a service string says, unless it can't be meant: a separator that is a letter, or stands twice."""
    if service is None or len(service) < len(Separators._fields):
        return None
    component, element, decimal, release, repetition, terminator = tuple(service)
    used = [component, element, terminator, *([release] if release != " " else [])]
    spoilt = any(_NEVER_SEPARATES.fullmatch(mark) and mark not in "\r\n" for mark in used)
    if spoilt or len(set(used)) < len(used):
        return None
    return Separators(component, element, decimal, release.strip(), repetition, terminator)


def _found(body: str) -> Separators:
    """The separators, read off the header: what follows its tag, its syntax identifier, its last element."""
    usual = Separators()
    element = body[3]
    component = _COMPONENT.search(body[4:12])
    used = usual._replace(element=element, component=component[1] if component else usual.component)
    next_tag = "UN[GH]" if body.startswith("UNB") else "BGM"
    before = re.search(rf"([^\w\s]?)(\s*){next_tag}{re.escape(element)}", body[4:_HEADERS])
    if before is None:
        return used
    mark, blank = before[1], before[2]
    if mark and mark not in {used.element, used.component}:
        return used._replace(terminator=mark)
    return used._replace(terminator="\n") if set(blank) & {"\r", "\n"} else used


def segments(text: Text) -> Iterator[Segment]:
    """Take an interchange apart, one segment at a time, so that no more than one is held.

    Text behind the interchange's trailer is no part of it.

    Raises:
        Unreadable: a segment is too long, there are too many, or another interchange follows.
    """
    marks = text.separators
    body, begin, number, empty = text.body, 0, 0, 0
    while begin < len(body):
        end = _next(body, marks.terminator, marks.release, begin, begin + LONGEST_SEGMENT)
        if end < 0 and len(body) - begin > LONGEST_SEGMENT:
            raise Unreadable(
                "segment_too_long", "A segment does not end.", number + 1, body[begin : begin + 3]
            )
        written = body[begin:] if end < 0 else body[begin:end]
        written = _CONTROLS.sub("", _BREAKS.sub("", written)).lstrip()
        begin = len(body) if end < 0 else end + 1
        number, empty = (number + 1, empty) if written else (number, empty + 1)
        if number + empty > MOST_SEGMENTS:
            raise Unreadable("too_many_segments", "There are too many segments.", number, written[:3])
        if not written:
            continue
        if written.count(marks.element) + written.count(marks.component) > _MOST_ELEMENTS:
            raise Unreadable("segment_too_long", "A segment has too many elements.", number, written[:3])
        elements = tuple(
            tuple(_released(part, marks.release) for part in _split(element, marks.component, marks.release))
            for element in _split(written, marks.element, marks.release)
        )
        tag = elements[0][0].strip().upper()
        yield Segment(number, tag, elements[1:], ended=end >= 0)
        if tag == "UNZ":
            if f"UNB{marks.element}" in body[begin:]:
                raise Unreadable("several_interchanges", "Another interchange follows.", number + 1, "UNB")
            return


def _next(text: str, mark: str, release: str, begin: int, limit: int) -> int:
    """Where a mark stands that is not released; -1 where there is none before the limit."""
    at = text.find(mark, begin, limit)
    while at >= 0 and release and _is_released(text, at, release, begin):
        at = text.find(mark, at + 1, limit)
    return at


def _is_released(text: str, at: int, release: str, begin: int) -> bool:
    """Whether an odd number of release characters stands before a mark; line breaks between do not count."""
    count, at = 0, at - 1
    while at >= begin and (text[at] == release or text[at] in "\r\n"):
        count += text[at] == release
        at -= 1
    return count % 2 == 1


def _split(text: str, mark: str, release: str) -> list[str]:
    if not release or release not in text:
        return text.split(mark)
    parts, begin = [], 0
    while (at := _next(text, mark, release, begin, len(text))) >= 0:
        parts.append(text[begin:at])
        begin = at + 1
    return [*parts, text[begin:]]


def _released(text: str, release: str) -> str:
    if not release or release not in text:
        return text
    marks = iter(text)
    return "".join(next(marks, "") if mark == release else mark for mark in marks)


Written = Sequence[str | tuple[str, ...]]
"""A segment to be written: its tag and its elements; one of several components is a tuple."""


def write(parts: Iterable[Written], charset: str) -> bytes:
    """An interchange of these segments, with a service string, one segment a line.

    Args:
        parts: the segments, in order.
        charset: in which it is sent; what it has no place for becomes a question mark.
    """
    marks = Separators()
    lines = [f"UNA{''.join(marks)}"]
    for tag, *elements in parts:
        written = [str(tag)]
        for element in elements:
            components = [element] if isinstance(element, str) else list(element)
            written.append(
                marks.component.join(_guarded(each, marks, charset) for each in _short(components))
            )
        lines.append(marks.element.join(_short(written)) + marks.terminator)
    return ("\r\n".join(lines) + "\r\n").encode(charset)


def _short(parts: list[str]) -> list[str]:
    """Parts without the empty ones at the end, which are left out (ISO 9735-1 section 8)."""
    while parts and not parts[-1]:
        parts = parts[:-1]
    return parts


def _guarded(text: str, marks: Separators, charset: str) -> str:
    special = {marks.component, marks.element, marks.release, marks.terminator}
    sent = _CONTROLS.sub("", text).encode(charset, errors="replace").decode(charset)
    return "".join(f"{marks.release}{each}" if each in special else each for each in sent)
