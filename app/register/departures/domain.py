"""Delayed departures: their data, and how the register finds delays of the same sponsor (no I/O).

A worker who is about to leave without the papers that protect workers abroad (a "non-procedural" worker) is delayed,
not banned. The register stores an event: place, time, reason, and the body that looks after the person now. The event
never becomes an entry and no check reads it (R65): the traveller is a possible victim. Patterns of many delays are to
show who sends such workers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

import msgspec

from app.identity import names, typed_numbers

GroupBy = Literal["sponsor", "checkpoint", "destination"]

LONGEST_KEY = 200
"""Maximum length of a stored sponsor key, in characters."""


class DelayReason(StrEnum):
    """The reason why a departure was delayed."""

    NO_WORK_PERMIT = "no_work_permit"
    SUSPECTED_RECRUITMENT = "suspected_recruitment"
    INCONSISTENT_STATEMENTS = "inconsistent_statements"
    FALSE_DOCUMENTS = "false_documents"
    INCOMPLETE_DOCUMENTS = "incomplete_documents"
    OTHER = "other"


class Referral(StrEnum):
    """The body that looks after the person now; `bp3mi` is the service for the protection of migrant workers."""

    BP3MI = "bp3mi"
    POLICE = "police"
    SOCIAL_AFFAIRS = "social_affairs"
    NONE = "none"


class Sponsor(msgspec.Struct, frozen=True):
    """The person that sends the traveller: an agent, an escort, or the person that paid."""

    name: str
    document: str | None = None
    phone: str | None = None
    address: str | None = None

    def identifiers(self) -> frozenset[str]:
        """Return the keys that identify this sponsor in other delays: telephone, document numbers, name (`names.fold`).

        Two delays with a common key have the same sponsor. A name of a single word is a key only for a sponsor without
        another key, because such names are too common.
        """
        keys = set()
        if self.phone and (phone := normal_phone(self.phone)):
            keys.add(f"p:{phone}")
        keys |= {f"d:{number}" for number in typed_numbers.certain(self.document or "")}
        if not keys or len(names.words(self.name)) > 1:
            keys.add(f"f:{names.fold(self.name)}")
        return frozenset(key[:LONGEST_KEY] for key in keys)


class Traveller(msgspec.Struct, frozen=True):
    """The delayed person, and the officer's note; stored apart from the delay and erased after a retention period.

    Attributes:
        birth: the birth in one of the three shapes of the API: a date or part of one, an age on a day, or a range.
        document: type, number, issuing state and last day of the document shown.
        note: the officer's words; they may describe the person, so they are erased with the person.
    """

    name: str
    birth: Mapping[str, str | int] | None
    sex: str | None
    document: Mapping[str, str | None] | None
    note: str | None


@dataclass(frozen=True, slots=True)
class SubmittedDelay:
    """A delay as an officer submits it, without an id yet.

    Attributes:
        checkpoint: code of the checkpoint; None means the checkpoint of the officer's API key.
        destination: ICAO code of the state; None if unknown.
        group_reference: a text that is equal for all travellers of a party; None without one.
        sponsor: the person that sends the traveller; None if unknown.
    """

    checkpoint: str | None
    occurred_at: datetime
    reason: DelayReason
    destination: str | None
    referral: Referral
    group_reference: str | None
    sponsor: Sponsor | None
    traveller: Traveller


@dataclass(frozen=True, slots=True)
class Delay:
    """One delayed departure of one traveller.

    Attributes:
        destination: ICAO code of the state; None if unknown.
        group_reference: a text that is equal for all travellers of a party; None without one.
        recorded_by: id of the client that recorded it.
        purged_at: when the traveller was erased; None before.
        sponsor_purged_at: when the sponsor and the group reference were erased; None before, and if the delay had
            neither.
    """

    id: str
    checkpoint: str
    occurred_at: datetime
    reason: DelayReason
    destination: str | None
    referral: Referral
    group_reference: str | None
    sponsor: Sponsor | None
    recorded_by: str
    recorded_at: datetime
    purged_at: datetime | None = None
    sponsor_purged_at: datetime | None = None


@dataclass(slots=True)
class Pattern:
    """The common data of several delays of one sponsor, checkpoint or destination.

    Attributes:
        value: the checkpoint or destination; for a sponsor the id of the sponsor's first delay.
        delays: number of delays.
        checkpoints, destinations, reasons: number of delays by each value.
        groups: the travelling parties, as pairs of checkpoint and group reference.
        names, phones, documents: every spelling under which the sponsor was recorded; an officer judges whether several
            mean one person.
        first_at, last_at: when the first and the last delay occurred.
    """

    value: str
    delays: int = 0
    checkpoints: dict[str, int] = field(default_factory=dict)
    destinations: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    groups: set[tuple[str, str]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    documents: set[str] = field(default_factory=set)
    first_at: datetime | None = None
    last_at: datetime | None = None

    def add(self, delay: Delay) -> None:
        """Add one more delay to the counts and values of this pattern."""
        self.delays += 1
        _count(self.checkpoints, delay.checkpoint)
        _count(self.destinations, delay.destination)
        _count(self.reasons, delay.reason.value)
        if delay.group_reference:
            self.groups.add((delay.checkpoint, delay.group_reference))
        if delay.sponsor is not None:
            self.names.add(delay.sponsor.name)
            self.phones.update(filter(None, [delay.sponsor.phone]))
            self.documents.update(filter(None, [delay.sponsor.document]))
        self.first_at = min(self.first_at or delay.occurred_at, delay.occurred_at)
        self.last_at = max(self.last_at or delay.occurred_at, delay.occurred_at)


def _count(counts: dict[str, int], value: str | None) -> None:
    if value is not None:
        counts[value] = counts.get(value, 0) + 1


def normal_phone(text: str) -> str:
    """Return the telephone number `text` as digits from the country code on; a leading 0 means Indonesia (62).

    Every other character is removed, so a text without digits gives "".
    """
    digits = "".join(filter(str.isdecimal, text)).removeprefix("00")
    return f"62{digits[1:]}" if digits.startswith("0") else digits


def find_patterns(delays: Iterable[Delay], by: GroupBy, at_least: int) -> list[Pattern]:
    """Return groups of delays with the same sponsor, checkpoint or destination.

    Two delays have the same sponsor if they share a key of `Sponsor.identifiers`, or if a chain of other delays in
    `delays`, of any length, links them by such keys.

    Args:
        delays: the delays of a period.
        by: the member to group by; delays without it are left out.
        at_least: the minimum number of delays that make a pattern; smaller groups are left out.

    Returns:
        The patterns, those with the most delays first. If the delays are grouped by sponsor, the patterns with the most
        checkpoints come first, then those with the most delays.
    """
    delays = sorted(delays, key=lambda delay: (delay.occurred_at, delay.id))
    values = _same_sponsors(delays) if by == "sponsor" else {}
    found: dict[str, Pattern] = {}
    for delay in delays:
        value = {"checkpoint": delay.checkpoint, "destination": delay.destination}.get(by)
        value = values.get(delay.id) if by == "sponsor" else value
        if value is not None:
            found.setdefault(value, Pattern(value)).add(delay)
    patterns = [pattern for pattern in found.values() if pattern.delays >= at_least]
    patterns.sort(key=lambda p: (-len(p.checkpoints) if by == "sponsor" else 0, -p.delays, p.value))
    return patterns


def _same_sponsors(delays: Sequence[Delay]) -> dict[str, str]:
    """Map each delay that has a sponsor to the first delay of the same sponsor.

    Two delays have the same sponsor if a chain of shared keys links them.
    """
    leader: dict[str, str] = {}

    def lead(delay_id: str) -> str:
        while leader[delay_id] != delay_id:
            leader[delay_id] = leader[leader[delay_id]]
            delay_id = leader[delay_id]
        return delay_id

    holder: dict[str, str] = {}
    place = {delay.id: number for number, delay in enumerate(delays)}
    for delay in delays:
        if delay.sponsor is None:
            continue
        leader[delay.id] = delay.id
        for key in delay.sponsor.identifiers():
            one, other = lead(holder.setdefault(key, delay.id)), lead(delay.id)
            first, second = sorted((one, other), key=place.__getitem__)
            leader[second] = first
    return {delay_id: lead(delay_id) for delay_id in leader}
