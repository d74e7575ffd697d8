"""Cases: keys by which references are compared, what earlier versions said, judgments, tasks about contradictions."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.db.migrate import REGISTER
from app.db.types import Id, Instant

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_SOME = 500
_CAUSE = "upgrade-0022"
_GROUPS = re.compile(r"\d+|[^\W\d_]+")
_LONGEST = 120
_IDENTITY = ("full_name", "aliases", "birth", "birth_alternatives", "nationalities", "nik", "documents")

_entry = sa.table(
    "entry",
    sa.column("id", Id),
    sa.column("agency", sa.String()),
    sa.column("state", sa.String()),
    sa.column("erased", sa.Integer()),
    sa.column("norm_version", sa.Integer()),
    sa.column("in_force_until", Instant()),
    sa.column("document", sa.Text()),
)
_version = sa.table(
    "entry_version",
    sa.column("entry_id", Id),
    sa.column("version", sa.Integer()),
    sa.column("document", sa.Text()),
)
_key = sa.table("entry_key", sa.column("key", sa.String()), sa.column("entry_id", Id))
_source = sa.table("entry_source", sa.column("origin", sa.String()), sa.column("entry_id", Id))
_amendment = sa.table(
    "amendment",
    sa.column("entry_id", Id),
    sa.column("state", sa.String()),
    sa.column("kind", sa.String()),
    sa.column("document", sa.Text()),
)
_task = sa.table(
    "entry_task",
    sa.column("entry_id", Id),
    sa.column("name", sa.String()),
    sa.column("cause", sa.String()),
    sa.column("agency", sa.String()),
    sa.column("since", Instant()),
)


def upgrade() -> None:
    if REGISTER not in op.get_context().config.attributes["parts"]:
        return
    op.create_table(
        "entry_task",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("agency", sa.String(length=64), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("done_at", Instant(), nullable=True),
        sa.Column("done_by", Id, nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_entry_task_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", "name", "cause", name=op.f("pk_entry_task")),
    )
    waits = sa.text("done_at IS NULL")
    op.create_index(
        "ix_entry_task_name_agency",
        "entry_task",
        ["name", "agency", "since"],
        sqlite_where=waits,
        postgresql_where=waits,
    )
    matters = sa.or_(_key.c.key.like("c:%"), _key.c.key.like("l:%"))
    op.execute(_key.delete().where(matters))
    listed = {
        row.entry_id
        for row in op.get_bind().execute(sa.select(_source.c.origin, _source.c.entry_id))
        if not row.origin.startswith("takeover:")
    }
    for rows in _pages():
        _remember(rows, listed)
    _note_conflicts()


def downgrade() -> None:
    if REGISTER in op.get_context().config.attributes["parts"]:
        op.drop_index("ix_entry_task_name_agency", "entry_task")
        op.drop_table("entry_task")


def _pages() -> Iterator[list[sa.Row[Any]]]:
    """All entries that name a person, some at a time, by id."""
    after = ""
    while True:
        wanted = sa.select(_entry.c.id, _entry.c.agency, _entry.c.document)
        wanted = wanted.where(_entry.c.id > after, _entry.c.erased < 2)  # noqa: PLR2004 - the person's stage
        rows = list(op.get_bind().execute(wanted.order_by(_entry.c.id).limit(_SOME)))
        if not rows:
            return
        yield rows
        after = rows[-1].id


def _remember(rows: list[sa.Row[Any]], listed: set[str]) -> None:
    """Write into each document who wrote any version, what earlier ones said, and which acquittals ended it."""
    connection = op.get_bind()
    ids = [row.id for row in rows]
    versions: dict[str, list[dict[str, Any]]] = {}
    kept = sa.select(_version.c.entry_id, _version.c.document).where(_version.c.entry_id.in_(ids))
    for row in connection.execute(kept.order_by(_version.c.entry_id, _version.c.version)):
        versions.setdefault(row.entry_id, []).append(json.loads(row.document))
    rulings: dict[str, list[dict[str, Any]]] = {}
    approved = sa.select(_amendment.c.entry_id, _amendment.c.document).where(
        _amendment.c.entry_id.in_(ids), _amendment.c.state == "approved", _amendment.c.kind == "acquittal"
    )
    for row in connection.execute(approved):
        judgment = json.loads(row.document).get("judgment")
        if judgment is not None:
            said = {member: judgment[member] for member in ("number", "court", "decided_on", "final_on")}
            rulings.setdefault(row.entry_id, []).append({"kind": "acquittal", **said})
    keys: list[dict[str, str]] = []
    for row in rows:
        entry = json.loads(row.document)
        entry["authors"] = list(
            dict.fromkeys(
                person for each in (*versions.get(row.id, []), entry) for person in each.get("authors", [])
            )
        )
        said_now = _said(entry)
        former = [said for each in versions.get(row.id, []) if (said := _said(each)) != said_now]
        entry["former"] = list({json.dumps(each, sort_keys=True): each for each in former}.values())
        entry["rulings"] = rulings.get(row.id, [])
        entry["from_list"] = row.id in listed
        values: dict[str, Any] = {"document": json.dumps(entry, ensure_ascii=False, separators=(",", ":"))}
        if entry["former"]:
            values["norm_version"] = 0  # the worker makes the keys of the persons that it named before
        connection.execute(_entry.update().where(_entry.c.id == row.id).values(**values))
        found = {key for said in (said_now, *entry["former"]) for key in _matters(row.agency, said)}
        keys += [{"key": key, "entry_id": row.id} for key in sorted(found)]
    if keys:
        connection.execute(_key.insert(), keys)


def _said(entry: dict[str, Any]) -> dict[str, Any]:
    subject, bases = entry["subject"], (entry["basis"], entry.get("extended_by"))
    return {
        "subject": {member: subject[member] for member in _IDENTITY if member in subject},
        "case_reference": entry["basis"]["case_reference"],
        "numbers": [each["number"] for each in bases if each is not None],
    }


def _matters(agency: str, said: dict[str, Any]) -> Iterator[str]:
    case_name = _folded(said["case_reference"])
    if any(each.isdecimal() for each in case_name):
        yield f"c:{agency}:{_short(case_name)}"
    for number in said["numbers"]:
        yield f"l:{agency}:{_short(_folded(number))}"


def _folded(reference: str) -> str:
    plain = unicodedata.normalize("NFKD", reference).casefold()
    kept = "".join(each for each in plain if not unicodedata.combining(each))
    groups: list[str] = []
    for group in _GROUPS.findall(kept):
        if group[0].isdecimal():
            groups.append("".join(str(unicodedata.decimal(digit)) for digit in group).lstrip("0") or "0")
        elif groups and not groups[-1][0].isdecimal():
            groups[-1] += group
        else:
            groups.append(group)
    return " ".join(groups) or "".join(plain.split())


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"#{hashlib.sha256(text.encode()).hexdigest()}"


def _note_conflicts() -> None:
    """List to approvers what contradicts an act of its own case: it is ended by nobody but them.

    An exit ban that holds, or is asked for, after an acquittal; a request that waits after a revocation.
    """
    connection = op.get_bind()
    now = datetime.now(UTC)
    ends = sa.select(_entry.c.id, _entry.c.agency, _entry.c.document).where(_entry.c.state == "ended")
    tasks: dict[str, dict[str, Any]] = {}
    for row in connection.execute(ends).all():
        over = json.loads(row.document)
        acquitted = any(each["kind"] == "acquittal" for each in over.get("rulings", []))
        if not acquitted and over["ended_reason"] != "revoked":
            continue
        for other in _in_case(row.id, row.agency, over):
            if other["measure"] != over["measure"] or not _alike(over["subject"], other["subject"]):
                continue
            pending = other["state"] in {"submitted", "returned", "verified"}
            waits = pending and (acquitted or other["created_at"] < over["ended_at"])
            until = other.get("superseded_from") or other["in_force_until"]
            runs = other["state"] in {"provisional", "active"}
            if waits or (acquitted and runs and (until is None or datetime.fromisoformat(until) > now)):
                tasks[other["id"]] = {
                    "entry_id": other["id"],
                    "name": "case_conflict",
                    "cause": _CAUSE,
                    "agency": "IMIGRASI",
                    "since": now,
                }
    if tasks:
        connection.execute(_task.insert(), list(tasks.values()))


def _in_case(entry_id: str, agency: str, over: dict[str, Any]) -> list[dict[str, Any]]:
    if over.get("from_list"):
        return []
    keys = [key for key in _matters(agency, _said(over)) if key.startswith("c:")]
    wanted = (
        sa.select(_entry.c.document)
        .join(_key, _key.c.entry_id == _entry.c.id)
        .where(_key.c.key.in_(keys), _entry.c.id != entry_id)
    )
    return [json.loads(row.document) for row in op.get_bind().execute(wanted)]


def _alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two subjects may be one person: only a hint, since an approver looks at it."""
    papers = [
        {(each["number"], each.get("issuing_state")) for each in subject.get("documents", [])}
        | {(subject["nik"], "NIK") for _ in [0] if subject.get("nik")}
        for subject in (one, other)
    ]
    names = ["".join(subject["full_name"].casefold().split()) for subject in (one, other)]
    return bool(papers[0] & papers[1]) or names[0] == names[1]
