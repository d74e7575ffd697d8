"""Assigning hits to checks: a new hit, or above the quota an open hit.

It is the open hit of the same document, or without a document and NIK that of the same entries. Otherwise a stolen key
could open any number of hits with one document or by names alone, until no supervisor finds the real one. The quota
never refuses or delays a check, and changes only the hit's id in its answer.
"""

import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from time import monotonic
from typing import Final

from app.access.admission.quotas import Buckets, Rate, holder
from app.actor import Actor
from app.border.checks import hit_store
from app.border.checks.domain import Matter
from app.border.checks.hit_store import About, Meeting
from app.border.checks.parsing import ParsedQuestion
from app.db.unit import Reader
from app.kit.ids import new_id
from app.runtime import Runtime

Resolved = Callable[[Reader, Collection[str]], Awaitable[set[str]]]
"""A function that takes ids of hits and returns the ids of the resolved ones; hits still in the queue are open."""


_REMEMBERED: Final = 1000
"""Number of recent hits of this process that are cached, so that simultaneous checks find them."""


class Joining:
    """Chooses the hit of each check: a new hit, or, if the caller has opened too many, an open one.

    Checks of passengers on manifests choose theirs elsewhere (`Question.hit_of`).

    Args:
        runtime: the process's databases, clock and settings.
        resolved: function that takes hit ids and returns the ids of the resolved ones.
        clock: monotonic clock in seconds.

    Attributes:
        joined: number of checks that got the open hit of an earlier check, because the caller's key or checkpoint had
            exceeded its quota of hits.
    """

    def __init__(self, runtime: Runtime, resolved: Resolved, clock: Callable[[], float] = monotonic) -> None:
        settings = runtime.settings
        self.joined = 0
        self._runtime = runtime
        self._resolved = resolved
        self._clock = clock
        self._recent: OrderedDict[About, str] = OrderedDict()
        self._of_key = Buckets(Rate(settings.quota_hits, settings.quota_hits_per_second))
        self._of_checkpoint = Buckets(
            Rate(settings.quota_checkpoint_hits, settings.quota_checkpoint_hits_per_second)
        )

    async def hit_ids(
        self, register: Reader, questions: Sequence[tuple[ParsedQuestion, Actor, Matter]]
    ) -> list[str | None]:
        """Return the hit id of each check in a batch, in the order of `questions`; None for a check that needs no hit.

        While the caller's key and checkpoint are within their quotas of hits, the id is new. Above a quota, a check
        joins the hit of an earlier check at the same checkpoint and in the same direction: of the same document number,
        or without one of the same NIK. A traveller with neither joins the hit of any such traveller about the same
        entries, because names can be varied without end. The id is new all the same if that hit is resolved, or is not
        about all the entries of this check in their present versions. It is always new for a caller without a
        checkpoint.

        Args:
            register: a transaction on the register.
            questions: each question with its caller and the entries that stopped the traveller. A check without such
                entries needs no hit.
        """
        found: list[str | None] = []
        above: dict[int, About] = {}
        for position, (question, actor, matter) in enumerate(questions):
            if not matter or actor.checkpoint is None:
                found.append(new_id("hit", register.now) if matter else None)
                continue
            number = number_of(question)
            document = document_hash(self._runtime, number) if number else None
            about = Meeting(document, actor.checkpoint, question.body.direction), matter
            if self._may_open(actor):
                found.append(self._opened(about, register.now))
            else:
                above[position] = about
                found.append(None)
        if not above:
            return found
        stored = await self._stored(register, set(above.values()) - self._recent.keys())
        hits = {
            about: hit_id
            for about in above.values()
            if (hit_id := self._recent.get(about) or stored.get(about))
        }
        resolved = await self._resolved(register, set(hits.values()))
        for position, about in above.items():
            # Another batch may have opened one since then, which must be joined too.
            known = self._recent.get(about) or stored.get(about)
            if known is None or known in resolved:
                found[position] = self._opened(about, register.now)
            else:
                self.joined += 1
                found[position] = known
        return found

    def _opened(self, about: About, now: datetime) -> str:
        hit_id = self._recent[about] = new_id("hit", now)
        self._recent.move_to_end(about)
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return hit_id

    def _may_open(self, actor: Actor) -> bool:
        """Return whether the key and its checkpoint may open one more hit; if so, count it for both."""
        now = self._clock()
        of_key = self._of_key.of(holder(actor), now)
        of_checkpoint = self._of_checkpoint.of(actor.checkpoint or "", now)
        return of_key.left(now) >= 1 and of_checkpoint.take(now) and of_key.take(now)

    async def _stored(self, register: Reader, subjects: Collection[About]) -> dict[About, str]:
        """Return the stored hits that checks about these subjects may join: those about all the same entries."""
        if not subjects:
            return {}
        async with self._runtime.checks_beside(register) as checks:
            last = await hit_store.list_last_hits(checks, subjects)
            entries = {entry_id for _, matter in subjects for entry_id, _ in matter}
            matters = await hit_store.list_matters(checks, entries, [each.check_id for each in last.values()])
        return {
            about: each.hit_id
            for about, each in last.items()
            if about[1] <= matters.get(each.check_id, set())
        }


def number_of(parsed: ParsedQuestion) -> str | None:
    """Return the number by which a check can be found later: that of the first document, or else the NIK.

    Returns None if the traveller has neither.
    """
    papers = parsed.traveller.papers
    return papers[0].number if papers else parsed.traveller.nik


def document_hash(runtime: Runtime, number: str) -> bytes:
    """Return the keyed hash of a document number or NIK.

    Checks are stored with this hash, which finds them even after their questions were erased.
    """
    return hmac.digest(runtime.pepper, number.encode(), "sha256")
