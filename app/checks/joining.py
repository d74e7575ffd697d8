"""Which hit a check belongs to: one that it opens, or above the quota of hits the open one of its document.

A stolen key could otherwise open hits without end by asking about one document, until no supervisor finds the real one.
No check is refused, delayed or softened by this: its answer is the same but for the hit's id.
"""

import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from time import monotonic
from typing import Final, NamedTuple

from app.access.quotas import Buckets, Rate, holder
from app.checks import hit_store
from app.checks.domain import Matter
from app.checks.schemas import Asked
from app.db.unit import Actor, Reader
from app.kit.ids import new_id
from app.runtime import Runtime

Resolved = Callable[[Reader, Collection[str]], Awaitable[set[str]]]
"""Those of some hits, by their ids, that a supervisor has resolved; one that was not taken up yet is open."""


_REMEMBERED: Final = 1000
"""So many hits that this process has opened are remembered, so that those in the same moment find them."""


class Meeting(NamedTuple):
    """A document at a checkpoint, going one way."""

    document_hash: bytes
    checkpoint: str
    direction: str


_About = tuple[Meeting, Matter]
"""What a hit is about: who met which entries, in which versions."""


class Joining:
    """Gives checks their hits.

    Args:
        runtime: the process.
        resolved: asks the register which hits are resolved.
        clock: seconds of a monotonic clock.

    Attributes:
        joined: how many checks have joined a hit that another one opened, because their key or checkpoint was above
            its quota.
    """

    def __init__(self, runtime: Runtime, resolved: Resolved, clock: Callable[[], float] = monotonic) -> None:
        settings = runtime.settings
        self.joined = 0
        self._runtime = runtime
        self._resolved = resolved
        self._clock = clock
        self._recent: OrderedDict[_About, str] = OrderedDict()
        self._of_key = Buckets(Rate(settings.quota_hits, settings.quota_hits_per_second))
        self._of_checkpoint = Buckets(
            Rate(settings.quota_checkpoint_hits, settings.quota_checkpoint_hits_per_second)
        )

    async def hit_ids(
        self, register: Reader, asked: Sequence[tuple[Asked, Actor, Matter]]
    ) -> list[str | None]:
        """The hit of each of some checks that are answered together; None for one that needs none.

        Args:
            register: a transaction on the register.
            asked: each question, who asks, and what its hit is about; nothing for a check that needs none.
        """
        found: list[str | None] = []
        above: dict[int, _About] = {}
        for position, (question, actor, matter) in enumerate(asked):
            number = number_of(question) if matter else None
            if number is None or actor.checkpoint is None:
                found.append(new_id("hit", register.now) if matter else None)
                continue
            document = document_hash(self._runtime, number)
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
            # Another batch may have opened one meanwhile: it counts, or many at once would open many.
            known = self._recent.get(about) or stored.get(about)
            if known is None or known in resolved:
                found[position] = self._opened(about, register.now)
            else:
                self.joined += 1
                found[position] = known
        return found

    def _opened(self, about: _About, now: datetime) -> str:
        hit_id = self._recent[about] = new_id("hit", now)
        self._recent.move_to_end(about)
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        return hit_id

    def _may_open(self, actor: Actor) -> bool:
        """Whether the key and its checkpoint may open one more; if so, it counts for both."""
        now = self._clock()
        of_key = self._of_key.of(holder(actor), now)
        of_checkpoint = self._of_checkpoint.of(actor.checkpoint or "", now)
        return of_key.left(now) >= 1 and of_checkpoint.take(now) and of_key.take(now)

    async def _stored(self, register: Reader, wanted: Collection[_About]) -> dict[_About, str]:
        """The last hits that the same documents have opened for the same entries, in the same versions."""
        if not wanted:
            return {}
        async with self._runtime.checks_beside(register) as checks:
            last = await hit_store.list_last_hits(checks, {meeting for meeting, _ in wanted})
            entries = {entry_id for _, matter in wanted for entry_id, _ in matter}
            matters = await hit_store.list_matters(checks, entries, [each.check_id for each in last.values()])
        return {
            (meeting, matter): last[meeting].hit_id
            for meeting, matter in wanted
            if meeting in last and matter <= matters.get(last[meeting].check_id, set())
        }


def number_of(asked: Asked) -> str | None:
    """The number by which a check is found again: the first document's, or else the NIK."""
    papers = asked.traveller.papers
    return papers[0].number if papers else asked.traveller.nik


def document_hash(runtime: Runtime, number: str) -> bytes:
    """The keyed hash under which checks are found by a document, or a NIK, after its number is erased."""
    return hmac.digest(runtime.pepper, number.encode(), "sha256")
