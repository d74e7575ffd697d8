"""Editions of the UN list that follow one another: new numbers for the same persons, and parts of a list."""

from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.errors import WrongState
from app.ledger.service import head
from app.register.entries.listing import Approvers
from app.register.lists import un, un_import
from app.register.lists.un_import import import_list
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.refusals import nothing_changed
from tests.support.steps import expect
from tests.support.un_editions import alias, born, individual, national, passport, write

EARLIER, LATER, LATEST = (f"2026-0{month}-04T12:00:00Z" for month in (5, 6, 7))
TWO = Approvers.named("198001012005011001", "197505052000031002")
LISTS = Path(__file__).parents[3] / "shared" / "data" / "lists"
PUBLISHED = LISTS / "un_consolidated_2021-03-12.xml"


def person(
    number: int, *, data_id: int | None = None, reference: str | None = None, name: str = "", cells: str = ""
) -> str:
    """A person of an edition, with a passport and a birth date of their own."""
    text = individual(
        national("New Zealand") + passport(f"LX{number:06}") + born(f"19{number % 90 + 10}-05-17") + cells,
        data_id=str(data_id or 700000 + number),
        name=name or f"ALVAR{number:03}",
    )
    before, _, rest = text.partition("<REFERENCE_NUMBER>")
    return f"{before}<REFERENCE_NUMBER>{reference or f'UTi.{number:03}'}<{rest.partition('<')[2]}"


async def imported(runtime: Runtime, path: Path, **given: Any) -> tuple[int, int, int, int]:
    """What an edition did: added, changed, ended, unchanged; the same edition again does nothing."""
    report = await import_list(runtime, path, TWO, **given)
    async with runtime.reading(SYSTEM) as reader:
        before = await head(reader)
    again = await import_list(runtime, path, TWO)
    assert (again.added, again.changed, again.ended) == (0, 0, 0)
    async with runtime.reading(SYSTEM) as reader:
        assert await head(reader) == before
    return report.added, report.changed, report.ended, report.unchanged


@pytest.fixture
async def counter(actors: Actors) -> Caller:
    return await actors.client("checkpoint")


async def outcome(http: httpx2.AsyncClient, counter: Caller, number: int) -> str:
    """What a checkpoint is answered about the passport of a person."""
    body = {
        "direction": "entry",
        "document": {"number": f"LX{number:06}", "issuing_state": "NZL"},
        "person": {"nationality": "NZL"},
    }
    return str(expect(await http.post("/v1/checks", json=body, headers=counter.headers), 200)["outcome"])


async def test_a_person_with_a_new_data_id_under_the_same_number_stays_in_force(
    http: httpx2.AsyncClient, counter: Caller, runtime: Runtime, tmp_path: Path
):
    await imported(runtime, write(tmp_path, *map(person, range(1, 12)), generated=EARLIER))
    renewed = (person(1, data_id=900001), person(2, data_id=900002, cells=alias("El Nuevo")))
    path = write(tmp_path, *renewed, *map(person, range(3, 12)), generated=LATER)
    assert await imported(runtime, path) == (0, 1, 0, 10)
    assert [await outcome(http, counter, number) for number in (1, 2, 3)] == ["refuse"] * 3


@pytest.mark.parametrize(
    "renewed",
    [
        (person(1, reference="UTi.901"), person(2)),
        (person(1, data_id=900001, reference="UTi.901"), person(2)),
        (person(1, data_id=700002), person(2, data_id=700001)),
        (person(1, data_id=900001, name="ELVAR"), person(2, data_id=700001)),
        (person(2, reference="UTi.001"), person(1, reference="UTi.002")),
        (person(1), person(1, data_id=900001), person(2)),
        (person(1), person(1, data_id=900001, reference="UTi.901"), person(2)),
        (person(1), person(1, data_id=700001, name="ELVAR"), person(2)),
        (person(1, cells=passport("LX000002")),),
        (person(2).replace("UTi.002", ""), person(1).replace("700001", "").replace("UTi.001", "")),
    ],
    ids=[
        "another number",
        "another number and data id",
        "data ids swapped",
        "a data id given to somebody else",
        "numbers swapped",
        "split under one number",
        "split under two numbers",
        "split under one data id",
        "merged",
        "without numbers",
    ],
)
async def test_who_stands_on_the_new_edition_is_in_force_whatever_became_of_the_numbers(
    http: httpx2.AsyncClient, counter: Caller, runtime: Runtime, tmp_path: Path, renewed: tuple[str, ...]
):
    await imported(runtime, write(tmp_path, person(1), person(2), generated=EARLIER))
    await imported(runtime, write(tmp_path, *renewed, generated=LATER), allow_shrink=True)
    assert [await outcome(http, counter, number) for number in (1, 2)] == ["refuse"] * 2
    await imported(runtime, write(tmp_path, person(3), generated=LATEST), allow_shrink=True)
    assert [await outcome(http, counter, number) for number in (1, 2, 3)] == ["clear", "clear", "refuse"]


