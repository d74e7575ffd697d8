"""What the documents say of the code: links lead somewhere, named places exist, the map of the code is whole."""

import re
from pathlib import Path

import pytest

from app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = ROOT / "docs" / "decisions"

_LINK = re.compile(r"\]\((?!https?://)([^)#]+)")
FOR_COMMANDS = {"PAGE_ADDRESS", "PAGE_DRILL", "PAGE_ID"}
"""Variables that the service sets for a command that it starts; no settings."""

_SETTING = re.compile(r"\bCEKAL_([A-Z_]+[A-Z])\b(?!…)")
_QUOTED = re.compile(r"`([^`]+)`")


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def rows(path: Path) -> list[list[str]]:
    """The rows of a document's tables, without their heads."""
    lines = [line for line in read(path).splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def defined(name: str, text: str) -> bool:
    """Whether a module defines a function, class or constant; `Entry.decide` is both, a class and its method."""
    return all(
        re.search(rf"^\s*(?:async def |def |class )?{part}\b", text, re.MULTILINE) for part in name.split(".")
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_to_something(document: Path):
    links = _LINK.findall(read(document))
    assert [link for link in links if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_setting_that_is_named_exists(document: Path):
    known = {name.upper() for name in Settings.model_fields} | {"SETTINGS", *FOR_COMMANDS}
    assert set(_SETTING.findall(read(document))) - known == set()


def test_every_rule_lives_where_it_is_said_to():
    missing = []
    for rule, _, _, place in (row for row in rows(ROOT / "docs" / "rules.md") if row[0] != "rule"):
        path = ROOT
        for quoted in _QUOTED.findall(place):
            if "/" in quoted:
                path = ROOT / "app" / quoted
                found = path.exists()
            else:
                found = path.is_file() and defined(quoted, read(path))
            if not found:
                missing.append(f"{rule}: {quoted}")
    assert missing == []


def test_no_rule_is_listed_twice():
    said = [tuple(row[:2]) for row in rows(ROOT / "docs" / "rules.md")]
    assert len(said) == len(set(said))


def test_the_map_of_the_code_is_whole():
    (part,) = re.findall(
        r"^## The code$(.*?)^## ", read(ROOT / "docs" / "architecture.md") + "\n## ", re.MULTILINE | re.DOTALL
    )
    named = {
        name
        for line in part.splitlines()
        if line.startswith("| `")
        for name in _QUOTED.findall(line.split(" | ")[0])
    }
    there = {f"{path.name}/" for path in (ROOT / "app").iterdir() if (path / "__init__.py").is_file()}
    there |= {path.name for path in (ROOT / "app").glob("*.py") if path.name != "__init__.py"}
    assert named == there


def test_every_decision_is_listed_under_its_title():
    listed = re.findall(
        r"^\| \[(\d{4})\]\(([^)]+)\) \| (.+) \|$", read(DECISIONS / "README.md"), re.MULTILINE
    )
    titles = {path.name: read(path).splitlines()[0] for path in DECISIONS.glob("0*.md")}
    assert {name: f"# {number} {title}" for number, name, title in listed} == titles


def test_every_decision_says_its_date_and_status():
    form = re.compile(r"\A# \d{4} .+\n\n20\d\d-\d\d-\d\d, (?:proposed|accepted|replaced)\b.*\.\n\n")
    assert [path.name for path in DECISIONS.glob("0*.md") if not form.match(read(path))] == []
