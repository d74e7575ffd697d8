"""Finding the entries to compare with travellers, by numbers, names and births, for a whole batch of questions."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

import msgspec

from app.border.checks import store
from app.border.checks.domain import Candidate
from app.border.checks.parsing import ParsedQuestion
from app.db.unit import Reader
from app.identity.births import Birth
from app.matching.assessment import is_reported
from app.matching.persons import KnownPerson
from app.matching.policy import MatchPolicy
from app.matching.retrieval import Candidates
from app.matching.thinning import thin
from app.register.entries.domain import Entry
from app.register.entries.names import index as name_keys

_WORKING_SET = 2000
"""Greatest number of decoded entries in the cache."""

_NO_CANDIDATES: Final[Candidates[str]] = Candidates((), (), truncated=False)

_decode = msgspec.json.Decoder(Entry).decode


class EntriesToCompare(msgspec.Struct, frozen=True):
    """The entries to compare with one traveller.

    Attributes:
        candidates: by entry id, each entry that shares a number key with the traveller, and each entry that was found
            by name and birth and is similar enough to stop the traveller or to be noted.
        compared: ids of all entries that were compared by name and birth, similar or not.
        truncated: whether too many entries were found to compare all by name and birth. Some were then left out that
            are as likely to match as some of the compared ones (`Candidates.truncated`).
    """

    candidates: dict[str, Candidate]
    compared: tuple[str, ...]
    truncated: bool


class View(msgspec.Struct, frozen=True):
    """The register's data about a batch of questions, read at one instant.

    Attributes:
        size: the ledger's size, which is the number of its last record.
        access_version: a number that changes with every change of access rights.
        near: for each question, in order, the entries to compare with its traveller.
        phones: phone numbers of the agencies that own the candidates, by agency code; None if unknown.
    """

    size: int
    access_version: int
    near: list[EntriesToCompare]
    phones: dict[str, str | None]


class Finder:
    """Finds the entries to compare with travellers, with a cache of decoded entries.

    Args:
        policy: thresholds of name matching, and the greatest number of entries compared by name for one traveller.
    """

    def __init__(self, policy: MatchPolicy) -> None:
        self._policy = policy
        self._known: dict[tuple[str, int, datetime | None], Candidate] = {}

    async def find(
        self, reader: Reader, questions: Sequence[ParsedQuestion], *, evenly: bool = False
    ) -> View:
        """Find the entries to compare with each traveller, with few queries for all questions together.

        Args:
            reader: a transaction on the register.
            questions: the questions.
            evenly: whether to make also the queries that can't find anything after the results of earlier ones. The
                number of queries then depends on the questions only, and reveals nothing about entries.

        Raises:
            HeadMissing: the ledger has no head.
        """
        size, version, listed = await store.look_up(reader, {key for each in questions for key in each.keys})
        candidates: dict[str, Candidate] = {}
        phones: dict[str, str | None] = {}
        self._take([row for _, row in listed], candidates, phones)
        by_number: dict[str, list[str]] = {}
        for key, row in listed:
            by_number.setdefault(key, []).append(row.entry_id)
        named = await self._by_name(reader, questions)
        named, alike = await self._list_similar(reader, questions, named, evenly=evenly)
        missing = {entry_id for ids in alike for entry_id in ids} - candidates.keys()
        if missing or evenly:
            self._take(await store.list_by_ids(reader, missing), candidates, phones)
        near = []
        for each, found, ids in zip(questions, named, alike, strict=True):
            own = (*(entry_id for key in each.keys for entry_id in by_number.get(key, ())), *ids)
            near.append(
                EntriesToCompare(
                    {entry_id: candidates[entry_id] for entry_id in own}, found.ids, found.truncated
                )
            )
        return View(size, version, near, phones)

    async def _by_name(self, reader: Reader, questions: Sequence[ParsedQuestion]) -> list[Candidates[str]]:
        """Return the entries to compare with each traveller by name and birth, and whether there were more."""
        sought = [each.key_query for each in questions if each.key_query]
        if not sought:
            return [_NO_CANDIDATES] * len(questions)
        index, limit = await name_keys.look_up(reader, sought), self._policy.most_candidates
        return [index.rank(each.key_query, limit) if each.key_query else _NO_CANDIDATES for each in questions]

    async def _list_similar(
        self,
        reader: Reader,
        questions: Sequence[ParsedQuestion],
        named: Sequence[Candidates[str]],
        *,
        evenly: bool,
    ) -> tuple[list[Candidates[str]], list[list[str]]]:
        """Return the entries compared with each traveller, and the ids of the similar ones, by their stored forms."""
        entry_ids = {entry_id for found in named for entry_id in (*found.ids, *found.more)}
        forms = await name_keys.list_forms(reader, entry_ids) if entry_ids or evenly else {}
        known: dict[str, KnownPerson] = {}

        def births_of(entry_id: str) -> tuple[Birth, ...]:
            # An entry from an older release has no form: then the entry itself is read.
            form = forms.get(entry_id)
            return () if form is None else name_keys.births_in(form)

        def person_of(entry_id: str) -> KnownPerson:
            person = known.get(entry_id)
            if person is None:
                person = known[entry_id] = name_keys.unpacked(forms[entry_id])
            return person

        def is_alike(each: ParsedQuestion, entry_id: str) -> bool:
            return entry_id not in forms or is_reported(
                each.traveller.person, births_of(entry_id), partial(person_of, entry_id), self._policy
            )

        compared = [
            thin(found, each.traveller.person, births_of, self._policy.most_candidates)
            if found.more
            else found
            for each, found in zip(questions, named, strict=True)
        ]
        return compared, [
            [entry_id for entry_id in found.ids if is_alike(each, entry_id)]
            for each, found in zip(questions, compared, strict=True)
        ]

    def _take(
        self,
        rows: Iterable[store.StoredEntry],
        candidates: dict[str, Candidate],
        phones: dict[str, str | None],
    ) -> None:
        for entry_id, version, pending_until, document, phone in rows:
            # An entry may begin to wait for papers without a new version.
            state = entry_id, version, pending_until
            known = self._known.get(state)
            if known is None:
                if len(self._known) >= _WORKING_SET:
                    self._known.clear()
                entry = _decode(document)
                known = self._known[state] = Candidate(entry, name_keys.listed(entry.subject))
            candidates[entry_id] = known
            phones[known.entry.agency] = phone
