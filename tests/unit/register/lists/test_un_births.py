"""A birth stays as vague as the list has it; ranges and alternatives are kept."""

from collections.abc import Callable

import pytest

from app.register.lists.un import ListedPerson


def birth(kind: str = "EXACT", **cells: str) -> str:
    inner = "".join(f"<{tag}>{text}</{tag}>" for tag, text in cells.items())
    return f"<INDIVIDUAL_DATE_OF_BIRTH><TYPE_OF_DATE>{kind}</TYPE_OF_DATE>{inner}</INDIVIDUAL_DATE_OF_BIRTH>"


@pytest.mark.parametrize(
    ("cell", "shape"),
    [
        (birth(DATE="1964-07-17"), {"date": "1964-07-17"}),
        (birth(DATE="1963-07-17-04:00"), {"date": "1963-07-17"}),
        (birth(DATE="1979-03-03", NOTE="from false passport"), {"date": "1979-03-03"}),
        (birth(YEAR="1964"), {"date": "1964"}),
        (birth(YEAR="1958", NOTE="Sep."), {"date": "1958-09"}),
        (birth(NOTE="Nov. 1973 "), {"date": "1973-11"}),
        (birth(NOTE="August 1961"), {"date": "1961-08"}),
        (birth(NOTE="Between Aug. and Sep. 1977"), {"from": "1977-08", "to": "1977-09"}),
        (birth("BETWEEN", FROM_YEAR="1955", TO_YEAR="1958"), {"from": "1955", "to": "1958"}),
        (
            birth("BETWEEN", NOTE="Approximately ", FROM_YEAR="1955", TO_YEAR="1958"),
            {"from": "1955", "to": "1958"},
        ),
        (birth("APPROXIMATELY", YEAR="1968"), {"from": "1966", "to": "1970"}),
        (birth("APPROXIMATELY", NOTE="29 years old"), {"from": "1988", "to": "1993"}),
        (birth("APPROXIMATELY", NOTE="30-35 years old"), {"from": "1982", "to": "1992"}),
    ],
)
def test_a_birth_takes_a_shape_of_the_api(
    listed: Callable[[str], ListedPerson], cell: str, shape: dict[str, str]
):
    person = listed(cell)
    assert person.births == (shape,)
    assert person.remarks == ()


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (birth(NOTE="24/06/1402 (Hijri Calendar)"), "24/06/1402 (Hijri Calendar)"),
        (birth(NOTE="in the late sixties"), "in the late sixties"),
        (birth(NOTE="Sextember 1970"), "Sextember 1970"),
        (birth(DATE="1970-02-30"), "1970-02-30"),
        (birth("BETWEEN", FROM_YEAR="1958", TO_YEAR="1955"), "1958 1955"),
        (birth("BETWEEN", FROM_YEAR="1958"), "1958"),
        (birth("APPROXIMATELY", YEAR="the 1950s"), "the 1950s"),
    ],
)
def test_an_unclear_birth_is_left_out_with_its_words(
    listed: Callable[[str], ListedPerson], cell: str, words: str
):
    person = listed(cell)
    assert person.births == ()
    assert [(remark.code, remark.detail) for remark in person.remarks] == [("birth_unclear", words)]


def test_an_empty_birth_is_nothing(listed: Callable[[str], ListedPerson]):
    person = listed(birth(""))
    assert (person.births, person.remarks) == ((), ())


def test_all_births_are_kept_once_those_of_aliases_last(listed: Callable[[str], ListedPerson]):
    person = listed(
        "<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Elvar</ALIAS_NAME>"
        "<DATE_OF_BIRTH>1970-01-25</DATE_OF_BIRTH></INDIVIDUAL_ALIAS>"
        "<INDIVIDUAL_ALIAS><QUALITY>Good</QUALITY><ALIAS_NAME>Ilvar</ALIAS_NAME>"
        "<DATE_OF_BIRTH>1955</DATE_OF_BIRTH></INDIVIDUAL_ALIAS>"
        + birth(DATE="1968-03-01")
        + birth("APPROXIMATELY", YEAR="1960")
        + birth(DATE="1970-01-25")
    )
    assert person.births == (
        {"date": "1968-03-01"},
        {"from": "1958", "to": "1962"},
        {"date": "1970-01-25"},
        {"date": "1955"},
    )
