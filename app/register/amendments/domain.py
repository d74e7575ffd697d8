"""Amendments: their data, their states, and who may decide on them (no I/O)."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, Self

import msgspec

from app.access.domain import Role
from app.actor import Actor, is_another_person
from app.errors import SecondPairOfEyesNeeded, StaleVersion, WrongAgency, WrongRole, WrongState
from app.register.entries.breadth import Breadth
from app.register.entries.domain import Basis, EntryWarning, Ruling, RulingKind, Verdict
from app.register.entries.ending import Ending
from app.register.entries.erasure import ERASED, basis_without_case
from app.register.entries.subjects import Subject


class AmendmentKind(StrEnum):
    """The effect of an amendment on its entry."""

    EXTENSION = "extension"
    CORRECTION = "correction"
    REVOCATION = "revocation"
    ACQUITTAL = "acquittal"
    ANNULMENT = "annulment"


ENDING: Final = frozenset({AmendmentKind.REVOCATION, AmendmentKind.ACQUITTAL, AmendmentKind.ANNULMENT})
BY_JUDGMENT: Final = frozenset({AmendmentKind.ACQUITTAL, AmendmentKind.ANNULMENT})
"""Kinds that Immigration may also file against another agency's entry, because a judgment binds everyone."""


class AmendmentState(StrEnum):
    """The state of an amendment.

    An amendment is filed as `submitted`. A verifier makes it `verified` or returns it; then an approver approves,
    returns or rejects it. If another act ends the entry, the amendment is rejected too (see `Amendment.closed`).

    A letter from a body that does not own the entry, and an acquittal of only some charges, are filed as `referred`: a
    question to the owner, which changes nothing (R36). The owner answers by a revocation of its own, or returns the
    question with a reason.
    """

    SUBMITTED = "submitted"
    VERIFIED = "verified"
    APPROVED = "approved"
    RETURNED = "returned"
    REJECTED = "rejected"
    REFERRED = "referred"


OPEN: Final = frozenset({AmendmentState.SUBMITTED, AmendmentState.VERIFIED})
"""States in which an amendment waits for a decision."""

WAITING: Final = OPEN | {AmendmentState.REFERRED}
"""States in which an amendment waits for a decision or for the owner's answer."""


class AmendmentLetter(msgspec.Struct, frozen=True):
    """The letter on which an amendment is based."""

    number: str
    issued_on: date


class Extension(msgspec.Struct, frozen=True):
    """A later last day, with the decision that extends the measure."""

    ends_on: date
    basis: Basis


class Correction(msgspec.Struct, frozen=True):
    """The new content of an entry; a member that is None leaves that content as it is.

    Attributes:
        unknown: names of the subject's members (for example `birth`) that the owner states as not known.
        ends_on: an earlier last day; for a ban for life, the last day that it gets.
        other_subject: whether it replaces the subject by another person; then two persons must approve it.
    """

    subject: Subject | None = None
    basis: Basis | None = None
    unknown: tuple[str, ...] = ()
    ends_on: date | None = None
    other_subject: bool = False


class Effect(StrEnum):
    """When a judgment takes effect: once it is final, or immediately."""

    FINAL = "final"
    IMMEDIATE = "immediate"


