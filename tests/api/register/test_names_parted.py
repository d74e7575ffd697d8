"""Names written into one field: filed each in its place, with a warning."""

from pathlib import Path

import httpx2
import pytest

from app.runtime import Runtime
from tests.api.border.test_checks_names import listed, question
from tests.support.actors import Actors, Caller
from tests.support.bodies import entry_body, formal_body, merged, urgent_body, without_photo
from tests.support.refusals import refused
from tests.support.steps import Json, amend, expect, formalise, impose, sound
from tests.support.takeovers import entries, line, ndjson, taken, told

BORN = "1970-05-17"


def warned(entry: Json) -> list[tuple[str, str]]:
    """The warnings about names, each with where it points."""
    return [(each["code"], each["pointer"]) for each in entry["warnings"] if each["code"] == "several_names"]


def named(entry: Json) -> tuple[str, list[tuple[str, str]]]:
    """Full name and aliases."""
    subject = entry["subject"]
    return subject["full_name"], [(alias["name"], alias["quality"]) for alias in subject["aliases"]]


@pytest.mark.parametrize(
    ("written", "aliases"),
    [
        ("Joko Susilo alias Wira Rangkuti", [("Wira Rangkuti", "good")]),
        ("Joko Susilo als. Wira Rangkuti", [("Wira Rangkuti", "good")]),
        ("JOKO SUSILO A.K.A. WIRA RANGKUTI", [("WIRA RANGKUTI", "good")]),
        ("Joko Susilo d/h Wira Rangkuti", [("Wira Rangkuti", "good")]),
        ("Joko Susilo (Wira Rangkuti)", [("Wira Rangkuti", "good")]),
        ("Joko Susilo (Jack)", [("Jack", "low")]),
        ("Joko Susilo alias Jack, Jeki dan Joni", [("Jack", "good"), ("Jeki", "good"), ("Joni", "good")]),
    ],
)
async def test_aliases_in_the_full_name_are_filed_as_aliases_and_found(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, written: str, aliases: list[tuple[str, str]]
) -> None:
    body = merged(listed(written, BORN), {"subject": {"aliases": []}})
    entry = await impose(http, actors, body)
    full_name, filed = named(entry)
    assert (full_name.casefold(), filed) == ("joko susilo", aliases)
    assert warned(entry) == [("several_names", "/subject/full_name")]
    for name in ("Joko Susilo", aliases[0][0]):
        answer = await http.post("/v1/checks", json=question(name, BORN), headers=counter.headers)
        assert [match["entry_id"] for match in expect(answer, 200)["matches"]] == [entry["id"]], name


async def test_an_alias_field_with_several_names_is_parted_too_and_no_name_comes_twice(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    aliases = [
        {"name": "Wira alias Jack Rangkuti", "quality": "low"},
        {"name": "joko susilo", "quality": "good"},
    ]
    body = merged(listed("Joko Susilo", BORN), {"subject": {"aliases": aliases}})
    entry = await impose(http, actors, body)
    assert named(entry) == ("Joko Susilo", [("Wira", "low"), ("Jack Rangkuti", "low")])
    assert warned(entry) == [("several_names", "/subject/aliases/0/name")]


@pytest.mark.parametrize(
    "name", ["Alias bin Ahmad", "Mohd Alias Hassan", "Joko Susilo (alm)", "Joko Susilo, S.H."]
)
async def test_what_only_looks_like_an_alias_is_filed_as_it_is_written(
    http: httpx2.AsyncClient, actors: Actors, name: str
) -> None:
    entry = await impose(http, actors, merged(listed(name, BORN), {"subject": {"aliases": []}}))
    assert (named(entry), warned(entry)) == ((name, []), [])


async def test_urgent_entries_their_formal_ones_and_corrections_part_names_too(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    written = {"full_name": "Joko Susilo alias Wira Rangkuti", "aliases": []}
    owner = await actors.client("submitter")
    urgent = (await sound(http, owner, merged(urgent_body(), {"subject": written})))["entry"]
    assert named(urgent) == ("Joko Susilo", [("Wira Rangkuti", "good")])
    assert warned(urgent) == [("several_names", "/subject/full_name")]
    subject = without_photo(urgent_body()["subject"], **{**urgent["subject"], **written})
    body = formal_body(starts_on="2026-11-23", ends_on="2027-05-23")
    subject = {
        key: value for key, value in subject.items() if key in entry_body()["subject"] and key != "photo"
    }
    formal = expect(await formalise(http, owner, urgent, {**body, "subject": subject}), 201)
    assert named(formal) == ("Joko Susilo", [("Wira Rangkuti", "good")])
    assert warned(formal) == [("several_names", "/subject/full_name")]


async def test_a_correction_parts_names_too(http: httpx2.AsyncClient, actors: Actors) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    subject = without_photo(body["subject"], full_name="Joko Susilo alias Wira Rangkuti", aliases=[])
    corrected = await amend(http, actors, entry, {"kind": "correction", "correction": {"subject": subject}})
    full_name, aliases = named(corrected)
    assert full_name == "Joko Susilo"
    assert ("Wira Rangkuti", "good") in aliases
    assert warned(corrected) == [("several_names", "/correction/subject/full_name")]


async def test_a_takeover_parts_names_too(runtime: Runtime, tmp_path: Path) -> None:
    body = merged(entry_body(), {"subject": {"full_name": "Joko Susilo alias Jack", "aliases": []}})
    assert await taken(runtime, ndjson(tmp_path, line(entry=body))) == told(added=1)
    [entry] = await entries(runtime)
    assert (entry.subject.full_name, [alias.name for alias in entry.subject.aliases]) == (
        "Joko Susilo",
        ["Jack"],
    )
    assert [each.code for each in entry.warnings] == ["several_names"]


@pytest.mark.parametrize("name", ["FNU LNU", "XXX", "Tanpa Nama", "UNKNOWN", "N/A", "Tidak ada"])
async def test_a_placeholder_is_no_name(http: httpx2.AsyncClient, actors: Actors, name: str) -> None:
    owner = await actors.client("submitter")
    answer = await http.post("/v1/entries", json=listed(name, BORN), headers=owner.headers)
    assert refused(answer, 422, "validation") == {"/subject/full_name": "placeholder"}
