"""Keys: shown once, two at most, ending in time, bound to networks, slowing guessers alone."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from tests.support.actors import Actors, Caller
from tests.support.admins import change_place
from tests.support.bodies import check_body, wni
from tests.support.clock import SettableClock
from tests.support.contract import watch
from tests.support.lifespan import started
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import expect

CHECK = check_body(wni(1))


def bearer(key: str) -> dict[str, str]:
    """What a request with this key carries."""
    return {"Authorization": f"Bearer {key}"}


async def status(http: AsyncClient, key: str, path: str = "/v1/agencies") -> int:
    """What a read with this key is answered with."""
    return (await http.get(path, headers=bearer(key))).status_code


async def check(http: AsyncClient, key: str) -> int:
    """What a check with this key is answered with."""
    return (await http.post("/v1/checks", json=CHECK, headers=bearer(key))).status_code


async def test_a_client_has_at_most_two_live_keys(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
):
    admin, feed = await actors.client("admin"), await actors.client("integrator", agency="KPK")
    path = f"/v1/clients/{feed.id}/keys"
    soon = {"expires_at": "2026-11-24T03:00:00Z"}
    second = expect(await http.post(path, json=soon, headers=admin.headers), 201)
    assert (await status(http, feed.key), await status(http, second["key"])) == (200, 200)
    async with nothing_changed(runtime):
        refused(await http.post(path, headers=admin.headers), 409, "wrong-state")
    assert (await http.delete(f"{path}/{feed.key_id}", headers=admin.headers)).status_code == 204
    third = expect(await http.post(path, headers=admin.headers), 201)
    clock.advance(days=1)
    assert await status(http, second["key"]) == 401, "expired"
    expect(await http.post(path, headers=admin.headers), 201)
    listed = expect(await http.get(path, headers=admin.headers), 200)["items"]
    assert {"id", "state", "created_at", "expires_at", "gateway"} == set(listed[0])
    assert third["id"] in {key["id"] for key in listed}


async def test_two_keys_asked_for_at_once_do_not_make_three(http: AsyncClient, actors: Actors):
    admin, feed = await actors.client("admin"), await actors.client("integrator", agency="KPK")
    path = f"/v1/clients/{feed.id}/keys"
    answers = await asyncio.gather(*(http.post(path, headers=admin.headers) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]


ENDS = [
    "2026-11-23T03:00:00Z",
    "2020-01-01T00:00:00Z",
    "2027-11-23T03:00:01Z",
    "2026-12-01T00:00:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "soon",
    1,
]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_a_key_ends_in_the_future_within_a_year(
    http: AsyncClient, actors: Actors, runtime: Runtime, subtests: pytest.Subtests
):
    for expires_at in ENDS:
        with subtests.test(str(expires_at)[:80]):
            admin, feed = await actors.client("admin"), await actors.client("integrator", agency="KPK")
            async with nothing_changed(runtime):
                path = f"/v1/clients/{feed.id}/keys"
                response = await http.post(path, json={"expires_at": expires_at}, headers=admin.headers)
                assert list(refused(response, 422, "validation")) == ["/expires_at"]


async def test_an_expired_key_ends_with_the_instant_for_reads_and_checks(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    admin, counter = await actors.client("admin"), await actors.client("checkpoint")
    path = f"/v1/clients/{counter.id}/keys"
    until = {"expires_at": "2026-11-23T04:00:00+00:00"}
    key = expect(await http.post(path, json=until, headers=admin.headers), 201)["key"]
    for _ in range(3):
        assert (await status(http, key), await check(http, key)) == (200, 200)
    clock.set("2026-11-23T03:59:59.999999Z")
    assert (await status(http, key), await check(http, key)) == (200, 200)
    clock.set("2026-11-23T04:00:00Z")
    assert (await check(http, key), await status(http, key)) == (401, 401)


@pytest.mark.parametrize("whole_client", [False, True])
async def test_a_revocation_ends_the_next_request_on_every_process(
    http: AsyncClient, actors: Actors, settings: Settings, clock: SettableClock, *, whole_client: bool
):
    admin, counter = await actors.client("admin"), await actors.client("checkpoint")
    other = create_app(settings, clock, work=False)
    transport = httpx2.ASGITransport(other)
    async with started(other), watch(AsyncClient(transport=transport, base_url="http://other")) as elsewhere:
        for process in (http, elsewhere):
            for _ in range(3):  # so that whatever is remembered is
                assert (await check(process, counter.key), await status(process, counter.key)) == (200, 200)
        path = f"/v1/clients/{counter.id}" + ("" if whole_client else f"/keys/{counter.key_id}")
        assert (await http.delete(path, headers=admin.headers)).status_code == 204
        for process in (elsewhere, http):
            assert (await check(process, counter.key), await status(process, counter.key)) == (401, 401)


async def test_a_key_revoked_while_a_second_admin_confirms_stays_revoked(http: AsyncClient, actors: Actors):
    admin, second = await actors.client("admin"), await actors.client("admin")
    decider = await actors.client("approver")
    path = f"/v1/clients/{decider.id}"
    for _ in range(8):
        key = expect(await http.post(f"{path}/keys", headers=admin.headers), 201)
        revoked, _ = await asyncio.gather(
            http.delete(f"{path}/keys/{key['id']}", headers=admin.headers),
            http.post(f"{path}/confirmation", headers=second.headers),
        )
        assert revoked.status_code == 204
        assert await status(http, key["key"]) == 401


async def test_a_bound_client_is_admitted_from_its_networks_only(
    app: FastAPI, actors: Actors, http: AsyncClient
):
    counter = await actors.client("checkpoint", networks=["10.1.0.0/16", "2001:db8::/32"])

    async def from_address(address: str) -> tuple[int, int]:
        transport = httpx2.ASGITransport(app, client=(address, 4711))
        async with watch(AsyncClient(transport=transport, base_url="http://testserver")) as there:
            return await check(there, counter.key), await status(there, counter.key)

    for _ in range(2):
        assert await from_address("10.1.2.3") == (200, 200)
        assert await from_address("::ffff:10.1.2.3") == (200, 200)
        assert await from_address("2001:db8::7") == (200, 200)
        assert await from_address("10.2.0.1") == (401, 401)
        assert await from_address("203.0.113.9") == (401, 401)


@pytest.mark.settings(failed_keys_per_minute=3)
async def test_failed_keys_are_slowed_by_address_and_key_id_and_never_a_valid_key_behind_the_same_address(
    http: AsyncClient, actors: Actors
):
    counter, neighbour = await actors.client("checkpoint"), await actors.client("submitter")
    guess = counter.key[:-1] + ("a" if counter.key[-1] != "a" else "b")
    assert [await status(http, guess) for _ in range(5)] == [401, 401, 401, 429, 429]
    slowed = await http.get("/v1/agencies", headers=bearer(guess))
    refused(slowed, 429, "rate-limited")
    assert 1 <= int(slowed.headers["retry-after"]) <= 61
    assert await check(http, guess) == 429, "checks share the account"
    assert (await status(http, counter.key), await check(http, counter.key)) == (200, 200)
    assert await status(http, neighbour.key) == 200
    assert await status(http, "cekal_other_guess") == 401


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_a_key_is_taken_from_the_authorization_header_alone(http: AsyncClient, actors: Actors):
    submitter = await actors.client("submitter")
    for headers in (
        {},
        {"X-Api-Key": submitter.key},
        {"Authorization": submitter.key},
        {"Cookie": f"key={submitter.key}"},
    ):
        response = await http.get(
            f"/v1/entries?key={submitter.key}&access_token={submitter.key}", headers=headers
        )
        refused(response, 401, "unauthenticated")
    assert (
        await http.get("/v1/entries", headers={"authorization": f"bearer {submitter.key}"})
    ).status_code == 200


async def test_another_clients_secret_does_not_fit_a_key_id(http: AsyncClient, actors: Actors):
    one, other = await actors.client("submitter"), await actors.client("submitter")

    def parts(caller: Caller) -> tuple[str, str]:
        _, key_id, secret = caller.key.split("_", 2)
        return key_id, secret

    forged = f"cekal_{parts(one)[0]}_{parts(other)[1]}"
    assert await status(http, forged) == 401
    assert await status(http, f"cekal_{parts(one)[0]}_{parts(one)[1]}") == 200


async def test_agencies_and_checkpoints_are_read_by_everybody_and_changed_by_admins(
    http: AsyncClient, actors: Actors
):
    admin, counter = await actors.client("admin"), await actors.client("checkpoint")
    seen: list[str] = []
    cursor = ""
    while True:
        page = expect(await http.get(f"/v1/checkpoints?limit=100{cursor}", headers=counter.headers), 200)
        seen += [place["code"] for place in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 171
    longest = max(seen, key=len)
    place = expect(await http.get(f"/v1/checkpoints/{longest}", headers=counter.headers), 200)
    place.pop("code")
    assert place["mode"] == "sea-special"
    answer = await change_place(http, actors, f"/v1/checkpoints/{longest}", active=False)
    assert answer == {"code": longest, **place, "active": False}
    agency = expect(await http.get("/v1/agencies/KPK", headers=counter.headers), 200)
    assert agency["legal_forms"] == ["order"]
    agency.pop("code")
    for wrong, pointer in (
        ({"legal_forms": ["decree"]}, "/legal_forms/0"),
        ({"legal_forms": []}, "/legal_forms"),
        ({"parent": "NSA"}, "/parent"),
        ({"active": "no"}, "/active"),
    ):
        response = await http.put("/v1/agencies/KPK", json={**agency, **wrong}, headers=admin.on('"1"'))
        assert list(refused(response, 422, "validation")) == [pointer]
    phone = "+62 21 2557 8300"
    assert (await change_place(http, actors, "/v1/agencies/KPK", phone=phone))["phone"] == phone
