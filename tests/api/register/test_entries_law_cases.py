"""The cases to be tried first (docs/rules.md lists them), by their numbers."""

from datetime import UTC, date, datetime
from typing import Any

from httpx2 import AsyncClient

from app.border.checks.domain import Candidate
from app.border.checks.domain import decide as judged
from app.border.checks.traveller import traveller_of
from app.matching.policy import DEFAULT
from app.register.entries.domain import Basis, Entry, Measure, State
from app.register.entries.names.index import listed
from app.register.entries.subjects import Citizenship, Document, Subject
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, entry_body, merged, urgent_body, wni
from tests.support.clock import SettableClock
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import decide, expect, impose, sound, submit

Json = dict[str, Any]


async def asked(http: AsyncClient, by: Caller, body: Json) -> tuple[str, str]:
    """Outcome and action of a check."""
    answer = expect(await http.post("/v1/checks", json=body, headers=by.headers), 200)
    return answer["outcome"], answer["action"]


async def test_case_1_an_indonesian_under_a_deterrence_is_referred_and_never_refused_entry(
    http: AsyncClient, actors: Actors
):
    body = deterrence_body()
    await impose(http, actors, body)
    counter = await actors.client("checkpoint")
    foreigner = check_body(body["subject"], "entry")
    assert await asked(http, counter, foreigner) == ("refuse", "refuse_entry")
    for claim in (
        {"person": {"nationality": "IDN"}},
        {"person": {"nik": "3171011705700001"}},
        {"person": {"nationality": "idn"}},
        {"document": {"issuing_state": "IDN"}, "person": {"nationality": "NZL"}},
    ):
        told = await asked(http, counter, merged(foreigner, claim))
        assert told in {("refer", "refer_to_supervisor"), ("clear", "allow")}, claim
    assert await asked(http, counter, merged(foreigner, {"person": {"nationality": "IDN"}})) == (
        "refer",
        "refer_to_supervisor",
    )


def test_case_1_not_even_bad_legacy_data_refuse_entry_to_an_indonesian():
    now = datetime(2026, 11, 23, 3, tzinfo=UTC)
    wrong = Entry(
        id="ent_1",
        version=1,
        state=State.ACTIVE,
        measure=Measure.DETERRENCE,
        agency="IMIGRASI",
        citizenship=Citizenship.WNI,
        subject=Subject(
            full_name="Raka", nationalities=("IDN",), documents=(Document("passport", "X1", "IDN"),)
        ),
        basis=Basis(
            instrument="decision",
            number="1",
            issued_on=date(2020, 1, 1),
            law="-",
            reason_code="other",
            reason="-",
            case_reference="-",
            subject_status="other",
        ),
        starts_on=date(2020, 1, 1),
        ends_on=date(2029, 12, 31),
        in_force_from=datetime(2020, 1, 1, tzinfo=UTC),
        submitted_by="cli_1",
        authors=("A",),
        received_at=now,
        created_at=now,
        updated_at=now,
    )
    for state, nationality in (("IDN", "IDN"), (None, "NZL"), ("IDN", None), ("NZL", "NZL")):
        shown = traveller_of(
            mrz=None,
            document=("X1", state),
            name="Raka",
            birth=None,
            nationality=nationality,
            personal_number=None,
        )
        candidate = Candidate(wrong, listed(wrong.subject))
        found = judged("entry", shown, [candidate], DEFAULT, now)
        assert found
        assert all(match.outcome != "refuse" for match in found)


async def test_case_2_an_urgent_entry_holds_to_midnight_in_jakarta_wherever_it_is_asked(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
):
    clock.set("2022-08-23T23:30:00+07:00")
    await worker.tidy()
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    jakarta = await actors.client("checkpoint", checkpoint="CGK")
    jayapura = await actors.client("checkpoint", checkpoint="SKOUW")
    dates = {"issued_on": "2022-08-22", "received_on": None}
    body = urgent_body(basis=dates, letter={"issued_on": "2022-08-23"})
    entry = (await sound(http, submitter, body))["entry"]
    assert (entry["starts_on"], entry["ends_on"]) == ("2022-08-23", "2022-09-11")
    await decide(http, duty, entry, "countersign")
    check = check_body(body["subject"])
    clock.set("2022-09-12T01:59:59+09:00")
    await worker.tidy()
    assert await asked(http, jayapura, check) == ("refuse", "refuse_exit")
    assert await asked(http, jakarta, check) == ("refuse", "refuse_exit")
    clock.set("2022-09-12T00:00:00+07:00")
    assert await asked(http, jakarta, check) == ("clear", "allow")
    assert await asked(http, jayapura, check) == ("clear", "allow")


async def test_case_3_six_months_from_31_august_end_on_28_february(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
):
    clock.set("2025-08-31T10:00:00+07:00")
    submitter = await actors.client("submitter")
    body = entry_body(
        basis={"issued_on": "2025-08-31", "received_on": None}, starts_on="2025-08-31", ends_on="2026-03-01"
    )
    async with nothing_changed(runtime):
        refused(await http.post("/v1/entries", json=body, headers=submitter.headers), 422, "period-too-long")
    assert (await submit(http, submitter, {**body, "ends_on": "2026-02-28"}))["state"] == "submitted"


