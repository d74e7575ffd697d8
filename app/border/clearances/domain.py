"""Clearances: conditions, covered persons, decisions and duration (no I/O; R47)."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, Self

import msgspec

from app.actor import Actor, is_another_person
from app.errors import SecondPairOfEyesNeeded, StaleVersion, WrongState
from app.identity import documents, names, states, typed_numbers
from app.identity.births import Birth, span
from app.register.entries.domain import Entry
from app.register.entries.pending import stops


class Paper(Protocol):
    """A travel document, as a check has parsed it."""

    @property
    def number(self) -> str:
        """The normalised number."""

    def may_be(self, skeleton: str) -> bool:
        """Return whether the document may have a listed number with this skeleton: this number, or a misread one."""

    @property
    def state(self) -> str | None:
        """Canonical code of the issuing state; None if it is not known."""

    @property
    def sure(self) -> bool:
        """Whether the number was typed, or read from a machine-readable zone with valid check digits."""


class Traveller(Protocol):
    """A traveller, as a check has parsed their data."""

    @property
    def papers(self) -> Sequence[Paper]:
        """Every document shown."""

    @property
    def births(self) -> Sequence[Birth]:
        """Every birth date, typed or read from a zone."""

    @property
    def names(self) -> Sequence[str]:
        """Every name, folded to the one form that all spellings of the name share."""

    @property
    def nik(self) -> str | None:
        """The normalised NIK; None without one."""


class Obstacle(StrEnum):
    """The reason why no clearance can be proposed, although a supervisor found that the traveller is another person.

    The traveller then passes once; the next check stops them again. `TEXTS` says what each value means.
    """

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
        "Data pertanyaan telah dihapus atau tidak terbaca lagi; hanya perlintasan ini yang diizinkan.",
        "What was asked has been erased or can't be read any more; only this crossing passes.",
    ),
}
"""The text of each obstacle in Indonesian and English."""


class ClearanceState(StrEnum):
    """State of a clearance. Checks apply only a `standing` one.

    A `proposed` clearance waits for a second person, who makes it `standing` or `rejected`. A proposed or standing one
    is `ended` by a change or the end of its entry, a standing one also by a withdrawal.
    """

    PROPOSED = "proposed"
    STANDING = "standing"
    REJECTED = "rejected"
    ENDED = "ended"


class ClearanceVerdict(StrEnum):
    """A decision on a clearance: a second person confirms or rejects a proposed one; `withdraw` ends a standing one."""

    CONFIRM = "confirm"
    REJECT = "reject"
    WITHDRAW = "withdraw"


class EndReason(StrEnum):
    """The reason why a clearance has ended."""

    ENTRY_CHANGED = "entry_changed"
    ENTRY_ENDED = "entry_ended"
    WITHDRAWN = "withdrawn"


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """The cleared person, who is not the listed person, with the document to which the clearance is bound.

    Attributes:
        number: normalised number of the document.
        issuing_state: canonical code of the document's issuing state.
        births: every birth date that the check had, at least one of them exact to the day.
        names: the names as they were read and typed. They are folded at each comparison, so that changed folding rules
            apply to them too.
    """

    number: str
    issuing_state: str
    births: tuple[Birth, ...]
    names: tuple[str, ...]

    def is_shown_by(self, traveller: Traveller) -> bool:
        """Return whether a traveller shows the bearer's document and issuing state, and no other document.

        The traveller must also have at least one name and birth date, and only names (folded) and births of the bearer.
        """
        folded = {names.fold(spelled) for spelled in self.names}
        return (
            {paper.number for paper in traveller.papers} == {self.number}
            and {paper.state for paper in traveller.papers if paper.state}
            == {states.canonical(self.issuing_state)}
            and bool(traveller.births)
            and set(traveller.births) <= set(self.births)
            and bool(traveller.names)
            and set(traveller.names) <= folded
        )


def obstacle(traveller: Traveller, entry: Entry) -> Obstacle | None:  # noqa: PLR0911 - one reason a line
    """Return the reason why a traveller can't be cleared against an entry; None if the traveller can.

    Reasons are a document or NIK that the entry lists, no or several documents, and missing or uncertain data. A
    document counts as listed whatever its issuing state, and also if its number may be a misread listed one
    (`Paper.may_be`). The caller must test for `entry_changed` and `question_erased`, which are never returned here.
    """
    if not traveller.papers:
        return Obstacle.NO_DOCUMENT
    if len({paper.number for paper in traveller.papers}) > 1:
        return Obstacle.SEVERAL_DOCUMENTS
    listed = {
        skeleton
        for document in entry.subject.documents
        for number in typed_numbers.read(document.number).numbers
        for skeleton in number.skeletons
    }
    if any(paper.may_be(skeleton) for paper in traveller.papers for skeleton in listed):
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
    """Return the bearer for the clearance of a traveller; call it only if `obstacle` has returned None.

    Args:
        traveller: the traveller as the check has parsed their data.
        spelled: the traveller's names as they were read and typed.
    """
    paper = next(paper for paper in traveller.papers if paper.state)
    return Bearer(
        number=paper.number,
        issuing_state=str(paper.state),
        births=tuple(traveller.births),
        names=tuple(dict.fromkeys(spelled)),
    )


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision on a clearance, by an officer.

    Attributes:
        verdict: `confirm`, `reject` or `withdraw`.
        reason: the reason; None for a confirmation without one, or once erased.
        by: id of the officer's client.
        person: the officer's employee number; None if the client has no holder.
    """

    verdict: ClearanceVerdict
    reason: str | None
    by: str
    person: str | None
    at: datetime


