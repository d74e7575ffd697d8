"""What ends a measure looks narrow: only what certainly names the same person."""

import msgspec
import pytest

from app.identity.births import Birth
from app.register.entries.sameness import certainly_same, may_be_same
from app.register.entries.subjects import Alias, Document, Subject
from tests.unit.register.entries.examples import subject

FATHER = subject(nik=None, documents=())
SON = subject(nik=None, documents=(), birth=Birth(date="1998-02-01"))


def changed(who: Subject, **changes: object) -> Subject:
    return msgspec.structs.replace(who, **changes)


def test_an_equal_name_and_full_birth_date_is_one_person() -> None:
    assert certainly_same(FATHER, changed(FATHER, address="elsewhere"))


def test_father_and_son_are_two_persons_who_may_be_taken_for_one() -> None:
    assert not certainly_same(FATHER, SON)
    assert may_be_same(FATHER, SON)


@pytest.mark.parametrize(
    "birth", [Birth(date="1970"), Birth(date="1970-05"), Birth(age=56, as_of="2026-11-23")]
)
def test_a_birth_that_is_not_known_to_the_day_is_not_certain(birth: Birth) -> None:
    assert not certainly_same(FATHER, changed(FATHER, birth=birth))
    assert may_be_same(FATHER, changed(FATHER, birth=birth))


PASSPORT = Document("passport", "X1234567", "IDN")


@pytest.mark.parametrize(
    ("other", "certain"),
    [
        ({"full_name": "Raka Prambanan", "birth": Birth(date="1970")}, True),
        ({"full_name": "Wirabumi", "birth": None}, True),
        ({"full_name": "Someone Else", "aliases": (Alias("Raka"),)}, True),
        ({"full_name": "Someone Else"}, False),  # the name contradicts
        ({"birth": Birth(date="1971-05-17")}, False),  # the birth contradicts
        ({"documents": (Document("passport", "X1234567", "MYS"),), "birth": Birth(date="1970")}, False),
        ({"documents": (Document("passport", "X1234567"),), "birth": Birth(date="1970")}, False),
    ],
)
def test_an_equal_document_is_certain_unless_name_or_birth_contradict(
    other: dict[str, object],
    certain: bool,  # noqa: FBT001 - what the row of the table expects
) -> None:
    one = subject(nik=None, documents=(PASSPORT,))
    assert certainly_same(one, changed(one, **other)) is certain


def test_an_equal_nik_is_certain_unless_the_birth_contradicts() -> None:
    one = subject(documents=())
    assert certainly_same(one, changed(one, full_name="Raka", birth=None))
    assert not certainly_same(one, changed(one, birth=Birth(date="1950-01-01")))


def test_a_number_of_zeros_is_nobodys() -> None:
    zeros = (Document("other", "000000", "IDN"),)
    one, other = subject(nik=None, documents=zeros), changed(SON, full_name="Raka Lain", documents=zeros)
    assert not certainly_same(one, other)
