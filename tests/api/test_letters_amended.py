"""Letters of entries that were extended, corrected, revoked, acquitted; and of urgent ones that were formalised."""

from httpx2 import AsyncClient

from tests.support import letters
from tests.support.actors import Actors
from tests.support.bodies import (
    entry_body,
    extension_body,
    formal_body,
    judgment_body,
    revocation_body,
    urgent_body,
    without_photo,
)
from tests.support.clock import SettableClock
from tests.support.steps import Json, amend, approve, decide, expect, formalise, impose, sound


async def words_of(http: AsyncClient, actors: Actors, entry: Json) -> str:
    """The words of the letter of an entry as it stands."""
    auditor = await actors.client("auditor")
    answer = await http.get(f"/v1/entries/{entry['id']}/letter", headers=auditor.headers)
    assert answer.status_code == 200, answer.text
    found = letters.proved(letters.qr_text(answer.content))
    assert found is not None
    assert found[0]["entry_id"] == entry["id"]
    return letters.text(answer.content)


async def test_an_extension_has_a_letter_on_its_own_decision(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    entry = await impose(http, actors)
    clock.set("2027-05-10T03:00:00Z")
    body = extension_body(entry, "2027-11-23", "2027-05-08")
    extended = await amend(http, actors, entry, body)
    words = await words_of(http, actors, extended)
    assert "PERPANJANGAN PENCEGAHAN" in words
    assert "terhitung mulai tanggal 24 Mei 2027 sampai dengan tanggal 23 November 2027" in words
    own = body["extension"]["basis"]["number"]
    assert letters.packed(f"Perintah Komisi Pemberantasan Korupsi Nomor {own}") in letters.packed(words)
    assert f"Keputusan Nomor {entry['sequence']}/CEGAH/XI/2026" in words
    assert "pada tanggal 10 Mei 2027" in words
    clock.set("2027-11-24T00:00:00+07:00")
    words = await words_of(http, actors, extended)
    assert "jangka waktu perpanjangan Pencegahan telah berakhir, sehingga" in words
    assert "tanpa keputusan perpanjangan" not in words


async def test_a_correction_has_a_letter_that_names_what_it_corrects(http: AsyncClient, actors: Actors):
    body = entry_body()
    entry = await impose(http, actors, body)
    subject = without_photo(body["subject"], full_name="Soekarto Wirjo")
    corrected = await amend(http, actors, entry, {"kind": "correction", "correction": {"subject": subject}})
    words = await words_of(http, actors, corrected)
    assert "PERBAIKAN KEPUTUSAN PENCEGAHAN" in words
    assert "TERHADAP SOEKARTO WIRJO" in words
    assert body["subject"]["full_name"] in words, "the old spelling stays an alias"
    assert f"Keputusan Nomor {entry['sequence']}/CEGAH/XI/2026" in words


async def test_a_revocation_has_a_letter_that_refers_to_the_owner_s(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    body = revocation_body(entry)
    words = letters.packed(await words_of(http, actors, await amend(http, actors, entry, body)))
    assert letters.packed("PENCABUTAN PENCEGAHAN") in words
    for number in (
        body["letter"]["number"],
        body["revocation"]["refers_to_number"],
        entry["basis"]["number"],
    ):
        assert letters.packed(f"Nomor {number}") in words
    assert letters.packed("disetujui dalam register oleh pegawai nomor 1985") in words


async def test_an_acquittal_is_told_with_its_judgment(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    body = judgment_body(entry)
    words = letters.packed(await words_of(http, actors, await amend(http, actors, entry, body)))
    judgment = body["judgment"]
    assert letters.packed("BERAKHIRNYA PENCEGAHAN") in words
    assert letters.packed(f"putusan {judgment['court']} Nomor {judgment['number']} tanggal") in words
    assert letters.packed("Pasal 97 ayat (3)") in words


async def test_a_formalised_entry_s_letters_are_the_urgent_one_and_the_decision(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    submitter, officer = await actors.client("submitter"), await actors.client("duty_officer")
    sent = urgent_body()
    urgent = await decide(http, officer, (await sound(http, submitter, sent))["entry"], "countersign")
    before = await words_of(http, actors, urgent)
    basis = {**sent["basis"], "number": "Sprin.Cegah-1/2026"}
    body = formal_body(basis=basis, ends_on="2027-05-31")
    asked = expect(await formalise(http, submitter, urgent, body), 201)
    formal = await approve(http, actors, asked)
    assert await words_of(http, actors, urgent) == before, (
        "until the formal one begins the urgent letter holds"
    )
    assert "1 Desember 2026 sampai dengan tanggal 31 Mei 2027" in await words_of(http, actors, formal)
    clock.set("2026-12-01T03:00:00Z")
    assert "telah digantikan oleh keputusan formal" in await words_of(http, actors, urgent)
