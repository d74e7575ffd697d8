"""Watching passengers until departure: whoever is touched by a change of the register is asked about anew.

Each open manifest holds the size of the ledger, and the instant, of which all its answers take account. A round reads
the ledger on from the smallest of them, finds the passengers who share a key with what has changed, asks about them as
new checks, and only then moves the numbers on: a process that dies in between asks again, and nothing is lost. Where a
manifest is made while the register changes there is no gap, because one that a round did not see keeps its own, older
number.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.access.domain import SYSTEM
from app.checks import store as checks
from app.checks.batcher import Batcher
from app.checks.domain import Matter
from app.checks.schemas import understand
from app.checks.service import Desk, Question
from app.db.unit import Actor, Reader
from app.entries import store as entries
from app.errors import CekalError
from app.kit.clock import legal_day
from app.ledger.domain import Record, RecordType
from app.ledger.service import head, list_after
from app.manifests import store
from app.manifests.domain import Answer
from app.manifests.keys import keys_of_entry
from app.manifests.service import put, read_answer, told
from app.manifests.store import Watched
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_PAGE = 500
_SOME = 200
_CLEARANCES = frozenset({RecordType.CLEARANCE_GRANTED, RecordType.CLEARANCE_ENDED})

Place = tuple[str, int]
"""A passenger: the manifest's id and the position on it."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What a round has found.

    Attributes:
        passengers: who is to be asked about anew.
        size: the ledger's size that was read.
        at: the instant up to which measures that begin by themselves were looked for.
        news: whether anything happened at all.
    """

    passengers: frozenset[Place]
    size: int
    at: datetime
    news: bool


class Watch:
    """Keeps the answers of open manifests in step with the register; one process at a time, see `worker`."""

    def __init__(self, runtime: Runtime, desk: Desk) -> None:
        self.runtime = runtime
        self._ask = Batcher(desk, in_flight=1).ask

    async def look(self) -> int:
        """One round: close what has departed, ask anew about whom a change touches; how many were asked about."""
        await self._close_departed()
        async with self.runtime.reading(SYSTEM) as reader:
            size = (await head(reader)).size  # first: what is committed later belongs to the next round
            opened = {each.id: each for each in await store.list_open(reader)}
            if not opened:
                return 0
            touched = await _touched(reader, opened, size)
        if not touched.news:
            return 0
        anew, failed = await self._answers(touched.passengers)
        behind = {manifest_id for manifest_id, _ in failed}  # they are looked at again
        await self._keep(opened.keys() - behind, touched, anew)
        return len(touched.passengers)

    async def _close_departed(self) -> None:
        async with self.runtime.reading(SYSTEM) as reader:
            departed = await store.list_departed(reader)
        if departed:
            async with self.runtime.writing(SYSTEM) as unit:
                await store.close(unit, departed)
                await store.tell(unit)

    async def forget(self) -> None:
        """Delete manifests that have departed so long ago that their questions are erased too, in small steps."""
        while True:
            async with self.runtime.writing(SYSTEM) as unit:
                before = unit.now - timedelta(days=self.runtime.settings.question_days)
                if await store.forget(unit, before, _SOME) < _SOME:
                    return

    async def _answers(self, passengers: Iterable[Place]) -> tuple[dict[Place, list[Answer]], set[Place]]:
        """New answers to the questions that were asked about these passengers, and for whom there are none now."""
        positions = defaultdict[str, set[int]](set)
        for manifest_id, position in passengers:
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
        questions, places = [], []
        for record in records:
            if record.question is None:  # erased: there is nothing left to ask
                continue
            actor = Actor(record.client_id, None, frozenset(), checkpoint=record.checkpoint, kind=record.kind)
            await asyncio.sleep(0)  # names take a while to understand, and checks come first
            question = understand(record.question.encode(), legal_day(record.at))
            questions.append(Question(question, actor, -1, told, hits[asked[record.id]]))
            places.append(asked[record.id])
        anew = defaultdict[Place, list[Answer]](list)
        failed: set[Place] = set()
        for place, answer in zip(places, await put(self._attempt, questions), strict=True):
            if answer is None:
                failed.add(place)
            else:
                anew[place].append(read_answer(answer))
        return {place: answers for place, answers in anew.items() if place not in failed}, failed

    async def _attempt(self, question: Question) -> bytes | None:
        """An answer; None where it can't be had now, so that one question never holds the others up."""
        try:
            return await self._ask(question)
        except CekalError:
            logger.exception("a passenger can't be asked about anew now")
            return None

    async def _keep(
        self, followed: Iterable[str], touched: Touched, anew: Mapping[Place, list[Answer]]
    ) -> None:
        opened_hits: list[tuple[str, str, int]] = []
        async with self.runtime.writing(SYSTEM) as unit:
            for manifest in await store.lock(unit, {manifest_id for manifest_id, _ in anew}):
                number, items = manifest.number, []
                for item in await store.list_items(unit, manifest.id):
                    answers = anew.get((manifest.id, item.position))
                    if answers:
                        items.append(item.answered_anew(answers, number + 1, manifest.kind, unit.now))
                        number = max(number, items[-1].number)
                        known = {each.hit_id for each in item.answers}
                        new = {each.hit_id for each in answers if each.hit_id} - known
                        opened_hits += [(str(hit_id), manifest.id, item.position) for hit_id in new]
                await store.save_items(unit, manifest, items, number)
            await store.add_hits(unit, opened_hits)
            await store.advance(unit, followed, touched.size, touched.at)
            await store.tell(unit)


