"""Faults point into the body as it was sent, and repeat nothing of it."""

from datetime import date
from typing import Annotated, Literal, Never

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Fault
from app.web.faults import in_body, in_request, pointer_to
from app.web.wire import LegalDay, Line


def test_a_pointer_escapes_as_rfc_6901_says():
    assert pointer_to([]) == ""
    assert pointer_to(["a/b", "m~n", 0, ""]) == "/a~1b/m~0n/0/"


def test_a_pointer_stops_before_an_overlong_name():
    assert pointer_to(["a", "x" * 65, "b"]) == "/a"


@given(st.lists(st.text(max_size=64) | st.integers(0, 99)))
def test_a_pointer_can_be_read_back(parts: list[str | int]):
    read = [part.replace("~1", "/").replace("~0", "~") for part in pointer_to(parts).split("/")[1:]]
    assert read == [str(part) for part in parts]


class Extension(pydantic.BaseModel):
    kind: Literal["extension"]
    reason: str
    extension: dict[str, int]


class Correction(pydantic.BaseModel):
    kind: Literal["correction"]
    correction: dict[str, int]


AMENDMENT: pydantic.TypeAdapter[Extension | Correction] = pydantic.TypeAdapter(
    Annotated[Extension | Correction, pydantic.Field(discriminator="kind")]
)


def faults_of(body: object) -> tuple[Fault, ...]:
    with pytest.raises(pydantic.ValidationError) as caught:
        AMENDMENT.validate_python(body)
    return in_body(caught.value, body)


def test_a_tag_that_bears_the_name_of_a_member_does_not_mislead():
    assert faults_of({"kind": "extension", "extension": {"months": 6}}) == (
        Fault("/reason", "missing", "This member is required."),
    )


def test_a_fault_below_a_member_with_the_tags_name_is_found():
    (fault,) = faults_of({"kind": "extension", "reason": "x", "extension": {"months": "six"}})
    assert (fault.pointer, fault.code) == ("/extension/months", "int_parsing")


def test_an_unknown_kind_is_not_repeated():
    (fault,) = faults_of({"kind": "SECRET"})
    assert fault == Fault("", "union_tag_invalid", "'kind' must be one of 'extension', 'correction'.")


def test_without_the_body_the_plain_names_are_kept():
    with pytest.raises(pydantic.ValidationError) as caught:
        pydantic.TypeAdapter(list[int | bool]).validate_json(b'[1, "x"]')
    assert {fault.pointer for fault in in_body(caught.value)} == {"/1/int", "/1/bool"}


def test_a_validator_that_quotes_is_not_repeated():
    def refuse(value: object) -> Never:
        raise ValueError(f"bad: {value}")

    kind = pydantic.TypeAdapter(Annotated[dict[str, list[str]], pydantic.AfterValidator(refuse)])
    with pytest.raises(pydantic.ValidationError) as caught:
        kind.validate_python({"a": ["SECRET"]})
    assert in_body(caught.value) == (Fault("", "invalid_value", "The value is not valid."),)


def test_a_validator_with_a_sentence_of_its_own_is_heard():
    def refuse(_: object) -> Never:
        raise ValueError("The day lies before the letter's")

    kind = pydantic.TypeAdapter(Annotated[str, pydantic.AfterValidator(refuse)])
    with pytest.raises(pydantic.ValidationError) as caught:
        kind.validate_python("SECRET")
    assert in_body(caught.value) == (Fault("", "invalid_value", "The day lies before the letter's."),)


def test_a_parameter_is_named_and_has_no_pointer():
    error = {
        "type": "int_parsing",
        "loc": ("query", "limit"),
        "msg": "Input should be an integer",
        "input": "x",
    }
    assert in_request([error, error], None) == [
        {
            "pointer": "",
            "code": "int_parsing",
            "detail": "The query parameter limit: Input should be an integer.",
            "in": "query",
            "name": "limit",
        }
    ]


class Person(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, msgspec.Meta(min_length=2, pattern="^S")] | None = None
    ids: list[int] = []
    tags: dict[str, int] = {}


class Check(msgspec.Struct, forbid_unknown_fields=True):
    direction: Literal["exit", "entry"]
    person: Person | None = None


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        (b"{}", "/direction", "missing"),
        (b'{"direction": "SECRET"}', "/direction", "enum"),
        (b'{"direction": "exit", "x/y": 1}', "/x~1y", "unknown_member"),
        (b'{"direction": "exit", "person": {"z": 1}}', "/person/z", "unknown_member"),
        (b'{"direction": "exit", "person": {"ids": [1, "SECRET"]}}', "/person/ids/1", "type"),
        (b'{"direction": "exit", "person": {"tags": {"SECRET": "x"}}}', "/person/tags", "type"),
        (b'{"direction": "exit", "person": {"name": "S"}}', "/person/name", "constraint"),
        (b'{"direction": "exit", "person": {"name": "ECRET"}}', "/person/name", "constraint"),
        (b"[]", "", "type"),
    ],
)
def test_msgspec_is_understood(body: bytes, pointer: str, code: str):
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(body, type=Check)
    (fault,) = in_body(caught.value)
    assert (fault.pointer, fault.code) == (pointer, code)
    assert "ECRET" not in fault.detail
    assert "`" not in fault.detail
    assert fault.detail.endswith(".")


def test_any_other_message_of_msgspec_is_not_repeated():
    assert in_body(msgspec.ValidationError("SECRET - at `$.a`")) == (
        Fault("/a", "invalid_value", "The value is not valid."),
    )


class Filing(pydantic.BaseModel):
    name: Annotated[Line, pydantic.Field(max_length=3)] = "x"
    on: LegalDay = date(2026, 11, 23)
    extension: Extension | None = None


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        ([], "object_type", "A JSON object belongs here."),
        ({"extension": 1}, "object_type", "A JSON object belongs here."),
        ({"on": "9999-12-31"}, "less_than_equal", "Input should be less than or equal to 9998-12-31."),
        ({"name": "four"}, "string_too_long", "String should have at most 3 characters."),
    ],
)
def test_no_detail_speaks_of_python(body: object, code: str, detail: str):
    with pytest.raises(pydantic.ValidationError) as caught:
        Filing.model_validate(body)
    (fault,) = in_body(caught.value, body)
    assert (fault.code, fault.detail) == (code, detail)
