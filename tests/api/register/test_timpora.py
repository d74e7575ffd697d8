"""What a supervision team sees of the register: its province's foreigners, and nothing else."""

from httpx2 import AsyncClient

from tests.support.actors import Actors
from tests.support.bodies import deterrence_body, entry_body
from tests.support.refusals import refused
from tests.support.steps import etag, expect, submit


async def test_a_team_reads_the_foreigners_of_its_province_and_nobody_else(http: AsyncClient, actors: Actors):
    team = await actors.client("timpora")
    batam = await actors.client("submitter", agency="IMIGRASI", office="KANIM-BATAM")
    medan = await actors.client("submitter", agency="IMIGRASI", office="KANIM-MEDAN")
    seen = await submit(http, batam, deterrence_body())
    decision = {"instrument": "decision", "stage": None, "reason_code": "immigration"}
    hidden = [
        await submit(http, medan, deterrence_body()),
        await submit(http, batam, entry_body(basis=decision)),
        await submit(http, await actors.client("submitter"), entry_body()),
        await submit(http, batam, deterrence_body(sealed_for=[batam.person])),
    ]
    listed = expect(await http.get("/v1/entries", headers=team.headers), 200)["items"]
    assert [entry["id"] for entry in listed] == [seen["id"]]
    for way in ("", "/history"):
        expect(await http.get(f"/v1/entries/{seen['id']}{way}", headers=team.headers), 200)
        for entry in hidden:
            answer = await http.get(f"/v1/entries/{entry['id']}{way}", headers=team.headers)
            refused(answer, 404, "not-found")
    assert expect(await http.get("/v1/entries?agency=KPK", headers=team.headers), 200)["items"] == []


async def test_a_team_does_nothing_else_with_what_it_reads(http: AsyncClient, actors: Actors):
    team = await actors.client("timpora")
    batam = await actors.client("submitter", agency="IMIGRASI", office="KANIM-BATAM")
    entry = await submit(http, batam, deterrence_body())
    path = f"/v1/entries/{entry['id']}"
    refused(await http.get(f"{path}/photo", headers=team.headers), 404, "not-found")
    on = team.on(etag(entry))
    for method, way, body in (
        ("POST", "/v1/entries/search", {"name": "Aldous"}),
        ("POST", "/v1/entries", deterrence_body()),
        ("PUT", path, deterrence_body()),
        ("POST", f"{path}/decisions", {"verdict": "verify"}),
        ("POST", f"{path}/amendments", {"kind": "revocation", "reason": "Over."}),
        ("PUT", f"{path}/seal", {"persons": [team.person]}),
        ("GET", f"{path}/amendments", None),
        ("GET", "/v1/changes", None),
        ("GET", "/v1/clients", None),
        ("POST", "/v1/checks", {"direction": "exit", "document": {"number": "X1"}}),
    ):
        refused(await http.request(method, way, json=body, headers=on), 403, "wrong-role")
    assert expect(await http.get("/v1/worklist", headers=team.headers), 200)["items"] == []


async def test_a_team_of_another_agency_sees_the_province_of_its_own_office(
    http: AsyncClient, actors: Actors
):
    admin = await actors.client("admin")
    polda = {"agency": "POLRI", "name": "Polda Kepri", "province": "Kepulauan Riau"}
    expect(await http.put("/v1/offices/POLDA-KEPRI", json=polda, headers=admin.headers), 201)
    team = await actors.client("timpora", agency="POLRI", office="POLDA-KEPRI")
    batam = await actors.client("submitter", agency="IMIGRASI", office="KANIM-BATAM")
    entry = await submit(http, batam, deterrence_body())
    path = f"/v1/entries/{entry['id']}"
    expect(await http.get(path, headers=team.headers), 200)
    moved = {**polda, "province": "Riau"}
    expect(await http.put("/v1/offices/POLDA-KEPRI", json=moved, headers=admin.on('"1"')), 200)
    refused(await http.get(path, headers=team.headers), 404, "not-found")
