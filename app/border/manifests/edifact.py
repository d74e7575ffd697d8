"""UN/EDIFACT's syntax (ISO 9735): a tolerant reader and a strict writer (no I/O).

The reader accepts what real interchanges contain: telex text before the first and after the last segment, line breaks
anywhere, even within a word, blanks before a tag, unusual separators without a service string, and bytes of another
character set than the declared one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

MAX_SEGMENTS: Final = 60_000
"""Greatest number of segments, empty ones included; a thousand passengers with every segment of the guide need
fewer."""

LONGEST_SEGMENT: Final = 4_000
"""Greatest number of characters of a segment."""

_MAX_ELEMENTS: Final = 100

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
"""Number of characters within which the headers of interchange and group end."""

_BREAKS: Final = re.compile(r"[\r\n]+")
_FIRST: Final = re.compile(r"UN[ABH]")
_HEADER: Final = re.compile(r"UN[BH][^\w\s]")
_COMPONENT: Final = re.compile(r"[A-Z]{4}([^\w\s])\d")
_NEVER_SEPARATES: Final = re.compile(r"[\w\s]")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class Unreadable(Exception):
    """Raised if received data can't be read as an interchange.

    Attributes:
        code: a stable code for programs.
        detail: the fault as a sentence.
        segment: number of the faulty segment, from 1; 0 before the first.
        tag: the tag of the faulty segment; None if it has none.
    """

    def __init__(self, code: str, detail: str, segment: int = 0, tag: str | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.segment = segment
        self.tag = tag


class Separators(NamedTuple):
    """The six special characters of an interchange, in the order of its service string (UNA).

    `release` is the escape character; if it is empty, the interchange has none.
    """

    component: str = ":"
    element: str = "+"
    decimal: str = "."
    release: str = "?"
    repetition: str = " "
    terminator: str = "'"


class Segment(NamedTuple):
    """A segment of an interchange: its tag, and its elements, each with its components.

    Attributes:
        number: number of the segment in the interchange, from 1.
        ended: whether the segment's terminator was found; False for the last segment of data that were cut off.
    """

    number: int
    tag: str
    elements: tuple[tuple[str, ...], ...]
    ended: bool

    def get(self, element: int, component: int = 0) -> str:
        """Return a component of an element; empty if the segment does not have it. Both positions count from 0."""
        try:
            return self.elements[element][component]
        except IndexError:
            return ""


class Text(NamedTuple):
    """A decoded interchange with its separators.

    Attributes:
        body: the text from the first header (UNB or UNH) on.
        separators: the separators of the service string if the text uses them, else those detected in the text.
        charset: the character set by which the bytes were decoded.
        contradicted: whether there is a service string that names other separators than the text uses.
    """

    body: str
    separators: Separators
    charset: str
    contradicted: bool


def decode(data: bytes) -> Text:
    """Find the interchange in received bytes, decode it, and find its separators.

    Raises:
        Unreadable: the data contain no header of an interchange or a message.
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
    detected, declared = _detected(body), _declared(service)
    if declared is not None and _fits(declared, body):
        return Text(body, declared, charset, contradicted=False)
    return Text(body, detected, charset, contradicted=service is not None)


def _fits(declared: Separators, body: str) -> bool:
    """Return whether an interchange uses the separators that its service string declares."""
    component = _COMPONENT.search(body[4:12])
    return (
        declared.element == body[3]
        and (component is None or declared.component == component[1])
        and declared.terminator in body
    )


def _decoded(data: bytes) -> tuple[str, str]:
    """Decode bytes as UTF-8 if they are valid UTF-8, else by the syntax identifier. Returns text and character set."""
    try:
        return data.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError:
        named = re.search(rb"UNB[^A-Za-z0-9]\s*([A-Z]{4})", data)
        charset = _CHARSETS.get(named[1].decode("ascii"), "latin-1") if named else "latin-1"
        return data.decode(charset, errors="replace"), charset


def _declared(service: str | None) -> Separators | None:
    """Return the separators of a service string. Returns None if one is a letter or a blank, or two are equal."""
    if service is None or len(service) < len(Separators._fields):
        return None
    component, element, decimal, release, repetition, terminator = tuple(service)
    used = [component, element, terminator, *([release] if release != " " else [])]
    spoilt = any(_NEVER_SEPARATES.fullmatch(mark) and mark not in "\r\n" for mark in used)
    if spoilt or len(set(used)) < len(used):
        return None
    return Separators(component, element, decimal, release.strip(), repetition, terminator)


def _detected(body: str) -> Separators:
    """Return the separators detected in the header, after its tag, its syntax identifier and its last element."""
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
    """Yield the segments of an interchange one by one; text after its trailer (UNZ) is ignored.

    Raises:
        Unreadable: a segment is too long, there are too many segments, or another interchange follows. The segments
            before the fault are yielded first.
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
        if number + empty > MAX_SEGMENTS:
            raise Unreadable("too_many_segments", "There are too many segments.", number, written[:3])
        if not written:
            continue
        if written.count(marks.element) + written.count(marks.component) > _MAX_ELEMENTS:
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
    """Return the position of the next separator that is not escaped by a release character; -1 without one."""
    at = text.find(mark, begin, limit)
    while at >= 0 and release and _is_released(text, at, release, begin):
        at = text.find(mark, at + 1, limit)
    return at


def _is_released(text: str, at: int, release: str, begin: int) -> bool:
    """Return whether a separator is escaped: an odd number of release characters precedes it, line breaks ignored."""
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
"""A segment to be written: its tag and its elements; an element with several components is a tuple."""


def write(parts: Iterable[Written], charset: str) -> bytes:
    """Return an interchange as bytes: a service string, and each segment on a line of its own.

    Args:
        parts: the segments, in order.
        charset: character set of the bytes; characters that it lacks become question marks.
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
    """Return parts without the empty ones at the end, which are omitted (ISO 9735-1 section 8)."""
    while parts and not parts[-1]:
        parts = parts[:-1]
    return parts


def _guarded(text: str, marks: Separators, charset: str) -> str:
    special = {marks.component, marks.element, marks.release, marks.terminator}
    sent = _CONTROLS.sub("", text).encode(charset, errors="replace").decode(charset)
    return "".join(f"{marks.release}{each}" if each in special else each for each in sent)
