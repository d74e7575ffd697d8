"""What sounds alike, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.rarity import INITIAL, bits
from app.identity.sound import LONGEST_CODE, code, sound

WORDS = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=1, max_size=30)


@pytest.mark.parametrize(
    "spellings",
    [
        ("TJOKRO", "COKRO"),
        ("DJOKO", "JOKO"),
        ("SOEKARNOPOETRA", "SUKARNOPUTRA"),
        ("NJOMAN", "NYOMAN"),
        ("SJAHRIR", "SYAHRIR"),
        ("CHAIRUL", "KHAIRUL"),
        ("CHANDRA", "TJANDRA", "CANDRA"),
        ("MUCHLIS", "MUKHLIS"),
        ("RIFQI", "RIFKI", "RIFQY"),
        ("EDHIE", "EDHY", "EDY", "EDI"),
        ("TAUFIQ", "TAUFIK", "TOFIK"),
        ("MARYAM", "MARIAM"),
        ("HUSAIN", "HUSSEIN", "HUSEYN"),
        ("DZULKIFLI", "ZULKIFLI", "SULKIFLI"),
        ("WIDJAJA", "WIJAYA"),
        ("SAYID", "SAEED", "SAYEED", "SAID"),
        ("ZAENAL", "ZAINAL", "ZAYNAL"),
        ("FAYEZ", "FAIZ"),
        ("TAWFIQ", "TAUFIK"),
        ("DAWOOD", "DAWUD", "DAOUD", "DAUD"),
        ("AWLAKI", "AULAQI"),
        ("NOWRUZ", "NAURUZ"),
        ("OUALI", "WALI"),
        ("AOUAD", "AWAD"),
        ("FAUZIYAH", "FAUZIAH"),
        ("ALIYEV", "ALIEV"),
    ],
)
def test_spellings_of_one_name_sound_alike(spellings: tuple[str, ...]):
    assert len({sound(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"), [("RAHMAN", "ROCHMAN"), ("HASAN", "HASSAN"), ("ARIF", "ARIP"), ("AHMAD", "AHMAT")]
)
def test_what_only_vowels_or_mixed_up_consonants_part_has_one_code(one: str, other: str):
    assert code(sound(one)) == code(sound(other))


@pytest.mark.parametrize(
    ("one", "other"), [("BUDI", "BUDIMAN"), ("SARI", "SANTI"), ("RINI", "RITA"), ("SUWARNO", "SURONO")]
)
def test_other_names_have_another_code(one: str, other: str):
    assert code(sound(one)) != code(sound(other))


@pytest.mark.parametrize("word", ["AYI", "WAYAN", "RAHAYU", "WIBOWO", "SUWANDI", "YAYAN"])
def test_half_vowels_between_full_ones_are_heard(word: str):
    assert sound(word) == word


@given(WORDS)
def test_sounds_and_codes_are_never_empty_and_bounded(word: str):
    assert sound(word)
    assert 1 <= len(code(sound(word))) <= LONGEST_CODE


def test_common_names_are_worth_little_and_rare_ones_much():
    muhammad, siti, budi, rare = (bits(sound(word)) for word in ("MUHAMMAD", "SITI", "BUDI", "LUSTRILANANG"))
    assert muhammad < siti < budi < rare
    assert bits("M") == INITIAL


def test_a_disguised_spelling_of_a_common_name_is_hardly_rarer_than_the_name():
    assert bits(sound("SUHARTONO")) < bits(sound("SOHARTUNO")) < bits(sound("LUSTRILANANG"))


@given(WORDS)
def test_every_word_is_worth_something(word: str):
    assert 0 < bits(sound(word)) < 12
