"""The watch of passengers until departure, or for 72 hours from a declared day of arrival.

Passengers that a change of the register may affect are checked again.

Each open manifest stores the ledger size and the instant up to which all its answers are current. A round reads the
ledger from the smallest of these sizes on, finds the passengers concerned (`affected`), checks them again, and only
then advances the stored values. If a process dies in between, the next round repeats the checks, which join the hits
that were opened already (`joining`). A manifest that is stored while a round runs keeps its own, older size, so that
the next round covers it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

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
from app.border.manifests.domain import Answer, Item
from app.border.manifests.joining import find_rulings, join
from app.border.manifests.service import encode_answer, read_answer
from app.border.manifests.store import Watched
from app.db.unit import Unit
from app.errors import NotStored
from app.ledger.service import head
from app.runtime import Runtime

_BATCH_SIZE = 200
_FAILURE = "a passenger can't be checked again now"


class Watch:
    """Keeps the answers of open manifests current, and closes and removes old ones, when the worker calls its methods.

    On PostgreSQL only one process at a time may call them.
    """

    def __init__(self, runtime: Runtime, checks: CheckService) -> None:
        self.runtime = runtime
        self._ask = Batcher(checks, in_flight=1).ask_row

    async def look(self) -> int:
        """Check again the passengers that changes of the register may affect. Returns the number of these passengers.

        The changes are those that earlier calls have not followed. If a passenger or a manifest fails, that is logged,
        the others go on, and the next call repeats it, because the changes then still count as unread for the manifest.
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
            failed |= await self._keep(opened.keys() - failed, touched, answered)
            opened = {
                each.id: Watched(
                    each.id, max(each.sequence, touched.sequence), max(each.asked_at, touched.at)
                )
                for each in opened.values()
                if each.id not in failed  # not advanced, so that the next round repeats it
            }
        return checked

    async def close_departed(self) -> None:
        """Close the manifests past the end of their watch, and delete the search keys of their passengers.

        A manifest that fails is logged, and the others are closed.

        Raises:
            ClockInDoubt: there is such a manifest, and the clock is not plausible.
        """

        async def close(manifest_ids: Sequence[str]) -> int:
            async with self.runtime.irreversible(SYSTEM) as unit:
                await store.close(unit, manifest_ids)
                await store.wake_streams(unit)
            return len(manifest_ids)

        async with self.runtime.reading(SYSTEM) as reader:
            departed = await store.list_departed(reader)
        if departed:
            await self.runtime.do_together_or_apart(departed, close, "a manifest can't be closed now")

    async def forget(self) -> None:
        """Delete the closed manifests received more than `question_days` days ago, in small transactions.

        A manifest that fails is logged, and the others are deleted.

        Raises:
            ClockInDoubt: there is such a manifest, and the clock is not plausible.
        """
        days = self.runtime.settings.question_days

        async def forget(manifest_ids: Sequence[str]) -> int:
            async with self.runtime.irreversible(SYSTEM) as unit:
                await store.forget(unit, manifest_ids, days=days)
            return len(manifest_ids)

        list_old = partial(store.list_old, days=days)
        async for batch in self.runtime.due_in_batches(SYSTEM, list_old, _BATCH_SIZE):
            await self.runtime.do_together_or_apart(batch, forget, "a manifest can't be deleted now")

    async def _answers(
        self, touched: AffectedPassengers
    ) -> tuple[dict[PassengerKey, list[Answer]], set[str]]:
        """Check the passengers concerned again. Returns their answers, and the manifests for which this has failed.

        A question that can't be read any more keeps its earlier answer, beside the new ones of the same passenger.
        """
        passenger_of: dict[str, PassengerKey] = {}
        earlier: dict[str, Answer] = {}
        hits = defaultdict[PassengerKey, dict[Matter, str]](dict)
        items, failed = await self._items(touched)
        for place, item in items.items():
            passenger_of |= {answer.check_id: place for answer in item.answers}
            earlier |= {answer.check_id: answer for answer in item.answers}
            hits[place] |= {each.matter: each.hit_id for each in item.answers if each.hit_id}
        async with self.runtime.reading_checks(SYSTEM) as reader:
            records = await checks.list_records(reader, passenger_of)
        asked: dict[str, Question] = {}
        unreadable = defaultdict[PassengerKey, list[Answer]](list)
        concerned = set(touched.sure)
        for record in records:
            actor = Actor(record.client_id, None, frozenset(), checkpoint=record.checkpoint, kind=record.kind)
            await asyncio.sleep(0)  # parsing names is slow, and checks of counters come first
            place = passenger_of[record.id]
            with self.runtime.isolating(_FAILURE, check=record.id):
                parsed = parse_stored(record.question, record.at)
                if parsed is None:  # erased, or stored by an earlier release with other rules
                    unreadable[place].append(earlier[record.id])
                    continue
                if parsed.key_query and touched.index.rank(parsed.key_query, 1).ids:
                    concerned.add(place)
                asked[record.id] = Question(parsed, actor, -1, encode_answer, record.journey_key, hits[place])
                continue
            failed.add(place)
        unanswered = [check_id for check_id in asked if passenger_of[check_id] in concerned]
        joined = await self.runtime.do_together_or_apart(unanswered, partial(self._join, asked), _FAILURE)
        failed.update(passenger_of[check_id] for check_id in joined.failed)
        unanswered = [check_id for check_id in unanswered if passenger_of[check_id] not in failed]
        answered = defaultdict[PassengerKey, list[Answer]](list)
        answers = await in_parts(
            lambda part: asyncio.gather(*(self._attempt(check_id, asked[check_id]) for check_id in part)),
            unanswered,
        )
        for check_id, answer in zip(unanswered, answers, strict=True):
            if answer is None:
                failed.add(passenger_of[check_id])
            else:
                answered[passenger_of[check_id]].append(read_answer(answer))
        renewed = {
            place: [*new, *unreadable[place]] for place, new in answered.items() if place not in failed
        }
        return renewed, {manifest_id for manifest_id, _ in failed}

    async def _items(self, touched: AffectedPassengers) -> tuple[dict[PassengerKey, Item], set[PassengerKey]]:
        """Return the passengers that may be affected, and the keys of those whose manifest can't be read."""
        positions = defaultdict[str, set[int]](set)
        for manifest_id, position in (*touched.sure, *touched.likely):
            positions[manifest_id].add(position)
        items: dict[PassengerKey, Item] = {}
        failed: set[PassengerKey] = set()
        async with self.runtime.reading(SYSTEM) as reader:
            for manifest_id, affected in positions.items():
                with self.runtime.isolating("a manifest can't be read", manifest=manifest_id):
                    for item in await store.list_items(reader, manifest_id):
                        if item.position in affected:
                            items[manifest_id, item.position] = item
                    continue
                failed |= {(manifest_id, position) for position in affected}
        return items, failed

    async def _join(self, asked: Mapping[str, Question], check_ids: Sequence[str]) -> int:
        """Attach to questions the hits of an earlier round that died before it stored their answers.

        Args:
            asked: the questions, by the id of the passenger's earlier check.
            check_ids: the ids of those to which hits are attached.

        Returns:
            Their number.
        """
        some = [asked[check_id] for check_id in check_ids]
        keyed = [(each.journey_key, each.parsed.text) for each in some if each.journey_key]
        found = iter(await join(self.runtime, SYSTEM, keyed))
        for each in some:
            if each.journey_key:  # None for a manifest from an older release
                joined = next(found)
                each.known = {**joined.known, **each.known}
                each.opened, each.resolved = joined.opened, joined.resolved
        return len(check_ids)

    async def _attempt(self, check_id: str, question: Question) -> bytes | None:
        """Return the answer to a question. Returns None if it fails, so that one question never blocks the others.

        `check_id` is the id of the passenger's earlier check.
        """
        with self.runtime.isolating(_FAILURE, check=check_id):
            try:
                return await self._ask(question)
            except NotStored:  # already logged by the batcher
                return None
        return None

    async def _keep(
        self, followed: set[str], touched: AffectedPassengers, answered: Mapping[PassengerKey, list[Answer]]
    ) -> set[str]:
        """Store the new answers, and that the answers of the manifests `followed` are current.

        Returns the manifests for which that has failed.
        """
        changed = {manifest_id for manifest_id, _ in answered}
        groups = [{manifest_id} for manifest_id in sorted(changed)]
        if others := followed - changed:
            groups.append(others)
        if not groups:
            return set()

        async def keep(some: Sequence[set[str]]) -> int:
            manifest_ids = set().union(*some)
            async with self.runtime.writing(SYSTEM) as unit:
                await store.lock_rows(unit, manifest_ids)
                await self._store(unit, manifest_ids & changed, answered)
                await store.advance(unit, manifest_ids & followed, touched.sequence, touched.at)
                await store.wake_streams(unit)
            return len(some)

        kept = await self.runtime.do_together_or_apart(
            groups, keep, "new answers about a manifest can't be stored now"
        )
        return set().union(*kept.failed)

    async def _store(
        self, unit: Unit, manifest_ids: set[str], answered: Mapping[PassengerKey, list[Answer]]
    ) -> None:
        """Store the new answers about the passengers of these manifests."""
        opened_hits: set[tuple[str, str]] = set()
        hit_ids = {
            each.hit_id
            for (manifest_id, _), answers in answered.items()
            for each in answers
            if manifest_id in manifest_ids and each.hit_id
        }
        rulings = await find_rulings(unit, self.runtime, hit_ids)
        for manifest in await store.lock(unit, manifest_ids):
            number, items = manifest.number, []
            for item in await store.list_items(unit, manifest.id):
                answers = answered.get((manifest.id, item.position))
                if answers:
                    items.append(item.with_answers(answers, rulings, number + 1, manifest.kind, unit.now))
                    number = max(number, items[-1].number)
                    opened_hits |= {(each.hit_id, manifest.id) for each in answers if each.hit_id}
            await store.save_items(unit, manifest, items, number)
        await store.add_hits(unit, opened_hits)
