"""The letter of an entry by HTTP: who gets it, when there is one, and that it is the ledger's."""

from datetime import timedelta

import pytest
from httpx2 import AsyncClient, Response

from app.runtime import Runtime
from app.worker import Worker
from tests.support import letters
from tests.support.actors import Actors
from tests.support.bodies import deterrence_body, entry_body, urgent_body
from tests.support.clock import SettableClock
from tests.support.heads import sign_head
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import decide, expect, impose, sound, submit


def pdf_of(response: Response) -> bytes:
    assert (response.status_code, response.headers["content-type"]) == (200, "application/pdf"), response.text
    assert response.headers["cache-control"] == "no-store"
    assert response.content.startswith(b"%PDF-")
    return response.content


async def test_everyone_who_may_read_the_entry_gets_the_same_letter_and_the_look_is_recorded(
    http: AsyncClient, actors: Actors
):
    entry = await impose(http, actors)
    roles = ("submitter", "verifier", "approver", "duty_officer", "auditor")
    readers = [await actors.client(role) for role in roles]
    answers = [
        await http.get(f"/v1/entries/{entry['id']}/letter", headers=reader.headers) for reader in readers
    ]
    documents = {pdf_of(answer) for answer in answers}
    assert len(documents) == 1, "the same bytes for each of them"
    assert answers[0].headers["content-disposition"] == f'inline; filename="{entry["id"]}-v3.pdf"'
    looks = expect(await http.get("/v1/audit?act=letter.seen", headers=readers[-1].headers), 200)["items"]
    assert {(look["object"], look["client_id"]) for look in looks} == {(entry["id"], r.id) for r in readers}
    assert {look["detail"]["version"] for look in looks} == {3}


