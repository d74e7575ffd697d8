"""Aliases that were written into a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.readings import MAX_NAMES, Names, OtherName, readings, split

MARKS = (
    "alias",
    "ALIAS",
    "alias:",
    ", alias",
    "als.",
    "als",
    "a.k.a.",
    "A.K.A",
    "AKA",
    "a/k/a",
    "f.k.a.",
    "n/k/a",
    "d/h",
    "D/H",
    "dahulu",
    "dahulu bernama",
    "atau",
    "also known as",
    "formerly known as",
    "formerly",
    "dikenal sebagai",
    "yang dikenal dengan nama",
    "biasa dipanggil",
    "nama lain",
    "nama samaran",
    "nama asli",
    "nama panggilan",
    "@",
    "né",
    "он же",
    "الملقب",
)


@pytest.mark.parametrize("mark", MARKS)
def test_a_mark_parts_two_names(mark: str):
    names = split(f"Joko Susilo {mark} Wira Rangkuti")
    assert (names.main, names.others) == ("Joko Susilo", (OtherName("Wira Rangkuti", "good"),))
    assert {"Joko Susilo", "Wira Rangkuti"} <= set(readings(f"Joko Susilo {mark} Wira Rangkuti"))


@pytest.mark.parametrize(
    "brackets", ["({})", "[{}]", "({}", '"{}"', "“{}”", "«{}»", "(alias {})", "(d/h {})", "\uff08{}\uff09"]
)
def test_brackets_and_quotation_marks_hold_another_name(brackets: str):
    names = split(f"Joko Susilo {brackets.format('Wira Rangkuti')}")
    assert (names.main, names.others) == ("Joko Susilo", (OtherName("Wira Rangkuti", "good"),))


def test_a_single_word_in_brackets_is_a_nickname():
    assert split("Joko (Jack) Susilo") == Names(
        "Joko Susilo", (OtherName("Jack", "low"),), "Joko Susilo Jack"
    )


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("Joko Susilo alias Jack, Jeki dan Joni Kecil", ["Jack", "Jeki", "Joni Kecil"]),
        ("Joko Susilo alias Jack alias Jeki", ["Jack", "Jeki"]),
        ("Joko Susilo alias Wira Rangkuti, S.H.", ["Wira Rangkuti"]),
        ("Joko Susilo a.k.a. Jack (Jeki)", ["Jack", "Jeki"]),
        ("王小明又名王大明", ["王大明"]),
    ],
)
def test_several_aliases_are_parted(text: str, others: list[str]):
    assert [each.name for each in split(text).others] == others


@pytest.mark.parametrize(
    "name",
    [
        "Alias bin Ahmad",
        "Ahmad bin Alias",
        "Mohd Alias Hassan",
        "Alias",
        "Alias Wello",
        "Aka Botchway",
        "Nee Soon",
        "Joko Susilo",
        "Drs. H. Joko Susilo, S.H., M.Si.",
        "Ba'asyir Abu Bakar",
        "Jean-Luc O'Neill",
        "Falser Atawi",
    ],
)
def test_a_name_that_only_looks_like_a_mark_stays_whole(name: str):
    assert split(name) == Names(name)
    assert readings(name) == (name,)


@pytest.mark.parametrize(
    "remark", ["(alm)", "(Alm.)", "(almh)", "(WNI)", "(laki-laki)", "(anak Budi)", "(2)", "()"]
)
def test_a_remark_in_brackets_is_nobodys_name(remark: str):
    assert split(f"Joko Susilo {remark}").others == ()
    assert [" ".join(each.split()) for each in readings(f"Joko Susilo {remark}")] == ["Joko Susilo"]


def test_the_whole_text_stays_one_of_its_readings():
    assert readings("Joko alias Jack Susilo") == ("Joko", "Jack Susilo", "Joko alias Jack Susilo")
    assert readings("Joko d/h Jack Susilo") == ("Joko", "Jack Susilo", "Joko Jack Susilo")


@given(
    st.one_of(
        st.text(max_size=80),
        st.lists(st.sampled_from([*MARKS, "Joko", "(", ")", ";", "bin", ",", ""])).map(" ".join),
    )
)
def test_no_text_raises_and_work_is_bounded(text: str):
    found = readings(text)
    assert 1 <= len(found) <= MAX_NAMES
    names = split(text)
    assert bool(names.whole) == bool(names.others)
    assert names.main or names == Names(text)