async def test_two_records_about_one_person_under_one_number_are_two_entries(
    http: httpx2.AsyncClient, counter: Caller, runtime: Runtime, tmp_path: Path
):
    twins = (person(1), person(1, data_id=900001, cells=alias("El Otro")))
    assert await imported(runtime, write(tmp_path, *twins)) == (2, 0, 0, 0)


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        (range(1, 2), "would end 29 of the 30 persons"),
        (range(1, 27), "would end 4 of the 30 persons"),
    ],
)
async def test_an_edition_that_would_end_more_than_a_tenth_is_refused_whole(
    runtime: Runtime, tmp_path: Path, kept: range, told: str
):
    await imported(runtime, write(tmp_path, *map(person, range(1, 31)), generated=EARLIER))
    path = write(tmp_path, *map(person, kept), *map(person, range(40, 60)), generated=LATER)
    async with nothing_changed(runtime):
        with pytest.raises(WrongState, match=told):
            await import_list(runtime, path, TWO)
    assert (await imported(runtime, path, allow_shrink=True))[2] == 30 - len(kept)


async def test_an_edition_may_end_a_tenth(runtime: Runtime, tmp_path: Path):
    await imported(runtime, write(tmp_path, *map(person, range(1, 31)), generated=EARLIER))
    path = write(tmp_path, *map(person, range(1, 28)), generated=LATER)
    assert await imported(runtime, path) == (0, 0, 3, 27)


@pytest.mark.settings(list_shrink_share=0.5)
async def test_how_much_a_list_may_shrink_is_a_setting(runtime: Runtime, tmp_path: Path):
    await imported(runtime, write(tmp_path, *map(person, range(1, 5)), generated=EARLIER))
    assert await imported(runtime, write(tmp_path, person(1), person(2), generated=LATER)) == (0, 0, 2, 2)


async def test_an_edition_without_a_committee_that_it_had_is_refused_whole(runtime: Runtime, tmp_path: Path):
    others = [person(number, reference=f"QDi.{number:03}") for number in range(1, 31)]
    await imported(runtime, write(tmp_path, *others, person(31), generated=EARLIER))
    path = write(tmp_path, *others, generated=LATER)
    async with nothing_changed(runtime):
        with pytest.raises(WrongState, match="names nobody of UTi any more"):
            await import_list(runtime, path, TWO)
    assert await imported(runtime, path, allow_shrink=True) == (0, 0, 1, 30)


async def test_indonesians_are_no_sign_of_a_part_of_the_list(runtime: Runtime, tmp_path: Path):
    await imported(runtime, write(tmp_path, person(1), person(2), generated=EARLIER))
    citizen = person(1).replace("New Zealand", "Indonesia")
    assert await imported(runtime, write(tmp_path, citizen, person(2), generated=LATER)) == (0, 0, 1, 1)


async def test_an_edition_of_a_day_to_come_is_refused_for_it_would_bar_every_later_one(
    runtime: Runtime, tmp_path: Path
):
    async with nothing_changed(runtime):
        with pytest.raises(WrongState, match="yet to come"):
            await import_list(runtime, write(tmp_path, person(1), generated="2062-05-04T12:00:00Z"), TWO)


@pytest.mark.skipif(not LISTS.is_dir(), reason="the published editions are not beside the repository")
async def test_six_persons_of_the_published_list_with_new_data_ids_stay_in_force(
    runtime: Runtime, tmp_path: Path
):
    """As between the editions of 2025-04-19 and 2026-02-27, of which the second gave six persons new data ids."""
    await imported(runtime, PUBLISHED)
    edition = un.read(PUBLISHED)
    renewed = [one.data_id for one in edition.persons if not one.is_indonesian][::120][:6]
    text = PUBLISHED.read_text(encoding="utf-8").replace('dateGenerated="2021', 'dateGenerated="2022')
    for data_id in renewed:
        text = text.replace(f"<DATAID>{data_id}</DATAID>", f"<DATAID>9{data_id}</DATAID>")
    path = tmp_path / "renewed.xml"
    path.write_text(text, encoding="utf-8")
    assert await imported(runtime, path) == (0, 0, 0, 686)


@pytest.mark.parametrize("step", [1, 50])
async def test_an_older_edition_whose_import_still_runs_ends_nobody_of_a_newer_one(
    runtime: Runtime, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
):
    await imported(runtime, write(tmp_path, person(1), person(2), generated=EARLIER))
    opened, (older, newer) = un_import._open, (tmp_path / "older.xml", tmp_path / "newer.xml")
    write(tmp_path, person(1), generated=LATER).rename(older)
    write(tmp_path, person(1), person(2), person(3), generated=LATEST).rename(newer)

    async def overtaken(*given: Any, **more: Any) -> None:
        await opened(*given, **more)
        monkeypatch.setattr(un_import, "_open", opened)
        await imported(runtime, newer)

    monkeypatch.setattr(un_import, "_open", overtaken)
    monkeypatch.setattr(un_import, "STEP", step)
    with pytest.raises(WrongState, match="older than the one of"):
        await import_list(runtime, older, TWO, allow_shrink=True)
    assert await imported(runtime, newer) == (0, 0, 0, 3)
