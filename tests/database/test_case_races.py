"""An acquittal and another act of its case at once: never both, whichever process they come by."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest

from app.main import create_app
from app.settings import Settings
from tests.support.actors import Actors
from tests.support.bodies import entry_body, extension_body, merged, revocation_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.contract import watch
from tests.support.lifespan import started
from tests.support.offices import NEWER, Offices, acquittal, correction, same_case
from tests.support.steps import Json, expect

ROUNDS = 4
LATER = ("2026-11-24T09:00:00+07:00", "2026-12-02T09:00:00+07:00", "2027-05-25T09:00:00+07:00")

Act = Callable[[], Awaitable[httpx2.Response]]
Setting = Callable[[Offices, Offices], Awaitable[tuple[Json, list[Json], Act]]]
"""Sets a case up: a row on which the acquittal is filed, all rows, and the act that runs against it."""


@pytest.fixture
async def neighbour(settings: Settings, clock: SettableClock) -> AsyncIterator[httpx2.AsyncClient]:
    """A second process on the same register."""
    app = create_app(settings, clock, work=False)
    async with started(app):
        transport = httpx2.ASGITransport(app)
        async with watch(httpx2.AsyncClient(transport=transport, base_url="http://testserver")) as client:
            yield client


async def _of_a_request(here: Offices, there: Offices) -> tuple[Json, list[Json], Act]:
    body = entry_body()
    entry = await here.impose(body)
    asked = same_case(body, starts_on="2027-05-24", ends_on="2027-11-23")
    return entry, [entry], lambda: there.try_submit(asked)


async def _of_an_urgent_request(here: Offices, there: Offices) -> tuple[Json, list[Json], Act]:
    body = entry_body(starts_on="2026-12-20", ends_on="2027-06-20")
    entry = await here.impose(body)
    return entry, [entry], lambda: there.try_submit(same_case(body, urgent_body()))


async def _of_a_formalisation(here: Offices, there: Offices) -> tuple[Json, list[Json], Act]:
    urgent = await here.urgent()
    return urgent, [urgent], lambda: there.try_formalise(urgent)


async def _of_an_approval(here: Offices, there: Offices) -> tuple[Json, list[Json], Act]:
    urgent = await here.urgent()
    formal = await here.decide(await here.formalise(urgent), "verify")
    return urgent, [urgent, formal], lambda: there.try_decide(formal, "approve", there.second)


async def _of_a_second_period(here: Offices, there: Offices) -> tuple[Json, list[Json], Act]:
    body = entry_body()
    entry = await here.impose(body)
    second = await here.submit(same_case(body, starts_on="2027-05-24", ends_on="2027-11-23"))
    second = await here.decide(second, "verify")
    return entry, [entry, second], lambda: there.try_decide(second, "approve", there.second)


async def _of_an_extension(here: Offices, there: Offices) -> tuple[Json, list[Json], Act]:
    entry = await here.impose(entry_body())
    longer = await here.decide(await here.file(entry, extension_body(entry, "2027-11-24")), "verify")
    return entry, [entry], lambda: there.try_decide(longer, "approve", there.second)


async def _of_a_resubmission(here: Offices, there: Offices) -> tuple[Json, list[Json], Act]:
    body = entry_body()
    entry = await here.impose(body)
    again = same_case(body, starts_on="2027-05-24", ends_on="2027-11-23")
    second = await here.decide(await here.submit(again), "return", here.verifier, "Unsigned.")
    return entry, [entry, second], lambda: there.try_resubmit(second, again)


RACES: dict[str, Setting] = {
    "a new request": _of_a_request,
    "an urgent request": _of_an_urgent_request,
    "a formalisation": _of_a_formalisation,
    "the approval of the formal entry": _of_an_approval,
    "the approval of a second period": _of_a_second_period,
    "the approval of an extension": _of_an_extension,
    "a resubmission": _of_a_resubmission,
}


async def rows_of(office: Offices, known: list[Json], answer: httpx2.Response) -> list[Json]:
    """Every row of the case as it is now: those that were known, and the one that the act made."""
    made = answer.json() if answer.status_code == 201 else {}
    made = made.get("entry") or made
    ids = {row["id"]: row for row in known}
    if str(made.get("id", "")).startswith("ent_"):
        ids[made["id"]] = made
    return [await office.read(row) for row in ids.values()]


async def late(act: Act, seconds: float) -> httpx2.Response:
    await asyncio.sleep(seconds)
    return await act()


@pytest.mark.parametrize("against", RACES)
async def test_an_acquittal_and_another_act_of_its_case_are_never_both_done(
    http: httpx2.AsyncClient,
    neighbour: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    against: str,
) -> None:
    here = await Offices.opened(http, actors)
    there = Offices(neighbour, actors, *here.officers)
    acquitted: list[Json] = []
    for number in range(ROUNDS):
        entry, rows, act = await RACES[against](here, there)
        amendment = await here.decide(await here.file(entry, acquittal(entry)), "verify")
        ahead = number * 0.004
        judged, other = await asyncio.gather(
            here.try_decide(amendment, "approve", stale=True), late(act, ahead)
        )
        assert judged.status_code in {201, 412}, judged.text
        assert other.status_code in {200, 201, 409, 412}, other.text
        if judged.status_code == 412:
            assert other.status_code in {200, 201}
            expect(await here.try_decide(amendment, "approve"), 201)
        for row in await rows_of(here, rows, other):
            assert row["in_force"] is False
            assert row["state"] in {"ended", "rejected"}, (against, row["state"], other.text)
        assert await here.action(entry["subject"]) == "allow"
        acquitted.append(entry["subject"])
    for moment in LATER:
        clock.set(moment)
        assert [await here.action(subject) for subject in acquitted] == ["allow"] * ROUNDS


async def test_of_an_acquittal_and_a_correction_that_joins_the_case_the_later_one_knows_the_earlier(
    http: httpx2.AsyncClient, neighbour: httpx2.AsyncClient, actors: Actors
) -> None:
    here = await Offices.opened(http, actors)
    there = Offices(neighbour, actors, *here.officers)
    for number in range(ROUNDS):
        body = entry_body()
        entry = await here.impose(body)
        further = entry_body(starts_on="2027-05-24", ends_on="2027-11-23")
        beside = await here.impose(merged(further, {"subject": body["subject"]}))
        basis = {**beside["basis"], "case_reference": body["basis"]["case_reference"]}
        joining = await here.decide(await here.file(beside, correction(basis=basis)), "verify")
        amendment = await here.decide(await here.file(entry, acquittal(entry)), "verify")
        judged, joined = await asyncio.gather(
            here.try_decide(amendment, "approve", stale=True),
            late(lambda a=joining: there.try_decide(a, "approve", there.second), number * 0.004),  # type: ignore[misc]
        )
        assert (judged.status_code, joined.status_code) in {(201, 409), (201, 412), (412, 201)}, joined.text
        if judged.status_code == 412:
            expect(await here.try_decide(amendment, "approve"), 201)
        assert (await here.read(entry))["ended_reason"] == "acquitted"
        other = await here.read(beside)
        assert other["state"] == ("ended" if joined.status_code == 201 else "active")


async def test_a_correction_that_adds_a_passport_and_the_formal_entrys_approval_lose_no_passport(
    http: httpx2.AsyncClient, neighbour: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    here = await Offices.opened(http, actors)
    there = Offices(neighbour, actors, *here.officers)
    subjects = []
    for number in range(ROUNDS):
        urgent = await here.urgent()
        clock.advance(seconds=1)
        formal = await here.decide(await here.formalise(urgent), "verify")
        clock.advance(seconds=1)
        wanted = {**urgent["subject"], "documents": [*urgent["subject"]["documents"], _newer(number)]}
        added = await here.decide(await here.file(urgent, correction(wanted)), "verify")
        approved, corrected = await asyncio.gather(
            here.try_decide(formal, "approve"),
            late(lambda a=added: there.try_decide(a, "approve", there.second), number * 0.004),  # type: ignore[misc]
        )
        assert approved.status_code == 201, approved.text
        if corrected.status_code != 201:
            expect(await there.try_decide(added, "approve", there.second), 201)
        assert await here.action(urgent["subject"], document=_newer(number)) == "refuse_exit"
        subjects.append(urgent["subject"])
    clock.set("2026-12-02T09:00:00+07:00")
    found = [await here.action(each, document=_newer(number)) for number, each in enumerate(subjects)]
    assert found == ["refuse_exit"] * ROUNDS


def _newer(number: int) -> Json:
    return {**NEWER, "number": f"Y765432{number}"}


async def test_a_revocation_and_the_formal_entrys_approval_leave_nothing_of_the_measure(
    http: httpx2.AsyncClient, neighbour: httpx2.AsyncClient, actors: Actors, clock: SettableClock
) -> None:
    here = await Offices.opened(http, actors)
    there = Offices(neighbour, actors, *here.officers)
    for number in range(ROUNDS):
        urgent, rows, act = await _of_an_approval(here, there)
        revocation = await here.decide(await here.file(urgent, revocation_body(urgent)), "verify")
        judged, other = await asyncio.gather(
            here.try_decide(revocation, "approve", stale=True), late(act, number * 0.004)
        )
        # An approval that comes first leaves the list of what the revocation ends as the approver has read it.
        assert judged.status_code == 201, judged.text
        assert other.status_code in {201, 409, 412}, other.text
        for row in await rows_of(here, rows, other):
            assert row["state"] in {"ended", "rejected"}
        assert await here.action(urgent["subject"]) == "allow"
