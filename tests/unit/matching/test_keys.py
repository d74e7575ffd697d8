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
from app.matching.keys import MAX_STORED, KeyQuery, key_query, resembles, sketch, stored_days, stored_keys
from app.matching.persons import KnownPerson, QueriedPerson
from app.matching.policy import DEFAULT
from app.matching.retrieval import Index
from tests.unit.matching.people import asked, index_of, listed, random_day, random_name

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
    assert set(key_query(asked(asked_as)).keys) & stored(listed_as)


@pytest.mark.parametrize("born", ["1970-05-07", "1970-07-05"])
def test_the_day_of_birth_finds_also_with_day_and_month_swapped_whoever_has_a_like_name(born: str):
    index = index_of(
        [("like", listed("Rangkoeti Wenas", "1970-05-07")), ("unlike", listed("Damanik", "1970-05-07"))]
    )
    found = index.rank(key_query(asked("Rangkyti", born)), 10)
    assert (found.ids, found.unlike) == (("like",), ("unlike",))


@pytest.mark.parametrize("born", ["1969-12-24", "1970-12-24", "1971-12-24"])
def test_rare_words_and_a_neighbouring_year_are_a_key(born: str):
    listed_born = Birth(date="1970-03-02")
    for asked_as, listed_as in (
        ("Rangkuti Wiralodra", "Rangkoeti Wibowo Wiralodra"),
        ("Rangkuti Tandirerung Budi", "Rangkuti Agus Tandirerung"),
    ):
        assert set(key_query(asked(asked_as, born)).keys) & stored(listed_as, listed_born), asked_as


def test_common_words_are_looked_up_with_no_year_where_the_day_is_known():
    for born, looked_up in (("1970-12-24", False), ("1970-01-01", True), ("1970", True)):
        keys = key_query(asked("Siti Nur", born)).keys
        assert bool(set(keys) & stored("Nur Wibowo Siti", Birth(date="1970-03-02"))) == looked_up, born


def test_who_is_listed_on_new_years_day_is_found_by_name_as_if_the_day_were_unknown():
    index = index_of([("e1", listed("Boedi Santosa", "1970-01-01"))])
    assert index.rank(key_query(asked("Budi Santoso", "1970-12-24")), 10).ids == ("e1",)


def test_both_days_are_looked_up_where_the_century_is_open():
    later, earlier = Birth(date="2020-05-17"), Birth(date="1920-05-17")
    open_century = QueriedPerson(spellings("Budi Santoso"), (later,), other_births=(earlier,))
    assert set(key_query(QueriedPerson(spellings("Budi Santoso"), (later,))).days) < set(
        key_query(open_century).days
    )
    assert stored("Budi Wenas", earlier) & set(key_query(open_century).keys) >= stored(
        "Budi Wenas", earlier
    ) & set(key_query(QueriedPerson(spellings("Budi Santoso"), (earlier,))).keys)
    for day, _ in stored_days(spellings("Budi Santoso"), (earlier,)):
        assert day in key_query(open_century).days


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


@pytest.mark.parametrize("written", ["AgusWahyuEkaPutra", "PutraAgusWahyuEka", "WahyuEkaPutraAgus"])
def test_four_common_names_in_one_word_are_found_by_the_year_and_the_reverse(written: str):
    born = Birth(date="1970-05-17")
    apart = "Agus Wahyu Eka Putra"
    for asked_as, listed_as in ((written, apart), (apart, written)):
        assert set(key_query(QueriedPerson.of([asked_as], [born])).keys) & stored(listed_as, born), asked_as


def test_keys_change_only_with_the_norm_version():
    people = (
        "Drs. H. Moh. Tjokro Abdurrachman bin Ali, S.H.",
        "Müller, José",
        "محمد بن علي",
        "Nur Wahid Rangkuti",
    )
    keys = [stored_keys(spellings(name), [Birth(date="1970-05-17")]) for name in people]
    assert (NORM_VERSION, sha256(repr(keys).encode()).hexdigest()[:16]) == (6, "0a1b59c7ff74faa3")


@given(NAMES, BIRTHS)
def test_keys_are_signed_64_bit_numbers_and_few(name: str, born: Birth | None):
    births = [born] if born else []
    keys = stored_keys(spellings(name), births)
    assert len(set(keys)) == len(keys) <= MAX_STORED
    assert all(-(2**63) <= key < 2**63 for key in keys)
    sought = key_query(QueriedPerson.of([name], births))
    assert all(bits > 0 for bits in (*sought.keys.values(), *sought.days.values()))
    if spellings(name):
        assert set(sought.keys) & set(keys) or dict(stored_days(spellings(name), births)).keys() & sought.days


