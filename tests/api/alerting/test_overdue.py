"""Every deadline that passes unmet is told to those above, once; none that was met (R18, R23, R41)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.alerting.notices.domain import ESCALATED, REPORTED_AS_ENDS, TermName, address
from app.alerting.notices.store import list_after
from app.runtime import Runtime
from app.wiring import wired_runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body, extension_body, judgment_body, revocation_body
from tests.support.clock import SettableClock
from tests.support.steps import (
    Json,
    amend,
    decide,
    etag,
    expect,
    file_amendment,
    impose,
    settle,
    sound,
    submit,
)

JUDGED_TODAY = {"decided_on": "2026-11-23", "final_on": "2026-11-23"}
Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Case:
    """Something that is due.

    Attributes:
        id: of what is to be acted on.
        due_at: its last instant, as the register shows it.
        meet: does it.
    """

    id: str
    due_at: str
    meet: Act


class Scene:
    """Makes something that is due, and officers."""

    def __init__(self, http: httpx2.AsyncClient, actors: Actors, clock: SettableClock) -> None:
        self.http, self.actors, self.clock = http, actors, clock

    async def post(self, by: Caller, path: str, body: Json, version: int | None = None) -> Json:
        headers = by.headers if version is None else by.on(f'"{version}"')
        return expect(await self.http.post(f"/v1/{path}", json=body, headers=headers), 201)

    async def entry(self, entry: Json, name: str, meet: Act) -> Case:
        """A deadline of an entry."""
        due = {each["name"]: each["due_at"] for each in entry["legal_deadlines"]}
        return Case(entry["id"], due[name], meet)

    async def duty(self, name: str, role: str, agency: str) -> Case:
        body = entry_body(basis={"issued_on": "2026-11-22", "received_on": None})
        entry, by = await impose(self.http, self.actors, body), await self.actors.client(role, agency=agency)

        async def meet() -> None:
            done = {"name": name, "done_at": self.clock().isoformat(), "reference": "Receipt 17"}
            await self.post(by, f"entries/{entry['id']}/duties", done)

        return await self.entry(entry, name, meet)

    async def countersign(self) -> Case:
        entry = (await sound(self.http, await self.actors.client("submitter")))["entry"]
        duty = await self.actors.client("duty_officer")
        return await self.entry(entry, "countersign", lambda: decide(self.http, duty, entry, "countersign"))

    async def confirm_rejection(self) -> Case:
        entry = (await sound(self.http, await self.actors.client("submitter")))["entry"]
        duty, approver = await self.actors.client("duty_officer"), await self.actors.client("approver")
        entry = await decide(self.http, duty, entry, "countersign")
        entry = await decide(self.http, duty, entry, "reject", "The photo shows somebody else.")
        return await self.entry(
            entry,
            "confirm_rejection",
            lambda: decide(self.http, approver, entry, "keep", "It is the same person."),
        )

    async def request(self, name: str) -> Case:
        entry = await submit(self.http, await self.actors.client("submitter"))
        verifier, approver = await self.actors.client("verifier"), await self.actors.client("approver")

        async def meet() -> None:
            verified = await decide(self.http, verifier, entry, "verify")
            await decide(self.http, approver, verified, "approve")

        return await self.entry(entry, name, meet)

    async def extend(self) -> Case:
        entry = await impose(self.http, self.actors, entry_body(ends_on="2026-12-03"))
        owner = await self.actors.client("submitter")

        async def meet() -> None:
            body = extension_body(entry, "2026-12-20")
            expect(await file_amendment(self.http, owner, entry, body), 201)

        return await self.entry(entry, "extend_before", meet)

    async def amendment(self, kind: str) -> Case:
        entry = await impose(self.http, self.actors, entry_body(ends_on="2026-12-10"))
        body = {"extension": extension_body(entry, "2026-12-20"), "acquittal": judgment_body(entry)}[kind]
        agency = "IMIGRASI" if kind == "acquittal" else "KPK"
        by = await self.actors.client("submitter", agency=agency)
        asked = expect(await file_amendment(self.http, by, entry, body), 201)
        verifier = await self.actors.client("verifier", agency=agency)
        return Case(
            asked["id"], asked["due_at"], lambda: settle(self.http, verifier, asked, "return", "Unsigned.")
        )

    async def letter(self) -> Case:
        entry = await impose(self.http, self.actors)
        immigration = await self.actors.client("submitter", agency="IMIGRASI")
        asked = expect(await file_amendment(self.http, immigration, entry, revocation_body(entry)), 201)
        owner = await self.actors.client("verifier")
        return Case(
            asked["id"], asked["due_at"], lambda: settle(self.http, owner, asked, "return", "It holds.")
        )

    async def objection(self, instrument: str | None = None) -> Case:
        if instrument is None:
            entry = await impose(self.http, self.actors)
        else:
            entry = await impose(self.http, self.actors, deterrence_body(basis={"instrument": instrument}))
        filed = {
            "filed_on": "2026-11-23",
            "objector": {"name": "Ratna Wulandari", "capacity": "lawyer"},
            "grounds": "He is not the person of the case.",
        }
        submitter = await self.actors.client("submitter", agency=entry["agency"])
        objection = await self.post(submitter, f"entries/{entry['id']}/objections", filed)
        verifier = await self.actors.client("verifier", agency=entry["agency"])

        async def meet() -> None:
            letter = {"number": "J-1", "issued_on": "2026-11-23"}
            said = {"outcome": "rejected", "reason": "It is he.", "letter": letter}
            await self.post(verifier, f"objections/{objection['id']}/answer", said, 1)

        return Case(objection["id"], objection["answer_due_at"], meet)

    async def granted(self) -> Case:
        """A granted objection that is to be carried out."""
        filed = await self.objection()
        verifier, owner = await self.actors.client("verifier"), await self.actors.client("submitter")
        said = {
            "outcome": "granted",
            "reason": "It is another.",
            "letter": {"number": "J-1", "issued_on": "2026-11-23"},
        }
        granted = await self.post(verifier, f"objections/{filed.id}/answer", said, 1)
        path = f"/v1/entries/{granted['entry_id']}"

        async def meet() -> None:
            entry = expect(await self.http.get(path, headers=owner.headers), 200)
            expect(await file_amendment(self.http, owner, entry, revocation_body(entry)), 201)

        return Case(filed.id, granted["answer"]["carry_out_by"], meet)

    async def restoration(self) -> Case:
        """An annulment by judgment, after which the person is to be rehabilitated."""
        entry, owner = await impose(self.http, self.actors), await self.actors.client("submitter")
        ended = await amend(
            self.http, self.actors, entry, judgment_body(entry, "annulment", judgment=JUDGED_TODAY)
        )

        async def meet() -> None:
            done = {"name": "restore", "done_at": self.clock().isoformat(), "reference": "R-1"}
            await self.post(owner, f"entries/{ended['id']}/duties", done)

        return await self.entry(ended, "restore", meet)

    async def correction(self) -> Case:
        entry = await impose(self.http, self.actors)
        body = {
            "entry_id": entry["id"],
            "kind": "wrong_person",
            "statement": "I am another person of the same name.",
            "requester": {"name": "Wulan Pucangan", "contact": "wulan@example.com"},
        }
        request = await self.post(await self.actors.client("supervisor"), "correction-requests", body)
        approver = await self.actors.client("approver")

        async def meet() -> None:
            await self.post(
                approver, f"correction-requests/{request['id']}/decisions", {"outcome": "granted"}, 1
            )

        return Case(request["id"], request["due_at"], meet)


@pytest.fixture
def scene(http: httpx2.AsyncClient, actors: Actors, clock: SettableClock) -> Scene:
    return Scene(http, actors, clock)


CASES: dict[str, Callable[[Scene], Awaitable[Case]]] = {
    "countersign": Scene.countersign,
    "confirm_rejection": Scene.confirm_rejection,
    "decide_by_first_day": lambda scene: scene.request("decide_by_first_day"),
    "refuse_or_approve": lambda scene: scene.request("refuse_or_approve"),
    "deliver_to_minister": lambda scene: scene.duty("deliver_to_minister", "submitter", "KPK"),
    "deliver_to_person": lambda scene: scene.duty("deliver_to_person", "verifier", "KPK"),
    "withdraw_passport": lambda scene: scene.duty("withdraw_passport", "duty_officer", "IMIGRASI"),
    "extend_before": Scene.extend,
    "decide_amendment": lambda scene: scene.amendment("extension"),
    "decide_amendment of a judgment": lambda scene: scene.amendment("acquittal"),
    "answer_letter": Scene.letter,
    "answer_objection": Scene.objection,
    "carry_out_objection": Scene.granted,
    "restore": Scene.restoration,
    "answer_objection to an action": lambda scene: scene.objection("administrative_action"),
    "decide_correction_request": Scene.correction,
}
NAMES = pytest.mark.parametrize("case", CASES)


async def told(runtime: Runtime, case: Case, name: str) -> list[tuple[str, ...]]:
    """The recipients of each notice that the deadline has passed."""
    async with runtime.reading(SYSTEM) as reader:
        notices = await list_after(reader, 0, 500, None)
    about = {
        notice.number: {notice.content.entry_id, notice.content.request_id, *notice.content.detail.values()}
        for notice in notices
        if (notice.content.name, notice.content.detail.get("deadline"))
        == ("overdue", name.split(maxsplit=1)[0])
    }
    return [notice.content.to for notice in notices if case.id in about.get(notice.number, ())]


def test_there_is_a_case_of_every_deadline() -> None:
    by_other_rounds = {TermName.RESOLVE_HIT, TermName.ACKNOWLEDGE_ALERT}
    assert {name.split(maxsplit=1)[0] for name in CASES} == set(
        ESCALATED
    ) - REPORTED_AS_ENDS - by_other_rounds


@NAMES
async def test_a_deadline_that_passes_unmet_is_told_once_also_by_a_process_that_starts_later(
    scene: Scene, worker: Worker, runtime: Runtime, case: str
) -> None:
    found = await CASES[case](scene)
    scene.clock.set(found.due_at)
    await worker.notify_officers()
    assert await told(runtime, found, case) == []
    scene.clock.advance(seconds=1)
    await worker.notify_officers()
    await worker.notify_officers()
    (to,) = await told(runtime, found, case)
    name = next(name for name in ESCALATED if name == case.split(maxsplit=1)[0])
    assert {*ESCALATED[name]} < {*to}
    owner = "IMIGRASI" if case.endswith("action") else "KPK"
    assert {address(owner, "submitter"), address(owner, "verifier")} < {*to}
    restarted = wired_runtime(runtime.settings, scene.clock)
    scene.clock.advance(hours=20)
    await Worker(restarted).notify_officers()
    await restarted.close()
    assert len(await told(runtime, found, case)) == 1


@NAMES
async def test_a_deadline_that_is_met_in_time_is_never_told(
    scene: Scene, worker: Worker, runtime: Runtime, case: str
) -> None:
    found = await CASES[case](scene)
    await worker.notify_officers()
    await found.meet()
    scene.clock.set(found.due_at)
    scene.clock.advance(seconds=1)
    await worker.notify_officers()
    scene.clock.advance(hours=20)
    await worker.notify_officers()
    assert await told(runtime, found, case) == []


@pytest.mark.parametrize("case", sorted({*CASES} - {"extend_before"}))
async def test_what_was_done_late_is_told_once_if_it_was_told_before_and_not_at_all_if_not(
    scene: Scene, worker: Worker, runtime: Runtime, case: str
) -> None:
    first, second = await CASES[case](scene), await CASES[case](scene)
    scene.clock.set(first.due_at)
    scene.clock.advance(seconds=1)
    await second.meet()
    await worker.notify_officers()
    await first.meet()
    scene.clock.advance(hours=3)
    await worker.notify_officers()
    assert len(await told(runtime, first, case)) == 1
    assert await told(runtime, second, case) == []


async def test_after_three_days_of_standstill_each_missed_deadline_is_told_once(
    scene: Scene, worker: Worker, runtime: Runtime
) -> None:
    found = {name: await CASES[name](scene) for name in sorted({*CASES} - {"countersign"})}
    await worker.notify_officers()
    scene.clock.set("2026-12-08T09:00:00+07:00")
    await worker.notify_officers()
    assert await worker.notify_officers() == 0
    passed = {name: len(await told(runtime, case, name)) for name, case in found.items()}
    ended = {"extend_before": 0}  # its measure is over meanwhile: that is told
    assert passed == dict.fromkeys(found, 1) | ended


async def test_an_extension_that_is_refused_too_late_for_another_is_told(
    scene: Scene, worker: Worker
) -> None:
    found = await scene.extend()
    await found.meet()
    scene.clock.set(found.due_at)
    scene.clock.advance(hours=1)
    await worker.notify_officers()
    owner, verifier = await scene.actors.client("submitter"), await scene.actors.client("verifier")
    path = f"/v1/entries/{found.id}/amendments"
    (asked,) = expect(await scene.http.get(path, headers=owner.headers), 200)["items"]
    await settle(scene.http, verifier, asked, "return", "Unsigned.")
    await worker.notify_officers()
    notices = expect(await scene.http.get("/v1/notices", headers=owner.headers), 200)["items"]
    assert "extend_before" in [each["deadline"] for each in notices if each["name"] == "overdue"]


async def test_an_extension_is_to_be_decided_while_the_measure_holds(scene: Scene) -> None:
    entry = await impose(scene.http, scene.actors, entry_body(ends_on="2026-12-03"))
    owner = await scene.actors.client("submitter")
    asked = expect(await file_amendment(scene.http, owner, entry, extension_body(entry, "2026-12-20")), 201)
    assert asked["due_at"] == "2026-11-30T16:59:59.000000Z"
    scene.clock.set("2026-11-28T10:00:00+07:00")
    entry = await impose(scene.http, scene.actors, entry_body(ends_on="2026-12-03"))
    asked = expect(await file_amendment(scene.http, owner, entry, extension_body(entry, "2026-12-20")), 201)
    assert asked["due_at"] == "2026-11-30T16:59:59.000000Z"


async def test_an_amendment_of_what_has_ended_waits_for_nobody(
    scene: Scene, worker: Worker, runtime: Runtime
) -> None:
    entry = await impose(scene.http, scene.actors)
    owner, verifier = await scene.actors.client("submitter"), await scene.actors.client("verifier")
    body = extension_body(entry, "2027-11-23")
    asked = expect(await file_amendment(scene.http, owner, entry, body), 201)
    await amend(scene.http, scene.actors, entry, revocation_body(entry))
    items = expect(await scene.http.get("/v1/worklist", headers=verifier.headers), 200)["items"]
    assert [item["name"] for item in items if item["kind"] == "task"] == []
    scene.clock.set(asked["due_at"])
    scene.clock.advance(hours=1)
    await worker.notify_officers()
    assert await told(runtime, Case(asked["id"], "", scene.letter), "decide_amendment") == []


async def test_anothers_letter_is_answered_by_the_owners_verifier_alone(scene: Scene) -> None:
    entry = await impose(scene.http, scene.actors)
    immigration = await scene.actors.client("submitter", agency="IMIGRASI")
    asked = expect(await file_amendment(scene.http, immigration, entry, revocation_body(entry)), 201)
    path, body = f"/v1/amendments/{asked['id']}/decisions", {"verdict": "return", "reason": "It holds."}
    theirs = await scene.actors.client("verifier", agency="IMIGRASI")
    expect(await scene.http.post(path, json=body, headers=theirs.on(etag(asked))), 403)
    owner = await scene.actors.client("verifier")
    items = expect(await scene.http.get("/v1/worklist", headers=owner.headers), 200)["items"]
    assert [item["amendment_id"] for item in items if item["name"] == "answer_letter"] == [asked["id"]]
    answered = await settle(scene.http, owner, asked, "return", "It holds.")
    assert (answered["state"], answered["decisions"][0]["reason"]) == ("returned", "It holds.")
    read = expect(await scene.http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["version"], read["in_force"]) == (entry["version"], True)
    items = expect(await scene.http.get("/v1/worklist", headers=owner.headers), 200)["items"]
    assert [item for item in items if item["name"] == "answer_letter"] == []


async def test_a_notice_names_what_is_to_be_acted_on_and_the_worklist_too(
    scene: Scene, worker: Worker
) -> None:
    found = {name: await CASES[name](scene) for name in ("decide_amendment", "answer_objection")}
    scene.clock.set(max(case.due_at for case in found.values()))
    scene.clock.advance(seconds=1)
    await worker.notify_officers()
    verifier = await scene.actors.client("verifier")
    for path in ("/v1/notices", "/v1/worklist"):
        items = expect(await scene.http.get(path, headers=verifier.headers), 200)["items"]
        said = {each["deadline"]: each for each in items if each["name"] == "overdue"}
        assert said["decide_amendment"]["amendment_id"] == found["decide_amendment"].id
        assert said["answer_objection"]["objection_id"] == found["answer_objection"].id


async def test_a_passport_from_an_urgent_entry_is_overdue_at_the_end_of_its_day(
    scene: Scene, worker: Worker, runtime: Runtime
) -> None:
    urgent = (await sound(scene.http, await scene.actors.client("submitter")))["entry"]
    scene.clock.advance(hours=2)
    signed = await decide(scene.http, await scene.actors.client("duty_officer"), urgent, "countersign")
    found = await scene.entry(signed, "withdraw_passport", scene.letter)
    scene.clock.set(found.due_at)
    await worker.notify_officers()
    assert await told(runtime, found, "withdraw_passport") == []
    scene.clock.advance(seconds=1)
    await worker.notify_officers()
    assert len(await told(runtime, found, "withdraw_passport")) == 1


async def test_a_duty_that_began_in_the_past_is_told_as_soon_as_it_is_there(
    scene: Scene, worker: Worker, runtime: Runtime
) -> None:
    scene.clock.advance(days=10)
    await worker.notify_officers()
    body = entry_body(basis={"issued_on": "2026-11-22", "received_on": None, "late_reason": "The post."})
    entry = await submit(scene.http, await scene.actors.client("submitter"), body)
    found = await scene.entry(entry, "deliver_to_minister", scene.letter)
    assert found.due_at < (scene.clock() - timedelta(days=1)).isoformat()
    await worker.notify_officers()
    assert len(await told(runtime, found, "deliver_to_minister")) == 1
