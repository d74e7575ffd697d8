"""Questions to be answered, the hits that they open or join, and the results for a batch of questions."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from app.actor import Actor
from app.border.checks.domain import Match, Matter
from app.border.checks.parsing import ParsedQuestion
from app.border.checks.store import Claimed, Matched, Record
from app.errors import CekalError
from app.kit.ids import new_id
from app.runtime import OpenHits

_CLAIM_DIGITS: Final = 32


@dataclass(slots=True)
class Question:
    """A question that a check must answer, with its caller, and with the hits that it may join.

    Attributes:
        parsed: the parsed question.
        actor: the caller.
        access_version: the version of the access rights at which the caller's key was last valid.
        encode: function that makes the answer's JSON from the check's record and matches; None for the usual answer
            (`answer_of`) to the caller's kind of client.
        journey_key: for a passenger on a manifest, the keyed hash of the journey and of the passenger's document
            (without one: of the NIK, or of names and births); None for others.
        known: for a repeated check of a passenger: by matter, the id of the hit that the check gets again. These are
            hits that a supervisor has resolved for this passenger. If the check is repeated because the register has
            changed, the hits of the passenger's present answers are included. A matter is the set of matched entries
            with their versions.
        opened: the open hits of the document on this journey, by matter; all passengers with this document share it. A
            hit that this question opens is added.
        resolved: number of resolved hits of the document on this journey, by matter.
    """

    parsed: ParsedQuestion
    actor: Actor
    access_version: int
    encode: Callable[[Record, Sequence[Match]], bytes] | None = None
    journey_key: str | None = None
    known: Mapping[Matter, str] = field(default_factory=dict)
    opened: OpenHits = field(default_factory=OpenHits)
    resolved: Mapping[Matter, int] = field(default_factory=dict)

    @property
    def on_manifest(self) -> bool:
        """Whether the question is about a passenger on a manifest.

        Such a question gets the same hit when it is asked again (`hit_of`).
        """
        return self.journey_key is not None or bool(self.known)

    def hit_of(self, matter: Matter, now: datetime) -> str:
        """Return the id of the passenger's hit about `matter`; if there is none, make a new id and add it to `opened`.

        A matter is the set of matched entries with their versions. All passengers of a journey that show the same
        document share one open hit about it. `now` is the time of the check, from which the id is made.
        """
        return self.known.get(matter) or self.opened.setdefault(matter, new_id("hit", now))

    def claim_of(self, matter: Matter, hit_id: str) -> str | None:
        """Return the claim of the new hit `hit_id`: a key that the database accepts only once; None if none is needed.

        A claim prevents two processes from opening a hit for the same journey, document and matter at once. A resolved
        hit does not count, so that one new hit can be opened after it. None is needed for a question without a journey,
        or for a hit that is stored already.
        """
        if self.journey_key is None or matter in self.known or hit_id in self.opened.stored:
            return None
        about = f"{self.journey_key}|{sorted(matter)}|{self.resolved.get(matter, 0)}"
        return hashlib.sha256(about.encode()).hexdigest()[:_CLAIM_DIGITS]


@dataclass(slots=True)
class Evaluated:
    """The results for a batch of questions, before they are stored.

    Attributes:
        records: the records of the checks; a question that was answered with an error has none.
        matches: the matches of all checks.
        answers: the answer as JSON, or the error, for each question in order.
        claims: each new hit on a journey, by its claim (`Question.claim_of`): the question that opens it, and the
            matter (the matched entries with their versions).
    """

    records: list[Record] = field(default_factory=list)
    matches: list[Matched] = field(default_factory=list)
    answers: list[bytes | CekalError] = field(default_factory=list)
    claims: dict[str, tuple[Question, Matter]] = field(default_factory=dict)

    def claimed(self) -> list[Claimed]:
        """Return the rows to store for the new hits on journeys; each row has the claim and the hit's id."""
        return [Claimed(claim, question.opened[matter]) for claim, (question, matter) in self.claims.items()]
