"""Measures imported from a list or an older register, and the entries made from them (no I/O)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import msgspec

from app.access.employee_numbers import without_label
from app.errors import CaseClosed, DuplicateEntry, Fault, Invalid, SecondPairOfEyesNeeded
from app.identity import names
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.matching.keys import StoredKeys
from app.register.entries import keys
from app.register.entries.domain import EndedReason, Entry, EntryWarning, RulingKind, State
from app.register.entries.drafting import with_photo
from app.register.entries.law import periods
from app.register.entries.proposal import Proposal
from app.register.entries.requested import RequestedMeasure
from app.register.entries.subjects import Alias

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .:/-]{1,38}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Source:
    """The origin of imported entries.

    Attributes:
        origin: its name: `un`, or for an older register `takeover:KPK`.
        leads: whether the source overrides changes made here: true for a published list, false for an older register,
            because after the takeover this register is the authority.
    """

    origin: str
    leads: bool


@dataclass(frozen=True, slots=True)
class Approvers:
    """The employee numbers of the two persons that approve an import, in normal form without a label."""

    first: str
    second: str

    @classmethod
    def named(cls, first: str, second: str) -> Self:
        """Return the approvers with these two employee numbers, which may contain separators and begin with a label.

        Raises:
            Invalid: one of the two is no employee number.
            SecondPairOfEyesNeeded: both numbers are of the same person.
        """
        named = {"approved_by": first, "second_approver": second}
        faults = [
            Fault(f"/{member}", "pattern", "This is no employee number.")
            for member, number in named.items()
            if not _NUMBER.fullmatch(number)
        ]
        if faults:
            raise Invalid("Two persons approve an import, by their employee numbers.", faults=faults)
        plain = [without_label(number) for number in named.values()]
        if plain[0] == plain[1]:
            raise SecondPairOfEyesNeeded("Two different persons approve an import.")
        return cls(*plain)


@dataclass(frozen=True, slots=True)
class ImportedMeasure:
    """A measure from a source, already judged to be lawful.

    Attributes:
        source: its source.
        reference: its permanent key in the source.
        digest: digest of the source's content about the measure; it shows at the next import whether the content has
            changed.
        agency: code of the owner.
        requested: the measure.
        warnings: the rules' warnings about it.
        extension_count: number of its extensions.
        note: note for the entry's history.
        keys: the person's search keys, prepared before any lock is taken; None where they were not prepared.
    """

    source: Source
    reference: str
    digest: str
    agency: str
    requested: RequestedMeasure
    warnings: tuple[EntryWarning, ...] = ()
    extension_count: int = 0
    note: str | None = None
    keys: StoredKeys | None = None

    @property
    def key(self) -> tuple[str, str]:
        """The pair of origin and reference, which identifies it among all imported items."""
        return self.source.origin, self.reference

    def outlives(self, entry: Entry) -> bool:
        """Return whether an entry expired at the end of its period, and this measure now has a longer period."""
        if entry.ended_reason is not EndedReason.EXPIRED or entry.ends_on is None:
            return False
        return self.requested.ends_on is None or self.requested.ends_on > entry.ends_on

    def entry(self, approvers: Approvers, by: str, now: datetime) -> Entry:
        """Return a new entry with the imported measure: active, or ended if its period is over at `now`.

        Args:
            approvers: the persons that approve the import.
            by: id of the importing client.
            now: the time of the import.
        """
        requested = self.requested
        starts_on = requested.starts_on
        assert starts_on is not None, "the law demands a first day"
        return Entry(
            id=new_id("ent", now),
            version=1,
            state=State.ACTIVE,
            measure=requested.measure,
            agency=self.agency,
            citizenship=requested.subject.citizenship_on(legal_day(now)),
            subject=with_photo(requested),
            basis=requested.basis,
            unknown=requested.unknown,
            starts_on=starts_on,
            ends_on=requested.ends_on,
            lifetime=requested.lifetime,
            in_force_from=periods.begins_at(starts_on),
            in_force_until=None if requested.ends_on is None else periods.over_at(requested.ends_on),
            submitted_by=by,
            authors=(),
            approved_by=(approvers.first, approvers.second),
            second_approval_at=now,
            received_at=now,
            extension_count=self.extension_count,
            warnings=self.warnings,
            from_list=self.source.leads,
            created_at=now,
            updated_at=now,
        ).at(now)

    def applied_to(self, before: Entry, history: Sequence[Entry], now: datetime) -> Entry:
        """Return `before` with the content of this imported measure; its version number and state stay.

        A published list gives no period and no photo, so the period and the photo of `before` stay; full names of
        earlier versions stay as aliases. A measure from an older register replaces period and photo too.

        Args:
            before: the current entry.
            history: all versions of the entry.
            now: the time of the import.
        """
        requested = self.requested
        subject = with_photo(requested)
        citizenship = subject.citizenship_on(legal_day(now))
        content = before.replace(basis=requested.basis, unknown=requested.unknown, warnings=self.warnings)
        if self.source.leads:
            ground = msgspec.structs.replace(requested.basis, lifetime_ground=before.basis.lifetime_ground)
            content = content.replace(basis=ground)
            earlier = [Alias(former.subject.full_name) for former in history]
            subject = subject.with_former_names(earlier, form=names.fold)
            subject = msgspec.structs.replace(subject, photo=before.subject.photo)
            return content.replace(subject=subject, citizenship=citizenship)
        starts_on = requested.starts_on
        assert starts_on is not None, "the law demands a first day"
        return content.replace(
            subject=subject,
            citizenship=citizenship,
            starts_on=starts_on,
            ends_on=requested.ends_on,
            lifetime=requested.lifetime,
            in_force_from=periods.begins_at(starts_on),
            in_force_until=None if requested.ends_on is None else periods.over_at(requested.ends_on),
            waiting=before.waiting
            if requested.ends_on == before.ends_on
            else None,  # for an extension of that day
            extension_count=self.extension_count,
        )


class Neighbours:
    """Existing entries, among which `bar_to` looks for one that bars a new entry.

    An entry bars it as a duplicate, or because a judgment about it closed the case. The persons, cases and letters of
    earlier versions count too (API section 3, "What bars and what ends").
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[Entry]] = {}
        self._last: tuple[Entry, set[tuple[str, str]]] | None = None

    def add(self, entry: Entry) -> None:
        """Add an existing entry to the set; its state must be the current one (see `Entry.at`)."""
        for place in self._places_of(entry):
            self._found.setdefault(place, []).append(entry)

    def _places_of(self, entry: Entry) -> set[tuple[str, str]]:
        """Return an entry's keys, cached for the last entry: one that is not barred is then added."""
        if self._last is None or self._last[0] is not entry:
            self._last = entry, _places(entry)
        return self._last[1]

    def bar_to(self, entry: Entry, *, exclude: str) -> CaseClosed | DuplicateEntry | None:
        """Return the error by which an entry of the set bars a new one; None if none does (R14, R15, R67).

        If several entries of the set bar the new one, the first one found determines the error.

        Args:
            entry: the new entry.
            exclude: id of the entry that the new one follows, which does not bar it; empty if it follows none.
        """
        proposal, over = Proposal.of_entry(entry), entry.state is State.ENDED
        for place in sorted(self._places_of(entry)):
            for other in self._found.get(place, ()):
                if other.id == exclude:
                    continue
                if not proposal.may_name(other):
                    continue
                if entry.runs and _closed(proposal, other):
                    detail = (
                        "A final judgment acquitted this person and closed the case (UU 6/2011 art. 97(3))."
                    )
                    return CaseClosed(detail, extra={"entry_id": other.id})
                repetition = proposal.repetition_of(other, over=over)
                if repetition is not None:
                    return DuplicateEntry(repetition, extra={"entry_id": other.id})
        return None


def _places(entry: Entry) -> set[tuple[str, str]]:
    """Return each case and letter of an entry, paired with each identifier of its persons, in all its versions."""
    contents = (entry.filed_content, *entry.former)
    matters = {matter for content in contents for matter in keys.case_and_letter_keys(entry.agency, content)}
    identifiers = {key for content in contents for key in content.subject.identifiers()}
    return {(matter, key) for matter in matters for key in identifiers}


def _closed(proposal: Proposal, other: Entry) -> bool:
    """Return whether a judgment about another entry closed the case of an exit ban."""
    acquitted = any(each.kind is RulingKind.ACQUITTAL for each in other.rulings)
    return acquitted and proposal.measure is other.measure and proposal.in_case_of(other)
