"""Kind, number and content of a letter about an entry (no I/O)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from app.casework.papers import words
from app.kit.clock import legal_day
from app.ledger.domain import Record, RecordType
from app.register.amendments.domain import Amendment
from app.register.entries.domain import Basis, EndedReason, Entry, Measure, State
from app.tlog.notes import Note


class LetterKind(StrEnum):
    """The kind of a letter: it imposes a measure, extends or corrects it, or is about its end."""

    DECISION = "decision"
    URGENT = "urgent"
    EXTENSION = "extension"
    CORRECTION = "correction"
    REVOCATION = "revocation"
    ANNULMENT = "annulment"
    ENDING = "ending"

    @property
    def ends(self) -> bool:
        """Whether a letter of this kind is about the end of a measure."""
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
"""Ends by decision; all others are ends by law, and their letters are notifications."""

FINANCE: Final = "KEMENKEU"
_MINISTER_OF_FINANCE: Final = "Menteri Keuangan"


@dataclass(frozen=True, slots=True)
class Office:
    """The office that issues letters, from the deployment's settings.

    Attributes:
        letterhead: lines of the letterhead; lines not in capitals, which are the address, are set smaller.
        city: the place in the date line of letters.
        signatory: title of the official in whose name letters are issued.
        number_format: format of a letter's number, with `{sequence}`, `{code}`, `{month}` and `{year}`.
    """

    letterhead: tuple[str, ...]
    city: str
    signatory: str
    number_format: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The agency that owns a measure, with its names in letters.

    Attributes:
        name: its Indonesian name.
        minister: title of the minister that decides for it, if the law requires a minister (UU 6/2011 art. 91(2)b).
    """

    name: str
    minister: str | None = None

    @classmethod
    def of(cls, code: str, parent: str | None, name: str) -> "Owner":
        """Return the owner for an agency, given by its code, its parent's code and its Indonesian name.

        For the Ministry of Finance and its directorates the minister decides.
        """
        return cls(name, _MINISTER_OF_FINANCE if FINANCE in {code, parent} else None)

    @property
    def decider(self) -> str:
        """Title of the minister, or name of the agency, that decided on the measure."""
        return self.minister or self.name


@dataclass(frozen=True, slots=True)
class Refusal:
    """An officer's decision or proposal to reject an urgent request.

    Attributes:
        client: id of the officer's client, from which the position is derived.
        person: employee number of the officer.
        reason: the reason that the officer gave.
        proposed: whether it is a proposal, which another officer then confirmed.
        position: the officer's position in Indonesian; empty until it was looked up.
    """

    client: str
    person: str | None
    reason: str | None
    proposed: bool = False
    position: str = ""


