"""What a clearance binds, when it may be given, which persons it covers, and its duration; pure (R47)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, Self

import msgspec

from app.db.unit import Actor
from app.entries.domain import Entry
from app.entries.pending import stops
from app.errors import SecondPairOfEyesNeeded, StaleVersion, WrongState
from app.identity import documents, names
from app.identity.births import Birth, span


class Paper(Protocol):
    """A document that a traveller shows, as a check understands it."""

    @property
    def number(self) -> str:
        """The number, normalised."""

    @property
    def skeleton(self) -> str:
        """The number with confusable characters folded."""

    @property
    def state(self) -> str | None:
        """Canonical code of the issuing state, if known."""

    @property
    def sure(self) -> bool:
        """Whether it was typed, or read from a zone whose check digits hold."""


class Traveller(Protocol):
    """What a check understands of a person."""

    @property
    def papers(self) -> Sequence[Paper]:
        """Every document shown."""

    @property
    def births(self) -> Sequence[Birth]:
        """Every birth date, typed or read."""

    @property
    def names(self) -> Sequence[str]:
        """Every name, folded."""

    @property
    def nik(self) -> str | None:
        """The NIK, normalised."""


class Obstacle(StrEnum):
    """Why only this crossing passes, and no standing clearance is proposed."""

    DOCUMENT_LISTED = "document_listed"
    NIK_LISTED = "nik_listed"
    NO_DOCUMENT = "no_document"
    SEVERAL_DOCUMENTS = "several_documents"
    DOCUMENT_UNSURE = "document_unsure"
    NO_ISSUING_STATE = "no_issuing_state"
    NO_BIRTH_DATE = "no_birth_date"
    NO_NAME = "no_name"
    ENTRY_CHANGED = "entry_changed"
    QUESTION_ERASED = "question_erased"


TEXTS: Final[dict[Obstacle, tuple[str, str]]] = {
    Obstacle.DOCUMENT_LISTED: (
        "Dokumen ini tercantum dalam data cekal; hanya perlintasan ini yang diizinkan.",
        "This document is listed in the entry; only this crossing passes.",
    ),
    Obstacle.NIK_LISTED: (
        "NIK ini tercantum dalam data cekal; hanya perlintasan ini yang diizinkan.",
        "This NIK is listed in the entry; only this crossing passes.",
    ),
    Obstacle.NO_DOCUMENT: (
        "Tidak ada dokumen yang diperlihatkan; hanya perlintasan ini yang diizinkan.",
        "No document was shown; only this crossing passes.",
    ),
    Obstacle.SEVERAL_DOCUMENTS: (
        "Lebih dari satu dokumen diperlihatkan; hanya perlintasan ini yang diizinkan.",
        "More than one document was shown; only this crossing passes.",
    ),
    Obstacle.DOCUMENT_UNSURE: (
        "Angka pemeriksa dokumen tidak cocok; hanya perlintasan ini yang diizinkan.",
        "A check digit of the document fails; only this crossing passes.",
    ),
    Obstacle.NO_ISSUING_STATE: (
        "Negara penerbit dokumen tidak diketahui; hanya perlintasan ini yang diizinkan.",
        "The document's issuing state is unknown; only this crossing passes.",
    ),
    Obstacle.NO_BIRTH_DATE: (
        "Tanggal lahir tidak lengkap; hanya perlintasan ini yang diizinkan.",
        "The birth date is not known to the day; only this crossing passes.",
    ),
    Obstacle.NO_NAME: (
        "Nama tidak diketahui; hanya perlintasan ini yang diizinkan.",
        "No name was given; only this crossing passes.",
    ),
    Obstacle.ENTRY_CHANGED: (
        "Data cekal telah berubah sejak pemeriksaan; hanya perlintasan ini yang diizinkan.",
        "The entry has changed or ended since the check; only this crossing passes.",
    ),
    Obstacle.QUESTION_ERASED: (
        "Data pertanyaan telah dihapus; hanya perlintasan ini yang diizinkan.",
        "What was asked has been erased; only this crossing passes.",
    ),
}
"""What people are told of each obstacle: Indonesian, English."""


class ClearanceState(StrEnum):
    """The life of a clearance. Only a standing one counts at a check."""

    PROPOSED = "proposed"
    STANDING = "standing"
    REJECTED = "rejected"
    ENDED = "ended"


class Verdict(StrEnum):
    """What a second person says; `withdraw` takes a standing clearance back."""

    CONFIRM = "confirm"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class EndReason(StrEnum):
    """Why a clearance has ended."""

    ENTRY_CHANGED = "entry_changed"
    ENTRY_ENDED = "entry_ended"
    WITHDRAWN = "withdrawn"


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """Who is not the listed person.

    Attributes:
        number: of the document, normalised.
        issuing_state: its canonical code.
        births: every birth date that was given, at least one of them to the day.
        names: as they were read and typed; folded only when compared, so that a change of the folding rules
            finds them as they were.
    """

    number: str
    issuing_state: str
    births: tuple[Birth, ...]
    names: tuple[str, ...]

    def is_shown_by(self, traveller: Traveller) -> bool:
        """Whether everything that a traveller shows is this bearer's: document, state, birth date, folded name."""
        mine = {names.fold(spelled) for spelled in self.names}
        return (
            {paper.number for paper in traveller.papers} == {self.number}
            and {paper.state for paper in traveller.papers if paper.state} == {self.issuing_state}
            and bool(traveller.births)
            and set(traveller.births) <= set(self.births)
            and bool(traveller.names)
            and set(traveller.names) <= mine
        )