class Clearance(msgspec.Struct, frozen=True, kw_only=True):
    """A clearance ("not the same person"): checks treat one bearer as not matching one version of one entry.

    A supervisor proposes it by resolving a hit; a second person confirms it.

    Attributes:
        version: number of the clearance's version, from 1.
        entry_version: the only version of the entry that the clearance covers.
        agency: code of the entry's owner.
        checkpoint: code of the checkpoint at which the clearance was proposed.
        hit_id: id of the hit that the supervisor resolved with this proposal.
        bearer: the cleared person; None once erased.
        proposed_by: id of the proposing supervisor's client.
        person: the proposing supervisor's employee number; None if the client has no holder.
        decisions: the second person's confirmation or rejection, then a withdrawal; each only if it was made.
        ended_reason: why the clearance has ended, at `ended_at`; None while it has not ended.
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
        """Whether the clearance is `standing` or `proposed`: neither rejected nor ended."""
        return self.state in {ClearanceState.PROPOSED, ClearanceState.STANDING}

    def covers(self, traveller: Traveller, entry: Entry) -> bool:
        """Return whether a check of this traveller must treat this entry as not matching.

        True only if the clearance is standing, the entry has the covered version, the traveller is the bearer by
        document, issuing state, births and folded names (`Bearer.is_shown_by`), and `obstacle` returns None now.
        """
        return (
            self.state is ClearanceState.STANDING
            and self.bearer is not None
            and (self.entry_id, self.entry_version) == (entry.id, entry.version)
            and self.bearer.is_shown_by(traveller)
            and obstacle(traveller, entry) is None
        )

    def decided(
        self,
        by: Actor,
        expected: int,
        verdict: ClearanceVerdict,
        reason: str | None,
        entry: Entry,
        at: datetime,
    ) -> Self:
        """Return the clearance's next version, after an officer has confirmed, rejected or withdrawn it.

        Args:
            by: the officer that decides; the caller has checked the role.
            expected: the clearance's version that the officer has read.
            verdict: the decision.
            reason: the reason; None for a confirmation without one.
            entry: the entry in its present state.
            at: the time of the decision.

        Raises:
            WrongState: a withdrawal needs a standing clearance, a confirmation or rejection a proposed one; or the
                entry has changed or ended, so that the clearance can't be confirmed.
            StaleVersion: the clearance has changed since it was read.
            SecondPairOfEyesNeeded: the officer resolved the hit, and confirms or rejects the clearance.
        """
        needed = ClearanceState.STANDING if verdict is ClearanceVerdict.WITHDRAW else ClearanceState.PROPOSED
        if self.state is not needed:
            raise WrongState(f"The clearance is {self.state}; only a {needed} one can be decided on so.")
        if expected != self.version:
            raise StaleVersion(
                "The clearance has changed since it was read.", extra={"version": self.version}
            )
        if verdict is not ClearanceVerdict.WITHDRAW and not is_another_person(by, self.person):
            raise SecondPairOfEyesNeeded(
                "The person who resolved the hit can't decide on its clearance (R47)."
            )
        if verdict is ClearanceVerdict.CONFIRM and (
            entry.version != self.entry_version or not stops(entry, at)
        ):
            raise WrongState("The entry has changed or ended since the hit was resolved.")
        withdrawn = verdict is ClearanceVerdict.WITHDRAW
        decision = Decision(verdict=verdict, reason=reason, by=by.client_id, person=by.person, at=at)
        return msgspec.structs.replace(
            self,
            version=self.version + 1,
            state=_AFTER[verdict],
            decisions=(*self.decisions, decision),
            ended_reason=EndReason.WITHDRAWN if withdrawn else None,
            ended_at=at if withdrawn else None,
        )

    def ended(self, reason: EndReason, at: datetime) -> Self:
        """Return the clearance's next version, ended at `at` because its entry has changed or ended (`reason`)."""
        return msgspec.structs.replace(
            self, version=self.version + 1, state=ClearanceState.ENDED, ended_reason=reason, ended_at=at
        )

    def erased(self) -> Self:
        """Return the clearance without bearer and reasons; verdicts, times and deciding officers stay (R64)."""
        decisions = tuple(msgspec.structs.replace(each, reason=None) for each in self.decisions)
        return msgspec.structs.replace(self, bearer=None, decisions=decisions)


_AFTER: Final = {
    ClearanceVerdict.CONFIRM: ClearanceState.STANDING,
    ClearanceVerdict.REJECT: ClearanceState.REJECTED,
    ClearanceVerdict.WITHDRAW: ClearanceState.ENDED,
}