@given(NAMES, NAMES)
def test_a_sketch_is_a_number_of_127_bits_that_resembles_itself_and_is_symmetric(name: str, other: str):
    for one in spellings(name):
        assert 0 < sketch(one) < 2**127
        assert resembles(sketch(one), [sketch(one)])
        assert not resembles(sketch(one), [])
        for two in spellings(other):
            alike = resembles(sketch(one), [sketch(two)])
            assert alike == resembles(sketch(two), [sketch(one)])
            assert resembles(sketch(one), [0b1, sketch(two)]) == (alike or resembles(sketch(one), [0b1]))


def seeking(keys: dict[int, float], least: float = 0.0) -> KeyQuery:
    return KeyQuery(keys, {}, (), least)


def test_candidates_are_ranked_by_what_their_keys_narrow():
    found = Index({1: ["a", "b"], 2: ["b"]}).rank(seeking({1: 5.0, 2: 9.0}), 10)
    assert (found.ids, found.truncated) == (("b", "a"), False)


def test_a_cap_that_cuts_off_equals_is_said():
    sought = seeking({1: 5.0, 2: 9.0})
    assert Index({1: ["a", "b"], 2: ["c"]}).rank(sought, 2).truncated
    assert not Index({1: ["a"], 2: ["b"]}).rank(sought, 1).truncated


def test_who_shares_too_little_with_a_dated_traveller_is_not_compared():
    assert Index({1: ["a"], 2: ["b"]}).rank(seeking({1: 5.0, 2: 10.0}, least=10.0), 10).ids == ("b",)
    assert key_query(asked("Budi", "1970-05-17")).least == key_query(asked("Budi", "1970")).least > 0
    assert key_query(asked("Budi")).least == 0


def test_a_year_alone_does_not_drag_along_whoever_shares_a_common_word():
    chance = random.Random(3)
    register = [
        (str(number), listed(f"Muhammad {random_name(chance)}", "1960-05-17")) for number in range(400)
    ]
    found = index_of([*register, ("them", listed("Muhammad Rangkuti", "1970"))]).rank(
        key_query(asked("Muhammad Rangkuti", "1970")), DEFAULT.most_candidates
    )
    assert (found.ids, found.truncated) == (("them",), False)


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
    index = index_of([("e1", listed(listed_as))])
    assert index.rank(key_query(asked(name, "1970-05-17")), 10).ids == ("e1",)


def test_namesakes_born_on_other_days_are_not_even_candidates():
    chance = random.Random(3)
    people = {f"e{number}": listed("Budi Santoso", random_day(chance)) for number in range(300)}
    people["vague"] = KnownPerson.of(["Budi Santoso"], births=[Birth(from_="1940", to="1999")])
    people["same day"] = listed("Boedi Santosa", "1937-05-17")
    index = index_of(people.items())
    assert set(index.rank(key_query(asked("Budi Santoso", "1937-05-17")), 100).ids) == {"same day", "vague"}
    assert len(index.rank(key_query(asked("Budi Santoso")), 1000).ids) == 302


def test_rare_namesakes_are_candidates_whatever_their_birth_date():
    index = index_of([("e1", listed("Wiralodra Tandirerung", "1990-12-24"))])
    assert index.rank(key_query(asked("Tandirerung Wiralodra", "1937-05-17")), 100).ids == ("e1",)


def test_an_index_finds_who_shares_a_key():
    index = index_of([("e1", listed("Rangkuti Wenas")), ("e2", listed("Damanik"))])
    assert index.rank(key_query(asked("Rangkoeti Wenas")), 10).ids == ("e1",)


def test_of_an_entry_with_a_hundred_aliases_each_is_found() -> None:
    given = ("Agus", "Budi", "Dewi", "Rudi", "Siti", "Hendra", "Rina", "Yusuf", "Maya", "Joko")
    family = (
        "Santoso",
        "Wijaya",
        "Hidayat",
        "Saputra",
        "Lestari",
        "Gunawan",
        "Setiawan",
        "Kusuma",
        "Nugroho",
        "Utami",
    )
    people = [f"{one} {other} Wiratama" for one in given for other in family]
    births = [Birth(date="1970-05-17")]
    keys = stored_keys([form for name in people for form in spellings(name)], births)
    assert len(keys) < MAX_STORED
    for name in people:
        sought = key_query(QueriedPerson.of([name], births))
        assert sum(bits for key, bits in sought.keys.items() if key in keys) >= sought.least, name