def obstacle(traveller: Traveller, entry: Entry) -> Obstacle | None:  # noqa: PLR0911 - one reason a line
    """Why a traveller can't be cleared against an entry for good; None when they can.

    A document that is listed in the entry never is, nor one whose number differs from a listed one in easily
    confused characters only, or that another state has issued under the same number: what the scan finds, no
    second person may wave through for ever.
    """
    if not traveller.papers:
        return Obstacle.NO_DOCUMENT
    if len({paper.number for paper in traveller.papers}) > 1:
        return Obstacle.SEVERAL_DOCUMENTS
    listed = {
        documents.skeleton(documents.normalise(document.number)) for document in entry.subject.documents
    }
    if any(paper.skeleton in listed for paper in traveller.papers):
        return Obstacle.DOCUMENT_LISTED
    if traveller.nik and entry.subject.nik and documents.normalise(entry.subject.nik) == traveller.nik:
        return Obstacle.NIK_LISTED
    if not all(paper.sure for paper in traveller.papers):
        return Obstacle.DOCUMENT_UNSURE
    if len({paper.state for paper in traveller.papers if paper.state}) != 1:
        return Obstacle.NO_ISSUING_STATE
    if not any(_to_the_day(birth) for birth in traveller.births):
        return Obstacle.NO_BIRTH_DATE
    return None if traveller.names else Obstacle.NO_NAME


def _to_the_day(birth: Birth) -> bool:
    first, last = span(birth)
    return first == last