async def _touched(reader: Reader, opened: Mapping[str, Watched], size: int) -> Touched:
    """Whom the register's changes touch, of which some manifest does not take account yet."""
    since = min(each.sequence for each in opened.values())
    from_at = min(each.asked_at for each in opened.values())
    passengers: set[Place] = set()
    news = since < size
    while since < size:
        records = [each for each in await list_after(reader, since, _PAGE) if each.sequence <= size]
        passengers |= await _sharing_with_changed(reader, opened, records)
        since = records[-1].sequence
    begun = await entries.list_begun(reader, from_at, reader.now)
    if begun:
        shared = await _sharing(reader, begun)
        passengers |= {
            (manifest_id, position)
            for entry_id, places in shared.items()
            for manifest_id, position in places
            if manifest_id in opened and opened[manifest_id].asked_at < begun[entry_id]
        }
    return Touched(frozenset(passengers), size, reader.now, news or bool(begun))


async def _sharing_with_changed(
    reader: Reader, opened: Mapping[str, Watched], records: Iterable[Record]
) -> set[Place]:
    changed: dict[str, int] = {}
    for record in records:
        if record.entry_id is not None and (record.type.is_entry or record.type in _CLEARANCES):
            changed[record.entry_id] = record.sequence
    shared = await _sharing(reader, changed) if changed else {}
    return {
        (manifest_id, position)
        for entry_id, places in shared.items()
        for manifest_id, position in places
        if manifest_id in opened and opened[manifest_id].sequence < changed[entry_id]
    }


async def _sharing(reader: Reader, entry_ids: Iterable[str]) -> dict[str, set[Place]]:
    """By entry, the passengers who have a key in common with it, or with one of its former versions."""
    holders = defaultdict[str | int, set[str]](set)
    for entry_id, versions in (await entries.list_versions(reader, entry_ids)).items():
        await asyncio.sleep(0)
        keys = keys_of_entry(versions)
        for number in keys.numbers:
            holders[number].add(entry_id)
        for name in keys.names:
            holders[name].add(entry_id)
    numbers = [key for key in holders if isinstance(key, str)]
    names = [key for key in holders if isinstance(key, int)]
    shared = defaultdict[str, set[Place]](set)
    for row in await store.list_sharing(reader, numbers, names):
        for entry_id in holders[row.key]:
            shared[entry_id].add((row.manifest_id, row.position))
    return shared
