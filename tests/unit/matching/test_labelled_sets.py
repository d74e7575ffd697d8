"""The labelled sets beside the repository: what the matcher must reach on them at default settings (issue 4)."""

from pathlib import Path
from typing import Any

import pytest

from app.matching.evaluation import evaluate_pairs, evaluate_queries
from app.matching.labelled import read_list, read_pairs, read_queries

NAMES = Path(__file__).parents[4] / "shared" / "data" / "names"

NAMES_ONLY = {"idn_dpr": 0.97, "un_alias_good": 0.74, "un_alias_idn": 0.88, "febrl4": 0.83}
"""Share of listed persons that names alone must stop more than, at a precision of at least 0.97, by set."""

DATED = {"un_alias_good": 0.78, "un_alias_idn": 0.88, "febrl4": 0.85}
"""The same with birth dates."""


def labelled(name: str) -> Path:
    """A file of labelled names; skip where the folder is absent."""
    path = NAMES / name
    if not path.is_file():
        pytest.skip("the labelled names are not beside the repository")
    return path


def untold(_done: int, _total: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def names_only() -> dict[str, Any]:
    return evaluate_pairs(read_pairs(labelled("pairs.csv")), untold, names_only=True)["stops"]


@pytest.fixture(scope="module")
def dated() -> dict[str, Any]:
    return evaluate_pairs(read_pairs(labelled("pairs.csv")), untold)


@pytest.mark.parametrize("name", NAMES_ONLY)
def test_names_alone_find_more_than_any_rival_at_its_precision(names_only: dict[str, Any], name: str):
    assert names_only[name]["precision"] >= 0.97
    assert names_only[name]["recall"] > NAMES_ONLY[name]


@pytest.mark.parametrize("name", DATED)
def test_birth_dates_stop_those_whom_names_do_not(
    names_only: dict[str, Any], dated: dict[str, Any], name: str
):
    stops = dated["stops"][name]
    assert stops["precision"] >= 0.97
    assert stops["recall"] > DATED[name]
    assert stops["recall"] >= names_only[name]["recall"]


def test_what_is_noted_for_review_is_right_too(dated: dict[str, Any]):
    assert dated["sets"]["febrl4"]["recall"] >= 0.92
    assert all(figures["precision"] >= 0.97 for name, figures in dated["sets"].items() if name in NAMES_ONLY)


def test_names_cut_off_in_a_zone_are_found():
    report = evaluate_pairs(read_pairs(labelled("mrz_pairs.csv")), untold)
    assert report["sets"]["mrz_pairs"]["recall"] >= 0.99
    assert report["sets"]["mrz_pairs"]["precision"] >= 0.95


def test_the_right_entry_is_among_the_candidates():
    queries, entries = read_queries(labelled("queries.csv")), read_list(labelled("list.ndjson"))
    dated = evaluate_queries([query for query in queries if query.births], entries, untold)
    undated = evaluate_queries(queries, entries, untold, names_only=True)
    assert share(dated) >= 0.97
    assert share(undated) >= 0.90


def share(report: dict[str, Any]) -> float:
    """Share of all queries whose right entry was found."""
    ranks = report["ranks"]
    return sum(rank is not None for rank in ranks) / len(ranks)
