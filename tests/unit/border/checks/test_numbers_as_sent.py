"""Listed numbers with people's and readers' faults are never cleared; other numbers pass, placeholders hold nobody."""

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.errors import CekalError
from app.identity.documents import is_filler, skeleton
from tests.support.bodies import mrz_of
from tests.support.dirty_numbers import FAULTS, PLACEHOLDERS, spoiled
from tests.unit.border.checks.register import WNA, WNI, Json, entry, matches, outcome, question, results

NUMBERS = st.from_regex(r"[A-Z]{1,2}[0-9]{6,7}|[A-Z][0-9]{8}|[0-9]{9}", fullmatch=True).filter(
    lambda number: not is_filler(number)
)
NOBODY = {"name": None, "birth_date": None, "nik": None}


def listed(number: str, state: str = "CHN") -> Json:
    return {**WNA, "documents": [{"type": "passport", "number": number, "issuing_state": state}]}


def asked(text: str, state: str | None = "CHN", **person: object) -> Json:
    """A typed question about a document alone."""
    return question(
        listed(text, state), "exit", person={**NOBODY, "sex": None, "nationality": None, **person}
    )


@pytest.mark.parametrize("fault", FAULTS)
@settings(max_examples=10, deadline=None)
@given(number=NUMBERS, state=st.sampled_from(["CHN", None]))
def test_a_listed_number_is_never_cleared_by_a_fault(fault: str, number: str, state: str | None):
    assume(not is_filler(number))
    sent = spoiled(fault, number)
    assert outcome(asked(sent, state), entry(listed(number))) != "clear", sent


@pytest.mark.parametrize("fault", FAULTS)
@settings(max_examples=10, deadline=None)
@given(number=NUMBERS, other=NUMBERS)
def test_another_number_passes_whatever_its_fault(fault: str, number: str, other: str):
    assume(skeleton(number)[:6] != skeleton(other)[:6] and skeleton(number)[-5:] != skeleton(other)[-5:])
    assume(skeleton(number)[1:] not in skeleton(other) and skeleton(other)[1:] not in skeleton(number))
    sent = spoiled(fault, other)
    assert outcome(asked(sent), entry(listed(number))) == "clear", sent


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=40))
def test_a_listed_number_is_found_in_any_text_that_is_taken_for_it(text: str):
    """Whatever an older register's field holds, the very same text at the counter finds it, or names no document."""
    held = entry(listed(text))
    try:
        found = outcome(asked(text), held)
    except CekalError:  # it is refused, so nobody is cleared
        return
    keys = held.subject.identifiers()
    assert found != "clear" or not any(key.startswith("d:") for key in keys)


@pytest.mark.parametrize(("sent", "held"), [*product(PLACEHOLDERS[:4], PLACEHOLDERS)])
def test_a_placeholder_holds_nobody(sent: str, held: str):
    somebody = {"name": "Gideon Ashdowne", "birth_date": "1988-01-02"}
    assert outcome(asked(sent, **somebody), entry(listed(held))) == "clear"


@pytest.mark.parametrize("fault", ["Cyrillic", "Greek"])
def test_look_alikes_only_refer(fault: str):
    sent = spoiled(fault, "MP2345678")
    assert sent != "MP2345678"
    found = matches(asked(sent), entry(listed("MP2345678")))
    assert [(match.level, match.outcome) for match in found] == [("possible", "refer")]
    assert ("document_number", "confusable") in results(found)
    assert outcome(asked(sent), entry(listed("2345678"))) == "clear"


def test_what_may_be_meant_only_refers_and_says_so():
    found = matches(asked("PE63974448"), entry(listed("E63974448")))
    assert [(match.level, match.outcome) for match in found] == [("possible", "refer")]
    assert ("document_number", "may_be_meant") in results(found)


@pytest.mark.parametrize(
    "sent", ["No. E63974448", "PASPOR E63974448", "E63974448<5", "E639744485CHN", "E63974448 CHN"]
)
def test_what_is_certain_refuses_as_the_bare_number_does(sent: str):
    assert outcome(asked(sent), entry(listed("E63974448"))) == "refuse"


def test_a_state_in_the_number_counts_beside_the_one_that_was_typed():
    assert outcome(asked("E639744485CHN", "NZL"), entry(listed("E63974448"))) == "refuse"
    assert outcome(asked("X1234567<7IDN7005174M", None), entry(WNI)) == "refuse"


def test_a_valid_zone_refuses_though_its_number_was_typed_in_other_letters():
    person = {**WNI, "documents": [{**WNI["documents"][0], "number": "X1234567"}]}
    sent = {
        "direction": "exit",
        "mrz": mrz_of(person),
        "document": {"number": "\u04251234567", "issuing_state": "IDN"},
    }
    assert outcome(sent, entry(person)) == "refuse"


@pytest.mark.parametrize(("sent", "held"), [("PE63974448", "E63974448"), ("\u041563974448", "E63974448")])
def test_what_may_be_meant_is_weighed_as_an_equal_number_is(sent: str, held: str):
    """A birth date that contradicts is a matter for the supervisor; another state's number is another document."""
    born = {"birth_date": "1988-01-02"}
    assert outcome(asked(sent, **born), entry(listed(held))) == "refer"
    assert outcome(asked(sent, "NZL", **born), entry(listed(held))) == "clear"
    assert outcome(asked(sent, "NZL", birth_date="1970-05-17"), entry(listed(held))) == "refer"
    confused = asked("E6397444B", **born)
    assert outcome(confused, entry(listed(held))) == "clear"
