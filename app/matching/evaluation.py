"""Precision, recall and F1 of the matcher on labelled pairs; ranks of the right entry for queries."""

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any, Final

import msgspec

from app.identity.spellings import spellings
from app.matching.assessment import assess
from app.matching.keys import Wanted, stored_days, stored_keys, wanted
from app.matching.labelled import ListedRow, Pair, Query
from app.matching.persons import Asked, Listed
from app.matching.policy import DEFAULT, MatchPolicy
from app.matching.retrieval import Index
from app.matching.tiers import Tier

UNREACHABLE: Final = "different_name"
"""Category of pairs that are one person under another name altogether: counted apart, no spelling leads there."""

Tell = Callable[[int, int], None]
"""Told how much is done, and of how much."""


class Figures(msgspec.Struct):
    """Counts of a set, and what they come to; `found` is what is told to somebody, at once or for review."""

    hits: int = 0
    false: int = 0
    missed: int = 0
    n: int = 0

    def count(self, *, same: bool, found: bool) -> None:
        """Add a pair."""
        self.n += 1
        self.hits += same and found
        self.false += found and not same
        self.missed += same and not found

    @property
    def precision(self) -> float | None:
        """Share of what was found that is right; None where nothing was found."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else None

    @property
    def recall(self) -> float | None:
        """Share of what there was that was found; None where there was nothing."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        if self.precision is None or self.recall is None:
            return None
        return 2 * self.hits / (2 * self.hits + self.false + self.missed)

    def as_json(self) -> dict[str, Any]:
        """The figures, rounded."""
        return {
            "precision": _rounded(self.precision),
            "recall": _rounded(self.recall),
            "f1": _rounded(self.f1),
            "n": self.n,
        }


def evaluate_pairs(
    pairs: Sequence[Pair], tell: Tell, policy: MatchPolicy = DEFAULT, *, names_only: bool = False
) -> dict[str, Any]:
    """Measure labelled pairs.

    Args:
        pairs: what to measure.
        tell: told of progress.
        policy: the thresholds.
        names_only: leave the birth dates out.

    Returns:
        `sets`: figures by set, of everything that is told to somebody; `stops`: the same of what stops a traveller
        at once; `categories`: figures by category. Pairs of another name altogether are in `categories` alone.
    """
    found: dict[str, Figures] = {}
    stops: dict[str, Figures] = {}
    categories: dict[str, dict[str, Figures]] = {}
    for done, pair in enumerate(pairs, 1):
        tier = _tier(pair, policy, names_only=names_only)
        by_category = categories.setdefault(pair.set, {}).setdefault(pair.category, Figures())
        by_category.count(same=pair.same, found=tier != "none")
        for figures, what in ((found, tier != "none"), (stops, tier == "stop")):
            if pair.category != UNREACHABLE:
                figures.setdefault(pair.set, Figures()).count(same=pair.same, found=what)
        tell(done, len(pairs))
    return {
        "sets": {name: figures.as_json() for name, figures in found.items()},
        "stops": {name: figures.as_json() for name, figures in stops.items()},
        "categories": {
            name: {category: figures.as_json() for category, figures in of_set.items()}
            for name, of_set in categories.items()
        },
    }


def _tier(pair: Pair, policy: MatchPolicy, *, names_only: bool) -> Tier:
    asked = Asked(names=spellings(pair.asked, cut=pair.cut), births=() if names_only else pair.asked_births)
    listed = Listed.of([pair.listed], births=() if names_only else pair.listed_births)
    return assess(asked, listed, policy).tier


def evaluate_queries(
    queries: Sequence[Query],
    entries: Sequence[ListedRow],
    tell: Tell,
    policy: MatchPolicy = DEFAULT,
    *,
    names_only: bool = False,
) -> dict[str, Any]:
    """Look every query up in a list.

    Returns:
        `sets`: by set `n`, `recall` (the right entry is among the candidates), `recall_at_1`, `recall_at_10`,
        `median_rank` of those found, `told` (share of queries whose right entry is told to somebody), and
        `truncated` (queries with more candidates than are compared); `ranks`: the rank of each query in the order
        of the file, null where the entry wasn't found.
    """
    index, by_id = _indexed(entries), {entry.id: entry for entry in entries}
    by_set: dict[str, list[tuple[int | None, bool, bool]]] = {}
    ranks: list[int | None] = []
    for done, query in enumerate(queries, 1):
        place, told, truncated = _look_up(query, index, by_id, policy, names_only=names_only)
        by_set.setdefault(query.set, []).append((place, told, truncated))
        ranks.append(place)
        tell(done, len(queries))
    return {"sets": {name: _ranked(rows) for name, rows in by_set.items()}, "ranks": ranks}


def _indexed(entries: Iterable[ListedRow]) -> Index[str]:
    index: Index[str] = Index()
    for entry in entries:
        index.add(entry.id, *_stored(entry, entry.names))
    return index


def _stored(entry: ListedRow, names: Iterable[str]) -> tuple[set[int], set[tuple[int, int]]]:
    """The keys and days of an entry under some of its names."""
    forms = [form for name in names for form in spellings(name)]
    return set(stored_keys(forms, entry.births)), set(stored_days(forms, entry.births))


def _look_up(
    query: Query, index: Index[str], by_id: dict[str, ListedRow], policy: MatchPolicy, *, names_only: bool
) -> tuple[int | None, bool, bool]:
    """The right entry's rank, whether it is told to somebody, and whether candidates were cut off."""
    asked = Asked.of([query.name], () if names_only else query.births)
    sought = wanted(asked)
    repeated = by_id.get(query.expected) if query.without_own else None
    if repeated is not None:
        names = [name for name in repeated.names if name != query.name]
        by_id = {**by_id, repeated.id: msgspec.structs.replace(repeated, names=tuple(names))}
        index = _without(index, sought, by_id[repeated.id])
    candidates = index.rank(sought, policy.most_candidates)
    scored = []
    for who in candidates.ids:
        found = assess(asked, Listed.of(by_id[who].names, births=by_id[who].births), policy)
        scored.append((found.tier != "none", found.bits * found.likeness, who))
    scored.sort(key=lambda one: (not one[0], -one[1]))
    places = [(who, told) for told, _, who in scored] + [(who, False) for who in candidates.unlike]
    for place, (who, told) in enumerate(places, 1):
        if who == query.expected:
            return place, told, candidates.truncated
    return None, False, candidates.truncated


def _without(index: Index[str], sought: Wanted, entry: ListedRow) -> Index[str]:
    """The part of an index that is looked up, with an entry under no more than its remaining names."""
    keys, days = _stored(entry, entry.names)
    return Index(
        {
            key: [who for who in index.keys.get(key, ()) if who != entry.id or key in keys]
            for key in sought.keys
        },
        {
            day: [
                (drawn, who)
                for drawn, who in index.days.get(day, ())
                if who != entry.id or (day, drawn) in days
            ]
            for day in sought.days
        },
    )


def _ranked(rows: list[tuple[int | None, bool, bool]]) -> dict[str, Any]:
    places = [place for place, _, _ in rows if place is not None]
    n = len(rows)
    return {
        "n": n,
        "recall": _rounded(len(places) / n),
        "recall_at_1": _rounded(sum(place == 1 for place in places) / n),
        "recall_at_10": _rounded(sum(place <= 10 for place in places) / n),  # noqa: PLR2004 - as named
        "median_rank": median(places) if places else None,
        "told": _rounded(sum(told for _, told, _ in rows) / n),
        "truncated": sum(cut for _, _, cut in rows),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
