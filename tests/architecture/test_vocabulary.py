"""Roles, states and acts are named by their enumerations, not by texts that look like them."""

import ast
from pathlib import Path

from app.access.domain import Role
from app.register.entries.values import State

ROOT = Path(__file__).resolve().parents[2]

ROLES = {role.value for role in Role}
NAMED_OTHERWISE = {"access/domain.py", "casework/papers/words.py", "demo", "cli"}
"""The enumeration itself; words for papers, which are keyed by what an old record may say; callers of the API."""


def texts_in(node: ast.AST) -> set[str]:
    return {
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def sets_of(names: set[str], tree: ast.AST) -> list[str]:
    """Returns the calls of `holds`, and the sets and tuples, that are made of such texts; `Literal` types are none."""
    types = {
        node.slice
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "Literal"
    }
    return [
        ast.unparse(node)
        for node in ast.walk(tree)
        if isinstance(node, ast.Set | ast.Tuple)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "holds")
        if node not in types and (texts := texts_in(node)) and texts <= names
    ]


def test_roles_and_states_are_not_written_as_texts() -> None:
    found = []
    for path in sorted((ROOT / "app").rglob("*.py")):
        name = path.relative_to(ROOT / "app").as_posix()
        if not (name in NAMED_OTHERWISE or name.split("/")[0] in NAMED_OTHERWISE):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            found += [
                f"{name}: {each}"
                for names in (ROLES, {state.value for state in State})
                for each in sets_of(names, tree)
            ]
    assert found == []


def test_a_text_in_place_of_a_role_would_be_found() -> None:
    text = 'actor.holds("auditor"); actor.holds(Role.AUDITOR); {"approver"}; Literal["admin", "auditor"]'
    tree = ast.parse(text)
    assert set(sets_of(ROLES, tree)) == {"actor.holds('auditor')", "{'approver'}"}