async def test_case_6_the_same_human_with_two_accounts_does_not_input_and_verify(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    user = await actors.client(["submitter", "verifier"], person="198503152010011002")
    second_account = await actors.client("verifier", person="198503152010011002")
    entry = await submit(http, user)
    path = f"/v1/entries/{entry['id']}/decisions"
    async with nothing_changed(runtime):
        for account in (user, second_account):
            response = await http.post(path, json={"verdict": "verify"}, headers=account.on('"1"'))
            refused(response, 403, "four-eyes")


async def test_case_9_a_foreigner_under_prevention_may_not_leave_and_under_deterrence_may(
    http: AsyncClient, actors: Actors
):
    counter = await actors.client("checkpoint")
    foreigner = deterrence_body()["subject"]
    await impose(http, actors, entry_body(subject=foreigner, unknown=[]))
    assert await asked(http, counter, check_body(foreigner, "exit")) == ("refuse", "refuse_exit")
    deterred = deterrence_body()
    await impose(http, actors, deterred)
    assert await asked(http, counter, check_body(deterred["subject"], "exit")) == ("clear", "allow")


async def test_case_10_an_age_is_accepted_and_matches_as_a_span_of_birth_dates(
    http: AsyncClient, actors: Actors
):
    counter = await actors.client("checkpoint")
    body = entry_body(
        subject={"nik": None, "birth_place": None, "documents": []}, unknown=["nik", "documents"]
    )
    body["subject"]["birth"] = {"age": 45, "as_of": "2026-11-23"}
    entry = await impose(http, actors, body)
    assert entry["subject"]["birth"] == {"age": 45, "as_of": "2026-11-23"}
    person = {"name": body["subject"]["full_name"], "nationality": "IDN"}
    for birth, outcome in (
        ("1980-11-24", "refer"),
        ("1981-01-01", "refer"),
        ("1981-11-23", "refer"),
        ("1980-11-23", "clear"),
        ("1981-11-24", "clear"),
    ):
        question = {"direction": "exit", "person": {**person, "birth_date": birth}}
        assert (await asked(http, counter, question))[0] == outcome, birth


async def test_case_11_a_namesake_of_the_same_year_with_another_passport_is_referred(
    http: AsyncClient, actors: Actors
):
    counter = await actors.client("checkpoint")
    listed = {"full_name": "Muhammad Rizki Pratama", "birth": {"date": "1970"}, "nik": None}
    await impose(http, actors, entry_body(subject=listed, unknown=["nik"]))
    namesake = {
        **wni(9999),
        "full_name": "Moh. Rizki Pratama",
        "birth": {"date": "1970-03-01"},
    }
    assert await asked(http, counter, check_body(namesake)) == ("refer", "refer_to_supervisor")
    elder = {**namesake, "birth": {"date": "1960-03-01"}}
    assert await asked(http, counter, check_body(elder)) == ("clear", "allow")


async def test_case_13_an_urgent_ban_of_a_witness_is_refused_from_5_january_2026_and_was_not_on_30_december(
    http: AsyncClient, actors: Actors, runtime: Runtime, clock: SettableClock
):
    clock.set("2026-01-06T10:00:00+07:00")
    submitter = await actors.client("submitter", agency="POLRI")
    criminal = {
        "instrument": "request",
        "reason_code": "general_crime",
        "subject_status": "witness",
        "received_on": None,
    }

    def body(issued_on: str) -> Json:
        return urgent_body(basis={**criminal, "issued_on": issued_on}, letter={"issued_on": issued_on})

    async with nothing_changed(runtime):
        late = await http.post("/v1/urgent-entries", json=body("2026-01-05"), headers=submitter.once("k"))
        assert refused(late, 422, "witness-not-allowed") == {"/basis/subject_status": "witness"}
    before = await sound(http, submitter, body("2025-12-30"))
    assert before["entry"]["state"] == "provisional"


async def test_case_15_a_ban_for_life_needs_two_approvers_and_is_never_an_exit_ban(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter, approver = await actors.client("submitter"), await actors.client("approver")
    grounded = {"lifetime_ground": "A danger to the security of the state."}
    async with nothing_changed(runtime):
        exit_ban = entry_body(lifetime=True, ends_on=None, basis=grounded)
        response = await http.post("/v1/entries", json=exit_ban, headers=submitter.headers)
        refused(response, 422, "lifetime-not-allowed")
    batam = {"agency": "IMIGRASI", "office": "KANIM-BATAM"}
    entry_ban = deterrence_body(lifetime=True, ends_on=None, basis=grounded)
    entry = await submit(http, await actors.client("submitter", **batam), entry_ban)
    entry = await decide(http, await actors.client("verifier", **batam), entry, "verify")
    once = await decide(http, approver, entry, "approve")
    assert (once["state"], once["in_force"], once["second_approval_at"]) == ("verified", False, None)
    second_account = await actors.client("approver", person=approver.person)
    path = f"/v1/entries/{entry['id']}/decisions"
    async with nothing_changed(runtime):
        for by in (approver, second_account):
            response = await http.post(path, json={"verdict": "approve"}, headers=by.on('"3"'))
            refused(response, 403, "four-eyes")
    twice = await decide(http, await actors.client("approver"), once, "approve")
    assert (twice["state"], twice["in_force"]) == ("active", True)
    assert twice["second_approval_at"] is not None


async def test_case_17_ten_years_from_a_leap_day_end_on_28_february(
    http: AsyncClient, actors: Actors, runtime: Runtime
):
    submitter = await actors.client("submitter", agency="IMIGRASI")
    async with nothing_changed(runtime):
        long = deterrence_body(starts_on="2028-02-29", ends_on="2038-03-01")
        response = await http.post("/v1/entries", json=long, headers=submitter.headers)
        refused(response, 422, "period-too-long")
    entry = await submit(http, submitter, deterrence_body(starts_on="2028-02-29", ends_on="2038-02-28"))
    assert entry["ends_on"] == "2038-02-28"
