"""What a letter about an entry is: which kind, under which number, with which parts; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from app.amendments.domain import Amendment
from app.entries.domain import Basis, EndedReason, Entry, Measure, State
from app.kit.clock import legal_day
from app.ledger.domain import Record, RecordType
from app.papers import words


class LetterKind(StrEnum):
    """What a letter does: impose a measure, go on with it, or end it."""

    DECISION = "decision"
    URGENT = "urgent"
    EXTENSION = "extension"
    CORRECTION = "correction"
    REVOCATION = "revocation"
    ANNULMENT = "annulment"
    ENDING = "ending"

    @property
    def ends(self) -> bool:
        """Whether the letter is about an end."""
        return self in {LetterKind.REVOCATION, LetterKind.ANNULMENT, LetterKind.ENDING}


_CODES = {
    LetterKind.DECISION: "",
    LetterKind.URGENT: "MENDESAK-",
    LetterKind.EXTENSION: "PANJANG-",
    LetterKind.CORRECTION: "PERBAIKAN-",
    LetterKind.REVOCATION: "CABUT-",
    LetterKind.ANNULMENT: "BATAL-",
    LetterKind.ENDING: "AKHIR-",
}
_MEASURE_CODES = {Measure.PREVENTION: "CEGAH", Measure.DETERRENCE: "TANGKAL"}

_BY_DECISION = {
    EndedReason.REVOKED: LetterKind.REVOCATION,
    EndedReason.ANNULLED: LetterKind.ANNULMENT,
}
"""Ends that are decided on; the law brings the others, and their letters are notices."""

FINANCE: Final = "KEMENKEU"
_MINISTER_OF_FINANCE: Final = "Menteri Keuangan"


@dataclass(frozen=True, slots=True)
class Office:
    """Who issues letters: from the deployment's settings.

    Attributes:
        letterhead: lines of the letterhead; the last ones, which are an address, are set smaller.
        city: where letters are dated.
        signatory: title of the official in whose name they go out.
        number_format: a letter's number; may hold `{sequence}`, `{code}`, `{month}` and `{year}`.
    """

    letterhead: tuple[str, ...]
    city: str
    signatory: str
    number_format: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The agency that owns a measure, as letters name it.

    Attributes:
        name: in Indonesian.
        minister: who decides for it, where the law says a minister (UU 6/2011 art. 91(2)b).
    """

    name: str
    minister: str | None = None

    @classmethod
    def of(cls, code: str, parent: str | None, name: str) -> "Owner":
        """An agency; exit bans of the Ministry of Finance and its directorates are the minister's decisions."""
        return cls(name, _MINISTER_OF_FINANCE if FINANCE in {code, parent} else None)

    @property
    def decider(self) -> str:
        """Whose decision the measure is."""
        return self.minister or self.name


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an officer of Immigration said when an urgent request was rejected.

    Attributes:
        client: the officer's client, whose roles and office are their position.
        person: employee number.
        proposed: whether it only proposed the rejection, which another then confirmed.
        position: what the officer is, in Indonesian; empty until it was looked up.
    """

    client: str
    person: str | None
    reason: str | None
    proposed: bool = False
    position: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A version of an entry together with the ledger's record of it: what one letter is about.

    Attributes:
        entry: the entry at that version.
        record: the ledger's record of it.
        amendment: the amendment that made the version, if one did.
        previous: the entry at the version before; None for the first one.
        refusals: who rejected the request, and who had proposed that.
    """

    entry: Entry
    record: Record
    amendment: Amendment | None = None
    previous: Entry | None = None
    refusals: tuple[Refusal, ...] = ()

    @property
    def moment(self) -> datetime:
        """The instant at which the letter holds: that of the record, or of an end that is not on record yet."""
        ended = self.entry.ended_at
        unrecorded = self.entry.state is State.ENDED and self.record.type is not RecordType.ENTRY_ENDED
        return ended if unrecorded and ended is not None else self.record.at

    @property
    def day(self) -> date:
        """The letter's date: the legal day of the record."""
        return legal_day(self.record.at)

    @property
    def kind(self) -> LetterKind | None:
        """The letter that the record calls for; None while a measure is only asked for (R32)."""
        entry = self.entry
        corrected = self.record.type is RecordType.ENTRY_CORRECTED
        match entry.state:
            case State.ACTIVE:
                first = LetterKind.EXTENSION if entry.extension_count else LetterKind.DECISION
                return LetterKind.CORRECTION if corrected else first
            case State.PROVISIONAL if entry.countersigned_at:
                return LetterKind.CORRECTION if corrected else LetterKind.URGENT
            case State.ENDED if entry.countersigned_at or not entry.urgent:
                return _ending_of(entry)
            case State.REJECTED if entry.countersigned_at:
                return LetterKind.ENDING
        return None

    @property
    def basis(self) -> Basis:
        """The decision that the letter carries out: an extension has one of its own."""
        extended = self.kind is LetterKind.EXTENSION and self.entry.extended_by
        return extended or self.entry.basis

    def tells(self, entry: Entry) -> bool:
        """Whether this is what there is to tell of the entry as it stands."""
        return self.entry.state is entry.state

    def number(self, office: Office) -> str:
        """The letter's number: the ledger's, so that no two letters of a register share one."""
        kind = self.kind
        assert kind is not None, "only what has a letter has a number"
        return office.number_format.format(
            sequence=self.record.sequence,
            code=_CODES[kind] + _MEASURE_CODES[self.entry.measure],
            month=words.month(self.day),
            year=self.day.year,
        )


def _ending_of(entry: Entry) -> LetterKind:
    reason = entry.ended_reason
    return LetterKind.ENDING if reason is None else _BY_DECISION.get(reason, LetterKind.ENDING)


@dataclass(frozen=True, slots=True)
class Around:
    """What else the register knew when a letter was due.

    Attributes:
        others: other entries of the same measure against the same person that held, or were to begin.
        extension_left: whether the measure could still be extended.
    """

    others: tuple[Entry, ...] = ()
    extension_left: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """One who stands under a letter."""

    title: str
    body: str
    name: str
    note: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What lets a reader verify the ledger's record offline.

    Attributes:
        text: the QR code's text.
        facts: the same for the eye, as label and value.
    """

    text: str
    facts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter's content, before it is laid out.

    Attributes:
        form: what it is: a decision, or a notice.
        about: the subject of the letter.
        considering: the grounds.
        recalling: the law.
        ruling: how the dictum begins.
        first: the dictum's first part, which the identity follows.
        rulings: the other parts.
        dated: how the place and the day are introduced.
        without_photo: what stands in the photo's place where it is not there.
        identity: the person, as label and value; an empty label goes on with the one above.
        documents: type, number, issuing state, valid until.
        changes: of a correction, each member with its old and its new value.
        signatures: the owner's official, where they have a part in it, and then the one who issues it.
    """

    office: Office
    kind: LetterKind
    form: str
    number: str
    about: str
    day: date
    considering: Sequence[str]
    recalling: Sequence[str]
    ruling: str
    first: str
    rulings: Sequence[str]
    dated: str
    name: str
    without_photo: str
    identity: Sequence[tuple[str, str]]
    documents: Sequence[tuple[str, str, str, str]]
    changes: Sequence[tuple[str, str, str]]
    signatures: Sequence[Signature]
    copies: Sequence[str]
    proof: Proof
