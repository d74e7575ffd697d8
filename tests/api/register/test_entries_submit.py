"""Submitting: what is kept, as it was given, and what warns without barring (API section 3)."""

import asyncio

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.admins import change_place
from tests.support.bodies import deterrence_body, entry_body, merged, without_photo
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import decide, expect, impose, sound, submit

ALWAYS = {
    *("id", "version", "state", "in_force", "urgent", "formalises", "agency", "citizenship", "submitted_by"),
    *(
        "countersigned_by",
        "countersigned_at",
        "second_approval_at",
        "ended_reason",
        "ended_at",
        "extension_count",
    ),
    *("crossing", "legal_deadlines", "warnings", "created_at", "updated_at", "sequence"),
    *("measure", "subject", "basis", "starts_on", "ends_on", "lifetime", "unknown"),
}
"""Members of an entry as answered, by docs/api.md."""


async def test_a_submitted_entry_is_answered_whole_with_its_place_and_version(
    http: AsyncClient, actors: Actors
):
    submitter = await actors.client("submitter")
    body = entry_body()
    response = await http.post("/v1/entries", json=body, headers=submitter.headers)
    entry = expect(response, 201)
    assert entry.keys() >= ALWAYS
    assert response.headers["location"] == f"/v1/entries/{entry['id']}"
    assert response.headers["etag"].startswith('"1-')
    assert (entry["state"], entry["version"], entry["in_force"]) == ("submitted", 1, False)
    assert (entry["agency"], entry["citizenship"], entry["submitted_by"]) == ("KPK", "WNI", submitter.id)
    assert entry["sequence"] is None, "nobody is told of it yet"
    as_it_is = {
        **submitter.headers,
        "Accept-Encoding": "identity",
    }  # a compressed answer has a tag of its own
    again = await http.get(response.headers["location"], headers=as_it_is)
    assert expect(again, 200) == entry
    assert again.headers["etag"] == response.headers["etag"]


async def test_everything_is_kept_as_it_was_given(http: AsyncClient, actors: Actors):
    body = entry_body(
        subject={
            "aliases": [{"name": "Si Raka", "quality": "good"}],
            "birth_alternatives": [{"date": "1980"}, {"from": "1979-05", "to": "1981"}],
            "birth_place": "Zürich — 東京 — القاهرة",
            "nik": "0000000000000000",
        },
        basis={"amount_idr": 2**53 - 1, "late_reason": "Two\nlines.", "trafficking_victim": True},
    )
    body["subject"]["birth"] = {"age": 45, "as_of": "2026-11-23"}
    entry = await submit(http, await actors.client("submitter"), body)
    assert without_photo(entry["subject"]) == without_photo(
        body["subject"], citizenship_note=None, citizenship_loss=None
    )
    for name, value in body["basis"].items():
        assert entry["basis"][name] == value


async def test_members_shown_as_empty_may_be_absent(http: AsyncClient, actors: Actors):
    sparse = {
        "aliases": ...,
        "birth_alternatives": ...,
        "occupation": ...,
        "address": ...,
        "documents": [{"type": "passport", "number": "X7777777"}],
    }
    optional = {"received_on": ..., "late_reason": ..., "signed_by": ..., "signed_by_position": ...}
    body = entry_body(subject=sparse, basis=optional, unknown=["occupation", "address"], lifetime=...)
    entry = await submit(http, await actors.client("submitter"), body)
    assert entry["subject"]["aliases"] == entry["subject"]["birth_alternatives"] == []
    assert entry["subject"]["documents"] == [
        {"type": "passport", "number": "X7777777", "issuing_state": None, "expires_on": None}
    ]
    assert entry["basis"]["signed_by"] is entry["basis"]["amount_idr"] is None
    assert entry["lifetime"] is entry["basis"]["trafficking_victim"] is False


INDONESIAN_PAPER = {"type": "other", "number": "1", "issuing_state": "IDN"}


