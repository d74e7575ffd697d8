"""Which representation is preferred, and what a `Content-Type` says."""

import pytest

from app.web.accept import media_type, preferred

JSON, EDIFACT = "application/json", "application/edifact"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("*;q=.2", JSON),
        ("application/*", JSON),
        ("Application/JSON", JSON),
        ("application/json;version=1", JSON),
        ("text/html, application/xhtml+xml, */*;q=0.8", JSON),
        ("application/edifact, application/json;q=0.5", EDIFACT),
        ("application/edifact;q=0.4, application/json;q=0.5", JSON),
        ("application/json, application/edifact", JSON),
        ("application/edifact, application/json", EDIFACT),
        ("application/edifact, */*", EDIFACT),
        ("application/edifact;q=0.9, */*;q=0.8", EDIFACT),
        ("application/json;q=0, */*", EDIFACT),
        ("application/json;q=0, application/*", EDIFACT),
        ("*/*, application/*;q=0", None),
        ("application/json;q=0", None),
        ("application/json;q=0.000", None),
        ("text/html", None),
        ("text/*, image/*", None),
        ("application/json;q=2", None),
        ("json", None),
    ],
)
def test_the_preferred_one_is_chosen(accept: str, chosen: str | None) -> None:
    assert preferred(accept, (JSON, EDIFACT)) == chosen


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("application/json", (JSON, None)),
        ('Application/Json ; Charset="UTF-8"', (JSON, "utf-8")),
        ("application/edifact;x=1;charset=latin1", (EDIFACT, "latin1")),
        ("", ("", None)),
    ],
)
def test_a_content_type_is_read(said: str, read: tuple[str, str | None]) -> None:
    assert media_type(said) == read
