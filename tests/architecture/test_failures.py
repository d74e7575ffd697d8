"""The table "What may fail" of docs/operation.md: failures and tests belong together, alarms exist."""

import re
from collections import Counter

import yaml

from tests.architecture.test_documents import ROOT, read, rows

PAGE = ROOT / "docs" / "operation.md"
RULES = ROOT / "docs" / "deploy" / "prometheus-rules.yml"

_TEST = re.compile(r"\[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\)")
_DEFINED = re.compile(r"^(?:async )?def (test_\w+)\(", re.MULTILINE)


def failures() -> list[list[str]]:
    """The rows of the table, without its head."""
    found = [row for row in rows(PAGE) if len(row) == 5]
    head = next(at for at, row in enumerate(found) if row[0] == "failure")
    return [row for row in found[head + 1 :] if _TEST.search(row[4])]


def test_every_failure_has_a_test_that_exists() -> None:
    """The whole table is seen: none of its rows has a cell too many, or a test that is no link."""
    part = read(PAGE).partition("## What may fail\n")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    assert len(failures()) == len(lines) - 1
    missing = [
        (failure, name)
        for failure, *_, tests in failures()
        for name, path in _TEST.findall(tests)
        if name not in _DEFINED.findall(read(ROOT / path))
    ]
    assert missing == []


def test_every_test_of_the_table_has_its_row() -> None:
    listed = Counter(name for *_, tests in failures() for name, _ in _TEST.findall(tests))
    assert [name for name, times in listed.items() if times > 1] == []
    files = sorted((ROOT / "tests" / "workflows").glob("test_failure_table*.py"))
    written = [name for path in files for name in _DEFINED.findall(read(path))]
    assert written
    assert [name for name in written if name not in listed] == []


def test_every_alarm_of_the_table_is_raised() -> None:
    groups = yaml.safe_load(read(RULES))["groups"]
    raised = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    named = {name for row in failures() for name in re.findall(r"`(Cekal\w+)`", row[3])}
    assert named
    assert named <= raised