class Judgment(msgspec.Struct, frozen=True):
    """A court's judgment (R37, R67).

    Attributes:
        final_on: the day on which the judgment became final; None where it takes effect immediately.
        all_charges: whether an acquittal acquits of every charge of the case; None for an annulment.
        sha256: SHA-256 of the judgment's document.
        media_type: media type of the document, where it is attached.
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
    """Which entries a revocation ends: all entries of the owner with the same measure, case and person, or only one."""

    MEASURE = "measure"
    ENTRY = "entry"


class Step(msgspec.Struct, frozen=True):
    """A decision on an amendment: the verdict, the client and person that decided, the time and the reason."""

    verdict: Verdict
    by: str
    person: str | None
    at: datetime
    reason: str | None


class Amendment(msgspec.Struct, frozen=True, kw_only=True):
    """An amendment at one version.

    Attributes:
        entry_version: the version of the entry that the author of the amendment had read.
        agency: code of the agency that files it.
        owner: code of the agency that owns the entry.
        authors: persons that wrote the amendment.
        refers_to_number: number of the owner's letter that a revocation withdraws.
        scope: whether a revocation ends only the entry, or all entries of the measure.
        grounds: id of the granted objection or correction request on which an annulment is based; None without one.
        entry_authors: persons who wrote the entry, or an entry linked with it by formalisation; they must not decide on
            its extension or correction.
        ends: ids of the entries and requests that its approval would end, or has ended, as of its last update.
        case_version: the version of its case at its last update (see `Dossier.case_version`); 0 if it ends nothing.
        first_approver: the first person to approve an amendment that needs two approvals.
        breadth: the number of recent travellers that the entry would have stopped with the corrected name and birth;
            None for other amendments, and if they were not counted.
        received_at: when it reached the register; an extension is in time or late by this instant (R23).
        due_at: last instant for the decision, or for the owner's answer to a referred amendment.
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
    case_version: int = 0
    first_approver: str | None = None
    submitted_by: str
    authors: tuple[str, ...]
    verified_by: str | None = None
    approved_by: str | None = None
    steps: tuple[Step, ...] = ()
    warnings: tuple[EntryWarning, ...] = ()
    breadth: Breadth | None = None
    received_at: datetime
    due_at: datetime
    updated_at: datetime

    def with_breadth(self, breadth: Breadth) -> Self:
        """Return the amendment with `breadth`, the number of travellers that the amended entry would have stopped.

        If `breadth.broad` is true, a warning is put before the amendment's other warnings.
        """
        warned = (breadth.warning(urgent=False),) if breadth.broad else ()
        return msgspec.structs.replace(self, breadth=breadth, warnings=(*warned, *self.warnings))

    @property
    def approvals(self) -> int:
        """The number of persons that have approved it: 0, 1 or 2.

        A correction needs two if it replaces the person by another one, or states a loss of citizenship; any other
        amendment needs one.
        """
        return sum(1 for each in (self.first_approver, self.approved_by) if each is not None)

    @property
    def refused_to_owner(self) -> bool:
        """Whether the owner filed it, a verifier of the owner verified it, and it was rejected or returned after that.

        This is also true for an amendment that was rejected because another act ended its entry (see `closed`).
        """
        decided = self.state in {AmendmentState.RETURNED, AmendmentState.REJECTED}
        return decided and self.agency == self.owner and self.verified_by is not None

    @property
    def ends_whole(self) -> bool:
        """Whether it ends all entries of the owner with the same measure, case and person, not only the named one."""
        if self.kind is AmendmentKind.REVOCATION:
            return self.scope is Scope.MEASURE
        return self.kind in BY_JUDGMENT and self.judgment is not None

    @property
    def ends_something(self) -> bool:
        """Whether its approval ends a measure. False for a `referred` amendment, which only asks the owner."""
        return self.kind in ENDING and self.state is not AmendmentState.REFERRED

    @property
    def ruling(self) -> Ruling | None:
        """The judgment in the form stored with the entries that it ends; None for an amendment without a judgment."""
        judgment = self.judgment
        if judgment is None:
            return None
        kind = RulingKind.ACQUITTAL if self.kind is AmendmentKind.ACQUITTAL else RulingKind.ANNULMENT
        return Ruling(kind, judgment.number, judgment.court, judgment.decided_on, judgment.final_on)

    def with_ends(self, ending: Ending) -> Self:
        """Return the amendment as it is read now, with the ids of the entries that it would end.

        If they differ from the stored ones, the version grows by the changes of the case since then. So two different
        lists never have the same version, and a decision by an officer who has read another list fails as stale. The
        amendment is returned unchanged if its kind ends nothing, or if it is decided or `referred`.

        Args:
            ending: the entries that it would end now.
        """
        if self.kind not in ENDING or self.state not in OPEN or ending.ids == self.ends:
            return self
        return msgspec.structs.replace(self, ends=ending.ids, version=self._latest(ending))

    def _latest(self, ending: Ending) -> int:
        """Return the greatest version under which the amendment may have been read until now."""
        return self.version + max(0, ending.case_version - self.case_version)

    def closed(self, by: Actor, at: datetime, reason: str) -> Self:
        """Return the amendment as rejected, because another act (for example an acquittal) has ended its entry.

        `by`, `at` and `reason` are stored with the rejection; nothing is checked.
        """
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
        wrote: Iterable[str],
        ending: Ending,
    ) -> Self:
        """Return the amendment's next version, after another person's decision at the instant `at` (R31, R36).

        If the amendment needs two approvals, it stays `verified` after the first one. `expected` is the version that
        the person has read. `immigration` is Immigration's agency code: an amendment that Immigration filed for its
        own entry is decided by another of its offices. `wrote` has the persons that wrote any version of the entry, or
        of one linked with it by formalisation: they may decide only on amendments that end it. `ending` has the entries
        that the amendment would end now; another list than the person has read is another version (see `with_ends`).

        Raises:
            WrongRole: the actor has no role that may give this verdict, or no amendment can receive it.
            StaleVersion: another version is current.
            WrongState: the verdict is not possible in the amendment's state.
            WrongAgency: a verifier of the filing agency, or of the owner of a referred amendment, must do this.
            SecondPairOfEyesNeeded: the actor has written, verified or approved the amendment, or wrote the entry that
                it changes, or works in the office of Immigration that filed it for its own entry.
        """
        roles = _VERDICTS.get(verdict, frozenset())
        if not by.holds(*roles):
            raise WrongRole(f"The verdict {verdict} on an amendment is for: {', '.join(sorted(roles))}.")
        shown = self.with_ends(ending)
        if expected != shown.version:
            raise StaleVersion(
                "The amendment has changed since it was read.", extra={"version": shown.version}
            )
        after = _MOVES.get((self.state, verdict))
        if after is None:
            raise WrongState(f"An amendment that is {self.state} can't be decided on like this.")
        if self.state in {AmendmentState.SUBMITTED, AmendmentState.REFERRED}:
            self._expect_verifier(by)
        else:
            self._expect_third_person(by, immigration)
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
            shown,
            state=after,
            version=self._latest(ending) + 1,
            case_version=ending.case_version,
            updated_at=at,
            steps=(*self.steps, step),
            **changes,
        )

    def erased(self) -> Self:
        """Return the amendment without the data on the person and the case; its kind, decisions and days stay (R64)."""
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
        """Whether two persons must approve it.

        True for a correction to another subject, and for one based on a loss of citizenship (R4).
        """
        subject = self.correction.subject if self.correction else None
        lost = subject is not None and subject.citizenship_loss is not None
        return lost or (self.correction is not None and self.correction.other_subject)

    def _expect_verifier(self, by: Actor) -> None:
        if not by.holds(Role.VERIFIER):
            raise WrongState("An amendment is verified before it is decided on.")
        if self.state is AmendmentState.REFERRED:
            if by.agency != self.owner:
                raise WrongAgency("Only the agency that owns the entry answers another body's letter (R36).")
        elif by.agency != self.agency:
            raise WrongAgency("A verifier of the agency that asks for the amendment does this (R36).")
        _different(by, self.authors, "An author of the amendment can't verify or return it.")

    def _expect_third_person(self, by: Actor, immigration: str) -> None:
        if not by.holds(Role.APPROVER):
            raise WrongState("A verified amendment waits for an approver.")
        earlier = (*self.authors, self.verified_by, self.first_approver)
        _different(by, earlier, "A third person decides on a verified amendment, a fourth where two approve.")
        if self.owner == self.agency == immigration and by.office == self.office:
            raise SecondPairOfEyesNeeded(
                "Amendments of Immigration's own entries are decided by another office."
            )


def _different(by: Actor, earlier: Iterable[str | None], detail: str) -> None:
    if not is_another_person(by, *earlier):
        raise SecondPairOfEyesNeeded(detail)


_VERDICTS: Final = {
    Verdict.VERIFY: frozenset({Role.VERIFIER}),
    Verdict.RETURN: frozenset({Role.VERIFIER, Role.APPROVER}),
    Verdict.APPROVE: frozenset({Role.APPROVER}),
    Verdict.REJECT: frozenset({Role.APPROVER}),
}

_MOVES: Final = {
    (AmendmentState.SUBMITTED, Verdict.VERIFY): AmendmentState.VERIFIED,
    (AmendmentState.SUBMITTED, Verdict.RETURN): AmendmentState.RETURNED,
    (AmendmentState.REFERRED, Verdict.RETURN): AmendmentState.RETURNED,
    (AmendmentState.VERIFIED, Verdict.RETURN): AmendmentState.RETURNED,
    (AmendmentState.VERIFIED, Verdict.APPROVE): AmendmentState.APPROVED,
    (AmendmentState.VERIFIED, Verdict.REJECT): AmendmentState.REJECTED,
}
