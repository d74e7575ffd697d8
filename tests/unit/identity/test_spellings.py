"""Names made ready: particles, families of spellings, titles, and every kind of nonsense."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.readings import MAX_NAMES
from app.identity.spellings import LONGEST_WORD, MAX_WORDS, spelling, spellings

NAMES = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="ABDULRHMN -'.,<;", max_size=320),
    st.text(alphabet="محمدعبدالله ", max_size=40),
    st.text(alphabet="김정은王小明たなかทักษิ😀", max_size=40),
)


def heard(name: str) -> list[str]:
    return [word.heard for word in spelling(name).words]


@pytest.mark.parametrize(
    "written",
    [
        "Moh. Hatta",
        "Muh Hatta",
        "Mohd. Hatta",
        "Mohammad Hatta",
        "Muhamad Hatta",
        "Mochamad Hatta",
        "Mohammed Hatta",
        "MUHAMMAD<HATTA",
        "H. Muhammad Hatta",
        "Mhd. Hatta",
    ],
)
def test_the_muhammad_family_is_one_word(written: str):
    assert heard(written) == heard("Muhammad Hatta")


@pytest.mark.parametrize(
    "written", ["Abdul Rahman", "Abdurrahman", "Abdurahman", "Abd. Rahman", "Abdulrahman", "Abd al-Rahman"]
)
def test_the_abdul_family_keeps_the_word_that_tells(written: str):
    (word,) = spelling(written).words
    assert (word.heard, word.servant) == ("RAHMAN", True)


@pytest.mark.parametrize("written", ["Abdullah", "Abdallah", "Abd Allah", "Abdulloh", "Abdullahi"][:3])
def test_abdullah_is_a_word_of_its_own(written: str):
    (word,) = spelling(written).words
    assert word.text == "ABDULLAH"


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("Ahmad bin Ali", "Ahmad Ali"),
        ("Siti binti Ali", "Siti Ali"),
        ("Drs. H. Budi Santoso, S.H., M.Si.", "Budi Santoso"),
        ("Capt. Budi Santoso, M.Mar.", "Budi Santoso"),
        ("Budi Santoso, S.E.", "Budi Santoso"),
        ("AL<RASYID<<HARUN", "Rasyid Harun"),
        ("Harun al-Rasyid", "Harun Rasyid"),
    ],
)
def test_what_stands_in_no_passport_is_left_out(written: str, plain: str):
    assert heard(written) == heard(plain)


def test_a_lone_letter_is_an_initial_and_not_muhammad():
    assert spelling("M. Hatta").words[0].is_initial


def test_a_particle_alone_is_a_name():
    assert [heard(name) for name in ("Al", "Bin", "Abdul")] == [["AL"], ["BIN"], ["ABDUL"]]


def test_an_unknown_abbreviation_is_worth_next_to_nothing():
    name = spelling("Ermalena MHS")
    assert [word.bits > 3 for word in name.words] == [True, False]
    assert spelling("Ng Mei").words[0].bits > 3


def test_marks_make_a_second_form_and_semicolons_part_names():
    assert [form.glued for form in spellings("Müller")] == ["MULER", "MUELER"]
    assert [len(form.words) for form in spellings("Budi Santoso; Budi")] == [2, 1]
    assert len(spellings("; ".join(f"Budi {n}" for n in range(50)))) <= MAX_NAMES


@pytest.mark.parametrize("name", ["", "   ", "😀", "---", "<<<", ".,;'", "\u200f", "\x00"])
def test_what_is_no_name_has_no_words(name: str):
    assert spellings(name) == ()


@given(NAMES)
@settings(max_examples=300)
def test_no_name_raises_and_work_is_bounded(name: str):
    for form in spellings(name):
        assert 1 <= len(form.words) <= MAX_WORDS
        for word in form.words:
            assert word.text
            assert word.heard
            assert word.code
            assert len(word.text) <= LONGEST_WORD
            assert word.bits > 0
        assert form.bits == pytest.approx(sum(word.bits for word in form.words))


@given(NAMES)
def test_case_makes_no_difference_in_ascii(name: str):
    if name.isascii():
        assert spellings(name.lower()) == spellings(name.upper())
