"""Reading the lines of an older register, whatever the file looks like."""

import io
from pathlib import Path

import pytest

from app.register.lists import takeover_lines
from app.register.lists.takeover_lines import LONGEST_LINE, lines_of, steps_of

KEYED = b'{"agency": "KPK", "reference": "old-%d", "entry": {}}'


def file_of(*lines: bytes, end: bytes = b"\n") -> io.BytesIO:
    return io.BytesIO(b"".join(line + end for line in lines))


def test_a_line_knows_its_number_and_its_key():
    first, second = lines_of(file_of(KEYED % 1, b"", b'{"reference": "x"}'))
    assert (first.number, first.key, first.name) == (1, ("takeover:KPK", "old-1"), "old-1")
    assert (second.number, second.head, second.name) == (3, None, "line 3")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_end_of_a_line_does_not_count(end: bytes):
    (line,) = lines_of(file_of(KEYED % 1, end=end))
    assert line.text == KEYED % 1


def test_a_key_is_found_whatever_stands_around_it():
    (line,) = lines_of(
        file_of(b'{"reference": " old-1 ", "entry": [1, {"agency": "POLRI"}], "agency": "KPK"}')
    )
    assert line.key == ("takeover:KPK", "old-1")


@pytest.mark.parametrize(
    "text", [b"[1]", b'"x"', b"{", b"\xff\xfe", b'{"agency": "K\\u0000", "reference": "x"}', b'{"agency": 1}']
)
def test_what_has_no_key_that_could_be_looked_up_has_none(text: bytes):
    (line,) = lines_of(file_of(text))
    assert line.head is None


@pytest.mark.parametrize("surplus", [0, 1, LONGEST_LINE, LONGEST_LINE + 7])
def test_a_line_of_the_longest_length_and_beyond_is_passed_over(surplus: int):
    lines = list(lines_of(file_of(KEYED % 1, b"x" * (LONGEST_LINE + surplus), KEYED % 3)))
    assert [(line.number, bool(line.text)) for line in lines] == [(1, True), (2, False), (3, True)]


def test_steps_hold_so_many_lines_and_no_key_twice():
    file = file_of(*(KEYED % n for n in (1, 2, 3, 4, 4, 5)))
    assert [[line.number for line in step] for step in steps_of(file, lambda: 3)] == [[1, 2, 3], [4], [5, 6]]


def test_steps_hold_so_many_bytes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(takeover_lines, "STEP_BYTES", 120)
    file = file_of(*(KEYED % n for n in range(4)))
    assert [len(step) for step in steps_of(file, lambda: 100)] == [2, 2]


def test_a_file_without_lines_has_no_steps(tmp_path: Path):
    path = tmp_path / "empty"
    path.touch()
    with path.open("rb") as file:
        assert list(steps_of(file, lambda: 100)) == []
