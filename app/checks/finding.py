"""Which entries a traveller is compared with: found by numbers, by name and by birth, for a whole batch at once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from app.checks import store
from app.checks.domain import Candidate
from app.checks.schemas import Asked
from app.db.unit import Reader
from app.entries import name_keys
from app.entries.domain import Entry
from app.matching.assessment import assess
from app.matching.policy import MatchPolicy
from app.matching.retrieval import Candidates

_WORKING_SET = 2000
"""Entries kept decoded from batch to batch; not a copy of the register."""

_NOBODY: Final[Candidates[str]] = Candidates((), (), truncated=False)

_decode = msgspec.json.Decoder(Entry).decode


class Near(msgspec.Struct, frozen=True):
    """What one traveller is compared with.

    Attributes:
        candidates: by id of the entry: each entry that shares a number, and each entry that shares keys of
            name and birth and is alike enough to appear in an answer.
        compared: ids of all who were compared by name and birth.
        truncated: more entries share keys of name and birth with the traveller than are compared.
    """

    candidates: dict[str, Candidate]
    compared: tuple[str, ...]
    truncated: bool


class View(msgspec.Struct, frozen=True):
    """The register as a batch of questions sees it.

    Attributes:
        size: the ledger's.
        access_version: changes whenever somebody's access does.
        near: for each question.
        phones: of the candidates' owners, by agency.
    """

    size: int
    access_version: int
    near: list[Near]
    phones: dict[str, str | None]


class Finder:
    """Finds candidates; keeps some of them decoded.

    Args:
        policy: from what on names count, and how many entries are compared by them for one traveller.
    """

    def __init__(self, policy: MatchPolicy) -> None:
        self._policy = policy
        self._known: dict[tuple[str, int, datetime | None], Candidate] = {}

    async def find(self, reader: Reader, asked: Sequence[Asked], *, evenly: bool = False) -> View:
        """Find candidates: one exchange for numbers, two more if anybody has a name, one more if a name fits.

        Args:
            reader: the transaction.
            asked: the questions.
            evenly: make every exchange, whatever is found: then their number says nothing of it.
        """
        size, version, listed = await store.look_up(reader, {key for each in asked for key in each.keys})
        candidates: dict[str, Candidate] = {}
        phones: dict[str, str | None] = {}
        self._take([row for _, row in listed], candidates, phones)
        by_number: dict[str, list[str]] = {}
        for key, row in listed:
            by_number.setdefault(key, []).append(row.entry_id)
        named = await self._by_name(reader, asked)
        alike = await self._alike(reader, asked, named, evenly=evenly)
        missing = {entry_id for ids in alike for entry_id in ids} - candidates.keys()
        if missing or evenly:
            self._take(await store.list_by_ids(reader, missing), candidates, phones)
        near = []
        for each, found, ids in zip(asked, named, alike, strict=True):
            own = (*(entry_id for key in each.keys for entry_id in by_number.get(key, ())), *ids)
            near.append(
                Near({entry_id: candidates[entry_id] for entry_id in own}, found.ids, found.truncated)
            )
        return View(size, version, near, phones)

    async def _by_name(self, reader: Reader, asked: Sequence[Asked]) -> list[Candidates[str]]:
        """The entries to compare with each traveller by name and birth, and whether there were more."""
        sought = [each.wanted for each in asked if each.wanted]
        if not sought:
            return [_NOBODY] * len(asked)
        index, most = await name_keys.look_up(reader, sought), self._policy.most_candidates
        return [index.rank(each.wanted, most) if each.wanted else _NOBODY for each in asked]

    async def _alike(
        self, reader: Reader, asked: Sequence[Asked], named: Sequence[Candidates[str]], *, evenly: bool
    ) -> list[list[str]]:
        """Of those to compare with each traveller the ids of who is alike, by what is kept of names and births."""
        wanted = {entry_id for found in named for entry_id in found.ids}
        forms = await name_keys.list_forms(reader, wanted) if wanted or evenly else {}

        def is_alike(each: Asked, entry_id: str) -> bool:
            form = forms.get(entry_id)  # none of an older release's entry: then the entry itself is read
            return form is None or assess(each.traveller.person, form, self._policy).tier != "none"

        return [
            [entry_id for entry_id in found.ids if is_alike(each, entry_id)]
            for each, found in zip(asked, named, strict=True)
        ]

    def _take(
        self, rows: Iterable[store.Listed], candidates: dict[str, Candidate], phones: dict[str, str | None]
    ) -> None:
        for entry_id, version, pending_until, document, phone in rows:
            # An entry begins to wait for papers without a new version.
            told = entry_id, version, pending_until
            known = self._known.get(told)
            if known is None:
                if len(self._known) >= _WORKING_SET:
                    self._known.clear()
                entry = _decode(document)
                known = self._known[told] = Candidate(entry, name_keys.listed(entry.subject))
            candidates[entry_id] = known
            phones[known.entry.agency] = phone
