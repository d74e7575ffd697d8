"""What a number's field may mean: read where it is certain, looked up besides where it may be, else said."""

from string import ascii_uppercase

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.identity.documents import is_filler
from app.identity.mrz import check_digit
from app.identity.typed_numbers import DOUBTS, FAULTS, certain, read

CERTAIN = [
    ("X1234567", ["X1234567"]),
    (" x 123-4567 ", ["X1234567"]),
    ("X.1234567", ["X1234567"]),
    ("No. X1234567", ["X1234567"]),
    ("NO X1234567", ["X1234567"]),
    ("No 1234567", ["1234567"]),
    ("\u2116 1234567", ["1234567"]),
    ("PASPOR X1234567", ["X1234567"]),
    ("PASPORX1234567", ["X1234567"]),
    ("PASPORE1234567", ["E1234567"]),
    ("PASPORNOX1234567", ["X1234567"]),
    ("PASPOR NOMOR1234567", ["1234567"]),
    ("PASPOR NO 1234567", ["1234567"]),
    ("PASPOR NO1234567", ["NO1234567"]),
    ("Paspor No. C1234567", ["C1234567"]),
    ("Paspor RI No.: X1234567", ["X1234567"]),
    ("NOMOR PASPOR: X1234567", ["X1234567"]),
    ("Passport Number X1234567", ["X1234567"]),
    ("passport#X1234567", ["X1234567"]),
    ("Pass. X1234567", ["X1234567"]),
    ("\u0437\u0430\u0433\u0440\u0430\u043d\u043f\u0430\u0441\u043f\u043e\u0440\u0442 X1234567", ["X1234567"]),
    ("\u62a4\u7167 E63974448", ["E63974448"]),
    ("KTP 3201011234567890", ["3201011234567890"]),
    ("3201 0112 3456 7890", ["3201011234567890"]),
    ("X1234567 IDN", ["X1234567"]),
    ("IDN X1234567", ["X1234567"]),
    ("X1234567 (IDN)", ["X1234567"]),
    ("X1234567<<", ["X1234567"]),
    ("X1234567<7", ["X1234567"]),
    ("E63974448<5", ["E63974448"]),
    ("E639744485CHN", ["E63974448"]),
    ("E639744485CHN9701012F2412315", ["E63974448"]),
    ("X1234567<7IDN7005174M3001019", ["X1234567"]),
    ("C805775 ,AA8630281", ["C805775", "AA8630281"]),
    ("A 1234567 (lama), B 7654321 (baru)", ["A1234567", "B7654321"]),
    ("A1234567 B7654321", ["A1234567", "B7654321"]),
    ("A 1234567 B 7654321", ["A1234567", "B7654321"]),
    ("A1234567/B7654321", ["A1234567", "B7654321"]),
    ("A1234567 dan B7654321", ["A1234567", "B7654321"]),
    ("C1234567; KTP 3201011234567890", ["C1234567", "3201011234567890"]),
    ("C1234567, exp 12/2027", ["C1234567"]),
    ("C1234567 berlaku s/d 12-12-2027", ["C1234567"]),
    ("passport C1234567 (lost)", ["C1234567"]),
    ("1,234,567", ["1234567"]),
    ("A123456(7)", ["A1234567"]),
    ("33000/862", ["33000862"]),
    ("TR-P 614 000", ["TRP614000"]),
]
NOTHING = [
    "N/A",
    "n.a.",
    "tidak ada",
    "Belum Ada",
    "TANPA PASPOR",
    "-",
    "?",
    "0",
    "000000000",
    "O0O0",
    "XXXXXXX",
]
NOTHING += [
    "111111111",
    "unknown",
    "HILANG",
    "nihil",
    "dalam proses",
    "NULL",
    "specimen",
    "Paspor",
]
POSSIBLE = [
    ("E639744485", "E63974448"),
    ("X12345677", "X1234567"),
    ("X1234567 7", "X1234567"),
    ("E63974448CHN", "E63974448"),
    ("CHNE63974448", "E63974448"),
    ("PE63974448", "E63974448"),
    ("PPE63974448", "E63974448"),
    ("PCHNE63974448", "E63974448"),
    ("P<IDNX1234567", "X1234567"),
    ("IDNX12345677", "X1234567"),
    ("X12345677IDN7005174M", "X1234567"),
    ("NO 1234567", "1234567"),
    ("ID 1234567", "1234567"),
    ("IDN 1234567", "1234567"),
    ("1234567 7654321", "7654321"),
    ("NO1234567", "1234567"),
    ("PASPOR NO1234567", "1234567"),
    ("HOTEL MULIA C1234567", "C1234567"),
]


