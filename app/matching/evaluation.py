"""Precision, recall and F1 of the matcher on labelled pairs; ranks of the right entry for queries.

The figures of stops come first, since a match that is only noted for review is `clear` at the counter. Every share has
its 95 % interval (Wilson's score interval), since few rows prove little.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any, Final

import msgspec

from app.identity.spellings import spellings
from app.matching.assessment import assess
from app.matching.keys import KeyQuery, key_query, stored_days, stored_keys
from app.matching.labelled import ListedRow, Pair, Query
from app.matching.persons import KnownPerson, QueriedPerson
from app.matching.policy import DEFAULT, MatchPolicy
from app.matching.retrieval import Index
from app.matching.thinning import thin
from app.matching.tiers import Tier

UNREACHABLE: Final = "different_name"
"""Category of pairs of one person with entirely different names; counted separately, as no spelling finds them."""

_Z: Final = 1.959964
"""Number of standard deviations that contain 95 % of a normal distribution."""

ReportProgress = Callable[[int, int], None]
"""A function called with the amount done and the total amount."""


class Figures(msgspec.Struct):
    """The counts of pairs, and the shares computed from these; the caller decides which pairs count as found.

    Attributes:
        hits: pairs of one person that were found.
        false: pairs of two persons that were found.
        missed: pairs of one person that were not found.
        n: all pairs, also those of two persons that were not found.
    """

    hits: int = 0
    false: int = 0
    missed: int = 0
    n: int = 0

    def count(self, *, same: bool, found: bool) -> None:
        """Add a pair to the counts; `same` is whether both are one person, `found` whether the matching found it."""
        self.n += 1
        self.hits += same and found
        self.false += found and not same
        self.missed += same and not found

    @property
    def precision(self) -> float | None:
        """The share of found pairs that are one person; None if no pair was found."""
        return self.hits / (self.hits + self.false) if self.hits + self.false else None

    @property
    def recall(self) -> float | None:
        """The share of pairs of one person that were found; None if there is no pair of one person."""
        return self.hits / (self.hits + self.missed) if self.hits + self.missed else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall; None if one of them is None."""
        if self.precision is None or self.recall is None:
            return None
        return 2 * self.hits / (2 * self.hits + self.false + self.missed)

    def as_json(self) -> dict[str, Any]:
        """Return the rounded figures with 95 % intervals, and the numbers of pairs (`n`) and of true pairs (`same`)."""
        return {
            "precision": _rounded(self.precision),
            "recall": _rounded(self.recall),
            "f1": _rounded(self.f1),
            "n": self.n,
            "same": self.hits + self.missed,
            "precision_95": interval(self.hits, self.hits + self.false),
            "recall_95": interval(self.hits, self.hits + self.missed),
        }


def interval(hits: int, n: int) -> list[float] | None:
    """Return the rounded 95 % interval of the share `hits` of `n` (Wilson 1927); None if `n` is 0."""
    if not n:
        return None
    share, spread = hits / n, _Z * _Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / n + spread / (4 * n)) / (1 + spread)
    return [round(max(0.0, middle - half), 4), round(min(1.0, middle + half), 4)]


def evaluate_pairs(
    pairs: Sequence[Pair],
    report_progress: ReportProgress,
    policy: MatchPolicy = DEFAULT,
    *,
    names_only: bool = False,
) -> dict[str, Any]:
    """Match labelled pairs, and return precision, recall and F1.

    Args:
        pairs: the labelled pairs.
        report_progress: function that is called after each pair, with the number of matched pairs and of all pairs.
        policy: the thresholds.
        names_only: whether birth dates are ignored.

    Returns:
        A dict with three members. `stops` has the figures (`Figures.as_json`) of each set; a pair counts as found if it
        would stop a traveller. `sets` has the figures of each set if pairs that are noted for review count as found
        too. `categories` has the figures of each category of each set, counted as in `stops`. Pairs in the category
        `UNREACHABLE` are counted in `categories` only.
    """
    stops: dict[str, Figures] = {}
    found: dict[str, Figures] = {}
    categories: dict[str, dict[str, Figures]] = {}
    for done, pair in enumerate(pairs, 1):
        tier = _tier(pair, policy, names_only=names_only)
        by_category = categories.setdefault(pair.set, {}).setdefault(pair.category, Figures())
        by_category.count(same=pair.same, found=tier == "stop")
        for figures, what in ((stops, tier == "stop"), (found, tier != "none")):
            if pair.category != UNREACHABLE:
                figures.setdefault(pair.set, Figures()).count(same=pair.same, found=what)
        report_progress(done, len(pairs))
    return {
        "stops": {name: figures.as_json() for name, figures in stops.items()},
        "sets": {name: figures.as_json() for name, figures in found.items()},
        "categories": {
            name: {category: figures.as_json() for category, figures in of_set.items()}
            for name, of_set in categories.items()
        },
    }


def _tier(pair: Pair, policy: MatchPolicy, *, names_only: bool) -> Tier:
    queried = QueriedPerson(
        names=spellings(pair.queried, cut=pair.cut), births=() if names_only else pair.queried_births
    )
    listed = KnownPerson.of([pair.listed], births=() if names_only else pair.listed_births)
    return assess(queried, listed, policy).tier


