"""A path of ours that a problem or the program names is one that is served."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.web.catalogue import CATALOGUE
from tests.support.contract import served, unserved

ROOT = Path(__file__).resolve().parents[2]


def _texts(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module, with a word in place of what is only known when it runs."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {id(value) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for value in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, "".join(_part(part) for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.lineno, node.value


def _part(part: ast.expr) -> str:
    return str(part.value) if isinstance(part, ast.Constant) else "{}"


def test_no_page_of_a_problem_names_a_path_that_is_not_served() -> None:
    said = [
        f"{kind.type} {kind.title} {kind.title_id} {kind.cause} {kind.remedy}" for kind in CATALOGUE.values()
    ]
    assert unserved(" ".join(said)) == []


def test_no_text_of_the_program_names_a_path_that_is_not_served() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}: {named}"
        for path in sorted((ROOT / "app").rglob("*.py"))
        for line, text in _texts(path)
        for named in unserved(text)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "path", ["/v1/snapshots", "/v1/entries/ent_1/picture", "/problems/none", "/v2/entries"]
)
def test_a_path_that_is_not_served_would_be_seen(path: str) -> None:
    assert unserved(f"Read {path}, and go on.") == [path]


def test_what_is_served_is_left_alone() -> None:
    assert served("/v1/entries/ent_1/photo")
    assert unserved("GET /v1/alerts?after=1, /v1/entries/{id}/decisions, /problems/cursor-gone") == []