@pytest.mark.parametrize(("text", "numbers"), CERTAIN)
def test_what_is_meant_for_certain_is_read(text: str, numbers: list[str]):
    assert list(certain(text)) == numbers
    assert read(text).fault is None


@pytest.mark.parametrize("text", NOTHING)
def test_a_text_that_only_fills_the_field_holds_no_number(text: str):
    assert (read(text).numbers, read(text).doubts) == ((), ("no_number",))


@pytest.mark.parametrize(("text", "number"), POSSIBLE)
def test_what_may_be_meant_is_looked_up_besides(text: str, number: str):
    (found,) = read(text).numbers
    assert found.number != number
    assert number in found.possible


@pytest.mark.parametrize("text", ["\u04162345678", "X\u8b771234567", "X1234567\u0e01", "\ud55c\uad6d"])
def test_letters_that_look_like_none_of_ours_are_no_number(text: str):
    assert (read(text).numbers, read(text).fault) == ((), "characters")


def test_look_alikes_are_folded_and_said():
    found = read("\u041c\u04202345678")
    assert (certain("\u041c\u04202345678"), found.doubts) == (("MP2345678",), ("look_alike_folded",))


@pytest.mark.parametrize("text", ["LUPA BAWA", "UNDER PROCESS", "HOTEL MULIA C1234567", "OIZEASB"])
def test_words_are_no_number_for_certain(text: str):
    assert read(text).fault == "words"


@pytest.mark.parametrize(
    "text", ["X1234567", "E63974448", "LM0123456", "12345678", "C01X00T47", "D23145890734"]
)
def test_a_plain_number_means_itself_alone(text: str):
    (found,) = read(text).numbers
    assert (found.number, found.written, found.state, found.possible) == (text, text, None, ())


def test_a_state_that_stands_beside_the_number_is_read():
    told = ("E639744485CHN", "CHN E63974448", "C01X00T478D<<6408125F")
    assert [read(text).numbers[0].state for text in told] == ["CHN", "CHN", "DEU"]


def test_of_a_zone_with_a_wrong_digit_nothing_is_certain():
    wrong = "E639744484CHN"
    assert certain(wrong) == (wrong,)
    assert "E63974448" in read(wrong).numbers[0].possible


def test_every_doubt_and_fault_has_its_sentence():
    assert set(DOUBTS) | set(FAULTS) >= {
        "look_alike_folded",
        "several_numbers",
        "no_number",
        "characters",
        "words",
    }


@settings(max_examples=200)
@given(st.text(max_size=300))
def test_any_text_is_read_within_bounds(text: str):
    found = read(text)
    for number in found.numbers:
        assert set(number.number) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        assert not is_filler(number.number)
        assert number.number not in number.possible
        assert len(number.possible) <= 16


NUMBERS = st.from_regex(r"[A-Z]{1,2}[0-9]{6,7}|[0-9]{9}|[A-Z][0-9]{8}", fullmatch=True).filter(
    lambda number: not is_filler(number) and not is_filler(number.lstrip(ascii_uppercase))
)
"""Numbers, but for those like NR000000, which may be a label before a placeholder."""


@settings(max_examples=100)
@example("NO000001", "IDN")
@example("NR1234567", "IDN")
@given(NUMBERS, st.sampled_from(["CHN", "IDN", "AUS", "NZL", "SGP"]))
def test_a_number_is_always_among_what_its_surroundings_may_mean(number: str, state: str):
    digit = check_digit(number)
    around = [
        f"{number}{digit}",
        f"{number}{state}",
        f"{state}{number}",
        f"P{number}",
        f"{number}{digit}{state}",
        f"P<{state}{number}",
        f"{state} {number}",
        f"{number} {state}",
        f"No. {number}",
        f"NO {number}",
        f"PASPOR {number}",
        f"{number.ljust(9, '<')}{digit}{state}7005174M",
        f"{number}, Z9876543",
    ]
    for text in around:
        found = read(text).numbers
        meant = {each for one in found for each in (one.number, *one.possible)}
        assert number in meant, text