class _RankedEntry(msgspec.Struct, frozen=True):
    """The result of a query: the rank and the tier of the right entry, and whether candidates were cut off."""

    rank: int | None
    tier: Tier
    truncated: bool


def evaluate_queries(
    queries: Sequence[Query],
    entries: Sequence[ListedRow],
    report_progress: ReportProgress,
    policy: MatchPolicy = DEFAULT,
    *,
    names_only: bool = False,
) -> dict[str, Any]:
    """Look up each query in a list, and measure how often the right entry is found.

    Args:
        queries: the queries.
        entries: the list.
        report_progress: function that is called after each query, with the number of queries done and of all queries.
        policy: the thresholds.
        names_only: whether birth dates are ignored.

    Returns:
        A dict of `sets` and `ranks`. `sets` has for each set: `n` (number of queries), `stopped` (share of queries
        whose right entry stops the traveller) and its interval `stopped_95`, `told` (share whose right entry stops the
        traveller or is noted for review), `recall` (share whose right entry is among the candidates), `recall_at_1`
        and `recall_at_10` (share whose right entry is first, or among the first ten), `median_rank` of the right
        entries that were found, and `truncated` (number of queries with `Candidates.truncated`). `ranks` has, for each
        query in order, the rank of the right entry, from 1; None if it was not found.
    """
    index, by_id = _indexed(entries), {entry.id: entry for entry in entries}
    by_set: dict[str, list[_RankedEntry]] = {}
    ranks: list[int | None] = []
    for done, query in enumerate(queries, 1):
        position = _look_up(query, index, by_id, policy, names_only=names_only)
        by_set.setdefault(query.set, []).append(position)
        ranks.append(position.rank)
        report_progress(done, len(queries))
    return {"sets": {name: _ranked(rows) for name, rows in by_set.items()}, "ranks": ranks}


def _indexed(entries: Iterable[ListedRow]) -> Index[str]:
    index: Index[str] = Index()
    for entry in entries:
        index.add(entry.id, *_stored(entry, entry.names))
    return index


def _stored(entry: ListedRow, names: Iterable[str]) -> tuple[set[int], set[tuple[int, int]]]:
    """Return the keys and days of an entry under some of its names."""
    forms = [form for name in names for form in spellings(name)]
    return set(stored_keys(forms, entry.births)), set(stored_days(forms, entry.births))


def _look_up(
    query: Query, index: Index[str], by_id: dict[str, ListedRow], policy: MatchPolicy, *, names_only: bool
) -> _RankedEntry:
    queried = QueriedPerson.of([query.name], () if names_only else query.births)
    sought = key_query(queried)
    repeated = by_id.get(query.expected) if query.without_own else None
    if repeated is not None:
        names = [name for name in repeated.names if name != query.name]
        by_id = {**by_id, repeated.id: msgspec.structs.replace(repeated, names=tuple(names))}
        index = _without(index, sought, by_id[repeated.id])
    most, by = policy.most_candidates, by_id
    candidates = thin(index.rank(sought, most), queried, lambda person_id: by[person_id].births, most)
    scored: list[tuple[bool, float, Tier, str]] = []
    for person_id in candidates.ids:
        found = assess(
            queried, KnownPerson.of(by_id[person_id].names, births=by_id[person_id].births), policy
        )
        scored.append((found.tier != "none", found.bits * found.likeness, found.tier, person_id))
    scored.sort(key=lambda one: (not one[0], -one[1]))
    ranked_ids: list[tuple[str, Tier]] = [(person_id, tier) for _, _, tier, person_id in scored]
    ranked_ids += [(person_id, "none") for person_id in candidates.unlike]
    for position, (person_id, tier) in enumerate(ranked_ids, 1):
        if person_id == query.expected:
            return _RankedEntry(position, tier, candidates.truncated)
    return _RankedEntry(None, "none", candidates.truncated)


def _without(index: Index[str], sought: KeyQuery, entry: ListedRow) -> Index[str]:
    """Return the part of an index that a query looks up, in which an entry is stored under its remaining names only."""
    keys, days = _stored(entry, entry.names)
    return Index(
        {
            key: [person_id for person_id in index.keys.get(key, ()) if person_id != entry.id or key in keys]
            for key in sought.keys
        },
        {
            day: [
                (drawn, person_id)
                for drawn, person_id in index.days.get(day, ())
                if person_id != entry.id or (day, drawn) in days
            ]
            for day in sought.days
        },
    )


def _ranked(rows: list[_RankedEntry]) -> dict[str, Any]:
    ranked_ids = [row.rank for row in rows if row.rank is not None]
    n, stopped = len(rows), sum(row.tier == "stop" for row in rows)
    return {
        "n": n,
        "stopped": _rounded(stopped / n),
        "stopped_95": interval(stopped, n),
        "told": _rounded(sum(row.tier != "none" for row in rows) / n),
        "recall": _rounded(len(ranked_ids) / n),
        "recall_at_1": _rounded(sum(position == 1 for position in ranked_ids) / n),
        "recall_at_10": _rounded(sum(position <= 10 for position in ranked_ids) / n),  # noqa: PLR2004 - as named
        "median_rank": median(ranked_ids) if ranked_ids else None,
        "truncated": sum(row.truncated for row in rows),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
