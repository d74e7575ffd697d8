"""UN/EDIFACT's syntax, as senders write it: whatever comes, it is segments or a refusal that says where."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.border.manifests.edifact import (
    LONGEST_SEGMENT,
    Segment,
    Separators,
    Unreadable,
    decode,
    segments,
    write,
)

HEADER = "UNB+UNOA:4+A+B+261123:0300+1'"


def taken(text: str | bytes) -> list[Segment]:
    return list(segments(decode(text if isinstance(text, bytes) else text.encode())))


def tags(text: str | bytes) -> list[str]:
    return [segment.tag for segment in taken(text)]


def test_elements_and_components_stand_where_they_stood() -> None:
    unb, nad = taken(HEADER + "NAD+FL+++DOE:JOHN::M'")
    assert unb.get(0) == "UNOA"
    assert unb.get(3, 1) == "0300"
    assert nad.elements == (("FL",), ("",), ("",), ("DOE", "JOHN", "", "M"))
    assert (nad.get(3, 1), nad.get(3, 9), nad.get(9)) == ("JOHN", "", "")


def test_a_released_character_separates_nothing() -> None:
    _, nad = taken(HEADER + "NAD+FL+++O?'NEILL?+:J?:R?:??'")
    assert nad.get(3) == "O'NEILL+"
    assert nad.get(3, 1) == "J:R:?"


def test_a_service_string_names_other_separators() -> None:
    text = "UNA*|,! ~UNB|UNOA*4|A|B|261123*0300|1~NAD|FL|||D!|E*JOHN~"
    assert taken(text)[1].elements == (("FL",), ("",), ("",), ("D|E", "JOHN"))


def test_without_a_service_string_the_separators_are_read_off_the_header() -> None:
    text = 'UNB+UNOA:4+A+B+261123:0300+1++IAPI"\nUNG+PAXLST+A+B+261123:0300+1+UN+D:05B"\nUNH+1+PAXLST:D"\n'
    assert tags(text) == ["UNB", "UNG", "UNH"]
    assert decode(text.encode()).separators == Separators(terminator='"')


def test_a_message_alone_needs_no_interchange() -> None:
    assert tags("UNH*1*PAXLST*D~BGM*745~") == ["UNH", "BGM"]


def test_segments_may_be_lines() -> None:
    text = "UNB+UNOA:4+A+B+261123:0300+1++\r\nUNH+1+PAXLST:D:05B:UN\r\nBGM+745\r\n"
    assert tags(text) == ["UNB", "UNH", "BGM"]


def test_a_service_string_that_is_not_kept_to_is_set_aside() -> None:
    text = "UNA:*.? '" + HEADER + "UNH+1+PAXLST:D'"
    assert decode(text.encode()).contradicted
    assert tags(text) == ["UNB", "UNH"]


def test_line_breaks_stand_anywhere_also_in_a_tag() -> None:
    text = "UNA:+.? '" + HEADER + "UNG+PAXLST+A'U\r\nNH+PAX0\n01+PAXLST:D'\n  BGM+745'"
    assert tags(text) == ["UNB", "UNG", "UNH", "BGM"]
    assert taken(text)[2].get(0) == "PAX001"


def test_a_telex_has_text_before_and_behind() -> None:
    text = (
        "QD CGKGA\r\n.HDQCRA9 130631\r\nUNA:+.? '" + HEADER + "UNZ+1+1'\r\nEmail secured by UN Antivirus\r\n"
    )
    assert tags(text) == ["UNB", "UNZ"]


@pytest.mark.parametrize(
    ("written", "charset"),
    [("MÜLLER", "utf-8"), ("MÜLLER", "latin-1"), ("ИВАНОВ", "utf-8"), ("ИВАНОВ", "iso8859-5")],
)
def test_names_are_read_in_the_character_set_that_they_are_in(written: str, charset: str) -> None:
    syntax = "UNOE" if charset == "iso8859-5" else "UNOC"
    text = f"UNB+{syntax}:4+A+B+261123:0300+1'NAD+FL+++{written}'"
    assert taken(text.encode(charset))[1].get(3) == written


def test_another_interchange_is_not_passed_over() -> None:
    with pytest.raises(Unreadable) as refused:
        taken(HEADER + "UNZ+1+1'" + HEADER)
    assert refused.value.code == "several_interchanges"


def test_a_segment_without_an_end_is_no_segment() -> None:
    with pytest.raises(Unreadable) as refused:
        taken(HEADER + "NAD+FL+++" + "A" * LONGEST_SEGMENT)
    assert (refused.value.code, refused.value.segment, refused.value.tag) == ("segment_too_long", 2, "NAD")


@pytest.mark.parametrize(
    ("flood", "code"),
    [
        ("'" * 100_000, "too_many_segments"),
        ("A'" * 100_000, "too_many_segments"),
        ("FTX" + "+" * 3_000 + "'", "segment_too_long"),
        ("FTX" + "?" * 100_000, "segment_too_long"),
    ],
)
def test_a_flood_is_refused_where_it_begins(flood: str, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        taken(HEADER + flood)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "sent", [b"", b"hello", b"UNA", b"UNB", b"{}", b"\x00\xff\xfe", b"U\x00N\x00B\x00+\x00"]
)
def test_what_is_no_interchange_is_refused(sent: bytes) -> None:
    with pytest.raises(Unreadable) as refused:
        taken(sent)
    assert refused.value.code == "no_interchange"


@given(st.binary(max_size=300), st.integers(0, 60))
def test_whatever_comes_is_taken_or_refused(noise: bytes, at: int) -> None:
    whole = (HEADER + "UNH+1+PAXLST:D:05B:UN'NAD+FL+++O?'NEILL:J'UNZ+1+1'").encode()
    for sent in (noise, whole[:at] + noise + whole[at:]):
        with suppress(Unreadable):
            assert all(segment.number for segment in taken(sent))


TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)


@given(st.lists(st.lists(st.tuples(TEXTS, TEXTS), max_size=4), max_size=6))
def test_what_is_written_is_read_back(rows: list[list[tuple[str, str]]]) -> None:
    sent = write([("UNB", ("UNOA", "4")), *(("FTX", "AAA", *row) for row in rows)], "ascii")
    read = taken(sent)[1:]
    assert len(read) == len(rows)
    for segment, row in zip(read, rows, strict=True):
        assert [(segment.get(at, 0), segment.get(at, 1)) for at in range(1, len(row) + 1)] == row


def test_what_a_character_set_has_no_place_for_becomes_a_question_mark_and_releases_nothing() -> None:
    sent = write([("UNB", ("UNOA", "4")), ("FTX", "AAA", "Ü", "X")], "ascii")
    assert taken(sent)[1].elements == (("AAA",), ("?",), ("X",))
