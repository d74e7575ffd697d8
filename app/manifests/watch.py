"""Watching passengers until departure: a passenger touched by a change of the register is checked again.

Each open manifest holds the size of the ledger, and the instant, that all its answers take account of. A
round reads the ledger on from the smallest of them, finds the passengers that a change may concern
(`touching`), asks about them as new checks, and only then moves the numbers on: a process that dies in
between asks again, nothing is lost, and a hit that was opened already is joined (`joining`). Where a manifest
is made while the register changes there is no gap, because one that a round did not see keeps its own, older
number.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from app.access.domain import SYSTEM
from app.checks import store as checks
from app.checks.batcher import Batcher, in_parts
from app.checks.domain import Matter
from app.checks.schemas import remembered
from app.checks.service import Desk, Question
from app.db.unit import Actor
from app.errors import CekalError, NotStored
from app.ledger.service import head
from app.manifests import store
from app.manifests.domain import Answer
from app.manifests.joining import find_rulings, join
from app.manifests.service import read_answer, told
from app.manifests.store import Watched
from app.manifests.touching import Place, Touched, touched_by_news
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_SOME = 200


class Watch:
    """Keeps the answers of open manifests in step with the register; one process at a time, see `worker`."""

    def __init__(self, runtime: Runtime, desk: Desk) -> None:
        self.runtime = runtime
        self._ask = Batcher(desk, in_flight=1).ask_row

    async def look(self) -> int:
        """One round: ask again about the passengers that a change touches; how many were asked about."""
        async with self.runtime.reading(SYSTEM) as reader:
            size = (await head(reader)).size  # first: what is committed later belongs to the next round
            opened = {each.id: each for each in await store.list_open(reader)}
        asked = 0
        while opened:
            async with self.runtime.reading(SYSTEM) as reader:
                touched = await touched_by_news(reader, opened, size)
            if not touched.news:
                break
            anew, failed = await self._answers(touched)
            asked += len(anew)
            for manifest_id, _ in failed:
                opened.pop(manifest_id, None)  # it stays behind, and is looked at again
            await self._keep(opened, touched, anew)
            opened = {
                each.id: Watched(
                    each.id, max(each.sequence, touched.sequence), max(each.asked_at, touched.at)
                )
                for each in opened.values()
            }
        return asked

    async def close_departed(self) -> None:
        """End the watch of what has departed; what its passengers were found by is deleted."""
        async with self.runtime.reading(SYSTEM) as reader:
            departed = await store.list_departed(reader)
        if departed:
            async with self.runtime.irreversible(SYSTEM) as unit:
                await store.close(unit, departed)
                await store.tell(unit)

    async def forget(self) -> None:
        """Delete manifests whose questions are as old as those that are erased, once departed, in small steps.

        The senders' references name passengers as well as the questions do, and are kept no longer.
        """
        while True:
            async with self.runtime.irreversible(SYSTEM) as unit:
                before = unit.now - timedelta(days=self.runtime.settings.question_days)
                if await store.forget(unit, before, _SOME) < _SOME:
                    return

    async def _answers(self, touched: Touched) -> tuple[dict[Place, list[Answer]], set[Place]]:
        """New answers about passengers that the news concern, and the passengers without an answer now."""
        positions = defaultdict[str, set[int]](set)
        for manifest_id, position in (*touched.sure, *touched.likely):
            positions[manifest_id].add(position)
        asked: dict[str, Place] = {}
        hits = defaultdict[Place, dict[Matter, str]](dict)
        async with self.runtime.reading(SYSTEM) as reader:
            for manifest_id, some in positions.items():
                for item in await store.list_items(reader, manifest_id):
                    if item.position in some:
                        place = manifest_id, item.position
                        asked |= {answer.check_id: place for answer in item.answers}
                        hits[place] |= {each.matter: each.hit_id for each in item.answers if each.hit_id}
        async with self.runtime.reading_checks(SYSTEM) as reader:
            records = await checks.list_records(reader, asked)
        questions: list[Question] = []
        places: list[Place] = []
        concerned = set(touched.sure)
        for record in records:
            if record.question is None:  # erased: there is nothing left to ask
                continue
            actor = Actor(record.client_id, None, frozenset(), checkpoint=record.checkpoint, kind=record.kind)
            await asyncio.sleep(0)  # names take a while to understand, and checks come first
            question = remembered(record.question, record.at)
            place = asked[record.id]
            questions.append(Question(question, actor, -1, told, record.journey_key, hits[place]))
            places.append(place)
            if question.wanted and touched.index.rank(question.wanted, 1).ids:
                concerned.add(place)
        asking = [each for each, place in zip(questions, places, strict=True) if place in concerned]
        await self._join(asking)
        places = [place for place in places if place in concerned]
        anew = defaultdict[Place, list[Answer]](list)
        failed: set[Place] = set()
        for place, answer in zip(places, await in_parts(self._attempt, asking), strict=True):
            if answer is None:
                failed.add(place)
            else:
                anew[place].append(read_answer(answer))
        return {place: answers for place, answers in anew.items() if place not in failed}, failed

    async def _join(self, asking: Sequence[Question]) -> None:
        """Let questions join the hits that a round has opened which died before it could store their answers."""
        keyed = [(each.journey_key, each.asked.text) for each in asking if each.journey_key]
        found = iter(await join(self.runtime, SYSTEM, keyed))
        for each in asking:
            if each.journey_key:  # of an older release's manifest there is none
                joined = next(found)
                each.known = {**joined.known, **each.known}
                each.opened = joined.opened

    async def _attempt(self, question: Question) -> bytes | None:
        """An answer; None where it can't be had now, so that one question never holds the others up."""
        try:
            return await self._ask(question)
        except NotStored:  # which is on record where it was found
            return None
        except CekalError:
            logger.exception("a passenger can't be asked about anew now")
            return None

    async def _keep(
        self, followed: Iterable[str], touched: Touched, anew: Mapping[Place, list[Answer]]
    ) -> None:
        opened_hits: set[tuple[str, str]] = set()
        hit_ids = {each.hit_id for answers in anew.values() for each in answers if each.hit_id}
        async with self.runtime.writing(SYSTEM) as unit:
            rulings = await find_rulings(unit, self.runtime, hit_ids)
            for manifest in await store.lock(unit, {manifest_id for manifest_id, _ in anew}):
                number, items = manifest.number, []
                for item in await store.list_items(unit, manifest.id):
                    answers = anew.get((manifest.id, item.position))
                    if answers:
                        items.append(
                            item.answered_anew(answers, rulings, number + 1, manifest.kind, unit.now)
                        )
                        number = max(number, items[-1].number)
                        opened_hits |= {(each.hit_id, manifest.id) for each in answers if each.hit_id}
                await store.save_items(unit, manifest, items, number)
            await store.add_hits(unit, opened_hits)
            await store.advance(unit, followed, touched.sequence, touched.at)
            await store.tell(unit)
