"""Fields whose fillers were read as characters: what they may say, and that a clean field says one thing."""

from itertools import cycle, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.mrz_fillers import (
    MAX_READINGS,
    TAKEN_FOR_FILLER,
    Names,
    numbers_without_fillers,
    read_names,
)
from app.identity.spellings import spellings
from app.matching.assessment import assess
from app.matching.persons import KnownPerson, QueriedPerson

SURNAMES = (
    "WIRATAMA",
    "KURNIAWAN",
    "HASSAN",
    "ABDULLAH",
    "SUKARNO",
    "SETIAWAN",
    "ALATAS",
    "GUNAWAN",
    "ELLIS",
)
GIVEN = ("RANGGA", "SITI<NURHALIZA", "BUDI<SANTOSO", "EKA", "ANDI", "I<MADE", "CLAUS", "AISYAH", "ALOYSIUS")


def field(surname: str, given_names: str, length: int = 39) -> str:
    return f"{surname}<<{given_names}".ljust(length, "<")


def zone_asked(names: Names) -> QueriedPerson:
    every = (f"{names.surname} {names.given_names}", *names.others)
    return QueriedPerson(tuple(form for name in every for form in spellings(name)))


@pytest.mark.parametrize("taken", [*TAKEN_FOR_FILLER, "R", "Z", "4"])
def test_whatever_one_character_all_fillers_were_read_as_the_name_is_found_without_a_birth_date(taken: str):
    for surname, given_names in product(SURNAMES, GIVEN):
        spoiled = read_names(field(surname, given_names).replace("<", taken))
        assert spoiled.doubtful
        assert not spoiled.truncated
        assert spoiled.taken == taken
        listed = KnownPerson.of([f"{given_names.replace('<', ' ')} {surname}"])
        assert assess(zone_asked(spoiled), listed).tier == "stop", (surname, given_names)


@pytest.mark.parametrize("taken", ["KCSLE", "KKKKC", TAKEN_FOR_FILLER])
def test_of_fillers_that_were_read_as_several_characters_most_names_are_found(taken: str):
    found = []
    for surname, given_names in product(SURNAMES, GIVEN):
        following = cycle(taken)
        clean = field(surname, given_names)
        spoiled = read_names("".join(next(following) if each == "<" else each for each in clean))
        listed = KnownPerson.of([f"{given_names.replace('<', ' ')} {surname}"])
        found.append(assess(zone_asked(spoiled), listed).tier == "stop")
        assert spoiled.doubtful
    assert sum(found) / len(found) > 0.65  # what is left are given names of such letters alone: EKA, CLAUS


@pytest.mark.parametrize(
    ("written", "surname", "given_names", "others"),
    [
        ("WIRATAMA<<RANGGA<<K<CS<<<L<<<<<<<<<<<<<", "WIRATAMA", "RANGGA", None),
        ("WIRATAMA00RANGGA00000000000000000000000", "WIRATAMA", "RANGGA", ()),
        ("WIRATAMAKKRANGGAKBUDIKKKKKKKKKKKKKKKKKK", "WIRATAMA", "RANGGAKBUDI", ("WIRATAMA RANGGA BUDI",)),
        ("SUHARYADIKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK", "SUHARYADI", "", ("SUHARYADIK",)),
        ("IGUSTIAGUNGNGURAHMADEOKAPUTRAWIRATAMBRO", "IGUSTIAGUNGNGURAHMADEOKAPUTRAWIRATAMBRO", "", ()),
    ],
)
def test_a_doubtful_field_says_its_likeliest_name_first(
    written: str, surname: str, given_names: str, others: tuple[str, ...] | None
):
    read = read_names(written)
    assert read.doubtful
    assert (read.surname, read.given_names) == (surname, given_names)
    assert others is None or set(others) <= set(read.others)


@pytest.mark.parametrize(
    "clean",
    [
        "WIRATAMA<<RANGGA<<<<<<<<<<<<<<<<<<<<<<<",
        "HENRY<III<<JOHN<<<<<<<<<<<<<<<<<<<<<<<<",
        "EKA<<SAKA<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
        "GLASS<<LUCAS<KLAAS<<<<<<<<<<<<<<<<<<<<<",
        "SUHARYADI<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
        "ABDURRAHMANSYAH<<<<<<<<<<<<<<<<<<<<<<<<",
        "I<GUSTI<AGUNG<NGURAH<MADE<<OKA<PUTRA<WI",
        "ROUX<<JEANNE<<ANNE<<<<<<<<<<<<<<<<<<<<<",
        "<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
    ],
)
def test_a_clean_field_says_one_name_without_doubt(clean: str):
    read = read_names(clean)
    assert (read.doubtful, read.others, read.taken) == (False, (), "")


def test_two_names_that_run_together_are_also_read_apart():
    read = read_names("WIRATAMAKKRANGGA<<<<<<<<<<<<<<<<<<<<<<<")
    assert (read.surname, read.others, read.doubtful) == ("WIRATAMAKKRANGGA", ("WIRATAMA RANGGA",), False)


@given(st.text(alphabet=f"{TAKEN_FOR_FILLER}<IRT", min_size=14, max_size=39))
def test_readings_are_few_and_never_empty(written: str):
    read = read_names(written)
    assert len(read.others) < MAX_READINGS
    assert all(other.strip() == other != "" for other in read.others)


@pytest.mark.parametrize(
    ("number", "others"),
    [
        ("X1234567", ()),
        ("X1234567K", ("X1234567",)),
        ("O996479KK", ("O996479K", "O996479")),
        ("X1234560", ("X123456", "X12345")),
        ("KKK", ("KK", "K")),
        ("K", ()),
        ("", ()),
    ],
)
def test_a_number_may_end_in_fillers(number: str, others: tuple[str, ...]):
    assert numbers_without_fillers(number) == others


def test_a_number_may_end_in_what_its_field_of_names_shows():
    assert numbers_without_fillers("X1234567R", "R") == ("X1234567",)
