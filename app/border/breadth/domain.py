"""A sample of travellers checked at the border, and the count of those that an entry would have stopped (no I/O).

A traveller is identified by the keyed hash of the document that was shown first. Hashes are like random numbers from 0
to 1. The sample has the travellers whose hash is below its share: a random selection, in which nobody counts twice. The
share is 1, which means all travellers, while the sample has room for them.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final, NamedTuple, Self

import msgspec

from app.border.checks.traveller import Traveller
from app.identity import documents, typed_numbers
from app.identity.spellings import Spelling
from app.matching.assessment import assess
from app.matching.births import best_birth
from app.matching.keys import days_of, plain_keys, resembles, sketch
from app.matching.persons import KnownPerson
from app.matching.policy import MatchPolicy
from app.matching.tiers import EXACT, STOPPING
from app.register.entries.answer import Direction, Measured, by_the_table
from app.register.entries.subjects import Subject

SPAN: Final = timedelta(days=30)
"""Length of the period whose travellers are counted, up to the present."""

_WHOLE: Final = 1 << 64
_LEAVING_AT_ONCE: Final = 64
"""Divisor of the limit: the number of travellers that a sample above its limit loses at once. They are few, so that the
sample's memory hardly changes."""
_SWEPT: Final = 4
"""How many removed travellers are taken out of the index whenever one is drawn."""
_MIN_FULL: Final = 0.2
"""A sample whose share was lowered is drawn again when it has less than this share of its limit."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Traveller).decode


def position_of(hashed: bytes) -> float:
    """Return a hash as a number from 0 to less than 1: its position among all possible hashes."""
    return int.from_bytes(hashed[:8]) / _WHOLE


def bound(share: float) -> bytes | None:
    """Return the upper bound of the hashes in a sample, as 8 bytes: a smaller hash is in the sample.

    `share` is the sample's share of all possible hashes, from 0 to 1. Returns None for 1, which includes every hash.
    """
    return None if share >= 1 else int(share * _WHOLE).to_bytes(8)


class Drawn(msgspec.Struct, eq=False):
    """A traveller in the sample, for one direction, with the data of their newest check in this direction.

    Attributes:
        hashed: the keyed hash that identifies the traveller.
        check_id: id of the newest check in this direction.
        question_hash: a digest of this check's question, by which a repeated question is recognised.
        packed: the traveller's data, encoded; `traveller` decodes them.
        gone: whether this object was removed from the sample; it may still be in the index, and is then ignored.
    """

    hashed: bytes
    direction: Direction
    check_id: str
    question_hash: int
    packed: bytes
    gone: bool = False

    @property
    def traveller(self) -> Traveller:
        """The traveller, decoded."""
        return _unpack(self.packed)


class Sample:
    """A random sample of travellers in memory, with an index by name and by day of birth.

    For each traveller the sample has the data of the newest check in each direction (`Drawn`).

    A traveller is in the sample if their hash, as a number from 0 to 1 (`position_of`), is below `share`.

    Args:
        limit: the greatest number of travellers in the sample.

    Attributes:
        share: the part of all travellers that the sample contains, from 0 to 1; 0 at first. The caller sets it; `draw`
            lowers it when the sample exceeds its limit.
        oldest: a check id; no check in the sample is older. None for an empty sample.
    """

    def __init__(self, limit: int) -> None:
        self.share = 0.0
        self.oldest: str | None = None
        self._limit = limit
        self._lowered = False
        self._drawn: dict[bytes, dict[Direction, Drawn]] = {}
        self._named: dict[int, list[Drawn]] = {}
        self._born: dict[int, list[Drawn]] = {}
        self._leaving: deque[Drawn] = deque()  # removed from the sample, not yet from the index

    @property
    def is_depleted(self) -> bool:
        """Whether `share` was lowered, and the sample has since shrunk to less than 20 % of its limit.

        The caller must then draw a new sample.
        """
        return self._lowered and len(self._drawn) < _MIN_FULL * self._limit

    @property
    def is_full(self) -> bool:
        """Whether the sample has reached its limit."""
        return len(self._drawn) >= self._limit

    @property
    def size(self) -> int:
        """The number of travellers in the sample."""
        return len(self._drawn)

    def needs_no_draw(self, hashed: bytes, direction: Direction, question: str, check_id: str) -> bool:
        """Return whether the caller can skip `draw`: the traveller is outside the share, or the question repeats.

        A question repeats if the sample already has this question from this traveller in this direction. Then a newer
        `check_id` replaces the stored one.

        Args:
            hashed: the keyed hash of the traveller.
            direction: leaving or entering.
            question: the check's question as text.
            check_id: id of the check.
        """
        if position_of(hashed) >= self.share:
            return True
        known = self._drawn.get(hashed, {}).get(direction)
        if known is None or known.question_hash != hash(question):
            return False
        known.check_id = max(known.check_id, check_id)
        return True

    def draw(
        self, hashed: bytes, direction: Direction, question: str, check_id: str, traveller: Traveller
    ) -> None:
        """Add a check's traveller to the sample, in place of an older check of this traveller and direction.

        Call `needs_no_draw` first: this method does not test whether the traveller is within `share`. It does nothing
        if the sample has a newer check of this traveller and direction. If the sample then exceeds its limit, `share`
        is lowered so that the travellers with the greatest hashes, a 64th of the limit, are outside and removed.

        Args:
            hashed: the keyed hash of the traveller.
            direction: leaving or entering.
            question: the check's question as text.
            check_id: id of the check.
            traveller: the traveller's data.
        """
        directions = self._drawn.setdefault(hashed, {})
        earlier = directions.get(direction)
        if earlier is not None:
            if earlier.check_id > check_id:
                return
            self._leave(earlier)
        drawn = directions[direction] = Drawn(hashed, direction, check_id, hash(question), _pack(traveller))
        self.oldest = min(self.oldest or check_id, check_id)
        for index, keys in self._places(traveller):
            for key in keys:
                index.setdefault(key, []).append(drawn)
        self._sweep()
        if len(self._drawn) > self._limit:
            self._lower_share()

    def _lower_share(self) -> None:
        outside = heapq.nlargest(self._limit // _LEAVING_AT_ONCE + 1, self._drawn)
        self.share = position_of(outside[-1])
        self._lowered = True
        for hashed in outside:
            for each in self._drawn.pop(hashed).values():
                self._leave(each)

    def forget_before(self, check_id: str) -> None:
        """Remove, for each traveller and direction, the data of a check older than the check with this id."""
        if self.oldest is not None and self.oldest < check_id:
            self._remove_if(lambda each: each.check_id < check_id)
            self.oldest = min(
                (each.check_id for directions in self._drawn.values() for each in directions.values()),
                default=None,
            )

    def list_similar(self, person: KnownPerson) -> list[Drawn]:
        """Return the sample's travellers that share a name key or a day of birth with `person`, sorted by hash.

        A traveller who was checked in both directions may be returned for each.
        """
        keys = {key for name in (*person.names, *person.weak) for key in plain_keys(name)}
        found = {id(each): each for key in keys for each in self._named.get(key, ()) if not each.gone}
        for day in days_of(person.births):
            found |= {id(each): each for each in self._born.get(day, ()) if not each.gone}
        return sorted(found.values(), key=lambda each: each.hashed)

    def _remove_if(self, condition: Callable[[Drawn], bool]) -> None:
        for hashed, directions in list(self._drawn.items()):
            for direction, each in list(directions.items()):
                if condition(each):
                    del directions[direction]
                    self._leave(each)
            if not directions:
                del self._drawn[hashed]

    def _leave(self, drawn: Drawn) -> None:
        drawn.gone = True
        self._leaving.append(drawn)

    def _sweep(self) -> None:
        """Take a few removed travellers out of the index; to take out all at once would block the process."""
        for _ in range(min(_SWEPT, len(self._leaving))):
            drawn = self._leaving.popleft()
            for index, keys in self._places(drawn.traveller):
                for key in keys:
                    index[key].remove(drawn)
                    if not index[key]:
                        del index[key]

    def _places(self, traveller: Traveller) -> Iterator[tuple[dict[int, list[Drawn]], Iterable[int]]]:
        yield self._named, {key for name in traveller.person.names for key in plain_keys(name)}
        yield self._born, days_of(traveller.person.births)


class _Name(NamedTuple):
    """A name, with keys and a sketch that exclude most other names cheaply."""

    spelling: Spelling
    keys: frozenset[int]
    drawing: int

    @classmethod
    def of(cls, spelling: Spelling) -> Self:
        return cls(spelling, frozenset(plain_keys(spelling)), sketch(spelling))


class SupposedMeasure:
    """A measure against a subject, as an entry may order it; `stops` says whether it would have stopped a traveller.

    Names and birth dates are compared, with sex and nationality. Numbers are compared only to recognise the subject
    itself, which is not counted.

    Args:
        listed: the measure and its subject.
        person: the subject, prepared for matching.
        policy: thresholds of name matching.
    """

    def __init__(self, listed: Measured, person: KnownPerson, policy: MatchPolicy) -> None:
        self._listed = listed
        self._person = person
        self._policy = policy
        self._names = [_Name.of(name) for name in person.names]
        self._weak = [_Name.of(name) for name in person.weak]
        self._own = _numbers(listed.subject)

    def stops(self, drawn: Drawn, today: date) -> bool:
        """Return whether the measure would have stopped a traveller by name and birth date alone.

        Returns False for the listed subject itself, which is recognised by a document number or the NIK, and for a
        traveller in a direction in which the measure does not stop them.

        Args:
            drawn: the traveller, with the direction of the check.
            today: the present legal day, for which ages are computed.
        """
        traveller = drawn.traveller
        shown = {paper.number for paper in traveller.papers} | ({traveller.nik} if traveller.nik else set())
        nearness = best_birth(self._person.births, traveller.person.births).nearness
        if shown & self._own or nearness not in STOPPING:
            return False
        borne = [_Name.of(name) for name in traveller.person.names]
        alike = _resembling if nearness in EXACT else _sharing
        listed_person = msgspec.structs.replace(
            self._person, names=alike(self._names, borne), weak=alike(self._weak, borne)
        )
        if assess(traveller.person, listed_person, self._policy).tier != "stop":
            return False
        outcome, _, _ = by_the_table(drawn.direction, traveller, self._listed, refuses=False, today=today)
        return outcome != "clear"


class Count(msgspec.Struct):
    """The result of a count, perhaps unfinished: the travellers that a measure would have stopped.

    Attributes:
        found: hashes of the travellers that the measure would have stopped.
        judged_to: position (`position_of`) of the last judged traveller's hash, if the count is unfinished or ended
            early; None if all candidates were judged.
    """

    found: set[bytes]
    judged_to: float | None = None


def count(
    candidates: Iterable[Drawn], supposed: SupposedMeasure, today: date, enough: int
) -> Iterator[Count]:
    """Count the travellers that a measure would have stopped; end early once `enough` of them were found.

    Yields after each judged traveller, so that the caller can stop the count. Every time the same object is yielded,
    with its values updated. After all candidates were judged, it is yielded once more, with `judged_to` None.

    Args:
        candidates: the travellers of the sample to judge, in the order of their hashes.
        supposed: the measure and its subject.
        today: the present legal day, for which ages are computed.
        enough: the number of found travellers after which the count ends.
    """
    counted = Count(set())
    for each in candidates:
        if supposed.stops(each, today):
            counted.found.add(each.hashed)
        counted.judged_to = position_of(each.hashed)
        yield counted
        if len(counted.found) >= enough:
            return
    counted.judged_to = None
    yield counted


def _resembling(names: Iterable[_Name], others: Sequence[_Name]) -> tuple[Spelling, ...]:
    """Return the names that resemble a traveller's, by their sketches; for a traveller with the same day of birth."""
    drawings = [other.drawing for other in others]
    return tuple(name.spelling for name in names if resembles(name.drawing, drawings))


def _sharing(names: Iterable[_Name], others: Sequence[_Name]) -> tuple[Spelling, ...]:
    """Return the names that share a key with a traveller's, which excludes about 98 of 100 common names."""
    keys = frozenset[int]().union(*(other.keys for other in others))
    return tuple(name.spelling for name in names if name.keys & keys)


def _numbers(subject: Subject) -> frozenset[str]:
    """Return the subject's document numbers and NIK."""
    numbers = {number for paper in subject.documents for number in typed_numbers.certain(paper.number)}
    if subject.nik:
        numbers.add(documents.normalise(subject.nik))
    return frozenset(numbers - {""})
