"""Rows are locked without their keys: rows that only refer to them can be stored meanwhile (decision 0081)."""

import re
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"
_LOCK = re.compile(r"with_for_update\(([^)]*)\)")


def excluding(text: str) -> list[str]:
    """Returns the locks that exclude rows that refer to the locked ones; those for reading do not."""
    return [
        found[0]
        for found in _LOCK.finditer(text)
        if not {"key_share=True", "read=True"} & set(found[1].split(", "))
    ]


def test_no_lock_excludes_rows_that_refer_to_the_locked_ones() -> None:
    assert {
        str(path.relative_to(APP)): found
        for path in APP.rglob("*.py")
        if (found := excluding(path.read_text(encoding="utf-8")))
    } == {}


def test_such_a_lock_would_be_found() -> None:
    assert excluding("a.with_for_update()") == ["with_for_update()"]
    assert excluding("a.with_for_update(skip_locked=True)") == ["with_for_update(skip_locked=True)"]
    assert excluding("a.with_for_update(key_share=True, of=b)") == []
