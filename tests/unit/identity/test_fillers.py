"""What only fills a name field: placeholders, the name written twice, and honorifics glued to it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.fillers import meant
from app.identity.spellings import left_out, spelling, spellings


def forms(name: str) -> set[tuple[str, ...]]:
    return {tuple(word.text for word in form.words) for form in spellings(name)}


@pytest.mark.parametrize(
    "filled",
    [
        "{} {}",
        "{} {} {}",
        "FNU {}",
        "{} FNU",
        "LNU {}",
        "{}, LNU",
        "{} FNU LNU",
        "{} NFN",
        "{} NLN",
        "{} NMN",
        "{} FNAME",
        "{} NN",
        "{} N.N.",
        "{} XXX",
        "XXXXX {}",
        "{} XX",
        "{} X",
        "{} N/A",
        "{} TANPA NAMA",
        "{} TANPANAMA",
        "{} TIDAK ADA",
        "{} TIDAK ADA NAMA BELAKANG",
        "{} TIDAK DIKETAHUI",
        "{} NAMA TIDAK DIKETAHUI",
        "{} UNKNOWN",
        "UNKNOWN {}",
        "{} NOT KNOWN",
        "{} NOGIVENNAME",
        "NOGIVENNAME {}",
        "{} NO GIVEN NAME",
        "{} NO GIVEN NAMES",
        "NO SURNAME {}",
        "NOSURNAME {}",
        "NO LAST NAME {}",
        "NOLASTNAME {}",
        "NO FIRST NAME {}",
        "NO FAMILY NAME {}",
        "NONAME {}",
        "{} NO NAME",
        "{} ONE NAME ONLY",
        "{} SATU NAMA SAJA",
        "{} NAMA TUNGGAL",
        "{} SANS PRENOM",
        "SIN APELLIDO {}",
        "{} MSTR",
        "{} CHD",
        "TN. {}",
        "SDR. {}",
        "BPK {}",
        "{} (ALM)",
        "{} -",
        ". {}",
        "{} .",
        "{}.",
        "--- {}",
    ],
)
def test_what_fills_the_other_field_leaves_the_one_name(filled: str):
    assert forms(filled.replace("{}", "SUHARYADI")) == {("SUHARYADI",)}


@pytest.mark.parametrize(
    "glued",
    [
        "SUHARYADIMR",
        "SUHARYADIMRS",
        "SUHARYADIMS",
        "SUHARYADIMISS",
        "SUHARYADIMSTR",
        "SUHARYADIDR",
        "SUHARYADIMRADT",
        "SUHARYADIMSTRCHD",
        "SUHARYADIFNU",
        "SUHARYADILNU",
        "FNUSUHARYADI",
        "MRSUHARYADI",
        "MRSSUHARYADI",
        "MSTRSUHARYADI",
        "SUHARYADISUHARYADI",
        "SUHARYADI SUHARYADIMR",
        "SUHARYADIMR SUHARYADI",
        "NY SUHARYADI",
        "TUAN SUHARYADI",
        "SUHARYADI NIL",
        "SUHARYADI NULL",
        "NAMA: SUHARYADI",
    ],
)
def test_what_may_also_be_a_name_is_dropped_in_another_form(glued: str):
    assert ("SUHARYADI",) in forms(glued)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Ali Hassan", ("ALI", "HASSAN")),
        ("Amr Adams", ("AMR", "ADAMS")),
        ("Nilu Namira Purnama", ("NILU", "NAMIRA", "PURNAMA")),
        ("Boutros Boutros Ghali", ("BOUTROS", "BOUTROS", "GHALI")),
        ("Nguyen Thi Ny", ("NGUYEN", "THI", "NY")),
        ("Na Hye", ("NA", "HYE")),
        ("Lulu Titi", ("LULU", "TITI")),
        ("Ng Mei", ("NG", "MEI")),
        ("Unu Manuel", ("UNU", "MANUEL")),
        ("Malcolm", ("MALCOLM",)),
    ],
)
def test_real_names_stay_as_they_are(name: str, words: tuple[str, ...]):
    assert tuple(word.text for word in spelling(name).words) == words


@pytest.mark.parametrize("name", ["FNU LNU", "XXX", "UNKNOWN", "TANPA NAMA", "X"])
def test_of_placeholders_alone_a_word_stays(name: str):
    assert all(form.words for form in spellings(name))
    assert spellings(name)


@pytest.mark.parametrize("field", ["SUHARYADI SUHARYADI SUHARYADI SUHAR", "SUHARYADI BUDI SUHARYADI BUD"])
def test_a_name_that_is_repeated_until_its_field_is_full_is_read_once(field: str):
    assert {len(form.words) for form in spellings(field.replace("BUD", "BUDIMAN"), cut=True)} in ({1}, {2})
    assert len(spelling("ANDI ANDRE", cut=True).words) == 2


def test_an_explanation_names_what_fills_the_field():
    assert left_out("FNU SUHARYADI") == (("FNU", "filler"),)


@given(st.lists(st.text("ABDILMNORSUXY", min_size=1, max_size=12), max_size=6))
def test_no_words_raise_and_some_always_stay(words: list[str]):
    ways = meant(words)
    assert 1 <= len(ways) <= 4
    assert all(ways) or not words
    assert all(meant(way)[0] == way for way in ways[:1])
