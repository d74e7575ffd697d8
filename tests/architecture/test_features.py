"""No feature imports the store, tables, routes or schemas of another, but for those named here.

What a feature offers to others are its service, its rules, its events, and what is named for that: `schemas_out` and
`person_schemas` of entries are the shapes in which every answer shows an entry or a person.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

WINGS = {"alerting", "border", "casework", "maintenance", "register", "sync"}
"""Packages of features; access and the ledger are one feature each."""

OWN = {"store", "tables", "routes", "schemas"}

READING_MODELS = {
    "alerting.alerts.presence": {"access.tables"},
    "alerting.alerts.store": {"access.tables", "ledger.tables", "register.entries.tables"},
    "alerting.hours.store": {"access.tables"},
    "alerting.escalation.drill_store": {"access.tables", "alerting.alerts.tables"},
    "alerting.escalation.page_store": {"alerting.alerts.tables"},
    "alerting.escalation.store": {"access.tables", "alerting.alerts.tables"},
    "alerting.notices.granted": {
        "register.amendments.tables",
        "register.entries.store",
        "register.entries.tables",
        "register.objections.tables",
    },
    "alerting.notices.store": {
        "register.amendments.tables",
        "register.entries.store",
        "register.entries.tables",
        "register.objections.tables",
        "register.rectifications.tables",
    },
    "border.breadth.store": {"border.checks.store", "border.checks.tables"},
    "border.checks.store": {"access.tables", "ledger.tables", "register.entries.tables"},
    "border.lookbacks.store": {"register.entries.tables"},
    "casework.papers.store": {
        "access.tables",
        "alerting.alerts.tables",
        "alerting.notices.tables",
        "border.checks.tables",
        "border.clearances.tables",
        "border.hits.tables",
        "register.amendments.tables",
        "register.entries.tables",
        "register.objections.tables",
        "register.rectifications.tables",
        "register.supervision.tables",
    },
    "casework.statistics.store": {
        "access.tables",
        "alerting.alerts.tables",
        "border.checks.tables",
        "border.hits.tables",
        "register.departures.tables",
        "register.entries.tables",
        "register.rectifications.tables",
    },
    "casework.worklist.store": {
        "register.amendments.tables",
        "register.entries.store",
        "register.entries.tables",
    },
    "register.amendments.store": {"register.entries.store", "register.entries.tables"},
    "sync.querylog.store": {
        "access.tables",
        "alerting.alerts.tables",
        "border.checks.tables",
        "register.entries.tables",
    },
    "sync.webhooks.queue": {"access.tables"},
}
"""Statements that join rows of several features; they write rows of their own feature only."""

ACTS_ON_ENTRIES = {
    "alerting.alerts.service": {"register.entries.store"},
    "alerting.coverage.service": {"register.entries.store"},
    "alerting.notices.rounds": {"register.entries.store", "register.entries.duties.store"},
    "border.checks.service": {"register.entries.store"},
    "border.clearances.service": {"register.entries.store"},
    "border.hits.service": {"register.entries.store"},
    "border.lookbacks.service": {"register.entries.store"},
    "border.manifests.affected": {"register.entries.store"},
    "casework.papers.evidence.case": {"register.entries.store"},
    "casework.papers.evidence.file": {"register.entries.blob_store"},
    "casework.papers.service": {"register.entries.store", "register.entries.blob_store"},
    "casework.retention.service": {"register.entries.store", "register.entries.erasure_store"},
    "casework.statistics.counting": {"register.entries.store", "register.entries.duties.store"},
    "casework.worklist.service": {"register.entries.store"},
    "register.amendments.arrivals": {"register.entries.duties.store"},
    "register.amendments.endings": {"register.entries.store"},
    "register.amendments.judging": {"register.entries.store"},
    "register.amendments.sealing": {"register.entries.store"},
    "register.amendments.service": {"register.entries.store", "register.entries.blob_store"},
    "register.objections.service": {"register.entries.store"},
    "register.rectifications.service": {"register.entries.store"},
    "register.supervision.service": {"register.entries.store"},
}
"""Use cases about entries: they find, lock and save them as their store does it, and a service between would only
repeat each of its functions."""

OTHERS = {
    ("border.hits.creation", "border.checks.hit_store"): "takes over the hits that checks have opened",
    ("border.hits.creation", "border.checks.store"): "as above: reads the checks that have opened them",
    ("border.hits.crossings", "border.checks.store"): "reads a person's passages, which are checks",
    ("border.hits.schemas", "border.checks.schemas"): "shows the check of a hit as it was answered",
    ("border.hits.service", "border.checks.store"): "reads the check of a hit",
    ("border.hits.verification", "access.tables"): "compares resolutions with the audit trail",
    (
        "border.hits.verification",
        "border.checks.hit_store",
    ): "looks for hits that checks have opened and that are gone",
    (
        "border.hits.verification",
        "border.checks.store",
    ): "compares hits with the checks that have opened them",
    (
        "alerting.escalation.store",
        "alerting.alerts.overdue_store",
    ): "chases the alerts of which officers are notified, by one condition",
    ("alerting.escalation.page_store", "alerting.alerts.overdue_store"): "as above",
    ("border.lookbacks.service", "border.checks.store"): "searches past checks",
    (
        "border.manifests.joining",
        "border.checks.hit_store",
    ): "a passenger's hit is the one that their check opened",
    ("border.manifests.routes", "access.places.store"): "a pure read of all places",
    ("border.manifests.schemas", "border.checks.schemas"): "a row of a manifest is the question of a check",
    ("border.manifests.service", "border.checks.store"): "keeps the answers that its checks gave",
    ("border.manifests.watch", "border.checks.store"): "as above",
    ("register.entries.duties.verification", "access.tables"): "compares duties with the audit trail",
    ("casework.worklist.schemas", "border.checks.store"): "shows when a person was last seen by a check",
    ("casework.worklist.service", "border.checks.store"): "as above",
    ("casework.worklist.service", "register.amendments.store"): "a pure read of amendments by their ids",
    ("maintenance.backups.epochs", "access.store"): "no key may be remembered from before a restore",
    (
        "maintenance.backups.restoring",
        "border.checks.tables",
    ): "counts the checks that a restore has brought back",
    ("register.amendments.routes", "register.entries.schemas"): "a decision has the same body as an entry's",
    ("register.amendments.schemas", "register.entries.schemas"): "a correction has an entry's parts",
    ("sync.webhooks.rendering", "alerting.alerts.store"): "shows an alert as it holds at the time of sending",
    ("register.lists.takeover", "register.entries.schemas"): "a line of a takeover is the body of an entry",
}
"""Single imports, each with the reason."""


def feature_of(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] in WINGS:
        return ".".join(parts[:2]) if len(parts) > 2 else None
    return parts[0] if parts[0] in {"access", "ledger"} else None


def imports() -> Iterator[tuple[str, str]]:
    """Yields each import of one module of `app` by another, by their names below `app`."""
    paths = {
        ".".join(path.relative_to(ROOT / "app").with_suffix("").parts): path
        for path in sorted((ROOT / "app").rglob("*.py"))
    }
    for module, path in paths.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("app."):
                base = str(node.module).removeprefix("app.")
                for each in node.names:
                    inner = f"{base}.{each.name}"
                    yield module, inner if inner in paths else base


def is_own(name: str) -> bool:
    """Whether a module of this name is its feature's own; `hit_store` is another store."""
    return name in OWN or name.endswith("_store")


def across() -> set[tuple[str, str]]:
    """Returns the imports of what is another feature's own."""
    return {
        (module, imported)
        for module, imported in imports()
        if feature_of(module) is not None
        and feature_of(imported) not in {None, feature_of(module)}
        and is_own(imported.rpartition(".")[2])
    }


def test_no_feature_imports_what_is_anothers_own() -> None:
    named = {
        (module, imported)
        for group in (READING_MODELS, ACTS_ON_ENTRIES)
        for module, several in group.items()
        for imported in several
    }
    assert across() == named | set(OTHERS)


def test_a_reading_model_is_a_module_of_statements() -> None:
    assert {module.rpartition(".")[2] for module in READING_MODELS} == {
        "drill_store",
        "granted",
        "page_store",
        "presence",
        "queue",
        "store",
    }
