"""Folded names: what makes no difference, and that folding is stable in every script."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.names import fold, words

PARTS = """
    Soekarno Djoko Tjokro Moh. M. Muhammad bin binti H. Hj. Dr. Ir. SE S.E. S.H. M.H. M.Si. Ph.D. SH , ,S.H.
    O'Connor Achmad Chairul TJH Oei Al-Rasyid SANTOSO<<BUDI Lin José Łukasz محمد 김 ทักษิณ
"""
WRITTEN = st.lists(
    st.one_of(
        st.sampled_from(PARTS.split()),
        st.text(alphabet="ABCDEHIJMNOSTUY.,'-< ", max_size=6),
        st.text(max_size=4),
    ),
    max_size=6,
).map(" ".join)


@pytest.mark.parametrize(
    "spellings",
    [
        ("Soekarno", "SUKARNO", "sukarno", " Sukarno "),
        ("Djoko Widodo", "Joko Widodo", "WIDODO<<JOKO<<<<", "Widodo, Joko"),
        ("Tjokroaminoto", "Cokroaminoto"),
        ("Soerjadi", "Suryadi"),
        ("Chairil Anwar", "Khairil Anwar"),
        ("Sjahrir", "Syahrir"),
        ("Jusuf Kalla", "Yusuf Kalla"),
        ("Njoto", "Nyoto"),
        ("Moh. Hatta", "Mohammad Hatta", "Muhammad Hatta", "Mochamad Hatta", "M. Hatta", "Moehammad Hatta"),
        ("Achmad Yani", "Ahmad Yani", "Akhmad Jani"),
        (
            "Dr. H. Budi Santoso, S.H., M.Si.",
            "Budi Santoso",
            "BUDI SANTOSO SH",
            "Santoso, Budi",
            "Drs.H.Budi Santoso",
        ),
        ("Budi Santoso, SE, MM", "Budi Santoso S.E., M.M.", "Budi Santoso, S. E.", "Hj. Budi Santoso"),
        ("KH. Abdurrahman Wahid", "Abdurrahman Wahid"),
        ("Ahmad bin Ali", "Ahmad Ali"),
        ("José Müller", "JOSE MULLER", "Jose\u0301 Mu\u0308ller"),
        ("Łukasz Sørensen", "Lukasz Sorensen"),
        ("O'Connor", "O\u2019Connor", "OCONNOR"),
        ("Al-Rasyid", "AL<RASYID", "Al Rasjid"),
        ("\uff22\uff35\uff24\uff29", "Budi"),
        ("\u0645\u062d\u0645\u0651\u062f", "\u0645\u062d\u0645\u062f"),
    ],
)
def test_spellings_of_one_name_fold_to_the_same(spellings: tuple[str, ...]):
    assert len({fold(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Budi Santoso", "Budi Susanto"),
        ("Budi", "Budi Santoso"),
        ("M.H. Thamrin", "Thamrin"),
        ("Se Ri", "Ri"),
        ("Meng Li", "Li"),
        ("Lin Bin", "Lin"),
        ("か", "が"),
        ("김 정은", "김 정일"),
    ],
)
def test_other_names_stay_apart(one: str, other: str):
    assert fold(one) != fold(other)


def test_words_keep_the_order_of_the_name():
    assert words("Dr. H. Moh. Djoko Soekarno, S.H.") == ("MUHAMMAD", "YOKO", "SUKARNO")


@pytest.mark.parametrize(
    "name", ["H", "Dr. Ir.", "SH", ",S.H.", "bin", "M", "'\u02bc", "ทักษิณ", "田中", "Ж", "أ"]
)
def test_a_name_of_titles_or_of_another_script_is_kept(name: str):
    assert fold(name)
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize("name", ["", " ", "---", "<<<", ".,"])
def test_what_is_no_name_folds_to_nothing(name: str):
    assert fold(name) == ""


@given(WRITTEN)
@settings(max_examples=150)
def test_folding_again_changes_nothing_and_a_letter_never_vanishes(name: str):
    folded = fold(name)
    assert fold(folded) == folded
    assert folded or not any(character.isalpha() for character in name)
    assert folded == " ".join(folded.split())


@given(st.lists(st.text(alphabet="ABCDEHJMNOSTUYéłЖ김", min_size=1, max_size=5), min_size=1, max_size=4))
@settings(max_examples=50)
def test_the_order_of_words_makes_no_difference(names: list[str]):
    assert len({fold(" ".join(order)) for order in itertools.permutations(names)}) == 1