@dataclass(frozen=True, slots=True)
class RecordedVersion:
    """A version of an entry with the ledger record that published it; a letter is about one such version.

    Attributes:
        entry: the entry at that version.
        record: the ledger record that published the version; for an end by law that is not recorded yet, the record of
            the version before.
        amendment: the amendment that made the version; None if none did.
        previous: the entry at the version before; None for the first one.
        refusals: the rejection that made the version, preceded by its proposal if there was one; else empty.
    """

    entry: Entry
    record: Record
    amendment: Amendment | None = None
    previous: Entry | None = None
    refusals: tuple[Refusal, ...] = ()

    @property
    def moment(self) -> datetime:
        """The instant of the record; for an end by law that the ledger has not recorded yet, the instant of the end."""
        ended = self.entry.ended_at
        unrecorded = self.entry.state is State.ENDED and self.record.type is not RecordType.ENTRY_ENDED
        return ended if unrecorded and ended is not None else self.record.at

    @property
    def day(self) -> date:
        """The letter's date: the legal day of the record."""
        return legal_day(self.record.at)

    @property
    def kind(self) -> LetterKind | None:
        """The kind of letter that the record requires (R32); None if it requires none.

        No letter is required for a request that is not approved, and for an urgent entry that was never countersigned.
        """
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
        """The owner's decision that a letter carries out: the extension's in an extension letter, else the entry's."""
        extended = self.kind is LetterKind.EXTENSION and self.entry.extended_by
        return extended or self.entry.basis

    def matches_state(self, entry: Entry) -> bool:
        """Return whether the recorded version has the same state as `entry`, the entry at present."""
        return self.entry.state is entry.state

    def number(self, office: Office) -> str:
        """Return the letter's number in the office's format, which contains the record's number in the ledger.

        The record must require a letter (`kind` is not None).
        """
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
class Context:
    """Facts in the register at the time of a letter, beside its own entry.

    Attributes:
        others: other entries of the same measure against the same person, in force or to begin later.
        extension_left: whether the measure could still be extended.
    """

    others: tuple[Entry, ...] = ()
    extension_left: bool = True


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature block of a letter.

    Attributes:
        title: title of the official.
        body: the official's agency or position.
        name: the official's name; empty if it is not printed.
        note: text in place of a signature, for example "approved in the register".
    """

    title: str
    body: str
    name: str
    note: str


class Standing(StrEnum):
    """Whether the signed head in a letter's code has the quorum of witnesses, and if not, why."""

    WITNESSED = "witnessed"
    """The quorum of witnesses cosigned the head."""
    PENDING = "pending"
    """The quorum has not cosigned a head that covers the record yet."""
    UNWITNESSED = "unwitnessed"
    """The register has no witnesses, or needs none."""
    BEYOND = "beyond"
    """The code has no room for a quorum: too many cosignatures, or of other algorithms than Ed25519."""


@dataclass(frozen=True, slots=True)
class LetterHead:
    """The signed head of the ledger that a letter's QR code contains.

    Attributes:
        standing: whether it has the quorum of witnesses, and if not, why.
        size: number of the ledger's records that it covers.
        note: the checkpoint with the signatures in the code: the register's, then the cosignatures of the quorum.
    """

    standing: Standing
    size: int
    note: Note

    @property
    def is_final(self) -> bool:
        """Whether the head may be stored for later copies of the letter; False while a quorum may still sign a head."""
        return self.standing is not Standing.PENDING


@dataclass(frozen=True, slots=True)
class Proof:
    """Data with which a reader can verify the ledger's record offline.

    Attributes:
        code: text of the QR code; None before a signed head covers the record.
        facts: data about the record and the head, as pairs of printed label and value; a value may have several lines.
        explained: the printed explanation of what the code proves and does not prove.
    """

    code: str | None
    facts: Sequence[tuple[str, str]]
    explained: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The content of a letter, before layout.

    Attributes:
        form: heading with the legal form: a decision or a notification.
        about: what the letter decides or announces, in Indonesian, such as `pencabutan` with the measure and the
            person.
        considering: the grounds ("Menimbang").
        recalling: the laws ("Mengingat").
        clauses_heading: the word above the clauses: MEMUTUSKAN ("decides"), or MEMBERITAHUKAN in a notification.
        first_clause: the first clause (KESATU), after which the identity is printed.
        further_clauses: the clauses after the first (KEDUA and so on).
        dated: the word before the place and the date: Ditetapkan ("decided") or Dikeluarkan ("issued").
        name: the person's full name.
        without_photo: text in place of a missing photo.
        identity: labels and values about the person; an empty label continues the one above.
        documents: type, number, issuing state and last day of each travel document.
        changes: label, old value and new value of each member that a correction changed.
        signatures: the signature of the owner's official, if there is one, then that of the issuing official.
        copies: the recipients of copies.
    """

    office: Office
    kind: LetterKind
    form: str
    number: str
    about: str
    day: date
    considering: Sequence[str]
    recalling: Sequence[str]
    clauses_heading: str
    first_clause: str
    further_clauses: Sequence[str]
    dated: str
    name: str
    without_photo: str
    identity: Sequence[tuple[str, str]]
    documents: Sequence[tuple[str, str, str, str]]
    changes: Sequence[tuple[str, str, str]]
    signatures: Sequence[Signature]
    copies: Sequence[str]
    proof: Proof
