"""What is cited exists: sections of docs/api.md, rules of docs/rules.md, facts and incidents of docs/sources.md."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.test_files import texts

ROOT = Path(__file__).resolve().parents[2]

_SECTIONS = re.compile(r'API sections? (\d+)(?:(?: and | to |, )(\d+))?(?:, "([^"]+)")?', re.IGNORECASE)
_RULE = re.compile(r"\bR(\d{1,2})\b(?:(?: to |-)R(\d{1,2})\b)?")
_FACT = re.compile(r"\b(F\d\.\d{1,2}|I\d{1,2})\b")
_THIS = "tests/architecture/test_citations.py"
_OURS = ("app/", "bench/", "docs/", "migrations/", "tests/")


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def cited() -> Iterator[tuple[str, str]]:
    """Texts that may cite, joined where a line ends between two words of a citation."""
    for name, text in texts():
        if name != _THIS and name.startswith(_OURS) and name.endswith((".py", ".md", ".toml")):
            yield name, re.sub(r"\s+(?:#\s+)?", " ", text)


def sections() -> dict[int, set[str]]:
    """The numbered sections of the API's description, and the headings in each."""
    parts = re.split(r"^## (\d)\. .*$", read("api.md"), flags=re.MULTILINE)[1:]
    return {
        int(number): set(re.findall(r"^### (.+)$", text, re.MULTILINE))
        for number, text in zip(parts[::2], parts[1::2], strict=True)
    }


def unknown_sections(text: str) -> list[str]:
    """Citations of sections, or of headings in them, that are not there."""
    known, wrong = sections(), []
    for found in _SECTIONS.finditer(text):
        first, last, heading = found.groups()
        numbers = [int(number) for number in (first, last) if number]
        there = set(known) >= set(numbers)
        if not there or (heading and not any(heading in known[number] for number in numbers)):
            wrong.append(found[0])
    return wrong


def rules() -> set[int]:
    """The numbers in the first column of docs/rules.md."""
    cells = re.findall(r"^\| ([^|]+) \|", read("rules.md"), re.MULTILINE)
    return {number for cell in cells for number in numbers_of(cell)}


def numbers_of(text: str) -> Iterator[int]:
    for first, last in _RULE.findall(text):
        yield from range(int(first), int(last or first) + 1)


def facts() -> set[str]:
    """What docs/sources.md has a row for."""
    known: set[str] = set()
    for cell in re.findall(r"^\| ([FI][\d.FI-]+) \|", read("sources.md"), re.MULTILINE):
        first, _, last = cell.partition("-")
        known.add(first)
        if last:
            head, start = first.split(".")
            known |= {f"{head}.{number}" for number in range(int(start), int(last.split(".")[1]) + 1)}
    return known


def test_the_api_has_sections_one_to_eight():
    assert sorted(sections()) == list(range(1, 9))


def test_each_section_that_is_cited_exists():
    found = {name: wrong for name, text in cited() if (wrong := unknown_sections(text))}
    assert found == {}


def test_sections_are_cited_all_over_the_code():
    names = [name for name, text in cited() if _SECTIONS.search(text)]
    assert len([name for name in names if name.startswith("app/")]) > 30
    assert any(found[2] == "What refuses" for _, text in cited() for found in _SECTIONS.findall(text))


@pytest.mark.parametrize("text", ["API section 9", 'API section 4, "What refuses"', "API sections 3 and 9"])
def test_a_section_that_does_not_exist_would_be_seen(text: str):
    assert unknown_sections(f"as {text} says") == [text]


def test_each_rule_that_is_cited_is_listed():
    known = rules()
    found = {name: wrong for name, text in cited() if (wrong := sorted(set(numbers_of(text)) - known))}
    assert found == {}


def test_each_fact_and_incident_that_is_cited_has_a_source():
    known = facts()
    assert len(known) > 20
    found = {name: wrong for name, text in cited() if (wrong := sorted(set(_FACT.findall(text)) - known))}
    assert found == {}


def test_nothing_cites_what_is_not_in_the_repository():
    wrong = re.compile(r"contract,? section|\blaw\.md\b", re.IGNORECASE)
    assert [name for name, text in cited() if wrong.search(text)] == []
