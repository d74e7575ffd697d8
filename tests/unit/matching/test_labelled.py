"""Labelled files read, and refused with the line that is wrong."""

from pathlib import Path

import pytest

from app.identity.births import Birth
from app.matching.labelled import NotLabelled, births_of, kind_of, read_list, read_pairs, read_queries


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "some set.csv"


def test_pairs_need_only_names_and_label(file: Path):
    file.write_text("name_query,name_entry,label\nBudi,Boedi,1\nBudi,Agus,0\n", encoding="utf-8")
    first, second = read_pairs(file)
    assert (first.set, first.category, first.same, second.same) == ("some set", "", True, False)


def test_pairs_may_say_set_category_and_births(file: Path):
    file.write_text(
        "set,name_query,name_entry,label,category,dob_query,dob_entry\nidn,Budi,Boedi,1,typo,1970-05-17,19700532\n",
        encoding="utf-8-sig",
    )
    (pair,) = read_pairs(file)
    assert (pair.set, pair.category) == ("idn", "typo")
    assert pair.queried_births == (Birth(date="1970-05-17"),)
    assert pair.listed_births == (Birth(date="1970-05"),)


def test_name_fields_of_zones_lose_their_fillers_and_tell_whether_they_are_full(file: Path):
    file.write_text(
        "mrz_name_field,name_entry,label\nSANTOSO<<BUDI<<<<,Budi Santoso,1\nSANTOSO<<BUDI<WIBO,Budi Santoso,1\n",
        encoding="utf-8",
    )
    assert kind_of(file) == "mrz_pairs"
    assert [(pair.queried.split(), pair.cut) for pair in read_pairs(file)] == [
        (["SANTOSO", "BUDI"], False),
        (["SANTOSO", "BUDI", "WIBO"], True),
    ]


def test_queries_and_their_list(file: Path, tmp_path: Path):
    file.write_text("set,name,dob,expected_id,mode\nidn,Budi,1970,e1,exclude_alias\n", encoding="utf-8")
    (query,) = read_queries(file)
    assert (query.expected, query.without_own, query.births) == ("e1", True, (Birth(date="1970"),))
    entries = tmp_path / "list.ndjson"
    entries.write_text(
        '{"id": "e1", "names": ["Budi"], "dob": ["1970", ""], "more": 1}\n\n{"id": "e2", "names": []}\n'
    )
    one, two = read_list(entries)
    assert (one.names, one.births, two.births) == (("Budi",), (Birth(date="1970"),), ())


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1970", "1970"),
        ("1970-05", "1970-05"),
        ("19700517", "1970-05-17"),
        (" 1970-05-17 ", "1970-05-17"),
        ("1970-02-30", "1970-02"),
        ("19700096", "1970"),
        ("", None),
        ("0000", None),
        ("17/05/1970", None),
        ("unknown", None),
    ],
)
def test_dates_keep_what_can_be_true_of_them(written: str, read: str | None):
    assert births_of(written) == ((Birth(date=read),) if read else ())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"a,b\n1,2\n", "must name these columns"),
        (b"name_query,name_entry,label\nBudi,Boedi,maybe\n", "line 2: label must be 1"),
        (b"name_query,name_entry,label\nBudi,Boedi\n", "line 2 has not as many columns"),
        (b"name_query,name_entry,label\nBudi,Boedi,1,2\n", "line 2 has not as many columns"),
        (b'name_query,name_entry,label\n"Budi,Boedi,1\n', "after line 1: unexpected end of data"),
        (b"name_query,name_entry,label\n\xff,Boedi,1\n", "not UTF-8 at byte 28"),
    ],
)
def test_a_malformed_file_is_refused_with_its_line(file: Path, content: bytes, said: str):
    file.write_bytes(content)
    with pytest.raises(NotLabelled, match=said):
        read_pairs(file)


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"id": "e1"}', '{"id": "e1", "names": "Budi"}', "null", "[" * 10_000]
)
def test_a_malformed_list_is_refused_with_its_line(tmp_path: Path, line: str):
    entries = tmp_path / "list.ndjson"
    entries.write_text('{"id": "e0", "names": ["Budi"]}\n' + line)
    with pytest.raises(NotLabelled, match="line 2 must be a JSON object"):
        read_list(entries)