CITIZENSHIPS = [
    ({"nationalities": ["NZL"], "nik": None, "documents": []}, "WNA"),
    ({"nationalities": ["NZL"], "nik": None, "documents": [INDONESIAN_PAPER]}, "WNI"),
    ({"nationalities": ["XXA"], "nik": "3171010101700001", "documents": []}, "WNI"),
    ({"nationalities": ["XXA"], "nik": "3171019901700001", "documents": []}, "WNA"),
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_citizenship_is_derived_and_never_asked(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
):
    for subject, citizenship in CITIZENSHIPS:
        with subtests.test(str((subject, citizenship))[:80]):
            body = entry_body(subject=subject, unknown=[] if subject["documents"] else ["documents"])
            submitter = await actors.client("submitter")
            assert (await submit(http, submitter, body))["citizenship"] == citizenship
            refused(
                await http.post(
                    "/v1/entries", json={**body, "citizenship": "WNA"}, headers=submitter.headers
                ),
                422,
                "validation",
            )


async def test_what_only_warns_is_accepted_and_told(http: AsyncClient, actors: Actors):
    body = entry_body(
        subject={"nik": "3171010101700001", "sex": "female", "birth": {"date": "1980-02-02"}},
        basis={"issued_on": "2026-11-02", "received_on": "2026-11-23"},
    )
    entry = await submit(http, await actors.client("submitter"), body)
    assert {(warning["code"], warning["pointer"]) for warning in entry["warnings"]} == {
        ("late_delivery", "/basis/received_on"),
        ("nik_birth_mismatch", "/subject/nik"),
        ("nik_sex_mismatch", "/subject/nik"),
    }


async def test_one_letter_names_a_person_once(http: AsyncClient, actors: Actors, runtime: Runtime):
    submitter, colleague = await actors.client("submitter"), await actors.client("submitter")
    first = entry_body()
    entry = await submit(http, submitter, first)
    again = merged(
        first,
        {"basis": {"case_reference": "Another case", "number": f" {first['basis']['number'].lower()} "}},
    )
    async with nothing_changed(runtime):
        response = await http.post("/v1/entries", json=again, headers=colleague.headers)
        refused(response, 409, "duplicate-entry")
        assert response.json()["entry_id"] == entry["id"]
    other_person = entry_body(basis={"number": first["basis"]["number"]})
    assert (await submit(http, submitter, other_person))["state"] == "submitted", (
        "one letter may name several"
    )


async def test_one_case_has_one_entry_for_a_person_at_a_time(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter")
    first = entry_body(ends_on="2027-01-31")
    await submit(http, submitter, first)
    renamed = {"full_name": "Quite Another", "birth": {"date": "1970"}, "birth_place": "Bogor"}
    overlapping = merged(first, {"subject": renamed, "basis": {"number": "R-other"}})
    overlapping |= {"starts_on": "2027-01-31", "ends_on": "2027-06-30"}
    async with nothing_changed(runtime):
        refused(
            await http.post("/v1/entries", json=overlapping, headers=submitter.headers),
            409,
            "duplicate-entry",
        )
    following = {**overlapping, "starts_on": "2027-02-01"}
    assert (await submit(http, submitter, following))["state"] == "submitted"


async def test_another_owner_or_case_may_ban_the_same_person_too(http: AsyncClient, actors: Actors):
    first = entry_body()
    await submit(http, await actors.client("submitter"), first)
    other_case = merged(first, {"basis": {"number": "R-2", "case_reference": "Another case"}})
    assert (await submit(http, await actors.client("submitter"), other_case))["warnings"] == []
    police = await actors.client("submitter", agency="POLRI")
    other_owner = merged(first, {"basis": {"instrument": "request", "reason_code": "general_crime"}})
    assert (await submit(http, police, other_owner))["agency"] == "POLRI"


async def test_a_rejected_or_ended_case_may_be_brought_again(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    submitter, approver = await actors.client("submitter"), await actors.client("approver")
    body = entry_body(ends_on="2026-12-01")
    entry = await submit(http, submitter, body)
    entry = await decide(http, await actors.client("verifier"), entry, "verify")
    await decide(http, approver, entry, "reject", "No ground.")
    entry = await impose(http, actors, body)
    assert entry["state"] == "active", "the same letter, because it was rejected"
    clock.set("2026-12-01T17:00:00Z")
    anew = merged(body, {"starts_on": "2026-12-02", "ends_on": "2026-12-24", "basis": {"number": "R-new"}})
    assert (await submit(http, submitter, anew))["state"] == "submitted"


async def test_a_near_match_warns_and_never_bars(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    first = entry_body()
    entry = await submit(http, submitter, first)
    namesake = entry_body(
        subject={"full_name": first["subject"]["full_name"], "birth": {"date": "1931-01-01"}}
    )
    warnings = (await submit(http, submitter, namesake))["warnings"]
    similar = [warning for warning in warnings if warning["code"] == "similar_subject"]
    assert len(similar) == 1
    assert entry["id"] in similar[0]["detail"]


async def test_an_agency_that_is_no_longer_active_submits_nothing(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter", agency="BNPT")
    await change_place(http, actors, "/v1/agencies/BNPT", active=False)
    async with nothing_changed(runtime):
        response = await http.post("/v1/entries", json=entry_body(), headers=submitter.headers)
        refused(response, 403, "wrong-agency")


async def test_deterrence_is_for_foreigners_and_may_be_for_life(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter", agency="IMIGRASI")
    body = deterrence_body(
        lifetime=True, ends_on=None, basis={"lifetime_ground": "A danger to public order."}
    )
    entry = await submit(http, submitter, body)
    assert (entry["citizenship"], entry["lifetime"], entry["ends_on"]) == ("WNA", True, None)


async def test_the_answer_shows_no_role_of_the_caller_in_what_belongs_to_the_key(
    http: AsyncClient, actors: Actors
):
    """Agency and person come from the key, never from a body."""
    submitter = await actors.client("submitter")
    for claim in ({"agency": "POLRI"}, {"submitted_by": "cli_x"}, {"state": "active"}, {"urgent": True}):
        response = await http.post("/v1/entries", json={**entry_body(), **claim}, headers=submitter.headers)
        assert refused(response, 422, "validation") == {f"/{next(iter(claim))}": "unknown_member"}


async def test_an_urgent_entry_bars_the_same_case_like_any_other(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter")
    body = entry_body()
    urgent = {name: value for name, value in body.items() if name not in {"starts_on", "ends_on"}}
    letter = {"number": "ND-1", "issued_on": "2026-11-23", "sha256": "0" * 64}
    await sound(http, submitter, {**urgent, "letter": letter})
    formal = merged(body, {"basis": {"number": "R-formal"}})
    async with nothing_changed(runtime):
        refused(
            await http.post("/v1/entries", json=formal, headers=submitter.headers), 409, "duplicate-entry"
        )


async def test_of_many_who_submit_the_same_letter_at_once_one_is_heard(http: AsyncClient, actors: Actors):
    submitters = [await actors.client("submitter") for _ in range(5)]
    body = entry_body()
    answers = await asyncio.gather(
        *(http.post("/v1/entries", json=body, headers=by.headers) for by in submitters)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
