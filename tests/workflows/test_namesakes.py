"""The incident of 2015 replayed: two hundred entries named Muhammad, and everybody of that name was stopped."""

import random
from collections import Counter

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.identity.births import Birth
from app.kit.ids import new_id
from app.register.entries.domain import Entry
from app.register.entries.store import add_all
from app.register.entries.subjects import Document, Subject
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.steps import Json, expect
from tests.unit.border.checks.register import NOW, WNI, entry
from tests.unit.matching.people import random_day

LISTED = 200
TRAVELLERS = {"sqlite": 10_000, "postgresql": 1000}
"""Names are matched in the process: the engine makes no difference, only the time that it takes."""
AT_ONCE = 1000
MAX_REFERRED = 1 / 500
"""The largest share of them that is referred."""
SPELLINGS = ("Muhammad", "MUHAMMAD", "Mohammad", "Muhamad", "Mohamad", "Moehammad", "Muhammed")
SECOND = ("Rizki", "Ali", "Iqbal", "Fauzi", "Yusuf", "Ridwan", "Hasan", "Arif", "Taufik", "Ilham")


def banned(number: int, name: str, born: str) -> Entry:
    """An exit ban against somebody of a name and birth date, with a passport of their own."""
    subject = Subject(
        full_name=name,
        birth=Birth(date=born),
        nationalities=("IDN",),
        documents=(Document("passport", f"X{number:07d}", "IDN"),),
    )
    return entry(WNI).replace(id=new_id("ent", NOW), subject=subject)


def passing(number: int, name: str, born: str) -> Json:
    """A counter's question about somebody with a passport that no entry lists."""
    return {
        "direction": "exit",
        "document": {"number": f"C{number:07d}", "issuing_state": "IDN"},
        "person": {"name": name, "birth_date": born, "sex": "male", "nationality": "IDN"},
    }


@pytest.mark.parametrize("further", [("",), SECOND], ids=["a single name", "and one of ten more"])
async def test_ten_thousand_namesakes_born_on_other_days_pass(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, further: tuple[str, ...]
) -> None:
    chance = random.Random(2015)
    travellers = TRAVELLERS["sqlite" if runtime.register.is_sqlite else "postgresql"]
    counter = await actors.client("checkpoint")
    days = [random_day(chance) for _ in range(LISTED)]

    def name(spelling: str) -> str:
        return f"{spelling} {chance.choice(further)}".strip()

    bans = [banned(number, name("Muhammad"), born) for number, born in enumerate(days)]
    async with runtime.writing(SYSTEM) as unit:
        await add_all(unit, [(each, None) for each in bans], "approved")
    others = (day for day in iter(lambda: random_day(chance), None) if day not in days)
    questions = [passing(n, name(chance.choice(SPELLINGS)), next(others)) for n in range(travellers)]
    outcomes: Counter[str] = Counter()
    for start in range(0, travellers, AT_ONCE):
        body = {"items": questions[start : start + AT_ONCE]}
        answer = await http.post("/v1/checks/batch", json=body, headers=counter.headers)
        outcomes.update(item["outcome"] for item in expect(answer, 200)["items"])
    assert outcomes["clear"] + outcomes["refer"] == travellers
    assert outcomes["refer"] <= travellers * MAX_REFERRED

    same = [passing(travellers, ban.subject.full_name, born) for ban, born in zip(bans, days, strict=True)]
    answer = await http.post("/v1/checks/batch", json={"items": same}, headers=counter.headers)
    assert {item["outcome"] for item in expect(answer, 200)["items"]} == {"refer"}
