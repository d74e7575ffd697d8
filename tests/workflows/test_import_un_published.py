"""Both published editions of the UN list, imported in order, and what counters then say of their passports."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.identity.births import birth_from_json
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.ledger.service import head
from app.register.entries.domain import Entry
from app.register.entries.listing import Approvers
from app.register.entries.store import add_all
from app.register.entries.subjects import Alias, Document, Subject
from app.register.lists import un
from app.register.lists.un import ListedPerson
from app.register.lists.un_import import import_list
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock
from tests.support.steps import expect
from tests.unit.border.checks.register import NOW, WNI, entry

LISTS = Path(__file__).parents[3] / "shared" / "data" / "lists"
EARLIER, LATER = (LISTS / f"un_consolidated_{day}.xml" for day in ("2020-11-24", "2021-03-12"))
TWO = Approvers.named("198001012005011001", "197505052000031002")
AT_ONCE = 1000

pytestmark = pytest.mark.skipif(
    not LISTS.is_dir(), reason="the published editions of the UN list are not beside the repository"
)


class Passport(NamedTuple):
    """A plain passport number of the list, with what the list says of its bearer."""

    number: str
    state: str | None
    nationality: str | None


def plain_passports(persons: Iterator[ListedPerson] | tuple[ListedPerson, ...]) -> list[Passport]:
    """Those of everybody who can be listed here."""
    return [
        Passport(paper.number, paper.issuing_state, person.nationalities[0] if person.nationalities else None)
        for person in persons
        if not person.is_indonesian
        for paper in person.documents
        if paper.type == "passport" and re.fullmatch(r"[A-Z0-9 ]+", paper.number)
    ]


def question(passport: Passport, direction: str) -> dict[str, Any]:
    """What a counter asks; what is not known is left out."""
    document = {"number": passport.number, "issuing_state": passport.state}
    return {
        "direction": direction,
        "document": {name: value for name, value in document.items() if value},
        "person": {"nationality": passport.nationality},
    }


async def actions(
    http: httpx2.AsyncClient, counter: Caller, passports: list[Passport], direction: str
) -> Counter[str]:
    """How often each action was the answer."""
    found: Counter[str] = Counter()
    for start in range(0, len(passports), AT_ONCE):
        items = [question(passport, direction) for passport in passports[start : start + AT_ONCE]]
        answer = await http.post("/v1/checks/batch", json={"items": items}, headers=counter.headers)
        found.update(item["action"] for item in expect(answer, 200)["items"])
    return found


async def test_two_editions_in_order_and_every_plain_passport_of_the_second(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
):
    older, newer = un.read(EARLIER), un.read(LATER)
    first = await import_list(runtime, EARLIER, TWO)
    assert first.added == sum(not person.is_indonesian for person in older.persons) == 688
    second = await import_list(runtime, LATER, TWO)
    assert (second.added, second.changed, second.ended, second.unchanged) == (4, 46, 6, 636)
    why = Counter(skipped.reason for skipped in second.skipped)
    assert why == {"entity": len(newer.entity_ids), "wni_cannot_be_deterred": 25}

    async with runtime.reading(SYSTEM) as reader:
        before = await head(reader)
    again = await import_list(runtime, LATER, TWO)
    assert (again.added, again.changed, again.ended, again.unchanged) == (0, 0, 0, 686)
    async with runtime.reading(SYSTEM) as reader:
        assert await head(reader) == before

    counter = await actors.client("checkpoint")
    passports = plain_passports(newer.persons)
    whole = [passport for passport in passports if passport.state and passport.nationality]
    assert len(whole) > 150
    assert await actions(http, counter, whole, "entry") == {"refuse_entry": len(whole)}

    without_state = [passport._replace(state=None) for passport in passports]
    without_nationality = [passport._replace(nationality=None) for passport in passports]
    for asked in (without_state, without_nationality):
        assert "allow" not in await actions(http, counter, asked, "entry")

    as_citizens = [passport._replace(nationality="IDN") for passport in passports]
    assert set(await actions(http, counter, as_citizens, "entry")) == {"refer_to_supervisor"}

    clock.advance(minutes=1)  # notices come newest first
    assert await actions(http, counter, whole, "exit") == {"allow": len(whole)}
    owner = await actors.client("submitter", agency="IMIGRASI")
    worklist = expect(await http.get("/v1/worklist?limit=500", headers=owner.headers), 200)
    seen = [item for item in worklist["items"] if item["name"] == "sighting" and item["direction"] == "exit"]
    assert len({item["check_id"] for item in seen}) == len(whole)


def exit_ban(person: ListedPerson) -> Entry:
    """The exit ban that an Indonesian of the list might get here; the import skips Indonesians."""
    births = tuple(map(birth_from_json, person.births))
    subject = Subject(
        full_name=person.full_name,
        aliases=tuple(Alias(alias.name, alias.quality) for alias in person.aliases),
        sex=person.sex,
        birth=births[0] if births else None,
        birth_alternatives=births[1:],
        nationalities=person.nationalities,
        documents=tuple(Document(each.type, each.number, each.issuing_state) for each in person.documents),
    )
    standing = entry(WNI)
    return standing.replace(
        id=new_id("ent", NOW), subject=subject, citizenship=subject.citizenship_on(legal_day(NOW))
    )


def by_name(person: ListedPerson, direction: str) -> Iterator[dict[str, Any]]:
    """Every good spelling of a name with every birth date that the list gives, whole or in part."""
    names = (person.full_name, *(alias.name for alias in person.aliases if alias.quality == "good"))
    for name in names:
        for birth in person.births:
            if "date" in birth:
                yield {"direction": direction, "person": {"name": name, "birth_date": birth["date"]}}


async def matched(
    http: httpx2.AsyncClient, counter: Caller, questions: list[dict[str, Any]]
) -> list[set[str]]:
    """The entries that each question matched."""
    found: list[set[str]] = []
    for start in range(0, len(questions), AT_ONCE):
        items = questions[start : start + AT_ONCE]
        answer = await http.post("/v1/checks/batch", json={"items": items}, headers=counter.headers)
        found += [{match["entry_id"] for match in item["matches"]} for item in expect(answer, 200)["items"]]
    return found


async def test_every_good_alias_of_an_indonesian_is_found_with_the_birth_date(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
):
    """Among all the others of the list, who are in the register too."""
    await import_list(runtime, LATER, TWO)
    bans = [(person, exit_ban(person)) for person in un.read(LATER).persons if person.is_indonesian]
    async with runtime.writing(SYSTEM) as unit:
        await add_all(unit, [(ban, None) for _, ban in bans], "approved")
    asked = [(ban.id, question) for person, ban in bans for question in by_name(person, "exit")]
    assert len(asked) > 140
    counter = await actors.client("checkpoint")
    found = await matched(http, counter, [question for _, question in asked])
    assert [q["person"] for (own, q), ids in zip(asked, found, strict=True) if own not in ids] == []


async def test_every_good_alias_of_everybody_else_is_found_with_the_birth_date(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
):
    await import_list(runtime, LATER, TWO)
    persons = [person for person in un.read(LATER).persons if not person.is_indonesian]
    questions = [question for person in persons for question in by_name(person, "entry")]
    assert len(questions) > 2000
    if not runtime.register.is_sqlite:  # names are matched in the process: the engine makes no difference
        questions = questions[::8]
    found = await matched(http, await actors.client("checkpoint"), questions)
    missed = [question["person"] for question, ids in zip(questions, found, strict=True) if not ids]
    assert missed == []
