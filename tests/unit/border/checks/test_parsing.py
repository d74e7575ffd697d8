"""How a question is read: every fault is told, nothing else is ever raised."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.border.checks.parsing import parse_question
from app.border.checks.reasons import INSTRUCTIONS
from app.errors import CekalError, Invalid, MalformedJson, MrzUnreadable
from tests.support.bodies import mrz_of
from tests.unit.border.checks.register import TODAY, WNI, question, traveller

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
texts = st.text(max_size=50) | st.sampled_from(["X1234567", "1970-05-17", "IDN", "3171011705700001", ""])
near = st.fixed_dictionaries(
    {},
    optional={
        "direction": st.sampled_from(["exit", "entry"]) | anything,
        "mrz": texts | st.just(mrz_of(WNI)) | anything,
        "document": st.fixed_dictionaries(
            {}, optional={"number": texts, "issuing_state": texts, "type": texts}
        )
        | anything,
        "person": st.fixed_dictionaries(
            {},
            optional={
                "name": texts,
                "birth_date": texts,
                "sex": texts,
                "nationality": texts,
                "nik": texts,
            },
        )
        | anything,
        "officer_reference": texts | anything,
    },
)


def faults(asked: Any) -> dict[str, str]:
    """Code by pointer of everything that is wrong with a question."""
    with pytest.raises(Invalid) as raised:
        parse_question(json.dumps(asked).encode(), TODAY)
    return {fault.pointer: fault.code for fault in raised.value.faults}


@settings(max_examples=300, deadline=None)
@given(near | anything)
def test_a_question_is_understood_or_refused_in_our_own_words(asked: Any) -> None:
    for sent in (json.dumps(asked).encode(), asked if isinstance(asked, dict) else {}):
        try:
            understood = parse_question(sent, TODAY)
        except CekalError:
            continue
        assert understood.body.direction in {"exit", "entry"}
        assert json.loads(understood.body.model_dump_json())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_bytes_that_are_no_question_are_refused(sent: bytes) -> None:
    with pytest.raises((Invalid, MalformedJson)):
        parse_question(sent, TODAY)


@pytest.mark.parametrize("sent", [b"", b"{", b"[" * 100_000, b'"\xff"', b'{"direction": "\\ud800"}'])
def test_what_is_no_json_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedJson):
        parse_question(sent, TODAY)


def test_a_question_without_direction_is_refused() -> None:
    assert faults({"document": {"number": "X1"}}) == {"/direction": "missing"}


def test_every_fault_is_listed() -> None:
    asked = {"direction": "in", "document": {"number": ""}, "person": {"birth_date": "1970-02-30"}, "more": 1}
    assert set(faults(asked)) == {"/direction", "/document/number", "/person/birth_date", "/more"}


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"mrz": None, "document": None, "person": None},
        {"document": {"number": " - "}},
        {"person": {"name": "Raka Prambanan"}},
        {"person": {"birth_date": "1970-05-17", "sex": "male", "nationality": "IDN"}},
    ],
)
def test_a_question_must_be_about_somebody(asked: dict[str, Any]) -> None:
    assert set(faults({"direction": "exit", **asked}).values()) == {"nobody"}


@pytest.mark.parametrize(
    "asked",
    [
        {"mrz": mrz_of(WNI)},
        {"document": {"number": "X1234567"}},
        {"person": {"name": "Raka Prambanan", "birth_date": "1970"}},
        {"person": {"nik": "3171011705700001"}},
        {"document": {"number": "X1234567", "issuing_state": None, "type": None}, "mrz": None},
    ],
)
def test_one_of_zone_document_nik_or_name_with_birth_is_enough(asked: dict[str, Any]) -> None:
    understood = parse_question(json.dumps({"direction": "exit", **asked}).encode(), TODAY)
    assert understood.keys or understood.key_query


@pytest.mark.parametrize("length", [1, 43, 87, 89, 107])
def test_a_zone_of_the_wrong_length_is_unreadable(length: int) -> None:
    asked = {"direction": "exit", "mrz": "P" * length}
    with pytest.raises(MrzUnreadable) as raised:
        parse_question(json.dumps(asked).encode(), TODAY)
    assert [fault.pointer for fault in raised.value.faults] == ["/mrz"]


@pytest.mark.parametrize("bad", ["a\x00b", "a\x1bb", "a\x7fb", "a\x9fb"])
def test_control_characters_are_refused(bad: str) -> None:
    assert faults({"direction": "exit", "document": {"number": bad}}) == {
        "/document/number": "control_character"
    }


def test_a_lone_surrogate_in_a_row_is_refused() -> None:
    with pytest.raises(Invalid) as raised:
        parse_question({"direction": "exit", "document": {"number": "A\ud800"}}, TODAY)
    assert [fault.pointer for fault in raised.value.faults] == ["/document/number"]


def test_typed_words_and_the_zone_are_brought_together() -> None:
    seen = traveller(question(WNI, mrz=mrz_of(WNI)))
    assert [(paper.number, paper.state, paper.sure) for paper in seen.papers] == [("X1234567", "IDN", True)]
    assert len(seen.births) == 1
    assert seen.indonesian
    assert not seen.proved_foreign


def test_instructions_exist_for_everything_that_stops_somebody() -> None:
    assert set(INSTRUCTIONS) == {(m, o) for m in ("prevention", "deterrence") for o in ("refuse", "refer")}
