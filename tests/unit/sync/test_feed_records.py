"""A record as readers get it: the members of its schema, and nothing that the reader may not see."""

import json
from datetime import UTC, datetime

import pytest

from app.access.domain import Role
from app.actor import Actor
from app.ledger.domain import Closures, Draft, RecordType, Selection, numbered
from app.sync.feed.domain import within_scope
from app.sync.feed.records import RecordOut
from app.sync.feed.rendering import render, text_of

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
RECORD = numbered(
    Draft(
        RecordType.ENTRY_ENDED,
        "ent_1",
        4,
        "KPK",
        {},
        {"name": "A\u2028B\x85C"},
        effective_at=NOW,
        tombstone=True,
    ),
    7,
    NOW,
    None,
)


@pytest.mark.parametrize("erased", [False, True])
@pytest.mark.parametrize("in_scope", [False, True])
def test_a_rendered_record_is_one_line_with_the_members_of_its_schema(
    *, in_scope: bool, erased: bool
) -> None:
    text = text_of(RECORD)
    if erased:
        text = text._replace(personal=None, salt=None)
    rendered = render(text, in_scope=in_scope)
    assert len(rendered.decode().splitlines()) == 1
    members = json.loads(rendered)
    assert list(members) == list(RecordOut.model_fields)
    assert members == json.loads(RecordOut.model_validate_json(rendered).model_dump_json())
    shown = in_scope and not erased
    assert members["personal"] == (RECORD.personal if shown else None)
    assert members["salt"] == (RECORD.salt.hex() if shown and RECORD.salt else None)
    assert members["withheld"] == ("erased" if erased else None if in_scope else "scope")
    assert members["leaf"] == RECORD.leaf


def reader(role: Role, agency: str | None = None, person: str | None = None) -> Actor:
    return Actor("cli_1", person, frozenset({role}), agency=agency)


@pytest.mark.parametrize(
    ("by", "open_one", "sealed_one"),
    [
        (reader(Role.INTEGRATOR, "KPK"), True, False),
        (reader(Role.INTEGRATOR, "BNN"), False, False),
        (reader(Role.INTEGRATOR, "IMIGRASI"), True, False),
        (reader(Role.INTEGRATOR), False, False),
        (reader(Role.AUDITOR, person="1"), True, True),
        (reader(Role.AUDITOR, person="2"), True, False),
    ],
)
def test_a_seal_and_a_bar_narrow_the_scope(by: Actor, *, open_one: bool, sealed_one: bool) -> None:
    assert within_scope("ent_1", "KPK", by, Closures()) is open_one
    closures = Closures(frozenset({"ent_1"}), {"ent_1": frozenset({"2"})})
    assert within_scope("ent_1", "KPK", by, closures) is sealed_one
    assert within_scope("ent_2", "KPK", by, closures) is open_one
    erased = Closures(frozenset({"ent_1"}), erased=frozenset({"ent_1"}))
    assert within_scope("ent_1", "KPK", by, erased) is False
    assert within_scope("ent_2", "KPK", by, erased) is open_one


def test_a_selection_is_by_type_and_by_entry() -> None:
    assert Selection().includes("entry.listed", None)
    chosen = Selection(frozenset({"entry.listed"}), "ent_1")
    assert chosen.includes("entry.listed", "ent_1")
    assert not chosen.includes("entry.ended", "ent_1")
    assert not chosen.includes("entry.listed", None)
