"""Texts on the wire: what no person can see, and what would show another text than it is."""

import pytest
from pydantic import TypeAdapter, ValidationError

from app.web.wire import Line, Prose

LINE, PROSE = TypeAdapter(Line), TypeAdapter(Prose)


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x85", "\u202e", "\u2066"])
def test_characters_that_steer_how_others_are_shown_are_refused(sign: str) -> None:
    for kind in (LINE, PROSE):
        with pytest.raises(ValidationError) as caught:
            kind.validate_python(f"BUDI{sign}ITNASOTNAS")
        assert [error["type"] for error in caught.value.errors()] == ["control_character"]


def test_names_of_other_scripts_keep_their_joiners_and_prose_its_lines() -> None:
    joiner, mark = (
        "\u0645\u06cc\u200c\u062e",
        "\u0639\u0644\u064a\u200f",
    )  # zero-width joiner, mark of direction
    for text in (joiner, mark, "佐藤"):
        assert LINE.validate_python(text) == text
    assert PROSE.validate_python("one\ntwo\tthree") == "one\ntwo\tthree"
    with pytest.raises(ValidationError):
        LINE.validate_python("one\ntwo")
