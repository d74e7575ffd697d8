"""The watch of passengers until departure, or for 72 hours from a declared day of arrival.

Passengers that a change of the register may affect are checked again.

Each open manifest stores the ledger size and the instant up to which all its answers are current. A round reads the
ledger from the smallest of these sizes on, finds the passengers concerned (`affected`), checks them again, and only
then advances the stored values. If a process dies in between, the next round repeats the checks, which join the hits
that were opened already (`joining`). A manifest that is stored while a round runs keeps its own, older size, so that
the next round covers it.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from app.access.domain import SYSTEM
from app.actor import Actor
from app.border.checks import store as checks
from app.border.checks.batcher import Batcher, in_parts
from app.border.checks.domain import Matter
from app.border.checks.parsing import parse_stored
from app.border.checks.questions import Question
from app.border.checks.service import CheckService
from app.border.manifests import store
from app.border.manifests.affected import AffectedPassengers, PassengerKey, find_affected
from app.border.manifests.domain import Answer
from app.border.manifests.joining import find_rulings, join
from app.border.manifests.service import encode_answer, read_answer
from app.border.manifests.store import Watched
from app.errors import CekalError, NotStored
from app.ledger.service import head
from app.runtime import Runtime

logger = logging.getLogger(__name__)

_BATCH_SIZE = 200


class Watch:
    """Keeps the answers of open manifests current, and closes and removes old ones, when the worker calls its methods.

    On PostgreSQL only one process at a time may call them.
    """

    def __init__(self, runtime: Runtime, checks: CheckService) -> None:
        self.runtime = runtime
        self._ask = Batcher(checks, in_flight=1).ask_row

    async def look(self) -> int:
        """Check again the passengers that changes of the register may affect. Returns the number of these passengers.

        The changes are those that earlier calls have not followed. If a check fails, the next call repeats it, because
        the changes then still count as unread for the passenger's manifest.
        """
        async with self.runtime.reading(SYSTEM) as reader:
            size = (await head(reader)).size  # read first: later commits belong to the next round
            opened = {each.id: each for each in await store.list_open(reader)}
        checked = 0
        while opened:
            async with self.runtime.reading(SYSTEM) as reader:
                touched = await find_affected(reader, opened, size)
            if not touched.news:
                break
            answered, failed = await self._answers(touched)
            checked += len(answered)
            for manifest_id, _ in failed:
                opened.pop(manifest_id, None)  # not advanced, so that the next round repeats it
            await self._keep(opened, touched, answered)
            opened = {
                each.id: Watched(
                    each.id, max(each.sequence, touched.sequence), max(each.asked_at, touched.at)
                )
                for each in opened.values()
            }
        return checked

    async def close_departed(self) -> None:
        """Close the manifests past the end of their watch, and delete the search keys of their passengers.

        Raises:
            ClockInDoubt: there is such a manifest, and the clock is not plausible.
        """
        async with self.runtime.reading(SYSTEM) as reader:
            departed = await store.list_departed(reader)
        if departed:
            async with self.runtime.irreversible(SYSTEM) as unit:
                await store.close(unit, departed)
                await store.wake_streams(unit)

    async def forget(self) -> None:
        """Delete the closed manifests received more than `question_days` days ago, in small transactions.

        Raises:
            ClockInDoubt: the clock is not plausible.
        """
        while True:
            async with self.runtime.irreversible(SYSTEM) as unit:
                before = unit.now - timedelta(days=self.runtime.settings.question_days)
                if await store.forget(unit, before, _BATCH_SIZE) < _BATCH_SIZE:
                    return

    async def _answers(
        self, touched: AffectedPassengers
    ) -> tuple[dict[PassengerKey, list[Answer]], set[PassengerKey]]:
        """Check the passengers concerned again. Returns their answers, and the passengers with a failed check.

        A question that can't be read any more keeps its earlier answer, beside the new ones of the same passenger.
        """
        positions = defaultdict[str, set[int]](set)
        for manifest_id, position in (*touched.sure, *touched.likely):
            positions[manifest_id].add(position)
        passenger_of: dict[str, PassengerKey] = {}
        earlier: dict[str, Answer] = {}
        hits = defaultdict[PassengerKey, dict[Matter, str]](dict)
        async with self.runtime.reading(SYSTEM) as reader:
            for manifest_id, affected_positions in positions.items():
                for item in await store.list_items(reader, manifest_id):
                    if item.position in affected_positions:
                        place = manifest_id, item.position
                        passenger_of |= {answer.check_id: place for answer in item.answers}
                        earlier |= {answer.check_id: answer for answer in item.answers}
                        hits[place] |= {each.matter: each.hit_id for each in item.answers if each.hit_id}
        async with self.runtime.reading_checks(SYSTEM) as reader:
            records = await checks.list_records(reader, passenger_of)
        questions: list[Question] = []
        places: list[PassengerKey] = []
        unreadable = defaultdict[PassengerKey, list[Answer]](list)
        concerned = set(touched.sure)
        for record in records:
            actor = Actor(record.client_id, None, frozenset(), checkpoint=record.checkpoint, kind=record.kind)
            await asyncio.sleep(0)  # parsing names is slow, and checks of counters come first
            question = parse_stored(record.question, record.at)
            place = passenger_of[record.id]
            if question is None:  # erased, or stored by an earlier release with other rules
                unreadable[place].append(earlier[record.id])
                continue
            questions.append(Question(question, actor, -1, encode_answer, record.journey_key, hits[place]))
            places.append(place)
            if question.key_query and touched.index.rank(question.key_query, 1).ids:
                concerned.add(place)
        unanswered = [each for each, place in zip(questions, places, strict=True) if place in concerned]
        await self._join(unanswered)
        places = [place for place in places if place in concerned]
        answered = defaultdict[PassengerKey, list[Answer]](list)
        failed: set[PassengerKey] = set()
        answers = await in_parts(lambda part: asyncio.gather(*map(self._attempt, part)), unanswered)
        for place, answer in zip(places, answers, strict=True):
            if answer is None:
                failed.add(place)
            else:
                answered[place].append(read_answer(answer))
        renewed = {
            place: [*new, *unreadable[place]] for place, new in answered.items() if place not in failed
        }
        return renewed, failed

    async def _join(self, unanswered: Sequence[Question]) -> None:
        """Attach to questions the hits of an earlier round that died before it stored their answers."""
        keyed = [(each.journey_key, each.parsed.text) for each in unanswered if each.journey_key]
        found = iter(await join(self.runtime, SYSTEM, keyed))
        for each in unanswered:
            if each.journey_key:  # None for a manifest from an older release
                joined = next(found)
                each.known = {**joined.known, **each.known}
                each.opened, each.resolved = joined.opened, joined.resolved

    async def _attempt(self, question: Question) -> bytes | None:
        """Return the answer to a question. Returns None if it fails, so that one question never blocks the others."""
        try:
            return await self._ask(question)
        except NotStored:  # already logged by the batcher
            return None
        except CekalError:
            logger.exception("a passenger can't be checked again now")
            return None

    async def _keep(
        self,
        followed: Iterable[str],
        touched: AffectedPassengers,
        answered: Mapping[PassengerKey, list[Answer]],
    ) -> None:
        opened_hits: set[tuple[str, str]] = set()
        hit_ids = {each.hit_id for answers in answered.values() for each in answers if each.hit_id}
        async with self.runtime.writing(SYSTEM) as unit:
            changed = {manifest_id for manifest_id, _ in answered}
            await store.lock_rows(unit, {*followed, *changed})
            rulings = await find_rulings(unit, self.runtime, hit_ids)
            for manifest in await store.lock(unit, changed):
                number, items = manifest.number, []
                for item in await store.list_items(unit, manifest.id):
                    answers = answered.get((manifest.id, item.position))
                    if answers:
                        items.append(item.with_answers(answers, rulings, number + 1, manifest.kind, unit.now))
                        number = max(number, items[-1].number)
                        opened_hits |= {(each.hit_id, manifest.id) for each in answers if each.hit_id}
                await store.save_items(unit, manifest, items, number)
            await store.add_hits(unit, opened_hits)
            await store.advance(unit, followed, touched.sequence, touched.at)
            await store.wake_streams(unit)
