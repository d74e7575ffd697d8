"""Bad input: each kind gets its own problem, and leaves no trace in the register."""

import asyncio
import json
from typing import Any

import pytest
from httpx2 import AsyncClient

from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.bodies import check_body, deterrence_body, entry_body, photo, urgent_body, wni
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.served import Served
from tests.support.steps import decide, expect, sound, submit

MANY_DAYS = {"ends_on": "2027-05-24"}
ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
"""For what is refused before any database is asked."""


CONTENT = [
    (entry_body(**MANY_DAYS), "period-too-long", {"/ends_on": "too_long"}),
    (entry_body(ends_on=...), "period-required", {"/ends_on": "required"}),
    (entry_body(lifetime=True, ends_on=None), "lifetime-not-allowed", {"/lifetime": "prevention"}),
    (entry_body(subject={"photo": ...}), "missing-subject-data", {"/subject/photo": "required"}),
    (
        entry_body(basis={"subject_status": "witness"}),
        "witness-not-allowed",
        {"/basis/subject_status": "witness"},
    ),
    (entry_body(basis={"stage": "trial"}), "stage-not-allowed", {"/basis/stage": "investigation_only"}),
    (
        entry_body(basis={"instrument": "request"}),
        "instrument-mismatch",
        {"/basis/instrument": "legal_form"},
    ),
    (
        entry_body(subject={"photo": {"data": "bm8gcGhvdG8="}}),
        "photo-invalid",
        {"/subject/photo/data": "undecodable"},
    ),
    (
        entry_body(
            colour="red", subject={"shoe": 43, "documents": [{"type": "passport", "number": "1", "x": 1}]}
        ),
        "validation",
        {
            "/colour": "unknown_member",
            "/subject/shoe": "unknown_member",
            "/subject/documents/0/x": "unknown_member",
        },
    ),
]


