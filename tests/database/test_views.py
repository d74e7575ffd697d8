"""Who may see an entry is said twice, for one entry and for statements: held to be the same."""

import itertools
from datetime import UTC, datetime

from app.access.domain import SYSTEM
from app.actor import Actor
from app.kit.ids import new_id
from app.register.entries import store
from app.register.entries.seal_queries import list_sealed_from_actor
from app.register.entries.store import Filter
from app.register.entries.subjects import Citizenship
from app.register.entries.visibility import open_to, visible
from app.runtime import Runtime
from tests.unit.register.entries.examples import entry

AT = datetime(2026, 11, 23, 3, tzinfo=UTC)
AGENCIES = ("KPK", "IMIGRASI")
PROVINCES = ("Kepulauan Riau", "Sumatera Utara", None)
SEALS = (
    (None, ()),
    ((), ()),
    (("B",), ()),
    (("B", "C"), ()),
    ((), ("A",)),
    (("B",), ("B",)),
    (("B",), ("D",)),
)
"""The persons named in an entry's seal, and its possible subjects."""


async def test_a_list_holds_just_what_can_be_read_one_by_one(runtime: Runtime) -> None:
    made = [
        entry(
            id=new_id("ent", AT),
            agency=agency,
            province=province,
            citizenship=citizenship,
            sealed_for=sealed_for,
            barred=barred,
            authors=("A",),
        )
        for agency, province, citizenship, (sealed_for, barred) in itertools.product(
            AGENCIES, PROVINCES, Citizenship, SEALS
        )
    ]
    roles = ("submitter", "verifier", "approver", "duty_officer", "auditor", "timpora", "supervisor", "admin")
    people = [
        Actor("cli_1", person, frozenset(held), agency=agency, province=province)
        for held in (*((role,) for role in roles), ("submitter", "timpora"), ("approver", "timpora"))
        for person in ("A", "B", "D", None)
        for agency in (*AGENCIES, None)
        for province in PROVINCES
    ]
    seen = set()
    async with runtime.writing(SYSTEM) as unit:
        await store.add_all(unit, [(each, None) for each in made], "submitted")
    for actor in (*people, SYSTEM):
        async with runtime.reading(actor) as reader:
            listed = {each.id for each in await store.list_page(reader, Filter(), None, 500)}
            shut = await list_sealed_from_actor(reader)
        assert listed == {each.id for each in made if visible(each, actor)}, actor
        assert shut == {each.id for each in made if not open_to(each, actor)}, actor
        seen.add(frozenset(listed))
    assert len(seen) > 10, "the views differ"
