"""The keys under which people are found again."""

import random
import subprocess
import sys
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.births import Birth
from app.identity.spellings import NORM_VERSION, spellings
from app.matching.keys import MOST_STORED, asked_keys, least_bits, stored_keys
from app.matching.persons import Asked
from app.matching.retrieval import Candidates, MemoryIndex, rank
from tests.unit.matching.people import asked, random_day

NAMES = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(["Nur", "Budi", "Wenas", "Lie", "X"]), max_size=9).map(" ".join),
)
BIRTHS = st.sampled_from(
    [
        None,
        Birth(date="1970"),
        Birth(date="1970-05-17"),
        Birth(age=45, as_of="2026-11-23"),
        Birth(from_="1900", to="1999"),
    ]
)


def stored(name: str, *born: Birth) -> set[int]:
    return set(stored_keys(spellings(name), born))


@pytest.mark.parametrize(
    ("asked_as", "listed_as"),
    [
        ("Budi Santoso", "Boedi Santosa"),
        ("Hidayat Nurwahid", "Nur Wahid Hidayat"),
        ("Nur Wahid", "Nurwahid"),
        ("Sudjadi Hartono", "Sudjadi"),
        ("Sudjadi", "Sujadi Rangkuti"),
        ("Rangkuti Wemas", "Rangkuti Wenas"),
        ("Rangkyti Wenaas", "Rangkuti Wenes"),
        ("Bangkuti Wenas", "Rangkuti Wenas"),
    ],
)
def test_disguised_spellings_share_a_key_without_a_birth_date(asked_as: str, listed_as: str):
    assert set(asked_keys(asked(asked_as))) & stored(listed_as)


@pytest.mark.parametrize("born", ["1970-05-07", "1970-07-05"])
def test_the_day_of_birth_alone_is_a_key_also_with_day_and_month_swapped(born: str):
    assert set(asked_keys(asked("Damanik", born))) & stored("Rangkuti", Birth(date="1970-05-07"))


@pytest.mark.parametrize("born", ["1969-12-24", "1970-12-24", "1971-12-24"])
def test_two_words_or_a_rare_or_lone_one_and_a_neighbouring_year_are_a_key(born: str):
    listed_born = Birth(date="1970-03-02")
    for asked_as, listed_as in (
        ("Budi Santoso", "Boedi Wibowo Santosa"),
        ("Budi", "Budi"),
        ("Wiralodra Budi", "Wiralodra Agus"),
    ):
        assert set(asked_keys(asked(asked_as, born))) & stored(listed_as, listed_born), asked_as


def test_a_span_too_long_to_tell_anything_stores_no_years():
    assert stored("Budi", Birth(from_="1900", to="1999")) == stored("Budi")


def test_keys_are_the_same_in_every_process():
    code = (
        "from app.identity.spellings import spellings; from app.identity.births import Birth; "
        "from app.matching.keys import stored_keys; "
        "print(sorted(stored_keys(spellings('Boedi Santosa Wenas'), [Birth(date='1970-05-17')])))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str(sorted(stored("Boedi Santosa Wenas", Birth(date="1970-05-17"))))


def test_keys_change_only_with_the_norm_version():
    people = (
        "Drs. H. Moh. Tjokro Abdurrachman bin Ali, S.H.",
        "Müller, José",
        "محمد بن علي",
        "Nur Wahid Rangkuti",
    )
    keys = [stored_keys(spellings(name), [Birth(date="1970-05-17")]) for name in people]
    assert (NORM_VERSION, sha256(repr(keys).encode()).hexdigest()[:16]) == (1, "1bdc19e4dd8c823c")


@given(NAMES, BIRTHS)
def test_keys_are_signed_64_bit_numbers_and_few(name: str, born: Birth | None):
    births = [born] if born else []
    keys = stored_keys(spellings(name), births)
    assert len(set(keys)) == len(keys) <= MOST_STORED
    assert all(-(2**63) <= key < 2**63 for key in keys)
    looked_up = asked_keys(Asked.of([name], births))
    assert all(bits > 0 for bits in looked_up.values())
    if spellings(name):
        assert set(looked_up) & set(keys)


def test_candidates_are_ranked_by_what_their_keys_narrow():
    found = rank([(1, "a"), (1, "b"), (2, "b")], {1: 5.0, 2: 9.0}, 10)
    assert found == Candidates(("b", "a"), truncated=False)


def test_a_cap_that_cuts_off_equals_is_said():
    keys = {1: 5.0, 2: 9.0}
    assert rank([(1, "a"), (1, "b"), (2, "c")], keys, 2).truncated
    assert not rank([(1, "a"), (2, "b")], keys, 1).truncated


def test_who_shares_too_little_with_a_dated_traveller_is_not_compared():
    assert rank([(1, "a"), (2, "b")], {1: 5.0, 2: 10.0}, 10, least=10.0).ids == ("b",)
    assert least_bits(asked("Budi", "1970-05-17")) > 0
    assert least_bits(asked("Budi", "1970")) == least_bits(asked("Budi")) == 0


@pytest.mark.parametrize(
    ("name", "listed_as"),
    [
        ("Budi", "Budi"),
        ("Nur", "Noer"),
        ("Siti Aminah", "Siti Aminah Wulandari"),
        ("Budi Santoso", "Boedi Santosa"),
    ],
)
def test_a_listed_person_without_a_birth_date_is_found_by_a_dated_traveller(name: str, listed_as: str):
    index: MemoryIndex[str] = MemoryIndex()
    index.add("e1", stored_keys(spellings(listed_as)))
    assert index.candidates(asked(name, "1970-05-17"), 10).ids == ("e1",)


def test_namesakes_born_on_other_days_are_not_even_candidates():
    chance = random.Random(3)
    index: MemoryIndex[str] = MemoryIndex()
    for number in range(300):
        index.add(f"e{number}", stored_keys(spellings("Budi Santoso"), [Birth(date=random_day(chance))]))
    index.add("vague", stored_keys(spellings("Budi Santoso"), [Birth(from_="1940", to="1999")]))
    index.add("same day", stored_keys(spellings("Boedi Santosa"), [Birth(date="1937-05-17")]))
    assert set(index.candidates(asked("Budi Santoso", "1937-05-17"), 100).ids) == {"same day", "vague"}
    assert len(index.candidates(asked("Budi Santoso"), 1000).ids) == 302


def test_rare_namesakes_are_candidates_whatever_their_birth_date():
    index: MemoryIndex[str] = MemoryIndex()
    index.add("e1", stored_keys(spellings("Wiralodra Tandirerung"), [Birth(date="1990-12-24")]))
    assert index.candidates(asked("Tandirerung Wiralodra", "1937-05-17"), 100).ids == ("e1",)


def test_the_index_in_memory_finds_who_shares_a_key():
    index: MemoryIndex[str] = MemoryIndex()
    index.add("e1", stored_keys(spellings("Rangkuti Wenas")))
    index.add("e2", stored_keys(spellings("Damanik")))
    assert index.candidates(asked("Rangkoeti Wenas"), 10).ids == ("e1",)
