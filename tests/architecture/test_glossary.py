"""The glossary: each word has its place in the code, and each table of the database its word."""

import re
from pathlib import Path

from app.schema import checks_metadata, metadata
from tests.architecture.test_documents import defined, read

ROOT = Path(__file__).resolve().parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"

_QUOTED = re.compile(r"`([^`]+)`")


def rows() -> list[list[str]]:
    """The rows of all tables; a cell may be empty."""
    lines = [line for line in read(GLOSSARY).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def words() -> list[list[str]]:
    """The rows of words: word, Indonesian term, meaning, place, tables."""
    return [row for row in rows() if len(row) == 5 and row[0] != "word"]


def places_missing(place: str) -> list[str]:
    """What a place names that does not exist below app/."""
    path, missing = ROOT, []
    for quoted in _QUOTED.findall(place):
        if "/" in quoted or quoted.endswith(".py"):
            path = ROOT / "app" / quoted
            found = path.exists()
        else:
            found = path.is_file() and defined(quoted, read(path))
        if not found:
            missing.append(quoted)
    return missing


def test_every_word_has_a_meaning_and_a_place_that_exists():
    assert len(words()) > 70
    wrong = {word: missing for word, _, _, place, _ in words() if (missing := places_missing(place))}
    assert wrong == {}
    assert [word for word, _, meaning, place, _ in words() if not meaning or not _QUOTED.search(place)] == []


def test_no_word_is_defined_twice():
    said = [word for word, *_ in words()]
    assert len(said) == len(set(said))


def test_every_table_of_the_database_belongs_to_a_word():
    named = [table for *_, tables in words() for table in _QUOTED.findall(tables)]
    assert sorted(named) == sorted({*metadata.tables, *checks_metadata.tables})


def test_every_verb_is_used_by_the_code():
    code = "\n".join(read(path) for path in (ROOT / "app").rglob("*.py"))
    examples = [_QUOTED.findall(row[2])[0] for row in rows() if len(row) == 3 and row[0] != "verb"]
    assert len(examples) > 5
    assert [name for name in examples if not re.search(rf"\bdef {name}\b", code)] == []


def test_a_place_that_does_not_exist_would_be_seen():
    assert places_missing("`register/entries/domain.py` `Entry.decides`") == ["Entry.decides"]
    assert places_missing("`register/entries/nowhere.py`") == ["register/entries/nowhere.py"]
