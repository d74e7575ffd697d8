"""Names laid beside each other."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.spellings import spelling
from app.matching.alignment import NOTHING, Alignment, align

PARTS = """
    Muhammad Moh. M. Abdul Rahman Abdurrahman Rochman Siti Nur Nurwahid Wahid Budi Santoso Santosa H. S.H. bin
    Tjokro Cokro Li X Łukasz محمد Адианто 1234 Wijaya Widjaja Nursanti Nur Santi Ahmad Achmad al-Rasyid
"""
NAMES = st.lists(st.sampled_from(PARTS.split()), min_size=1, max_size=7).map(" ".join)


def laid(asked: str, listed: str, *, cut: bool = False) -> Alignment:
    return align(spelling(asked, cut=cut), spelling(listed))


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("Budi Santoso", "SANTOSO<<BUDI"),
        ("Moh. Djoko Soekarno", "Muhammad Joko Sukarno"),
        ("Hidayat Nurwahid", "Hidayat Nur Wahid"),
        ("Wiji Joko Santoso", "Wijijoko Santoso"),
        ("Abdurrochman Wachid", "Abdul Rahman Wahid"),
        ("Andika Pratama", "Andhika Pratamma"),
        ("Nurul Hidayah Lestari", "Nurul Hidayah Lestary"),
    ],
)
def test_spellings_of_one_name_are_alike(asked: str, listed: str):
    found = laid(asked, listed)
    assert found.likeness > 0.8
    assert found.left == ()


@pytest.mark.parametrize(
    ("asked", "listed"),
    [
        ("Muhammad Iqbal", "Muhammad Fauzan"),
        ("Budi Santoso", "Budi Hermawan"),
        ("Siti Aminah", "Siti Rohani"),
        ("Bambang Sutrisno", "Bambang Hendarto"),
        ("Agus Wibowo Rangkuti", "Agus Salim Rangkuti Damanik"),
    ],
)
def test_a_shared_word_does_not_make_one_name_of_two(asked: str, listed: str):
    assert laid(asked, listed).likeness < 0.65


def test_a_rare_shared_word_says_more_than_a_common_one():
    assert laid("Lustrilanang", "Lustrilanang").bits > laid("Muhammad Nur", "Muhammad Nur").bits


def test_words_left_over_on_both_sides_contradict_and_on_one_side_are_merely_absent():
    both, one = laid("Rangkuti Wenas", "Rangkuti Damanik"), laid("Rangkuti", "Rangkuti Damanik")
    assert both.conflict > 0
    assert one.conflict == 0
    assert one.absent > 0
    assert both.bits < one.bits
    assert both.left == (("asked", "WENAS"), ("listed", "DAMANIK"))


def test_an_initial_fits_a_word_that_begins_with_it():
    found = laid("M. Rangkuti", "Marlina Rangkuti")
    assert {pair.how for pair in found.pairs} == {"initial", "equal"}
    assert laid("B. Rangkuti", "Marlina Rangkuti").likeness < found.likeness


@pytest.mark.parametrize(
    ("asked", "listed"), [("Chandra Muthu", "Chandrasekar Muthu"), ("Linda Cabrera", "Rosalinda Cabrera")]
)
def test_a_short_form_fits_the_name_that_it_is_part_of(asked: str, listed: str):
    found = laid(asked, listed)
    assert "shortened" in {pair.how for pair in found.pairs}
    assert found.left == ()
    assert laid(listed, asked).likeness == pytest.approx(found.likeness)


def test_a_syllable_is_no_short_form():
    assert laid("Nur Dalimartha", "Nurhasanah Dalimartha").left != ()


@pytest.mark.parametrize(("one", "other"), [("Rina", "Rita"), ("Emi", "Evi"), ("Irfan", "Irawan")])
def test_two_usual_names_are_less_alike_than_a_slip_makes_them(one: str, other: str):
    slip = f"{one[:-1]}x"
    assert laid(one, other).likeness < laid(one, slip).likeness or laid(one, other) == NOTHING


def test_spellings_of_one_usual_name_stay_alike():
    assert laid("Saleh Rangkuti", "Soleh Rangkuti").likeness > 0.9


def test_a_name_cut_off_in_its_field_fits_by_its_beginning():
    asked, listed = (
        "Lumbantobing Sri Kusumaningtyas Wahyuningr",
        "Sri Kusumaningtyas Wahyuningrum Anggita Lumbantobing",
    )
    cut = laid(asked, listed, cut=True)
    assert cut.likeness > 0.9
    assert cut.likeness > laid(asked, listed).likeness
    assert laid("Rangkuti Wah", "Rangkuti Wahyuningrum", cut=True).pairs[-1].how == "cut_off"


@pytest.mark.parametrize("written", ["Mullah Fazl", "Fazl Akhund", "Haji Fazl", "Colonel Fazl", "Fazl K"])
def test_a_title_or_an_initial_contradicts_no_name(written: str):
    assert laid(written, "Fazl Mazloom").conflict == 0
    assert laid("Fazl Mazloom", written).conflict == 0
    assert laid("Fazl Rangkuti", "Fazl Mazloom").conflict > 0


def test_other_scripts_meet_latin_letters():
    assert laid("Утут Адианто", "Utut Adianto").likeness > 0.95
    assert laid("وليد", "Walid").likeness > 0.65


def test_nothing_in_common_is_nothing():
    assert laid("Budi", "Rangkuti") == NOTHING
    assert laid("", "Rangkuti") == NOTHING
    assert laid("", "") == NOTHING


@given(NAMES)
def test_a_name_is_like_itself(name: str):
    mine = spelling(name)
    found = align(mine, mine)
    assert found.likeness == pytest.approx(1.0)
    assert found.left == ()
    assert found.bits == pytest.approx(mine.bits)


@given(NAMES, NAMES)
@settings(max_examples=300)
def test_likeness_is_a_share_and_the_pieces_explain_the_whole(asked: str, listed: str):
    found = laid(asked, listed)
    assert 0.0 <= found.likeness <= 1.0 + 1e-9
    assert found.bits <= min(spelling(asked).bits, spelling(listed).bits) + 1e-9
    against = found.conflict + 0.1 * found.absent
    assert found.bits == pytest.approx(sum(pair.bits for pair in found.pairs) - against)


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_names_raise(asked: str, listed: str):
    assert 0.0 <= laid(asked, listed, cut=True).likeness <= 1.0 + 1e-9


@given(st.permutations(["Budi", "Rangkuti", "Wahyu", "Siti"]))
def test_the_order_of_words_makes_no_difference(words: list[str]):
    assert laid(" ".join(words), "Siti Wahyu Budi Rangkuti").likeness == pytest.approx(1.0)


@settings(max_examples=300)
@given(NAMES, NAMES, st.booleans())
def test_two_names_share_at_most_the_bits_of_either(asked: str, listed: str, cut: bool):  # noqa: FBT001 - drawn
    mine, theirs = spelling(asked, cut=cut), spelling(listed)
    shared = align(mine, theirs)
    assert shared.bits <= min(mine.bits, theirs.bits) + 1e-9
    assert sum(pair.bits for pair in shared.pairs) <= min(mine.bits, theirs.bits) + 1e-9


def test_joined_words_are_worth_no_more_than_the_words_that_they_are_joined_from():
    shared = laid("Nur Siti Santoso", "Nursiti Santoso")
    (joined,) = (pair for pair in shared.pairs if pair.how == "glued")
    apart = sum(word.bits for word in spelling("Nur Siti").words)
    assert 0 < joined.bits <= apart < spelling("Nursiti").bits
