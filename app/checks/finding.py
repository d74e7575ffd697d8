"""Which entries a traveller is compared with: found by numbers, by name and by birth, for a whole batch at once."""

from collections.abc import Iterable, Sequence

import msgspec

from app.checks import store
from app.checks.domain import Candidate
from app.checks.schemas import Asked
from app.db.unit import Reader
from app.entries import name_keys
from app.entries.domain import Entry

_WORKING_SET = 2000
"""Entries kept decoded from batch to batch; not a copy of the register."""

_decode = msgspec.json.Decoder(Entry).decode


class Near(msgspec.Struct, frozen=True):
    """What one traveller is compared with.

    Attributes:
        candidates: by id of the entry.
        truncated: more entries share keys of name and birth with the traveller than are compared.
    """

    candidates: dict[str, Candidate]
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
        most: entries that are compared for one traveller by name and birth.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[tuple[str, int], Candidate] = {}

    async def find(self, reader: Reader, asked: Sequence[Asked]) -> View:
        """Find whom to compare: one exchange for numbers, and two more where anybody has a name."""
        size, version, listed = await store.look_up(reader, {key for each in asked for key in each.keys})
        candidates: dict[str, Candidate] = {}
        phones: dict[str, str | None] = {}
        self._take([row for _, row in listed], candidates, phones)
        by_number: dict[str, list[str]] = {}
        for key, row in listed:
            by_number.setdefault(key, []).append(row.entry_id)
        named = await self._by_name(reader, asked)
        missing = {entry_id for ids, _ in named for entry_id in ids} - candidates.keys()
        if missing:
            self._take(await store.list_by_ids(reader, missing), candidates, phones)
        near = []
        for each, (ids, truncated) in zip(asked, named, strict=True):
            own = (*(entry_id for key in each.keys for entry_id in by_number.get(key, ())), *ids)
            near.append(Near({entry_id: candidates[entry_id] for entry_id in own}, truncated))
        return View(size, version, near, phones)

    async def _by_name(self, reader: Reader, asked: Sequence[Asked]) -> list[tuple[tuple[str, ...], bool]]:
        """For each traveller the ids to compare by name and birth, and whether there were more."""
        sought = [each.wanted for each in asked if each.wanted]
        if not sought:
            return [((), False)] * len(asked)
        index = await name_keys.look_up(reader, sought)
        ranked = [index.rank(each.wanted, self._most) if each.wanted else None for each in asked]
        return [(found.ids, found.truncated) if found else ((), False) for found in ranked]

    def _take(
        self, rows: Iterable[store.Listed], candidates: dict[str, Candidate], phones: dict[str, str | None]
    ) -> None:
        for entry_id, version, document, phone in rows:
            known = self._known.get((entry_id, version))
            if known is None:
                if len(self._known) >= _WORKING_SET:
                    self._known.clear()
                entry = _decode(document)
                known = self._known[entry_id, version] = Candidate(entry, name_keys.listed(entry.subject))
            candidates[entry_id] = known
            phones[known.entry.agency] = phone
