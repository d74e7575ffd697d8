"""Machine-readable zones: every format read back, every visible fault seen, only MrzUnreadable raised."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.identity import states
from app.identity.births import Birth
from app.identity.mrz import Mrz, MrzUnreadable, check_digit, parse
from tests.support.zones import ALPHABET, TODAY, Holder, digits, holders

PASSPORT = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
CARD = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"


def read(text: str) -> Mrz:
    """Read a zone on the day these tests take for today."""
    return parse(text, TODAY)


@given(holders())
@settings(max_examples=120)
def test_a_zone_of_any_format_is_read_back(holder: Holder):
    mrz = read(holder.text())
    assert mrz.format == holder.format
    assert mrz.valid
    assert all(mrz.check_digits.values())
    assert set(mrz.warnings) <= {"number_fillers"}
    assert (mrz.document_code, mrz.document_number) == (holder.code, holder.number)
    assert (mrz.issuing_state, mrz.nationality) == (
        states.canonical(holder.state),
        states.canonical(holder.nationality),
    )
    assert mrz.birth == Birth(date=holder.born.isoformat())
    assert mrz.expiry == holder.expires.isoformat()
    assert mrz.optional_data[0] == holder.optional
    assert mrz.sex == {"M": "male", "F": "female", "<": "unspecified"}[holder.sex]
    assert (mrz.surname, mrz.given_names) == (holder.surname, holder.given_names) or mrz.name_truncated


@given(holders(), st.data())
@settings(max_examples=120)
def test_every_single_fault_that_weights_of_7_3_1_can_see_is_seen(holder: Holder, data: st.DataObject):
    text = holder.text()
    lines = text.split("\n")
    row = 0 if holder.format == "TD1" and data.draw(st.booleans()) else 1
    covered = [*range(5, 30)] if row == 0 else [*range(7), *range(8, 15)]
    if holder.format != "TD1":
        covered = [*range(10), *range(13, 20), *range(21, 28)]
    if holder.format in {"TD2", "TD3"}:
        covered += range(28, len(lines[1]))
    place = data.draw(st.sampled_from(covered))
    was, now = lines[row][place], data.draw(st.sampled_from(ALPHABET))
    unseen = (check_digit(was) - check_digit(now)) % 10 == 0
    lines[row] = lines[row][:place] + now + lines[row][place + 1 :]
    if not unseen:
        assert not read("\n".join(lines)).valid


@given(
    st.one_of(
        st.text(),
        st.text(alphabet=ALPHABET, min_size=72, max_size=72),
        st.text(alphabet=ALPHABET, min_size=88, max_size=88),
        st.text(alphabet=ALPHABET.lower(), min_size=90, max_size=90),
        st.text(alphabet="IDFRA<0123456789", min_size=67, max_size=67).map("IDFRA".__add__),
    )
)
@settings(max_examples=150)
@example("")
@example("<" * 88)
@example("\u0131" * 88)
@example("\u00df" * 44)
def test_nothing_but_unreadable_is_ever_raised(text: str):
    with suppress(MrzUnreadable):
        assert set(read(text).as_fields()) >= {"document_number", "birth_date", "name"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "length"),
        (PASSPORT[:-1], "length"),
        (PASSPORT + "\n" + PASSPORT, "length"),
        (PASSPORT.replace("\n", "X\n"), "length"),
        (PASSPORT[:43] + "\n" + PASSPORT[43] + PASSPORT[45:], "length"),
        (PASSPORT.replace("ANNA", "AN-A"), "characters"),
        (PASSPORT.replace("ANNA", "AN A"), "characters"),
        (PASSPORT.replace("ANNA", "ANÑA"), "characters"),
    ],
)
def test_what_has_not_the_shape_of_a_zone_is_unreadable(text: str, code: str):
    with pytest.raises(MrzUnreadable) as refusal:
        read(text)
    assert refusal.value.code == code
    assert "ERIKSSON" not in str(refusal.value)


@pytest.mark.parametrize("zone", [PASSPORT, CARD])
def test_line_breaks_and_blanks_make_no_difference(zone: str):
    lines = zone.split("\n")
    assert read(zone).valid
    for text in (
        "\r\n".join(lines),
        "".join(lines),
        f"  {zone}\n\n",
        "\n".join(f" {line}\t" for line in lines),
    ):
        assert read(text) == read(zone)


def test_lower_case_is_read_with_the_doubt_stated():
    mrz = read(PASSPORT.lower())
    assert mrz.document_number == "L898902C3"
    assert all(mrz.check_digits.values())
    assert mrz.fails == ("charset",)
    assert not mrz.valid


def test_the_fields_are_given_in_the_words_of_the_contract():
    assert read(PASSPORT).as_fields() == {
        "document_code": "P",
        "issuing_state": "UTO",
        "nationality": "UTO",
        "document_number": "L898902C3",
        "surname": "ERIKSSON",
        "given_names": "ANNA MARIA",
        "name": "ANNA MARIA ERIKSSON",
        "name_truncated": False,
        "birth_date": "1974-08-12",
        "sex": "female",
        "expiry_date": "2012-04-15",
        "optional_data": "ZE184226B",
    }
    assert {"optional_data_1", "optional_data_2"} <= set(read(CARD).as_fields())


@pytest.mark.parametrize(
    ("field", "birth"),
    [
        ("8503<<", Birth(date="1985-03")),
        ("850300", Birth(date="1985-03")),
        ("85<<<<", Birth(date="1985")),
        ("85<<17", Birth(date="1985")),
        ("<<<<<<", None),
        ("<<0317", None),
        ("261123", Birth(date="2026-11-23")),
        ("261124", Birth(date="1926-11-24")),
        ("2611<<", Birth(date="2026-11")),
        ("2612<<", Birth(date="1926-12")),
        ("000229", Birth(date="2000-02-29")),
        ("280229", Birth(date="1928-02-29")),
    ],
)
def test_a_birth_date_keeps_its_precision_and_is_never_in_the_future(field: str, birth: Birth | None):
    mrz = read(PASSPORT.replace("7408122", digits(field)))
    assert mrz.birth == birth
    assert mrz.birth_raw == field
    assert "birth_date" not in " ".join(mrz.fails)


@pytest.mark.parametrize(
    ("field", "births"),
    [
        ("260517", ("2026-05-17", "1926-05-17")),
        ("1105<<", ("2011-05", "1911-05")),
        ("11<<<<", ("2011", "1911")),
        ("100517", ("2010-05-17",)),  # nobody of 116 years travels
        ("270517", ("1927-05-17",)),
        ("240229", ("2024-02-29", "1924-02-29")),
        ("261124", ("1926-11-24",)),
    ],
)
def test_a_two_digit_year_is_of_both_centuries_where_somebody_so_old_may_live(
    field: str, births: tuple[str, ...]
):
    mrz = read(PASSPORT.replace("7408122", digits(field)))
    assert mrz.births == tuple(Birth(date=birth) for birth in births)
    assert mrz.warnings == ()


@pytest.mark.parametrize(
    ("known", "birth", "warnings"),
    [
        ("1926-05-17", "1926-05-17", ("birth_century",)),
        ("1926", "1926-05-17", ("birth_century",)),
        ("1930-01-02", "1926-05-17", ("birth_century",)),
        ("2026-05-17", "2026-05-17", ()),
        ("1980-05-17", "2026-05-17", ()),
    ],
)
def test_a_full_year_decides_the_century(known: str, birth: str, warnings: tuple[str, ...]):
    zone = read(PASSPORT.replace("7408122", digits("260517")))
    assert zone.beside(None) is zone
    decided = zone.beside(Birth(date=known))
    assert (decided.births, decided.warnings) == ((Birth(date=birth),), warnings)
    assert decided.as_fields()["birth_date"] == birth


def test_a_leap_day_is_read_in_the_century_that_had_it():
    zone = PASSPORT.replace("7408122", digits("000229"))
    assert parse(zone, date(2105, 1, 1)).birth == Birth(date="2000-02-29")


@pytest.mark.parametrize(
    ("field", "fault"),
    [("741332", "birth_date_range"), ("740230", "birth_date_range"), ("74O812", "birth_date_format")],
)
def test_an_impossible_birth_date_is_a_fault_even_with_right_digits(field: str, fault: str):
    mrz = read(PASSPORT.replace("7408122", digits(field)))
    assert mrz.birth is None
    assert fault in mrz.fails
    assert mrz.check_digits["birth_date"]


@pytest.mark.parametrize(
    ("field", "expiry", "fault"),
    [
        ("361231", "2036-12-31", None),
        ("961210", "1996-12-10", None),
        ("560101", "2056-01-01", None),
        ("<<<<<<", None, None),
        ("3612<<", None, None),
        ("360230", None, "expiry_date_range"),
        ("36I231", None, "expiry_date_format"),
    ],
)
def test_an_expiry_lies_near_today_and_only_a_full_day_counts(
    field: str, expiry: str | None, fault: str | None
):
    mrz = read(PASSPORT.replace("1204159", digits(field)))
    assert mrz.expiry == expiry
    assert (fault in mrz.fails) is (fault is not None)


def test_the_check_digit_of_an_empty_field_may_be_zero_or_filler():
    empty = PASSPORT.replace("ZE184226B<<<<<1", "<" * 14 + "{}").rsplit("0", 1)[0]
    seal = check_digit("L898902C3674081221204159" + "<" * 15)
    assert read(empty.format("0") + str(seal)).valid
    assert read(empty.format("<") + str(seal)).valid
    filled = PASSPORT.replace("B<<<<<1", "B<<<<<<")
    assert "optional_data" in read(filled).fails


@pytest.mark.parametrize("middle", ["", "<"])
def test_a_long_number_may_count_the_filler_in_its_middle_or_not(middle: str):
    digit = check_digit(f"000590240{middle}601")
    first = f"IDBEL000590240<601{digit}<<<<<<<<<<<"
    seal = check_digit(first[5:] + "8512017" + "1311048" + "85120100200")
    mrz = read(f"{first}\n8512017F1311048BEL85120100200{seal}\nREINARTZ<<ULRIKE<<<<<<<<<<<<<<")
    assert mrz.document_number == "000590240601"
    assert mrz.optional_data == ("", "85120100200")
    assert mrz.valid
    wrong = read(f"{first.replace(f'601{digit}', f'601{(digit + 1) % 10}')}\n{'<' * 30}\n{'<' * 30}")
    assert not wrong.check_digits["document_number"]


def test_a_single_name_is_the_surname_wherever_it_stands():
    for names in ("SUHARTO<<<", "<<SUHARTO<"):
        mrz = read(PASSPORT.replace("ERIKSSON<<ANNA<MARIA", names.ljust(20, "<")))
        assert (mrz.surname, mrz.given_names, mrz.name) == ("SUHARTO", "", "SUHARTO")


def test_a_name_that_reaches_the_end_of_its_field_may_be_cut():
    assert not read(PASSPORT).name_truncated
    full = "I<GUSTI<AGUNG<NGURAH<MADE<<OKA<PUTRA<WI"
    assert read(f"P<IDN{full}\n{PASSPORT[45:]}").name_truncated
    assert read(f"P<IDN{full[:-3]}<<<\n{PASSPORT[45:]}").name_truncated is False
    assert read(f"P<IDN{full[:-1]}<\n{PASSPORT[45:]}").name_truncated


def test_doubts_are_warnings_and_never_refusals():
    mrz = read(
        PASSPORT.replace("P<UTO", "P<QQQ").replace("UTO", "1DN").replace("F", "Z").replace("ANNA", "4NNA")
    )
    assert mrz.warnings == ("unknown_state", "unknown_nationality", "unknown_sex", "name_characters")
    assert mrz.sex == "unspecified"
    assert mrz.valid
    assert read(f"P<UTO{'<' * 39}\n{PASSPORT[45:]}").warnings == ("name_missing",)


def test_the_french_card_of_two_lines_has_places_of_its_own():
    zone = "IDFRAROUX<<<<<<<<<<<<<<<<<<<<<923255\n"
    line = f"{digits('880692310285')}JEANNE<<ANNE<<{digits('651206')}F"
    mrz = read(f"{zone}{line}{check_digit(zone[:-1] + line)}")
    assert mrz.format == "FRA-ID"
    assert mrz.valid
    assert mrz.document_number == "880692310285"
    assert (mrz.surname, mrz.given_names) == ("ROUX", "JEANNE ANNE")
    assert mrz.birth == Birth(date="1965-12-06")
    assert (mrz.nationality, mrz.expiry) == ("", None)


def test_a_character_that_was_read_as_a_filler_in_the_middle_of_a_number_is_any_that_its_digit_allows():
    mrz = read(PASSPORT.replace("L898902C3", "L898<02C3"))
    assert mrz.document_number == "L89802C3"
    assert "L898902C3" in mrz.other_numbers
    assert len(mrz.other_numbers) <= 5
    assert not read(PASSPORT).other_numbers
    hyphen = read(PASSPORT.replace("L898902C36", digits("L898<02<<")))
    assert (hyphen.document_number, hyphen.check_digits["document_number"]) == ("L89802", True)


@pytest.mark.parametrize("begin", ["1DFRA", "I0FRA", "IOFRA"])
def test_a_misread_letter_makes_no_other_format_of_the_french_card(begin: str):
    zone = (
        f"{begin}ROUX<<<<<<<<<<<<<<<<<<<<<923255\n{digits('880692310285')}JEANNE<<ANNE<<{digits('651206')}F1"
    )
    assert read(zone).document_number == "880692310285"


def test_a_check_digit_is_weighed_7_3_1():
    assert check_digit("520727") == 3
    assert check_digit("AB2134<<<") == 5
    assert check_digit("HA672242<658022549601086<<<<<<<<<<<<<<0") == 8