@ON_SQLITE
async def test_content_that_breaks_a_rule_is_refused_at_its_place_and_changes_nothing(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for body, slug, faults in CONTENT:
        with subtests.test(str((body, slug, faults))[:80]):
            submitter = await actors.client("submitter")
            async with nothing_changed(runtime):
                response = await http.post("/v1/entries", json=body, headers=submitter.headers)
                assert refused(response, 422, slug) == faults


async def test_an_entry_ban_against_an_indonesian_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter", agency="IMIGRASI")
    async with nothing_changed(runtime):
        for subject in (
            {"nationalities": ["IDN"], "nik": "3171011705700001"},
            {"nationalities": ["NZL", "IDN"]},
        ):
            body = deterrence_body(subject=subject, unknown=["nik"] if "nik" not in subject else [])
            response = await http.post("/v1/entries", json=body, headers=submitter.headers)
            assert refused(response, 422, "wni-cannot-be-deterred")["/subject"] == "wni"


async def test_a_second_decision_by_the_same_person_or_another_account_of_theirs_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    author = await actors.client("submitter", person="19850315-201001-1-002")
    second_account = await actors.client(["submitter", "verifier"], person="198503152010011002")
    entry = await submit(http, author)
    path, decision = f"/v1/entries/{entry['id']}/decisions", {"verdict": "verify", "reason": None}
    async with nothing_changed(runtime):
        response = await http.post(path, json=decision, headers=second_account.on('"1"'))
        refused(response, 403, "four-eyes")


async def test_a_stale_if_match_is_refused(http: AsyncClient, actors: Actors, runtime: Runtime):
    entry = await submit(http, await actors.client("submitter"))
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    await decide(http, verifier, entry, "verify")
    async with nothing_changed(runtime):
        response = await http.post(
            f"/v1/entries/{entry['id']}/decisions",
            json={"verdict": "approve", "reason": None},
            headers=approver.on('"1"'),
        )
        refused(response, 412, "stale-version")
        assert response.json()["version"] == 2


async def test_a_reused_idempotency_key_with_another_body_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter")
    await http.post("/v1/urgent-entries", json=urgent_body(), headers=submitter.once("k"))
    async with nothing_changed(runtime):
        response = await http.post("/v1/urgent-entries", json=urgent_body(), headers=submitter.once("k"))
        refused(response, 422, "idempotency-mismatch")


async def test_an_urgent_entry_without_letter_and_photo_is_refused_for_both_at_once(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter")
    async with nothing_changed(runtime):
        body = urgent_body(letter=..., subject={"photo": ...})
        response = await http.post("/v1/urgent-entries", json=body, headers=submitter.once("k"))
        assert refused(response, 422, "missing-subject-data") == {
            "/letter": "required",
            "/subject/photo": "required",
        }


PERIOD = ["starts_on", "ends_on", "lifetime"]


@ON_SQLITE
async def test_an_urgent_entry_that_names_a_period_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for member in PERIOD:
        with subtests.test(str(member)[:80]):
            submitter = await actors.client("submitter")
            async with nothing_changed(runtime):
                body = urgent_body(**{member: False if member == "lifetime" else "2026-11-23"})
                response = await http.post("/v1/urgent-entries", json=body, headers=submitter.once("k"))
                assert refused(response, 422, "validation") == {f"/{member}": "unknown_member"}


async def test_a_body_over_the_limit_is_refused(http: AsyncClient, actors: Actors, runtime: Runtime):
    submitter = await actors.client("submitter")
    body = entry_body(basis={"reason": "x" * 2_000_000})
    async with nothing_changed(runtime):
        refused(await http.post("/v1/entries", json=body, headers=submitter.headers), 413, "body-too-large")

    async def in_pieces() -> Any:
        for _ in range(30):
            yield b" " * 100_000

    async with nothing_changed(runtime):
        headers = {**submitter.headers, "Content-Type": "application/json"}
        response = await http.post("/v1/entries", content=in_pieces(), headers=headers)
        refused(response, 413, "body-too-large")


@ON_SQLITE
@pytest.mark.settings(body_timeout_seconds=0.5)
async def test_a_large_body_that_is_announced_and_never_sent_is_refused_at_once(
    served: Served, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter")

    async def announce(length: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        head = (
            "POST /v1/entries HTTP/1.1\r\nHost: register\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {submitter.key}\r\nContent-Length: {length}\r\n\r\n"
        )
        writer.write(head.encode())
        answer = await asyncio.wait_for(reader.readuntil(b'"}'), 4)
        writer.close()
        return answer

    async with nothing_changed(runtime):
        too_large, too_late = await asyncio.gather(announce(2_000_001), announce(2_000_000))
    assert too_large.startswith(b"HTTP/1.1 413 ")
    assert b"/problems/body-too-large" in too_large
    assert too_late.startswith(b"HTTP/1.1 408 ")
    assert b"/problems/request-timeout" in too_late


PLACES = [
    (("subject", "full_name"), "/subject/full_name"),
    (("basis", "reason"), "/basis/reason"),
    (("basis", "case_reference"), "/basis/case_reference"),
    (("subject", "documents", 0, "number"), "/subject/documents/0/number"),
    (("subject", "aliases", 0, "name"), "/subject/aliases/0/name"),
    (("unknown", 0), "/unknown/0"),
]


@ON_SQLITE
async def test_nul_and_lone_surrogates_are_refused_at_their_place(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for place, pointer in PLACES:
        with subtests.test(str((place, pointer))[:80]):
            submitter = await actors.client("submitter")
            headers = {**submitter.headers, "Content-Type": "application/json"}
            async with nothing_changed(runtime):
                for bad in ("A\0B", "A\ud800B", "A\udc00", "\x7f"):
                    body = entry_body(unknown=["nik"])
                    inside: Any = body
                    for step in place[:-1]:
                        inside = inside[step]
                    inside[place[-1]] = bad
                    response = await http.post(
                        "/v1/entries", content=json.dumps(body).encode(), headers=headers
                    )
                    assert list(refused(response, 422, "validation")) == [pointer]


@ON_SQLITE
async def test_a_lone_surrogate_as_a_members_name_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter")
    headers = {**submitter.headers, "Content-Type": "application/json"}
    async with nothing_changed(runtime):
        for name in ("\ud800", "\0", "a" * 100_000):
            content = json.dumps({**entry_body(), name: 1}).encode()
            refused(await http.post("/v1/entries", content=content, headers=headers), 422, "validation")


CHECKS = [
    ({"direction": None}, 422, "validation", {"/direction": "literal_error"}),
    ({"direction": "sideways"}, 422, "validation", {"/direction": "literal_error"}),
    ({"person": {"name": "A\0B"}}, 422, "validation", {"/person/name": "control_character"}),
    ({"shoe": 43}, 422, "validation", {"/shoe": "unknown_member"}),
]


@ON_SQLITE
async def test_a_check_without_direction_or_with_strange_members_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for changes, status, slug, faults in CHECKS:
        with subtests.test(str((changes, status, slug, faults))[:80]):
            counter = await actors.client("checkpoint")
            async with nothing_changed(runtime):
                body = check_body(wni(1), **changes)
                assert (
                    refused(await http.post("/v1/checks", json=body, headers=counter.headers), status, slug)
                    == faults
                )


async def test_a_zone_of_the_wrong_length_is_refused(http: AsyncClient, actors: Actors, runtime: Runtime):
    counter = await actors.client("checkpoint")
    async with nothing_changed(runtime):
        for zone in ("P<IDN", "X" * 87, "X" * 89, "\n", "P<IDN\0"):
            body = {"direction": "exit", "mrz": zone}
            response = await http.post("/v1/checks", json=body, headers=counter.headers)
            assert list(refused(response, 422, "mrz-unreadable")) == ["/mrz"]


async def test_a_revoked_key_is_refused_by_every_call(http: AsyncClient, actors: Actors, runtime: Runtime):
    admin, holder = await actors.client("admin"), await actors.client("submitter")
    entry = await submit(http, holder)
    path = f"/v1/clients/{holder.id}/keys/{holder.key_id}"
    assert (await http.delete(path, headers=admin.headers)).status_code == 204
    async with nothing_changed(runtime):
        for method, where in (
            ("GET", "/v1/entries"),
            ("GET", f"/v1/entries/{entry['id']}"),
            ("POST", "/v1/entries"),
        ):
            refused(
                await http.request(method, where, json=entry_body(), headers=holder.headers),
                401,
                "unauthenticated",
            )


async def test_a_stream_resumed_from_another_registers_cursor_is_refused(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
):
    counter = await actors.client("checkpoint")
    await sound(http, await actors.client("submitter"))
    page = expect(await http.get("/v1/alerts", headers=counter.headers), 200)
    epoch, _, sequence = page["cursor"].rpartition(".")
    async with nothing_changed(runtime):
        for cursor in ("f" * len(epoch) + f".{sequence}", f"{epoch}.{int(sequence) + 1}"):
            resumed = {**counter.headers, "Last-Event-ID": cursor}
            response = await http.get("/v1/alerts/stream", headers=resumed)
            refused(response, 410, "cursor-gone")
            assert response.json()["restart"] == "/v1/alerts/stream"


def test_the_photo_of_the_examples_is_one():
    assert photo()["media_type"] == "image/jpeg"


@ON_SQLITE
async def test_what_is_no_object_or_no_day_is_told_in_the_callers_words(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
):
    submitter = await actors.client("submitter")
    for body, pointer, code, words in (
        ([], "", "object_type", "A JSON object"),
        ({**entry_body(), "subject": []}, "/subject", "object_type", "A JSON object"),
        ({**entry_body(), "starts_on": "2026-02-30"}, "/starts_on", "day", "no such day"),
        ({**entry_body(), "ends_on": 7}, "/ends_on", "day", "YYYY-MM-DD"),
    ):
        with subtests.test(pointer=pointer, body=str(body)[:20]):
            answer = await http.post("/v1/entries", json=body, headers=submitter.headers)
            assert refused(answer, 422, "validation") == {pointer: code}
            assert words in answer.json()["errors"][0]["detail"]
