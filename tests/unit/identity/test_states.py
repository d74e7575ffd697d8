"""Codes of states: what proves another nationality, and how lists write countries."""

import csv
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity import states

SHARED = Path(__file__).parents[4] / "shared" / "data"


def test_indonesia_is_known_and_never_proves_another_nationality():
    assert states.INDONESIA in states.KNOWN
    assert not states.proves_foreign("IDN")
    assert not states.proves_foreign("idn")


@pytest.mark.parametrize(
    "code", ["AUS", "DEU", "D", "D<<", "XXA", "XXB", "XXC", "UTO", "GBN", "RKS", "PSE", "UNK"]
)
def test_a_known_other_nationality_proves_a_foreigner(code: str):
    assert states.proves_foreign(code)


@pytest.mark.parametrize(
    "code", [None, "", "XXX", "<<<", "ZZZ", "1DN", "UT0", "UNO", "UNA", "EUE", "XPO", "XOM"]
)
def test_no_nationality_an_unknown_one_or_an_organisation_proves_nothing(code: str | None):
    assert not states.proves_foreign(code)


@given(st.text(max_size=4))
@settings(max_examples=50)
def test_a_canonical_code_is_canonical(code: str):
    assert states.canonical(states.canonical(code)) == states.canonical(code)


def test_germanys_single_letter_is_read_as_its_three():
    assert states.canonical("D<<") == states.canonical("d") == "DEU"
    assert "D" not in states.KNOWN


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("ID", "IDN"),
        ("RI<", "IDN"),
        ("ina", "IDN"),
        ("XXK", "RKS"),
        ("UNK", "RKS"),
        ("XKX", "RKS"),
        ("XK", "RKS"),
        ("NZ", "NZL"),
        ("GB", "GBR"),
        ("UK", "GBR"),
        ("GER", "DEU"),
        ("ZAR", "COD"),
    ],
)
def test_a_state_has_one_canonical_code_whichever_list_a_writer_uses(written: str, code: str):
    assert states.canonical(written) == states.known(written) == code


def test_a_code_of_one_list_never_hides_another_states_own():
    with (Path(states.__file__).parent / "data" / "states.csv").open(encoding="utf-8") as rows:
        table = list(csv.DictReader(rows))
    others = [other for row in table for other in row["codes"].split("|") if other]
    assert len(others) == len(set(others))
    assert {other for other in others if other in states.KNOWN} == {"XXK", "UNK"}
    assert {row["issuer"] for row in table} - {""} <= states.KNOWN


@pytest.mark.parametrize("written", [None, "", "<<<", "1DN", "I0N", "QQQ", "DKK", "ION"])
def test_what_cannot_be_read_is_no_state_and_differs_from_none(written: str | None):
    assert states.known(written) is None
    assert not states.differ(written, "IDN")
    assert not states.differ("AUS", written)


def test_documents_differ_by_their_issuers_alone():
    assert states.differ("IDN", "AUS")
    assert not states.differ("GBN", "GBR")
    assert not states.differ("HKG", "CHN")
    assert not states.differ("XXA", "AUS")  # who has no state has a paper of whichever
    assert not states.differ("XXX", "AUS")
    assert states.differ("TWN", "CHN")


def test_two_letters_in_a_zone_are_read_only_where_no_third_was_lost():
    assert states.in_zone("ID<") == "IDN"
    assert states.in_zone("RI<") == "IDN"
    assert states.in_zone("D<<") == "DEU"
    assert states.in_zone("AU<") == "AU"  # Australia or Austria
    assert states.in_zone("DK<") == "DK"  # Denmark, or Germany's D with a filler that was read as a letter
    assert states.in_zone("AUS") == "AUS"


@pytest.mark.parametrize("written", ["IDN", "ID", "RI", "INA", "1DN", "I0N", "ION", "LDN", "ldn"])
def test_whatever_may_be_indonesia_says_so(written: str):
    assert states.says_indonesia(written)


@pytest.mark.parametrize("written", [None, "", "AUS", "IND", "IRN", "ISR", "XXX"])
def test_another_state_never_says_indonesia(written: str | None):
    assert not states.says_indonesia(written)