async def test_the_letter_stays_the_same_while_the_register_grows(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    entry, reader = await impose(http, actors), await actors.client("approver")
    path = f"/v1/entries/{entry['id']}/letter"
    await sign_head(actors)
    first = pdf_of(await http.get(path, headers=reader.headers))
    for _ in range(3):
        await impose(http, actors)
        await sign_head(actors)
    clock.advance(minutes=1)
    await sign_head(actors)
    assert pdf_of(await http.get(path, headers=reader.headers)) == first


async def test_the_qr_code_proves_the_entry_s_own_record(http: AsyncClient, actors: Actors):
    await impose(http, actors)
    await sound(http, await actors.client("submitter"))
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    await sign_head(actors)
    head = expect(await http.get("/v1/head", headers=auditor.headers), 200)
    await impose(http, actors)
    await sign_head(actors)
    document = pdf_of(await http.get(f"/v1/entries/{entry['id']}/letter", headers=auditor.headers))
    leaf, size, root = letters.proved(letters.qr_text(document))
    items = expect(await http.get("/v1/changes", headers=auditor.headers), 200)["items"]
    assert leaf == items[entry["sequence"] - 1]["leaf"]
    assert (leaf["entry_id"], leaf["version"]) == (entry["id"], 3)
    assert (size, root) == (head["size"], head["root"]), "of the first head that covers it"


async def test_the_letter_tells_the_person_the_ground_and_who_approved(http: AsyncClient, actors: Actors):
    body = entry_body(basis={"signed_by": "Setya Budiwan", "signed_by_position": "Ketua KPK"})
    entry, approver = await impose(http, actors, body), await actors.client("approver")
    document = pdf_of(await http.get(f"/v1/entries/{entry['id']}/letter", headers=approver.headers))
    words = letters.packed(letters.text(document))
    subject, basis = body["subject"], body["basis"]
    told = [
        subject["full_name"],
        subject["nik"],
        subject["aliases"][0]["name"],
        subject["documents"][0]["number"],
    ]
    told += [
        basis["number"],
        basis["case_reference"],
        basis["law"],
        "Setya Budiwan",
        "Komisi Pemberantasan Korupsi",
    ]
    told += ["23 November 2026", "23 Mei 2027", f"NOMOR {entry['sequence']}/CEGAH/XI/2026"]
    assert [each for each in told if letters.packed(each) not in words] == []


async def test_an_entry_ban_is_told_as_one(http: AsyncClient, actors: Actors):
    entry, approver = await impose(http, actors, deterrence_body()), await actors.client("approver")
    document = pdf_of(await http.get(f"/v1/entries/{entry['id']}/letter", headers=approver.headers))
    words = letters.text(document)
    assert "PENANGKALAN MASUK KE WILAYAH INDONESIA" in words
    assert "sampai dengan tanggal 23 November 2036" in words


async def test_what_is_not_decided_has_no_letter(http: AsyncClient, actors: Actors, runtime: Runtime):
    submitter, verifier = await actors.client("submitter"), await actors.client("verifier")
    approver = await actors.client("approver")
    submitted = await submit(http, submitter)
    verified = await decide(http, verifier, await submit(http, submitter), "verify")
    returned = await decide(
        http, verifier, await submit(http, submitter), "return", "The photo is of another."
    )
    rejected = await decide(http, verifier, await submit(http, submitter), "verify")
    rejected = await decide(http, approver, rejected, "reject", "The ground is no ground.")
    provisional = (await sound(http, submitter))["entry"]
    async with nothing_changed(runtime):
        for entry in (submitted, verified, returned, rejected, provisional):
            answer = await http.get(f"/v1/entries/{entry['id']}/letter", headers=submitter.headers)
            refused(answer, 409, "wrong-state")


async def test_a_countersigned_entry_has_a_letter_of_its_own_form_until_it_lapses(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    submitter, officer = await actors.client("submitter"), await actors.client("duty_officer")
    body = urgent_body(substitute={"absent_head": "Ketua KPK", "mandate": "Sprin-7/2026"})
    entry = (await sound(http, submitter, body))["entry"]
    entry = await decide(http, officer, entry, "countersign")
    path = f"/v1/entries/{entry['id']}/letter"
    words = letters.text(pdf_of(await http.get(path, headers=submitter.headers)))
    assert "DALAM KEADAAN MENDESAK" in words
    assert "sampai dengan tanggal 12 Desember 2026" in words
    assert f"disahkan dalam register oleh pegawai nomor {officer.person}" in words
    assert "Sprin-7/2026" in words
    clock.advance(timedelta(days=20))
    words = letters.text(pdf_of(await http.get(path, headers=submitter.headers)))
    assert "PEMBERITAHUAN" in words, "the law's end is told though no loop has recorded it yet"
    assert "tidak dapat diajukan kembali" in words
    await worker.end_by_law()
    await worker.sign_head()
    document = pdf_of(await http.get(path, headers=submitter.headers))
    found = letters.proved(letters.qr_text(document))
    assert found[0]["type"] == "entry.ended"
    assert "/AKHIR-MENDESAK-" not in letters.text(document)
    assert "terhitung sejak tanggal 13 Desember 2026 pukul 00.00 WIB" in letters.text(document)


async def test_an_urgent_entry_that_lapsed_before_it_was_countersigned_has_none(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    submitter = await actors.client("submitter")
    entry = (await sound(http, submitter))["entry"]
    clock.advance(timedelta(days=2))
    await worker.end_by_law()
    refused(
        await http.get(f"/v1/entries/{entry['id']}/letter", headers=submitter.headers), 409, "wrong-state"
    )


async def test_the_end_of_the_period_is_told_with_the_decision_that_it_ends(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    entry, auditor = await impose(http, actors), await actors.client("auditor")
    clock.set("2027-05-24T00:00:00+07:00")
    await worker.end_by_law()
    document = pdf_of(await http.get(f"/v1/entries/{entry['id']}/letter", headers=auditor.headers))
    words = letters.text(document)
    assert "BERAKHIRNYA PENCEGAHAN" in words
    assert f"Keputusan Nomor {entry['sequence']}/CEGAH/XI/2026 tanggal 23 November 2026" in words
    assert letters.packed(entry["basis"]["number"]) in letters.packed(words)
    assert "pada tanggal 24 Mei 2027" in words


async def test_outside_one_s_view_there_is_no_letter(http: AsyncClient, actors: Actors, runtime: Runtime):
    entry = await impose(http, actors)
    path = f"/v1/entries/{entry['id']}/letter"
    stranger = await actors.client("submitter", agency="POLRI")
    machines = [
        await actors.client(role) for role in ("checkpoint", "integrator", "carrier", "supervisor", "admin")
    ]
    async with nothing_changed(runtime):
        refused(await http.get(path, headers=stranger.headers), 404, "not-found")
        for caller in machines:
            refused(await http.get(path, headers=caller.headers), 403, "wrong-role")
        refused(await http.get(path), 401, "unauthenticated")
        refused(await http.get("/v1/entries/ent_none/letter", headers=stranger.headers), 404, "not-found")


@pytest.mark.settings(
    letterhead_lines=("KEMENTERIAN CONTOH", "Jalan Contoh 1"),
    letter_city="Nusantara",
    letter_signatory="Direktur Contoh",
    letter_number="IMI.{sequence}.GR/{year}",
)
async def test_the_letterhead_is_the_deployment_s(http: AsyncClient, actors: Actors):
    entry, approver = await impose(http, actors), await actors.client("approver")
    document = pdf_of(await http.get(f"/v1/entries/{entry['id']}/letter", headers=approver.headers))
    words = letters.text(document)
    assert words.startswith("KEMENTERIAN CONTOH Jalan Contoh 1 KEPUTUSAN DIREKTUR CONTOH")
    assert f"NOMOR IMI.{entry['sequence']}.GR/2026" in words
    assert "Ditetapkan di Nusantara" in words
