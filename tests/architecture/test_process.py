"""What a process and a request hold is read by typed accessors only."""

import ast
import importlib
import inspect
import typing
from collections.abc import Iterator
from pathlib import Path

from app.alerting.alerts.tail import Tail
from app.alerting.streams.follower import LedgerFollower
from app.ledger.polling import LedgerFollowed
from app.process import Process

ROOT = Path(__file__).resolve().parents[2]

NARROWER = {LedgerFollowed: Tail, LedgerFollower: Tail}
"""Where a wing knows a part by what it needs of it: the ledger stands below what follows it."""


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / "app").rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


def accessors() -> Iterator[tuple[str, str, str]]:
    """Yields each function that reads a part of the process: its module, its name and the part."""
    for module, tree in modules():
        for function in tree.body:
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
                    if text.startswith("scope['app'].state.process."):
                        yield module, function.name, text.rpartition(".")[2]


def test_every_accessor_returns_what_the_process_holds() -> None:
    fields = typing.get_type_hints(Process)
    found = list(accessors())
    assert len(found) > 10
    for module, name, part in found:
        returned = inspect.signature(getattr(importlib.import_module(module), name)).return_annotation
        assert NARROWER.get(returned, returned) == fields[part], f"{module}.{name}"


def test_nobody_else_reads_the_state_of_the_application() -> None:
    reads = [
        f"{module}: {ast.unparse(node)}"
        for module, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith(("app.state", "['app'].state"))
    ]
    assert len(reads) == len(list(accessors())) + 2, (
        reads
    )  # made by main, and its address filled in by the server


def test_nobody_reads_the_untyped_state_of_a_request() -> None:
    reads = [
        module
        for module, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "request.state"
    ]
    # A register's request has a state of its own, and `state_of` gives the typed one.
    assert sorted(reads) == ["app.access.admission.state", "app.register.rectifications.schemas"]
