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
    """A question to be answered, with its caller.

    Attributes:
        parsed: the parsed question.
        actor: the caller.
        access_version: the access version at which the caller's key was last valid.
        encode: function that encodes the answer from record and matches; None encodes it for the caller's kind.
        journey_key: for a manifest's passenger, the keyed hash of the journey and of the document; None for others.
        known: ids of the traveller's earlier hits on this journey that a repeated check keeps, by matter: the matched
            entries with their versions.
        opened: the open hits of the document on this journey, shared by all passengers that show it; hits that this
            question opens are added.
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
        """Whether the question is about a manifest's passenger, so that a repeated question gets the same hit."""
        return self.journey_key is not None or bool(self.known)

    def hit_of(self, matter: Matter, now: datetime) -> str:
        """Return the id of the passenger's hit about `matter`; if there is none, make an id and add it to `opened`.

        All passengers of a journey that show the same document share one open hit. `now` is the time of the check.
        """
        return self.known.get(matter) or self.opened.setdefault(matter, new_id("hit", now))

    def claim_of(self, matter: Matter, hit_id: str) -> str | None:
        """Return the key by which the database accepts the new hit `hit_id` only once; None if no key is needed.

        A hit that is stored already needs none, nor does a question without a journey. Of two processes that open a hit
        for the same journey, document and entries, only one can store its claim. After a hit was resolved, one new hit
        may be opened.
        """
        if self.journey_key is None or matter in self.known or hit_id in self.opened.stored:
            return None
        about = f"{self.journey_key}|{sorted(matter)}|{self.resolved.get(matter, 0)}"
        return hashlib.sha256(about.encode()).hexdigest()[:_CLAIM_DIGITS]


@dataclass(slots=True)
class Evaluated:
    """The results for a batch of questions, before they are stored.

    Attributes:
        records: the records of the checks.
        matches: their matches.
        answers: the answer or the error for each question.
        claims: the new hits on journeys: by the hit's unique claim, its question and the entries that it is about.
    """

    records: list[Record] = field(default_factory=list)
    matches: list[Matched] = field(default_factory=list)
    answers: list[bytes | CekalError] = field(default_factory=list)
    claims: dict[str, tuple[Question, Matter]] = field(default_factory=dict)

    def claimed(self) -> list[Claimed]:
        """Return the rows to store for the new hits on journeys: each hit's id with its claim."""
        return [Claimed(claim, question.opened[matter]) for claim, (question, matter) in self.claims.items()]
