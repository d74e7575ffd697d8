"""The passenger list of WCO, IATA and ICAO (PAXLST, directories D.02B to D.05B), as carriers send it; pure.

The guide's groups are followed by what the segments say, not by their places: an unknown segment is passed over, a part
that is missing is missing. What does not agree with itself, such as a wrong count, is told as a warning and refuses
nothing; what breaks off in the middle is refused, for nobody knows which passengers it has lost.
"""

from typing import Final

import msgspec

from app.manifests.edifact import Segment, Unreadable, decode, segments
from app.manifests.journeys import Leg, Stop, digits_of, legs_of, tell_time

MOST_PASSENGERS: Final = 1000
MOST_PAPERS: Final = 8
"""A passenger with more documents is not asked about, and that is said."""

_PERSONS: Final = frozenset({"FL", "FM", "DDT", "DDU", "VW"})
"""Parties that travel: passengers, crew, both in transit, the driver of a vehicle."""

_PARTS: Final = {
    ("ATT", "2"): ("sex", 2, 0),
    ("NAT", "2"): ("nationality", 1, 0),
    ("LOC", "178"): ("embarks", 1, 0),
    ("LOC", "179"): ("leaves", 1, 0),
    ("RFF", "ABO"): ("reference", 0, 1),
    ("RFF", "AVF"): ("locator", 0, 1),
}
"""What is told of a passenger, by tag and qualifier: which part of ours it is, and where it stands in the segment."""

_TRAILERS: Final = frozenset({"UNT", "UNE", "UNZ"})
_PAPERS: Final = {
    "P": "passport",
    "PP": "passport",
    "I": "national_id",
    "A": "national_id",
    "C": "national_id",
}
_VISA: Final = "V"


class TooManyPassengers(Exception):
    """A list holds more passengers than one request may."""


class Warned(msgspec.Struct, frozen=True):
    """What does not agree with itself in a list that was read all the same."""

    code: str
    detail: str


class Paper(msgspec.Struct, frozen=True):
    """A document that is listed for a passenger; kind and state as they stand there."""

    kind: str
    number: str
    state: str


class Listed(msgspec.Struct):
    """A passenger as the list has them, every part as it stands there; empty where it is missing.

    Attributes:
        reference: the sender's own reference of the passenger (RFF ABO).
        locator: that of the reservation (RFF AVF).
        birth: digits of the birth date: YYMMDD or CCYYMMDD.
        embarks: where this passenger's journey begins, if told.
        leaves: where it ends.
    """

    name: str
    reference: str = ""
    locator: str = ""
    sex: str = ""
    birth: str = ""
    nationality: str = ""
    embarks: str = ""
    leaves: str = ""
    papers: list[Paper] = msgspec.field(default_factory=list)


class Envelope(msgspec.Struct, frozen=True):
    """What a reply to an interchange repeats of it.

    Attributes:
        syntax: syntax identifier and version.
        charset: in which it was sent.
        sender: with its qualifier, as the recipient.
        reference: of the interchange.
        application: the application reference, such as APIS.
        grouped: whether messages stand in a functional group.
        message: of the message's header: type, version, release, agency, association.
        transaction: the sender's number of the message (RFF TN).
    """

    syntax: tuple[str, ...] = ("UNOA", "4")
    charset: str = "ascii"
    sender: tuple[str, ...] = ()
    recipient: tuple[str, ...] = ()
    reference: str = ""
    application: str = ""
    grouped: bool = False
    message_reference: str = ""
    access_reference: str = ""
    message: tuple[str, ...] = ()
    transaction: str = ""


class PassengerList(msgspec.Struct):
    """A list, read."""

    legs: list[Leg]
    passengers: list[Listed]
    warnings: list[Warned]
    envelope: Envelope


