"""Four eyes are judged in one place: `is_another_person`."""

import ast
from pathlib import Path

from app.actor import Actor, is_another_person

ROOT = Path(__file__).resolve().parents[2]

OTHER_RULES = {
    "access/pending/store.py",
    "alerting/notices/tail.py",
    "register/entries/seals.py",
    "register/entries/visibility.py",
    "sync/feed/domain.py",
}
"""Where an actor's number is compared for what they may see or still do: a seal, a suspension of all their accounts."""


def compared(path: Path) -> list[int]:
    """Returns the lines in which the number of an actor is compared with something but None."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Compare) and not isinstance(node.ops[0], ast.Is | ast.IsNot)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Attribute)
        and side.attr == "person"
        and ast.unparse(side.value).rpartition(".")[2] in {"actor", "by"}
    ]


def test_nobody_else_compares_the_persons_who_act() -> None:
    app = ROOT / "app"
    found = {path.relative_to(app).as_posix() for path in app.rglob("*.py") if compared(path)}
    assert found == {*OTHER_RULES, "actor.py"}


def test_a_machine_is_nobodys_second_pair_of_eyes() -> None:
    machine = Actor("cli_1", None, frozenset())
    assert not is_another_person(machine, "198001012005011001")
    assert not is_another_person(machine)


def test_another_person_is_none_of_those_who_acted() -> None:
    officer = Actor("cli_2", "198001012005011001", frozenset())
    assert is_another_person(officer, None, "198502022008022002")
    assert not is_another_person(officer, None, "198502022008022002", officer.person)
