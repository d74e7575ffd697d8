"""Nationalities: what is stated counts, what is doubted does not, and Indonesia always does."""

from collections.abc import Callable

import pytest

from app.register.lists.un import ListedPerson
from app.register.lists.un_states import state_leading, state_named


def nationality(*values: str) -> str:
    return "<NATIONALITY>" + "".join(f"<VALUE>{value}</VALUE>" for value in values) + "</NATIONALITY>"


@pytest.mark.parametrize(
    ("values", "states"),
    [
        (("Afghanistan",), ("AFG",)),
        (("Germany", "Morocco", "German"), ("DEU", "MAR")),
        (("Iran (Islamic Republic of)",), ("IRN",)),
        (("Indonesia (as at Dec. 2003)",), ("IDN",)),
        (("Possibly Indonesian",), ("IDN",)),
        (("Malaysia. Also believed to hold Indonesian nationality",), ("MYS", "IDN")),
        ((" na",), ()),
        (("",), ()),
    ],
)
def test_stated_nationalities_are_taken(
    listed: Callable[[str], ListedPerson], values: tuple[str, ...], states: tuple[str, ...]
):
    person = listed(nationality(*values))
    assert person.nationalities == states
    assert person.remarks == ()


@pytest.mark.parametrize(
    "value",
    [
        "Bahrain (citizenship revoked in Jan. 2015)",
        "Kuwaiti citizenship withdrawn in 2002",
        "USSR (until 1991)",
        "Possibly Ethiopian",
        "Atlantis",
    ],
)
def test_ended_supposed_and_unknown_nationalities_are_remarked(
    listed: Callable[[str], ListedPerson], value: str
):
    person = listed(nationality(value))
    assert person.nationalities == ()
    assert [(remark.code, remark.detail) for remark in person.remarks] == [("nationality_unclear", value)]


def test_a_doubt_in_the_second_sentence_spares_the_first(listed: Callable[[str], ListedPerson]):
    person = listed(nationality("United States. Also believed to hold Syrian nationality"))
    assert person.nationalities == ("USA",)
    assert [remark.detail for remark in person.remarks] == ["Also believed to hold Syrian nationality"]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("South Sudan", "SSD"),
        ("South Sudan diplomatic", "SSD"),
        ("Congo service passport number", "COG"),
        ("the Russian Federation", "RUS"),
        ("Indonesian identity card number", "IDN"),
        ("handed out in Indonesia", None),
        ("National Identity Card", None),
        ("", None),
    ],
)
def test_an_issuer_is_told_by_the_first_words(text: str, state: str | None):
    assert state_leading(text) == state


def test_short_names_of_issuers_are_known():
    assert [state_named(name) for name in ("CAR", "RPDC", "US", "Palestinian Authority", "FACA")] == [
        "CAF",
        "PRK",
        "USA",
        "PSE",
        None,
    ]