def bearer_of(traveller: Traveller, spelled: Sequence[str]) -> Bearer:
    """The bearer of a clearance: a traveller without an obstacle.

    Args:
        traveller: as the check understood them.
        spelled: the names as they were read and typed.
    """
    paper = next(paper for paper in traveller.papers if paper.state)
    return Bearer(
        number=paper.number,
        issuing_state=str(paper.state),
        births=tuple(traveller.births),
        names=tuple(dict.fromkeys(spelled)),
    )


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a person said about a clearance, and when."""

    verdict: Verdict
    reason: str | None
    by: str
    person: str | None
    at: datetime


class Clearance(msgspec.Struct, frozen=True, kw_only=True):
    """One bearer against one version of one entry.

    Attributes:
        agency: the entry's owner.
        checkpoint: where it was proposed.
        hit_id: the hit whose resolution proposed it.
        bearer: who is cleared; None once erased.
        proposed_by: the supervisor's client; `person` is who holds it.
        decisions: in order: the second person's, and a withdrawal.
        ended_reason: why it no longer stands; `ended_at` says since when.
    """

    id: str
    version: int
    state: ClearanceState
    entry_id: str
    entry_version: int
    agency: str
    checkpoint: str
    hit_id: str
    bearer: Bearer | None
    proposed_by: str
    person: str | None
    proposed_at: datetime
    decisions: tuple[Decision, ...] = ()
    ended_reason: EndReason | None = None
    ended_at: datetime | None = None

    @property
    def live(self) -> bool:
        """Whether it stands, or may come to stand."""
        return self.state in {ClearanceState.PROPOSED, ClearanceState.STANDING}

    def covers(self, traveller: Traveller, entry: Entry) -> bool:
        """Whether a check of this traveller is to treat this entry as not matching.

        Never for another version of the entry, never where an obstacle has come up since, and only while
        document, issuing state, birth date and folded name are the ones it was given for.
        """
        return (
            self.state is ClearanceState.STANDING
            and self.bearer is not None
            and (self.entry_id, self.entry_version) == (entry.id, entry.version)
            and self.bearer.is_shown_by(traveller)
            and obstacle(traveller, entry) is None
        )

    def decided(
        self, by: Actor, expected: int, verdict: Verdict, reason: str | None, entry: Entry, at: datetime
    ) -> Self:
        """The clearance after a second person's word.

        Args:
            by: an officer of Immigration or of the owner.
            expected: the version that they have read.
            verdict: what they say.
            reason: why.
            entry: the entry as it stands.
            at: now.

        Raises:
            WrongState: nothing is to be decided, or the entry has changed or ended.
            StaleVersion: it has changed since it was read.
            SecondPairOfEyesNeeded: the same person resolved the hit.
        """
        wanted = ClearanceState.STANDING if verdict is Verdict.WITHDRAW else ClearanceState.PROPOSED
        if self.state is not wanted:
            raise WrongState(f"The clearance is {self.state}; only a {wanted} one can be decided on so.")
        if expected != self.version:
            raise StaleVersion(
                "The clearance has changed since it was read.", extra={"version": self.version}
            )
        if verdict is not Verdict.WITHDRAW and (by.person is None or by.person == self.person):
            raise SecondPairOfEyesNeeded(
                "The person who resolved the hit can't decide on its clearance (R47)."
            )
        if verdict is Verdict.CONFIRM and (entry.version != self.entry_version or not stops(entry, at)):
            raise WrongState("The entry has changed or ended since the hit was resolved.")
        withdrawn = verdict is Verdict.WITHDRAW
        said = Decision(verdict=verdict, reason=reason, by=by.client_id, person=by.person, at=at)
        return msgspec.structs.replace(
            self,
            version=self.version + 1,
            state=_AFTER[verdict],
            decisions=(*self.decisions, said),
            ended_reason=EndReason.WITHDRAWN if withdrawn else None,
            ended_at=at if withdrawn else None,
        )

    def ended(self, reason: EndReason, at: datetime) -> Self:
        """The clearance once its entry has changed or ended."""
        return msgspec.structs.replace(
            self, version=self.version + 1, state=ClearanceState.ENDED, ended_reason=reason, ended_at=at
        )

    def erased(self) -> Self:
        """The clearance without bearer and reasons; the decisions, their times and deciders stay (R64)."""
        said = tuple(msgspec.structs.replace(each, reason=None) for each in self.decisions)
        return msgspec.structs.replace(self, bearer=None, decisions=said)


_AFTER: Final = {
    Verdict.CONFIRM: ClearanceState.STANDING,
    Verdict.REJECT: ClearanceState.REJECTED,
    Verdict.WITHDRAW: ClearanceState.ENDED,
}