def read(data: bytes) -> PassengerList:
    """Read an interchange that holds one passenger list, in one message or in parts.

    Raises:
        Unreadable: it is no interchange, holds something else, or breaks off; says where.
        TooManyPassengers: more than a request may hold.
    """
    text = decode(data)
    reading = _Reading(text.charset)
    if text.contradicted:
        reading.warn("service_string", "The UNA segment names other separators than those that are used.")
    last = None
    for segment in segments(text):
        reading.take(segment)
        last = segment
    return reading.finished(last)


class _Reading:
    """A list on its way in, segment by segment."""

    def __init__(self, charset: str) -> None:
        self.charset = charset
        self.warnings: list[Warned] = []
        self.header: dict[str, Segment] = {}
        self.transaction = ""
        self.messages = 0
        self.begun = 0  # the number of the present message's header; 0 outside of one
        self.closed = False
        self.journeys: list[list[Leg]] = []
        self.stops: list[Stop] = []
        self.flight = ""
        self.passengers: list[Listed] = []
        self.before = 0  # passengers of earlier messages
        self.person: Listed | None = None
        self.paper = False  # whether a document of the person was the last thing told
        self.aside = False  # whether what comes is about somebody who does not travel

    def warn(self, code: str, detail: str) -> None:
        """Note what does not agree with itself, the first of its kind."""
        if all(each.code != code for each in self.warnings):
            self.warnings.append(Warned(code, detail))

    def take(self, segment: Segment) -> None:
        """Take the next segment."""
        if segment.tag == "UNH":
            self._open(segment)
        elif segment.tag in _TRAILERS:
            self._close(segment)
        elif segment.tag in {"UNB", "UNG"}:
            self.header[segment.tag] = segment
        elif not self.begun and self.messages and not segment.ended:
            return  # the trailer's beginning: nobody is lost
        elif not self.begun:
            raise Unreadable(
                "no_message", "A segment stands outside of a message.", segment.number, segment.tag
            )
        elif not segment.ended:
            raise _cut(segment)
        else:
            self._tell(segment)

    def _open(self, segment: Segment) -> None:
        kind = segment.get(1)
        if kind != "PAXLST":
            raise Unreadable("not_paxlst", "The message is no PAXLST.", segment.number, "UNH")
        if self.begun:
            self.warn("no_trailer", f"Segment {segment.number} begins a message before the last has ended.")
            self._end_message()
        self.header.setdefault("UNH", segment)
        self.messages += 1
        self.begun = segment.number
        self.closed = False

    def _close(self, segment: Segment) -> None:
        if segment.tag == "UNT" and self.begun:
            counted = segment.number - self.begun + 1
            if _number(segment.get(0)) != counted:
                self.warn("segment_count", f"UNT does not count the {counted} segments of its message.")
        elif self.begun:
            self.warn("no_trailer", "A message has no UNT segment.")
        if segment.tag == "UNZ" and _number(segment.get(0)) not in {1, self.messages}:
            self.warn("message_count", f"UNZ does not count the {self.messages} messages of its interchange.")
        if self.begun:
            self._end_message()
        self.closed = True

    def _end_message(self) -> None:
        self.journeys.append(list(legs_of(self.flight, self.stops)))
        self.begun, self.stops, self.flight = 0, [], ""
        self.person, self.paper, self.aside = None, False, False
        self.before = len(self.passengers)

    def _tell(self, segment: Segment) -> None:
        tag = segment.tag
        if tag == "TDT":
            self.person, self.paper, self.aside = None, False, False
            self._journey(segment)
        elif tag == "NAD":
            self._party(segment)
        elif tag == "CNT":
            self._count(segment)
        elif self.person is not None:
            self._about(self.person, segment)
        elif self.aside:
            return
        elif tag == "LOC":
            self.stops.append(Stop(self.flight, segment.get(0), segment.get(1).upper()))
        elif tag == "DTM" and self.stops:
            tell_time(self.stops[-1], segment)
        elif tag == "RFF" and segment.get(0) == "TN":
            self.transaction = self.transaction or segment.get(0, 1)

    def _journey(self, segment: Segment) -> None:
        self.flight = segment.get(1).strip().upper() or segment.get(4).strip().upper()

    def _party(self, segment: Segment) -> None:
        qualifier = segment.get(0).upper()
        self.person, self.paper, self.aside = None, False, True
        if qualifier not in _PERSONS:
            if self.flight:  # before the journey stand those who report it
                self.warn("party_passed_over", "A party that is no traveller was passed over.")
            return
        if len(self.passengers) >= MOST_PASSENGERS:
            raise TooManyPassengers
        name = next((each for each in segment.elements[3:4] + segment.elements[2:3] if any(each)), ())
        surname, *given = [part.strip() for part in name[:4]] or [""]
        self.person = Listed(name=" ".join(part for part in (*given, surname) if part))
        self.passengers.append(self.person)

    def _about(self, person: Listed, segment: Segment) -> None:
        tag, qualifier = segment.tag, segment.get(0)
        if tag == "DOC":
            self.paper = True
            self._paper(person, segment)
        elif tag == "LOC" and qualifier == "91":
            if self.paper and person.papers:
                person.papers[-1] = msgspec.structs.replace(person.papers[-1], state=segment.get(1).upper())
        elif tag == "DTM" and qualifier == "329":
            person.birth = digits_of(segment)
        elif (part := _PARTS.get((tag, qualifier))) is not None:
            name, element, component = part
            setattr(person, name, segment.get(element, component).strip())

    @staticmethod
    def _paper(person: Listed, segment: Segment) -> None:
        if len(person.papers) <= MOST_PAPERS:  # one more, so that it shows
            person.papers.append(Paper(segment.get(0).upper(), segment.get(1).strip(), ""))

    def _count(self, segment: Segment) -> None:
        own = len(self.passengers) - self.before
        if segment.get(0) in {"41", "42"} and _number(segment.get(0, 1) or segment.get(1)) != own:
            self.warn("passenger_count", f"CNT does not count the {own} persons of its message.")

    def finished(self, last: Segment | None) -> PassengerList:
        """The list, once everything was taken.

        Raises:
            Unreadable: it breaks off, holds no message, or tells of several journeys.
        """
        if self.begun and last is not None:
            raise _cut(last)
        if not self.messages:
            raise Unreadable("no_message", "There is no message.", last.number if last else 0)
        if any(journey != self.journeys[0] for journey in self.journeys[1:]):
            raise Unreadable("several_flights", "The messages are about several flights; send one at a time.")
        if last is not None and last.tag != "UNZ" and "UNB" in self.header:
            self.warn("no_trailer", "The interchange has no UNZ segment.")
        return PassengerList(self.journeys[0], self.passengers, self.warnings, self._envelope())

    def _envelope(self) -> Envelope:
        outer, message = self.header.get("UNB"), self.header["UNH"]
        usual = Envelope()
        return Envelope(
            syntax=outer.elements[0] if outer and outer.get(0) else usual.syntax,
            charset=self.charset,
            sender=outer.elements[1] if outer and len(outer.elements) > 1 else (),
            recipient=outer.elements[2] if outer and len(outer.elements) > 2 else (),  # noqa: PLR2004 - the third element
            reference=outer.get(4) if outer else "",
            application=outer.get(6) if outer else "",
            grouped="UNG" in self.header,
            message_reference=message.get(0),
            access_reference=message.get(2),
            message=message.elements[1],
            transaction=self.transaction,
        )


def _cut(segment: Segment) -> Unreadable:
    return Unreadable("cut", "The message breaks off: it has no end.", segment.number, segment.tag)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None  # noqa: PLR2004 - enough for any count


def kind_of(paper: Paper) -> str:
    """What a document is in the register's words."""
    return _PAPERS.get(paper.kind, "other")


def is_visa(paper: Paper) -> bool:
    """Whether a paper is a visa: it lies in a passport and names nobody by its number."""
    return paper.kind == _VISA
