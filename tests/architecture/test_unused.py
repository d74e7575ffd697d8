"""No code that only tests call: each name of `app/` is used by the program, its migrations or its benchmarks."""

import ast
import importlib
import inspect
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

USERS = ("app", "bench", "migrations")

CALLED_FROM_OUTSIDE = {
    "app.asgi.app": "servers import it by name",
    "app.casework.papers.letter.drawn._Outline.qCurveTo": "HarfBuzz draws glyphs with it",
    "app.casework.papers.letter.drawn._Outline.closePath": "as above",
    "app.conformance.stage._Handler.do_GET": "the library's server calls it",
    "app.register.entries.breadth.Breadth.at_most": "Pydantic reads it for `BreadthOut`",
    "app.register.entries.breadth.Breadth.fewer_than": "as above",
}
"""Names that are used by a library or a server, each with the reason."""

TRANSPARENT = {
    "abstractmethod",
    "asynccontextmanager",
    "cache",
    "cached_property",
    "classmethod",
    "contextmanager",
    "dataclass",
    "lru_cache",
    "overload",
    "override",
    "property",
    "staticmethod",
    "total_ordering",
    "unique",
}
"""Decorators that change what they decorate; any other registers it with a caller, such as a router."""


@dataclass(frozen=True)
class Definition:
    """A name that a module, or a class of it, defines.

    Attributes:
        module: where.
        owner: the class; empty for a name of the module.
        name: the name.
        inside: how often its own definition mentions it.
    """

    module: str
    owner: str
    name: str
    inside: int

    def __str__(self) -> str:
        return ".".join(filter(None, (self.module, self.owner, self.name)))


def decorator(node: ast.expr) -> str:
    """Returns the last part of a decorator's name: `property` of `@property`, `get` of `@router.get(…)`."""
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class Module:
    """What one module mentions.

    Attributes:
        tree: its text.
        names: how often it reads each name by itself, quoted annotations included.
        attributes: the names that it reads of other things.
        foreign: the names that it reads of other modules, each as `module.name`.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.names = names_read(tree)
        self.attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        imported = {
            each.asname or each.name: f"{node.module}.{each.name}" for node in imports for each in node.names
        }
        meant = {name: [module] for name, module in imported.items()} | modules_in_turn(tree, imported)
        self.foreign = set(imported.values()) | {
            f"{module}.{node.attr}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            for module in meant.get(node.value.id, ())
        }


def modules_in_turn(tree: ast.AST, imported: dict[str, str]) -> dict[str, list[str]]:
    """Returns the modules that a loop's variable is in turn: `for feature in (amendments, objections)`."""
    return {
        node.target.id: [imported[each.id] for each in node.iter.elts if isinstance(each, ast.Name)]
        for node in ast.walk(tree)
        if isinstance(node, ast.For)
        and isinstance(node.target, ast.Name)
        and isinstance(node.iter, ast.Tuple)
        and all(isinstance(each, ast.Name) and each.id in imported for each in node.iter.elts)
    }


def names_read(tree: ast.AST) -> Counter[str]:
    """Returns how often each name is read by itself, also inside a quoted annotation."""
    return Counter(
        node.id if isinstance(node, ast.Name) else str(node.value)
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.isidentifier())
    )


def definitions(module: str, tree: ast.Module) -> Iterator[Definition]:
    """Yields the functions, classes and constants of a module, and the methods of its classes."""
    for node in tree.body:
        yield from named(module, "", node)
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield from named(module, node.name, member)


def named(module: str, owner: str, node: ast.stmt) -> Iterator[Definition]:
    """Yields what one statement defines."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        if all(decorator(each) in TRANSPARENT for each in node.decorator_list):
            yield Definition(module, owner, node.name, names_read(node)[node.name])
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            for each in ast.walk(target):
                if isinstance(each, ast.Name):
                    yield Definition(module, owner, each.id, 0)


def overrides(definition: Definition) -> bool:
    """Whether a method takes the place of one of a base class, which calls it."""
    cls = getattr(importlib.import_module(definition.module), definition.owner, object)
    return any(definition.name in vars(base) for base in inspect.getmro(cls)[1:])


def unused(modules: dict[str, Module]) -> list[str]:
    """Returns the names of `app` that are mentioned nowhere but in their own definition."""
    foreign = {name for module in modules.values() for name in module.foreign}
    attributes = {name for module in modules.values() for name in module.attributes}

    def is_used(each: Definition) -> bool:
        if each.owner:
            return each.name in attributes or overrides(each)
        return str(each) in foreign or modules[each.module].names[each.name] > each.inside

    return [
        str(each)
        for name, module in modules.items()
        if name.startswith("app")
        for each in definitions(name, module.tree)
        if not each.name.startswith("__") and not is_used(each)
    ]


def parsed() -> dict[str, Module]:
    """Returns all modules of the program by their dotted names."""
    paths = [path for user in USERS for path in sorted((ROOT / user).rglob("*.py"))]
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    return {
        name.removesuffix(".__init__"): Module(ast.parse(path.read_text("utf-8")))
        for path, name in names.items()
    }


def test_every_name_is_used_by_the_program() -> None:
    assert sorted(unused(parsed())) == sorted(CALLED_FROM_OUTSIDE)


def test_a_name_that_only_its_own_definition_mentions_would_be_found() -> None:
    text = """
        LEFT = 1
        USED = 2

        def again():
            return again()

        class Deadline:
            def passed(self):
                return USED

            @property
            def last_day(self):
                return self.passed()

            def __eq__(self, other):
                return True
    """
    user = "from app.actor import Deadline\n\nlast_day = Deadline()\nprint(last_day)"
    modules = {"app.actor": text, "app.errors": user, "bench.user": "from app import actor\n\nactor.LEFTOVER"}
    found = unused({name: Module(ast.parse(textwrap.dedent(text))) for name, text in modules.items()})
    assert found == ["app.actor.LEFT", "app.actor.again", "app.actor.Deadline.last_day"]
