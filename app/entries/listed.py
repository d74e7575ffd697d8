"""What a published list or an older register says, and the entry it makes; pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

import msgspec

from app.entries import keys, periods
from app.entries.domain import EndedReason, Entry, Notice, RulingKind, State
from app.entries.drafting import with_photo
from app.entries.sameness import in_same_case
from app.entries.subjects import Alias, Subject
from app.entries.wanted import Wanted
from app.errors import CaseClosed, DuplicateEntry, Fault, Invalid, SecondPairOfEyesNeeded
from app.identity import names
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.matching.keys import Stored

_NUMBER = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ./-]{1,38}[A-Za-z0-9]")


@dataclass(frozen=True, slots=True)
class Source:
    """Where entries come from.

    Attributes:
        origin: its name, such as `un` or `takeover:KPK`.
        leads: a published list goes before what was changed here; an older register does not, for from the
            takeover on this register leads.
    """

    origin: str
    leads: bool


@dataclass(frozen=True, slots=True)
class Approvers:
    """The two persons who stand for an import, by their nationwide employee numbers, letters and digits only."""

    first: str
    second: str

    @classmethod
    def named(cls, first: str, second: str) -> Self:
        """The persons with these numbers, however they are written.

        Raises:
            Invalid: one is no employee number.
            SecondPairOfEyesNeeded: both are one person.
        """
        named = {"approved_by": first, "second_approver": second}
        faults = [
            Fault(f"/{member}", "pattern", "This is no employee number.")
            for member, number in named.items()
            if not _NUMBER.fullmatch(number)
        ]
        if faults:
            raise Invalid("Two persons approve an import, by their employee numbers.", faults=faults)
        plain = [_plain(number) for number in named.values()]
        if plain[0] == plain[1]:
            raise SecondPairOfEyesNeeded("Two different persons approve an import.")
        return cls(*plain)


@dataclass(frozen=True, slots=True)
class Listed:
    """A measure as its source has it, found lawful already.

    Attributes:
        source: where it comes from.
        reference: its key in the source, the same for ever.
        digest: of the source's content: another one means that something changed.
        agency: code of the owner.
        wanted: the measure.
        warnings: what the rules say about it.
        extension_count: how often it has been extended.
        note: for the entry's history.
        keys: what the person is found by, made before anything is locked; None where that was not done.
    """

    source: Source
    reference: str
    digest: str
    agency: str
    wanted: Wanted
    warnings: tuple[Notice, ...] = ()
    extension_count: int = 0
    note: str | None = None
    keys: Stored | None = None

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from everything else that was ever imported."""
        return self.source.origin, self.reference

    def outlives(self, entry: Entry) -> bool:
        """Whether the entry has ended with its period, and the source now holds a longer one."""
        if entry.ended_reason is not EndedReason.EXPIRED or entry.ends_on is None:
            return False
        return self.wanted.ends_on is None or self.wanted.ends_on > entry.ends_on

    def entry(self, approvers: Approvers, by: str, now: datetime) -> Entry:
        """The entry that it becomes: in force, or ended already where its period is over.

        Args:
            approvers: who stands for it.
            by: id of the client that imports.
            now: when.
        """
        wanted = self.wanted
        starts_on = wanted.starts_on
        assert starts_on is not None, "the law demands a first day"
        return Entry(
            id=new_id("ent", now),
            version=1,
            state=State.ACTIVE,
            measure=wanted.measure,
            agency=self.agency,
            citizenship=wanted.subject.citizenship_on(legal_day(now)),
            subject=with_photo(wanted),
            basis=wanted.basis,
            unknown=wanted.unknown,
            starts_on=starts_on,
            ends_on=wanted.ends_on,
            lifetime=wanted.lifetime,
            in_force_from=periods.begins_at(starts_on),
            in_force_until=None if wanted.ends_on is None else periods.over_at(wanted.ends_on),
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
        """The entry with the source's content, its version not yet raised.

        A list says nothing of the period, which is the approvers' own decision, nor of a photo that was added
        here; and a name under which it listed the person before stays an alias.

        Args:
            before: the entry as it is.
            history: all its versions.
            now: when.
        """
        wanted = self.wanted
        subject = with_photo(wanted)
        citizenship = subject.citizenship_on(legal_day(now))
        content = before.replace(basis=wanted.basis, unknown=wanted.unknown, warnings=self.warnings)
        if self.source.leads:
            ground = msgspec.structs.replace(wanted.basis, lifetime_ground=before.basis.lifetime_ground)
            content = content.replace(basis=ground)
            subject = _known_as(subject, [former.subject.full_name for former in history])
            subject = msgspec.structs.replace(subject, photo=before.subject.photo)
            return content.replace(subject=subject, citizenship=citizenship)
        starts_on = wanted.starts_on
        assert starts_on is not None, "the law demands a first day"
        return content.replace(
            subject=subject,
            citizenship=citizenship,
            starts_on=starts_on,
            ends_on=wanted.ends_on,
            lifetime=wanted.lifetime,
            in_force_from=periods.begins_at(starts_on),
            in_force_until=None if wanted.ends_on is None else periods.over_at(wanted.ends_on),
            extension_count=self.extension_count,
        )


class Neighbours:
    """Entries that a new one may duplicate, found by letter or case and by the person that they name."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], list[Entry]] = {}

    def add(self, entry: Entry) -> None:
        """Take note of an entry as it stands now."""
        for place in _places(entry):
            self._found.setdefault(place, []).append(entry)

    def bar_to(self, entry: Entry, *, but: str, leads: bool) -> CaseClosed | DuplicateEntry | None:
        """Why an entry may not be added: a closed case, or one letter, one case, one entry per subject (R14, R15, R67).

        A list names a person under one reference for ever, so what has ended under it bars nothing.

        Args:
            entry: the entry to be.
            but: id of the entry that it follows, if any.
            leads: it comes from a list.
        """
        for place in sorted(_places(entry)):
            for other in self._found.get(place, ()):
                if other.id == but or (leads and other.state is State.ENDED):
                    continue
                if not entry.subject.same_person(other.subject):
                    continue
                if _closed(entry, other):
                    detail = (
                        "A final judgment acquitted this person and closed the case (UU 6/2011 art. 97(3))."
                    )
                    return CaseClosed(detail, extra={"entry_id": other.id})
                clash = _clash(entry, other)
                if clash:
                    return DuplicateEntry(clash, extra={"entry_id": other.id})
        return None


def _places(entry: Entry) -> set[tuple[str, str]]:
    identifiers = entry.subject.identifiers()
    return {(matter, key) for matter in keys.matter_keys(entry.agency, entry.said) for key in identifiers}


def _closed(entry: Entry, other: Entry) -> bool:
    """Whether a judgment about another entry closed the case of an exit ban that still runs."""
    acquitted = any(each.kind is RulingKind.ACQUITTAL for each in other.rulings)
    return acquitted and entry.measure is other.measure and in_same_case(entry, other) and entry.runs


def _clash(entry: Entry, other: Entry) -> str | None:
    if other.state is State.REJECTED:
        return None
    letters = {keys.letter_key(one.agency, one.basis.number) for one in (entry, other)}
    if len(letters) == 1:
        return "This letter names this person already."
    over = State.ENDED in {entry.state, other.state}
    if not over and entry.measure is other.measure and in_same_case(entry, other) and _overlap(entry, other):
        return "This case has an entry against this person for this time already (R15)."
    return None


def _overlap(entry: Entry, other: Entry) -> bool:
    return periods.overlap(entry.starts_on, entry.ends_on, other.starts_on, other.ends_on)


def _known_as(subject: Subject, former: Iterable[str]) -> Subject:
    """The subject with the names it was listed under before; an alias that the list dropped is gone."""
    known = {names.fold(name) for name in (subject.full_name, *(alias.name for alias in subject.aliases))}
    kept = [Alias(name) for name in dict.fromkeys(former) if names.fold(name) not in known]
    return msgspec.structs.replace(subject, aliases=(*subject.aliases, *kept))


def _plain(number: str) -> str:
    """As an actor's person is written."""
    return "".join(filter(str.isalnum, number)).upper()
