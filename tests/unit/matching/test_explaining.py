"""Explanations by name and birth: they say what `assess` and the index do, for whatever is compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.spellings import left_out
from app.matching.assessment import assess
from app.matching.explaining import normalised, retrieved, weighed
from app.matching.keys import key_query
from app.matching.policy import DEFAULT
from tests.unit.matching.people import asked, index_of, listed

NAMES = st.sampled_from(
    [
        "Muhammad",
        "Budi Santoso",
        "Boedi Santosa",
        "Rangkuti Wenas",
        "M. Rangkuti",
        "عبد الله",
        "",
        "😀",
        "7 8",
    ]
) | st.text(max_size=40)
BIRTHS = st.sampled_from(["", "1970", "1970-05", "1970-05-17", "1970-05-07", "1971-05-17", "1970-01-01"])


@given(NAMES, BIRTHS, NAMES, BIRTHS, NAMES)
def test_an_explanation_says_what_the_matcher_does(
    name: str, born: str, listed_name: str, listed_born: str, alias: str
):
    mine, theirs = asked(name, born), listed(listed_name, listed_born, weak=[alias])
    found = assess(mine, theirs)
    steps = list(weighed(mine, theirs, found, DEFAULT))
    by_step = {each.step: each for each in steps}
    assert by_step["tier"].result == found.tier
    assert by_step["birth_date"].result == found.births.nearness
    assert by_step["evidence"].details["bits"] == pytest.approx(found.bits, abs=0.006)
    assert [each.result for each in steps if each.step == "name_word"] == [
        piece.result for piece in found.reasons() if piece.feature == "name_word"
    ]
    assert all(each.text_id and each.text_en for each in steps)


@given(NAMES, BIRTHS, NAMES, BIRTHS)
def test_keys_are_told_as_the_index_finds(name: str, born: str, listed_name: str, listed_born: str):
    mine, theirs = asked(name, born), listed(listed_name, listed_born)
    steps, found = retrieved(mine, theirs)
    ranked = index_of([("them", theirs)]).rank(key_query(mine), 1).ids if mine.names else ()
    assert found is bool(ranked)
    assert steps[-1].result == ("no_name" if not mine.names else "found" if found else "not_found")
    if found:
        assert steps[-1].details["bits"] == pytest.approx(
            sum(each.details["bits"] for each in steps[:-1]), abs=0.01 * len(steps)
        )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Drs. H. Budi Santoso, M.Si.", [("DRS", "title"), ("H", "title"), ("M", "title"), ("SI", "title")]),
        ("Siti binti Ali", [("BINTI", "lineage")]),
        ("Abdul Rahman al Hakim", [("ABDUL", "servant"), ("AL", "article")]),
        ("Al", []),
        ("Umar", []),
        ("😀", []),
    ],
)
def test_what_is_left_out_of_a_name_is_named(name: str, expected: list[tuple[str, str]]):
    assert list(left_out(name)) == expected
    step = normalised("listed", "full_name", name)
    assert [(each["word"], each["why"]) for each in step.details["left_out"]] == expected
    assert all(word in step.text_en for word, _ in expected)


def test_a_name_without_a_letter_is_said_to_be_empty():
    step = normalised("traveller", "typed", "😀")
    assert (step.result, step.details["forms"]) == ("empty", [])
    assert "no letter or digit" in step.text_en
