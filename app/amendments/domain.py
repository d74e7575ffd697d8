"""What an amendment is, and who may decide on it; pure."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Self

import msgspec

from app.db.unit import Actor
from app.entries.deadlines import extend_by
from app.entries.domain import Basis, Notice, Ruling, RulingKind, Verdict
from app.entries.erasure import ERASED, basis_without_case
from app.entries.periods import last_second
from app.entries.subjects import Subject
from app.errors import SecondPairOfEyesNeeded, StaleVersion, WrongAgency, WrongRole, WrongState
from app.kit.clock import legal_day


class AmendmentKind(StrEnum):
    """What an amendment does to its entry."""

    EXTENSION = "extension"
    CORRECTION = "correction"
    REVOCATION = "revocation"
    ACQUITTAL = "acquittal"
    ANNULMENT = "annulment"


ENDING: Final = frozenset({AmendmentKind.REVOCATION, AmendmentKind.ACQUITTAL, AmendmentKind.ANNULMENT})
BY_JUDGMENT: Final = frozenset({AmendmentKind.ACQUITTAL, AmendmentKind.ANNULMENT})
"""What Immigration may ask for too, on whosever entry: a judgment binds everybody."""


class AmendmentState(StrEnum):
    """Where an amendment stands.

    `referred` is a letter from a body that does not own the entry: a question to the owner, which changes nothing
    (R36). The owner answers it by a revocation of its own, or returns it with the reason.
    """

    SUBMITTED = "submitted"
    VERIFIED = "verified"
    APPROVED = "approved"
    RETURNED = "returned"
    REJECTED = "rejected"
    REFERRED = "referred"


OPEN: Final = frozenset({AmendmentState.SUBMITTED, AmendmentState.VERIFIED})
"""What waits for its decision."""

WAITING: Final = OPEN | {AmendmentState.REFERRED}
"""What waits for somebody: for its decision, or for the owner's answer."""


class AmendmentLetter(msgspec.Struct, frozen=True):
    """The letter that an amendment rests on."""

    number: str
    issued_on: date


class Extension(msgspec.Struct, frozen=True):
    """A later last day, by a decision of its own."""

    ends_on: date
    basis: Basis


class Correction(msgspec.Struct, frozen=True):
    """What the entry is to say instead; None leaves the part as it is.

    Attributes:
        ends_on: an earlier last day; of a ban for life, its first one.
        other_subject: it makes the entry one against another person, so two persons approve it.
    """

    subject: Subject | None = None
    basis: Basis | None = None
    unknown: tuple[str, ...] = ()
    ends_on: date | None = None
    other_subject: bool = False


class Effect(StrEnum):
    """From when a judgment works."""

    FINAL = "final"
    IMMEDIATE = "immediate"


class Judgment(msgspec.Struct, frozen=True):
    """A court's judgment (R37, R67).

    Attributes:
        final_on: when it became final; None where it works at once.
        all_charges: of an acquittal, whether it acquits of every charge of the case.
        sha256: of the judgment's document.
        media_type: of the document, where it is attached.
    """

    number: str
    court: str
    decided_on: date
    final_on: date | None
    case_reference: str
    effect: Effect = Effect.FINAL
    all_charges: bool | None = None
    sha256: str | None = None
    media_type: str | None = None


class Scope(StrEnum):
    """How far a revocation reaches: every entry of the measure in its dossier, or the one that it names."""

    MEASURE = "measure"
    ENTRY = "entry"


