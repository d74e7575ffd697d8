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
from tests.support.heads import sign_head
from tests.support.steps import Json, amend, approve, decide, expect, formalise, impose, sound, submit


async def words_of(http: AsyncClient, actors: Actors, entry: Json) -> str:
    """The words of the letter of an entry as it stands."""
    auditor = await actors.client("auditor")
    await sign_head(actors)
    answer = await http.get(f"/v1/entries/{entry['id']}/letter", headers=auditor.headers)
    assert answer.status_code == 200, answer.text
    found = letters.proved(letters.qr_text(answer.content))
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


OFF_THE_LIST = "register tidak memuat Pencegahan lain terhadap yang bersangkutan"
STILL_ON_IT = "tetap tercantum dalam daftar Pencegahan"


async def test_the_end_of_one_of_two_bans_says_that_the_name_stays_on_the_list(
    http: AsyncClient, actors: Actors, clock: SettableClock
):
    body = entry_body()
    first = await impose(http, actors, body)
    other = entry_body(subject=without_photo(body["subject"]), basis={"instrument": "decision"})
    other["subject"]["photo"] = body["subject"]["photo"]
    asked = await submit(http, await actors.client("submitter", agency="KEJAGUNG"), other)
    second = await approve(http, actors, asked)
    clock.advance(hours=1)
    first = await amend(http, actors, first, revocation_body(first))
    then = letters.packed(await words_of(http, actors, first))
    assert letters.packed(STILL_ON_IT) in then
    assert letters.packed(OFF_THE_LIST) not in then
    clock.advance(hours=1)
    second = await amend(http, actors, second, revocation_body(second))
    last = letters.packed(await words_of(http, actors, second))
    assert letters.packed(OFF_THE_LIST) in last
    assert letters.packed(STILL_ON_IT) not in last
    assert letters.packed(await words_of(http, actors, first)) == then, "a letter is as of its own day"


async def test_an_acquittal_filed_on_another_row_of_the_case_is_named_in_each_letter(
    http: AsyncClient, actors: Actors
):
    submitter, officer = await actors.client("submitter"), await actors.client("duty_officer")
    urgent = await decide(http, officer, (await sound(http, submitter))["entry"], "countersign")
    asked = expect(await formalise(http, submitter, urgent, formal_body()), 201)
    formal = await approve(http, actors, asked)
    body = judgment_body(formal)
    await amend(http, actors, formal, body)
    for each in (urgent, formal):
        said = letters.packed(await words_of(http, actors, each))
        assert letters.packed(f"Nomor {body['judgment']['number']} tanggal 10 November 2026") in said
        assert letters.packed("kekuatan hukum tetap pada tanggal 20 November 2026") in said
        assert letters.packed(OFF_THE_LIST) in said


async def test_an_annulment_has_a_letter_of_its_own(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    annulled = await amend(http, actors, entry, judgment_body(entry, "annulment"))
    said = letters.packed(await words_of(http, actors, annulled)).upper()
    assert letters.packed("PEMBATALAN PENCEGAHAN") in said
    assert "PENCABUTAN" not in said


async def test_a_correction_prints_the_old_and_the_new_value(http: AsyncClient, actors: Actors):
    body = entry_body()
    entry = await impose(http, actors, body)
    subject = without_photo(body["subject"], address="Jalan Melati 99")
    corrected = await amend(http, actors, entry, {"kind": "correction", "correction": {"subject": subject}})
    said = letters.packed(await words_of(http, actors, corrected))
    old, new = body["subject"]["address"], "Jalan Melati 99"
    assert letters.packed(f"Semula Menjadi Alamat {old} {new}") in said


async def test_a_rejection_says_its_reason_and_its_officer(http: AsyncClient, actors: Actors):
    officer = await actors.client("duty_officer")
    raised = await sound(http, await actors.client("submitter"))
    entry = await decide(http, officer, raised["entry"], "countersign")
    proposer, approver = await actors.client("duty_officer"), await actors.client("approver")
    entry = await decide(http, proposer, entry, "reject", "Orang lain yang dimaksud.")
    persons = [proposer.person]
    if entry["state"] != "rejected":  # after the countersignature a second person confirms it
        entry = await decide(http, approver, entry, "reject", "Memang orang lain.")
        persons.append(approver.person)
    said = letters.packed(await words_of(http, actors, entry))
    assert letters.packed("dengan alasan: Orang lain yang dimaksud;") in said
    assert letters.packed("Pejabat Imigrasi yang bertugas piket") in said
    assert all(str(person) in said for person in persons)
