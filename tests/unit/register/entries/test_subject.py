"""When two subjects are the same person, and by what they are found (API section 3)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.births import Birth
from app.register.entries.sameness import certainly_same
from app.register.entries.subjects import Alias, Document, Subject

from .examples import subject

BIRTH = Birth(date="1970-05-17")


def known_by(name: str = "Budi Contoh", **members: object) -> Subject:
    """A person about which little is known."""
    return Subject(full_name=name, **members)


def passport(number: str, state: str | None = None) -> tuple[Document, ...]:
    """One passport."""
    return (Document("passport", number, state),)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (known_by("A", nik="3171011705700001"), known_by("B", nik="3171011705700001"), True),
        (known_by("A", nik="3171011705700001"), known_by("A", nik="3171011705700002"), False),
        (
            known_by("A", documents=passport("X 12-34", "IDN")),
            known_by("B", documents=passport("x1234", "IDN")),
            True,
        ),
        (
            known_by("A", documents=passport("X1234", "IDN")),
            known_by("B", documents=passport("X1234", "NZL")),
            False,
        ),
        (known_by("A", documents=passport("X1234")), known_by("B", documents=passport("X1234", "NZL")), True),
        (
            known_by("A", documents=passport("C01X", "D")),
            known_by("B", documents=passport("C01X", "DEU")),
            True,
        ),
        (known_by("A", documents=passport("-", "IDN")), known_by("B", documents=passport(" ", "IDN")), False),
        (known_by("A", documents=passport("0")), known_by("B", documents=passport("0")), False),
        (known_by("A", documents=passport("0", "NZL")), known_by("B", documents=passport("0")), False),
        (known_by("A", documents=passport("000")), known_by("B", documents=passport("0 00")), False),
        (known_by("A", documents=passport("XXXX")), known_by("B", documents=passport("xxxx")), False),
        (known_by("A", documents=passport("X0")), known_by("B", documents=passport("X0")), True),
        (known_by("A", nik="0000000000000000"), known_by("B", nik="0000000000000000"), False),
        (known_by("Budi Contoh", birth=BIRTH), known_by("CONTOH, budi", birth=Birth(date="1970")), True),
        (known_by("Budi Contoh", birth=BIRTH), known_by("Budi Contoh", birth=Birth(date="1971")), False),
        (known_by("Budi Contoh", birth=BIRTH), known_by("Budi Contoh"), False),
        (known_by("Budi Contoh", birth=BIRTH), known_by("Budi Lain", birth=BIRTH), False),
    ],
)
def test_an_equal_document_nik_or_name_with_birth_makes_the_same_person(
    one: Subject, other: Subject, *, same: bool
):
    assert one.same_person(other) == other.same_person(one) == same


def test_an_alternative_birth_counts_like_the_first():
    sure = known_by("Budi Contoh", birth=BIRTH)
    doubtful = known_by("Budi Contoh", birth=Birth(date="1969"), birth_alternatives=(Birth(date="1970-05"),))
    assert sure.same_person(doubtful)


SUBJECTS = st.builds(
    Subject,
    full_name=st.sampled_from(["Budi Contoh", "Contoh Budi", "Budi", "…"]),
    birth=st.none() | st.sampled_from([BIRTH, Birth(date="1970"), Birth(date="1971")]),
    nik=st.none() | st.sampled_from(["3171011705700001", "3171011705700002"]),
    documents=st.lists(
        st.builds(
            Document,
            type=st.just("passport"),
            number=st.sampled_from(["X1234567", "x 1234567", "X12345G7", "X123456 7", "-", "0", "OO"]),
            issuing_state=st.sampled_from([None, "IDN", "NZL"]),
        ),
        max_size=2,
    ).map(tuple),
)


@given(SUBJECTS, SUBJECTS)
def test_whoever_is_the_same_person_shares_an_identifier_so_that_the_register_finds_them(
    one: Subject, other: Subject
):
    assert one.same_person(other) == other.same_person(one)
    if one.same_person(other):
        assert one.identifiers() & other.identifiers()


def test_identifiers_are_documents_their_skeletons_nik_and_folded_names():
    who = subject(aliases=(Alias("Raka Besar"), Alias("Si Gelap", "low")))
    assert who.identifiers() == {
        "d:X1234567",
        "k:X1234567",
        "n:3171011705700001",
        "f:PRAMBANAN RAKA WIRABUMI",
        "f:BESAR RAKA",
    }


def test_what_folds_to_nothing_identifies_nobody():
    nobody = known_by(".", documents=passport("--"), aliases=(Alias("-"),), nik="0000000000000000")
    assert nobody.identifiers() == set()
    assert known_by(".", documents=(*passport("0"), *passport("XXX", "NZL"))).identifiers() == set()


def test_nobody_is_certainly_the_same_by_numbers_that_only_fill_their_field():
    zeros = {"nik": "0000000000000000", "documents": passport("0", "NZL")}
    assert not certainly_same(known_by("Budi", **zeros), known_by("Budi", **zeros))
    real = {"nik": "3171011705700001"}
    assert certainly_same(known_by("Budi", **real), known_by("Budi", **real))


def test_of_several_spellings_of_a_former_name_the_first_is_kept():
    former = (Alias("Budi Lama"), Alias("BUDI LAMA", "low"), Alias("budi contoh"), Alias("Adi"))
    assert known_by().with_former_names(former, withdrawn=["ADI"]).aliases == (Alias("Budi Lama"),)