class Step(msgspec.Struct, frozen=True):
    """A decision on an amendment: what, by which client and person, when, and why."""

    verdict: Verdict
    by: str
    person: str | None
    at: datetime
    reason: str | None


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """An amendment at one version.

    Attributes:
        entry_version: the version of the entry that its author had read.
        agency: who asks for it.
        owner: who owns the entry.
        authors: persons who wrote it.
        refers_to_number: the letter of the owner that a revocation takes back.
        scope: how far a revocation reaches.
        grounds: id of the granted objection or correction request on which an annulment rests.
        entry_authors: persons who wrote the entry before it was filed; they don't decide on what changes it.
        ends: ids of the entries and requests that stop by it, as its last reader saw them.
        first_approver: who approved first what needs two.
        received_at: when it reached the register; decides whether an extension is in time (R23).
        due_at: until when it is to be decided on, or answered; see `decide_by`.
    """

    id: str
    version: int = 1
    entry_id: str
    entry_version: int
    kind: AmendmentKind
    state: AmendmentState
    agency: str
    owner: str
    office: str | None
    reason: str
    letter: AmendmentLetter | None = None
    extension: Extension | None = None
    correction: Correction | None = None
    refers_to_number: str | None = None
    scope: Scope = Scope.MEASURE
    judgment: Judgment | None = None
    grounds: str | None = None
    entry_authors: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    first_approver: str | None = None
    submitted_by: str
    authors: tuple[str, ...]
    verified_by: str | None = None
    approved_by: str | None = None
    steps: tuple[Step, ...] = ()
    warnings: tuple[Notice, ...] = ()
    received_at: datetime
    due_at: datetime
    updated_at: datetime

    @property
    def approvals(self) -> int:
        """How many persons of Immigration have approved it; a correction to another person needs two."""
        return sum(1 for each in (self.first_approver, self.approved_by) if each is not None)

    @property
    def refused_to_owner(self) -> bool:
        """Whether Immigration has rejected or returned what the owner asked for, and its own verifier let pass."""
        decided = self.state in {AmendmentState.RETURNED, AmendmentState.REJECTED}
        return decided and self.agency == self.owner and self.verified_by is not None

    @property
    def ends_whole(self) -> bool:
        """Whether it ends everything of its dossier with the same measure, not only the entry that it names."""
        if self.kind is AmendmentKind.REVOCATION:
            return self.scope is Scope.MEASURE
        return self.kind in BY_JUDGMENT and self.judgment is not None

    @property
    def ends_something(self) -> bool:
        """Whether it ends a measure once it is approved; a question to the owner never does."""
        return self.kind in ENDING and self.state is not AmendmentState.REFERRED

    @property
    def ruling(self) -> Ruling | None:
        """The judgment as the entries that it ends keep it."""
        said = self.judgment
        if said is None:
            return None
        kind = RulingKind.ACQUITTAL if self.kind is AmendmentKind.ACQUITTAL else RulingKind.ANNULMENT
        return Ruling(kind, said.number, said.court, said.decided_on, said.final_on)

    def seen(self, ends: tuple[str, ...]) -> Self:
        """The amendment with what it would end now; another version than before where that has changed."""
        if self.kind not in ENDING or self.state not in OPEN or ends == self.ends:
            return self
        moved = len(set(ends) ^ set(self.ends))
        return msgspec.structs.replace(self, ends=ends, version=self.version + moved)

    def closed(self, by: Actor, at: datetime, reason: str) -> Self:
        """The amendment that is rejected because its entry was ended by another act."""
        step = Step(Verdict.REJECT, by.client_id, by.person, at, reason)
        return msgspec.structs.replace(
            self,
            state=AmendmentState.REJECTED,
            version=self.version + 1,
            updated_at=at,
            steps=(*self.steps, step),
        )

    def decide(
        self,
        by: Actor,
        verdict: Verdict,
        expected: int,
        at: datetime,
        reason: str | None,
        immigration: str,
        wrote: Iterable[str] = (),
    ) -> Self:
        """What another pair of eyes says about it (contract section 3; R31, R36).

        Args:
            by: who decides.
            verdict: what they say.
            expected: the version that they have read.
            at: when.
            reason: why.
            immigration: code of the agency whose own entries another office approves.
            wrote: persons who wrote any version of its entry; they decide on what only ends it, and on nothing else.

        Raises:
            WrongRole: the verdict is not for the actor's roles, or not for amendments.
            StaleVersion: the amendment has changed meanwhile.
            WrongState: the verdict does not fit its state.
            WrongAgency: the act is for a verifier of the agency that asks, or of the owner who is asked.
            SecondPairOfEyesNeeded: the actor has written or verified it.
        """
        roles = _VERDICTS.get(verdict, frozenset())
        if not by.holds(*roles):
            raise WrongRole(f"The verdict {verdict} on an amendment is for: {', '.join(sorted(roles))}.")
        if expected != self.version:
            raise StaleVersion(
                "The amendment has changed since it was read.", extra={"version": self.version}
            )
        after = _MOVES.get((self.state, verdict))
        if after is None:
            raise WrongState(f"An amendment that is {self.state} can't be decided on like this.")
        if self.state in {AmendmentState.SUBMITTED, AmendmentState.REFERRED}:
            self._by_its_verifier(by)
        else:
            self._by_a_third_person(by, immigration)
        if self.kind not in ENDING:
            _different(
                by, wrote, "A person who wrote any version of the entry can't decide on its amendment."
            )
        changes: dict[str, Any] = {}
        if verdict is Verdict.VERIFY:
            changes = {"verified_by": by.person}
        elif verdict is Verdict.APPROVE:
            changes = {"approved_by": by.person}
            if self._needs_two and self.first_approver is None:
                changes, after = {"first_approver": by.person}, AmendmentState.VERIFIED
        step = Step(verdict, by.client_id, by.person, at, reason)
        return msgspec.structs.replace(
            self, state=after, version=self.version + 1, updated_at=at, steps=(*self.steps, step), **changes
        )

    def erased(self) -> Self:
        """The amendment without what names the person or tells the case; kind, decisions and days stay (R64)."""
        longer = self.extension
        return msgspec.structs.replace(
            self,
            reason=ERASED,
            letter=None,
            extension=longer and Extension(longer.ends_on, basis_without_case(longer.basis)),
            correction=None,
            refers_to_number=None,
            judgment=None,
            steps=tuple(msgspec.structs.replace(step, reason=None) for step in self.steps),
            warnings=(),
        )

    @property
    def _needs_two(self) -> bool:
        """Whether two approve: a correction to another subject, or one that rests on a loss of citizenship (R4)."""
        subject = self.correction.subject if self.correction else None
        lost = subject is not None and subject.citizenship_loss is not None
        return lost or (self.correction is not None and self.correction.other_subject)

    def _by_its_verifier(self, by: Actor) -> None:
        if not by.holds("verifier"):
            raise WrongState("An amendment is verified before it is decided on.")
        if self.state is AmendmentState.REFERRED:
            if by.agency != self.owner:
                raise WrongAgency("Only the agency that owns the entry answers another body's letter (R36).")
        elif by.agency != self.agency:
            raise WrongAgency("A verifier of the agency that asks for the amendment does this (R36).")
        _different(by, self.authors, "An author of the amendment can't verify or return it.")

    def _by_a_third_person(self, by: Actor, immigration: str) -> None:
        if not by.holds("approver"):
            raise WrongState("A verified amendment waits for an approver.")
        earlier = (*self.authors, self.verified_by, self.first_approver)
        _different(by, earlier, "A third person decides on a verified amendment, a fourth where two approve.")
        if self.owner == self.agency == immigration and by.office == self.office:
            raise SecondPairOfEyesNeeded(
                "Amendments of Immigration's own entries are decided by another office."
            )