def test_every_code_has_an_english_and_an_indonesian_name():
    for code in states.KNOWN:
        names = states.name(code)
        assert names is not None
        assert all(names)
    assert states.name("D") == ("Germany", "Jerman")
    assert states.name("ZZZ") is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Afghan", "AFG"),
        ("Palestinian", "PSE"),
        ("Saudi Arabian", "SAU"),
        ("Iran (Islamic Republic of)", "IRN"),
        ("Iran, Islamic Republic of", "IRN"),
        ("Democratic People's Republic of Korea ", "PRK"),
        ("Democratic People\u2019s Republic of Korea", "PRK"),
        ("RPDC", "PRK"),
        ("United Kingdom of Great Britain and Northern\nIreland", "GBR"),
        ("Congo", "COG"),
        ("Democratic Republic of the Congo", "COD"),
        ("Côte d'Ivoire", "CIV"),
        ("cote d'ivoire", "CIV"),
        ("St. Lucia", "LCA"),
        ("U.S.A.", "USA"),
        ("Türkiye", "TUR"),
        ("Turkey", "TUR"),
        ("The former Yugoslav Republic of Macedonia", "MKD"),
        ("Tunisian passport", "TUN"),
        ("German citizenship", "DEU"),
        ("Stateless", "XXA"),
        ("Kosovo", "RKS"),
        ("United States. Also believed to hold Syrian nationality", "USA"),
        ("Egypt (as at Dec. 2003)", "EGY"),
    ],
)
def test_a_country_is_read_as_lists_write_it(text: str, code: str):
    assert states.from_country_name(text) == code


@pytest.mark.parametrize(
    "text",
    [
        "",
        " na",
        "Bahrain (citizenship revoked in Jan. 2015)",
        "Kuwaiti citizenship withdrawn in 2002",
        "Possibly Ethiopian",
        "Sudanese by birth",
        "USSR (until 1991)",
        "former Soviet Union",
        "Iran / unknown",
        "Congolese",
        "Korea",
        "Atlantis",
        "XPO",
        "Interpol",
    ],
)
def test_what_is_no_clear_present_nationality_is_not_one(text: str):
    assert states.from_country_name(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Indonesia",
        "Indonesian passport",
        "Indonesia (as at Dec. 2003)",
        "Possibly Indonesian",
        "Indonesian citizenship withdrawn",
        "Malaysia. May also hold Indonesian nationality",
    ],
)
def test_any_mention_of_indonesia_is_indonesia(text: str):
    assert states.from_country_name(text) == "IDN"


@given(st.text())
@settings(max_examples=50)
def test_any_text_gives_a_known_code_or_none(text: str):
    code = states.from_country_name(text)
    assert code is None or code in states.KNOWN


def test_every_public_code_is_known():
    places = SHARED / "places"
    if not places.is_dir():
        pytest.skip("the public tables of codes are not beside the repository")
    for table, column in (("iso3166_icao_id.csv", "mrz_code"), ("icao9303_special_codes.csv", "code")):
        with (places / table).open(encoding="utf-8", newline="") as rows:
            codes = {states.canonical(row[column]) for row in csv.DictReader(rows)}
        assert codes <= states.KNOWN


def test_every_country_of_the_united_nations_list_is_read_or_doubtful():
    lists = sorted((SHARED / "lists").glob("un_consolidated_*.xml"))
    if not lists:
        pytest.skip("the published sanctions lists are not beside the repository")
    unread = {text for path in lists for text in _countries(path) if states.from_country_name(text) is None}
    assert unread == {
        " na",
        "Bahrain (citizenship revoked in Jan. 2015)",
        "Iran / unknown",
        "Kuwaiti citizenship withdrawn in 2002",
        "Possibly Ethiopian",
        "Sudanese by birth",
        "USSR (until 1991)",
    }


def _countries(path: Path) -> Iterator[str]:
    for person in ET.parse(path).getroot().iter("INDIVIDUAL"):
        for place in (
            "NATIONALITY/VALUE",
            "INDIVIDUAL_DOCUMENT/ISSUING_COUNTRY",
            "INDIVIDUAL_DOCUMENT/COUNTRY_OF_ISSUE",
        ):
            yield from (found.text for found in person.findall(place) if found.text)
