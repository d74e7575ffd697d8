"""What a letter about an entry is: which kind, under which number, with which parts; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

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
    ENDING = "ending"

    @property
    def ends(self) -> bool:
        """Whether the letter tells an end."""
        return self in {LetterKind.REVOCATION, LetterKind.ENDING}


_CODES = {
    LetterKind.DECISION: "",
    LetterKind.URGENT: "MENDESAK-",
    LetterKind.EXTENSION: "PANJANG-",
    LetterKind.CORRECTION: "PERBAIKAN-",
    LetterKind.REVOCATION: "CABUT-",
    LetterKind.ENDING: "AKHIR-",
}
_MEASURE_CODES = {Measure.PREVENTION: "CEGAH", Measure.DETERRENCE: "TANGKAL"}

_REVOKED = {EndedReason.REVOKED, EndedReason.ANNULLED}


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
class Told:
    """A version of an entry together with the ledger's record that tells it: what one letter is about.

    Attributes:
        entry: the entry at that version.
        record: the ledger's record of it.
        amendment: the amendment that made the version, if one did.
    """

    entry: Entry
    record: Record
    amendment: Amendment | None = None

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
                return LetterKind.REVOCATION if entry.ended_reason in _REVOKED else LetterKind.ENDING
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
    signatures: Sequence[Signature]
    copies: Sequence[str]
    proof: Proof