def decide_by(
    kind: AmendmentKind, received_at: datetime, within: timedelta, ends_on: date | None
) -> datetime:
    """Until when an amendment is to be decided on: the end of the last day of its term.

    An extension not later than the last moment at which another could still arrive: then three days are left to
    decide before the measure ends by law (R23). An acquittal at once: an innocent person is banned meanwhile (R67).

    Args:
        kind: what it does.
        received_at: when it reached the register.
        within: the deployment's term, for the law names none.
        ends_on: the entry's last day.
    """
    if kind is AmendmentKind.ACQUITTAL:
        return received_at
    due_at = last_second(legal_day(received_at) + within)
    if kind is AmendmentKind.EXTENSION and ends_on is not None:
        return min(due_at, extend_by(ends_on))
    return due_at


def _different(by: Actor, earlier: Iterable[str | None], detail: str) -> None:
    if by.person is None or by.person in set(earlier):
        raise SecondPairOfEyesNeeded(detail)


_VERDICTS: Final = {
    Verdict.VERIFY: frozenset({"verifier"}),
    Verdict.RETURN: frozenset({"verifier", "approver"}),
    Verdict.APPROVE: frozenset({"approver"}),
    Verdict.REJECT: frozenset({"approver"}),
}

_MOVES: Final = {
    (AmendmentState.SUBMITTED, Verdict.VERIFY): AmendmentState.VERIFIED,
    (AmendmentState.SUBMITTED, Verdict.RETURN): AmendmentState.RETURNED,
    (AmendmentState.REFERRED, Verdict.RETURN): AmendmentState.RETURNED,
    (AmendmentState.VERIFIED, Verdict.RETURN): AmendmentState.RETURNED,
    (AmendmentState.VERIFIED, Verdict.APPROVE): AmendmentState.APPROVED,
    (AmendmentState.VERIFIED, Verdict.REJECT): AmendmentState.REJECTED,
}
