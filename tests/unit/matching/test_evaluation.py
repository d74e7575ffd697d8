"""Figures of labelled sets, computed by hand beside."""

import pytest

from app.identity.births import Birth
from app.matching.evaluation import Figures, evaluate_pairs, evaluate_queries, interval
from app.matching.labelled import ListedRow, Pair, Query

SAME_DAY = (Birth(date="1970-05-17"),)


def pair(asked: str, listed: str, *, same: bool, category: str = "", births: tuple[Birth, ...] = ()) -> Pair:
    return Pair("idn", category, asked, listed, same, births, births)


def untold(_done: int, _total: int) -> None:
    """Nobody watches."""


PAIRS = [
    pair("Boedi Santosa", "Budi Santoso", same=True, category="spelling"),
    pair("Agus Hermawan", "Budi Santoso", same=True, category="different_name"),
    pair("Rangkuti Wenas", "Rangkuti Damanik", same=True, category="other", births=SAME_DAY),
    pair("Siti Aminah", "Budi Santoso", same=False, category="random"),
    pair("Budi Santoso", "Budi Santoso", same=False, category="namesake"),
]


def test_figures_of_a_set():
    report = evaluate_pairs(PAIRS, untold)
    assert list(report) == ["stops", "sets", "categories"]
    assert report["stops"] == {
        "idn": {
            "precision": 0.5,
            "recall": 0.5,
            "f1": 0.5,
            "n": 4,
            "same": 2,
            "precision_95": [0.0945, 0.9055],
            "recall_95": [0.0945, 0.9055],
        }
    }
    assert report["sets"]["idn"]["recall"] == 1.0
    found = report["categories"]["idn"]["different_name"]
    assert (found["precision"], found["recall"], found["n"], found["recall_95"]) == (
        None,
        0.0,
        1,
        [0.0, 0.7935],
    )
    assert set(report["categories"]["idn"]) == {"spelling", "different_name", "other", "random", "namesake"}


def test_without_birth_dates_only_the_names_count():
    report = evaluate_pairs(PAIRS, untold, names_only=True)
    assert report["sets"]["idn"]["recall"] == 0.5
    assert report["sets"] == report["stops"]


def test_figures_of_nothing_are_unknown():
    nothing = Figures().as_json()
    assert (nothing.pop("n"), nothing.pop("same"), set(nothing.values())) == (0, 0, {None})
    assert evaluate_pairs([], untold) == {"sets": {}, "stops": {}, "categories": {}}


def test_what_is_noted_for_review_is_no_stop():
    noted = pair("Budi Hermawan", "Budi Santoso", same=True, births=SAME_DAY)
    report = evaluate_pairs([noted], untold)
    assert (report["stops"]["idn"]["recall"], report["sets"]["idn"]["recall"]) == (0.0, 1.0)
    assert report["categories"]["idn"][""]["recall"] == 0.0


@pytest.mark.parametrize(
    ("hits", "n", "expected"),
    [(0, 0, None), (0, 10, [0.0, 0.2775]), (10, 10, [0.7225, 1.0]), (50, 100, [0.4038, 0.5962])],
)
def test_intervals_are_wilson_s(hits: int, n: int, expected: list[float] | None):
    assert interval(hits, n) == expected


def test_ranks_of_queries():
    entries = [
        ListedRow("e1", ("Budi Santoso", "Boedi S."), SAME_DAY),
        ListedRow("e2", ("Wiralodra Wenas",), ()),
        ListedRow("e3", ("Wiralodra Damanik",), ()),
    ]
    queries = [
        Query("idn", "", "Wiralodra Wenas", (), "e2", without_own=False),
        Query("idn", "", "Wiralodra Wenas", (), "e3", without_own=False),
        Query("idn", "", "Budi Santoso", (), "e1", without_own=True),
        Query("idn", "", "Wiralodra Wenas", (), "e2", without_own=True),
    ]
    report = evaluate_queries(queries, entries, untold)
    assert report["ranks"] == [1, 2, 1, None]
    assert report["sets"]["idn"] == {
        "n": 4,
        "stopped": 0.25,
        "stopped_95": [0.0456, 0.6994],
        "told": 0.25,
        "recall": 0.75,
        "recall_at_1": 0.5,
        "recall_at_10": 0.75,
        "median_rank": 1,
        "truncated": 0,
    }


@pytest.mark.parametrize("names_only", [True, False])
def test_progress_is_told_to_the_end(*, names_only: bool):
    told: list[tuple[int, int]] = []
    evaluate_pairs(PAIRS, lambda done, total: told.append((done, total)), names_only=names_only)
    assert told[-1] == (5, 5)
