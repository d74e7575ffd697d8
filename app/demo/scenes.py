"""The first sixteen steps of the story: the requests, their answers, and the claims about them."""

import asyncio
import secrets
import statistics
import time
from datetime import date
from typing import Any

from app.demo import papers
from app.demo.api_client import ApiClient
from app.demo.cast import HOME, Cast
from app.demo.checkpoints import Crowd
from app.demo.narrator import Narrator
from app.demo.people import INDONESIA, UTOPIA, Person
from app.register.entries.law.periods import add_months

CUT_OFF = "DPS"
"""The checkpoint that is disconnected in step 12: Ngurah Rai, Bali."""

_PAGE = 500
_PASSERS = 60
_TRIES, _WHILE = 20, 0.5


class Scenes:
    """The first sixteen steps of the demonstration, in the order of `all`, and the data that they pass on.

    A step checks claims. A false claim is recorded by the narrator and does not stop the step. A step raises
    UnexpectedAnswer, or another error of the client, if it can't go on.

    Attributes:
        suspect: the subject of the urgent exit ban.
        foreigner: the subject of the entry ban.
        alert_id: the alert of step 1; "" before it.
        formal_id: the formal entry of step 14; "" before it.
        today: the legal day, in Asia/Jakarta.
    """

    def __init__(self, api: ApiClient, narrator: Narrator, crowd: Crowd, cast: Cast, today: date) -> None:
        self.suspect = Person.invent(INDONESIA)
        self.foreigner = Person.invent(UTOPIA)
        self.alert_id = self.formal_id = ""
        self._api = api
        self._narrator = narrator
        self._crowd = crowd
        self._cast = cast
        self.today = today
        self._entry_id = ""
        self._sent_at = 0.0
        self.all = (
            self.urgent_entry,
            self.delivery,
            self.receipts,
            self.check_before_countersigning,
            self.four_eyes,
            self.return_home,
            self.entry_ban,
            self.namesake,
            self.disguise,
            self.broad_entry,
            self.bad_requests,
            self.reconnection,
            self.drill,
            self.formal_decision,
            self.foreign_letter,
            self.ledger,
        )

    async def urgent_entry(self) -> None:
        """Step 1: an urgent exit ban reaches the register."""
        who, narrator = self.suspect, self._narrator
        narrator.step("A KPK officer makes an urgent exit ban")
        body = papers.urgent_exit_ban(who, self.today)
        self._sent_at = time.perf_counter()
        answer = await self._make_urgent(body, f"{who.name}, passport {who.passport}, with letter and photo")
        entry, alert = answer["entry"], answer["alert"]
        self._entry_id, self.alert_id = entry["id"], alert["id"]
        narrator.received(f"201, {entry['state']}, in force now, until {entry['ends_on']} (20 days) at most")
        narrator.claim(
            "The measure is stored and in force", entry["in_force"] and entry["state"] == "provisional"
        )
        count = len(self._crowd)
        reached = (alert["recipients"], alert["connected"])
        narrator.claim(
            f"The alert goes to {count} checkpoints, and {count} are connected",
            reached == (count, count),
            reached,
        )

    async def delivery(self) -> None:
        """Step 2: the alert reaches every checkpoint; the times are shown."""
        self._narrator.step("The alert arrives at the checkpoints")
        delivery = await self._crowd.wait_for_alert("raise", self._entry_id, len(self._crowd))
        times = delivery.milliseconds(self._sent_at)
        self._narrator.received(
            f"first {times[0]:.0f} ms, median {statistics.median(times):.0f} ms, last {times[-1]:.0f} ms, "
            "from before the officer's request was sent"
        )
        self._everybody("have the alert", len(times))
        entry = delivery.alert["entry"]
        stated = (entry["full_name"], entry["documents"][0]["number"], delivery.alert["action"])
        expected_values = (self.suspect.name, self.suspect.passport, "refer_to_supervisor")
        self._narrator.claim("It has person, passport and action", stated == expected_values, stated)

    async def receipts(self) -> None:
        """Step 3: every checkpoint confirms the alert, and the officer sees in the coverage that all have."""
        narrator, count = self._narrator, len(self._crowd)
        narrator.step("The checkpoints confirm; the officer sees who has it")
        narrator.sent(f'{count} machines: POST /v1/alerts/{{id}}/receipts - "received"')
        await self._crowd.wait_for_alert("raise", self._entry_id, count, confirmed=True)
        seen = {"level": "acknowledged", "officer_reference": "Desk 4"}
        path = f"/v1/alerts/{self.alert_id}/receipts"
        await self._api.post(self._cast.counter, path, seen, 'a person: "acknowledged"', expected=201)
        path = f"/v1/alerts/{self.alert_id}/coverage"
        coverage = (await self._api.get(self._cast.officer, path, "who has it?")).body
        narrator.received(
            f"200, {coverage['received']} of {coverage['recipients']} received, "
            f"{coverage['acknowledged']} acknowledged, {len(coverage['unreached'])} unreached; "
            f"half of the receipts within {coverage['p50_ms']:.0f} ms, 99% within {coverage['p99_ms']:.0f} ms"
        )
        narrator.claim(f"All {count} have it, and no checkpoint is missing", not coverage["unreached"])
        narrator.claim(
            f"A person at {HOME} has seen it", coverage["acknowledged"] == 1, coverage["acknowledged"]
        )

    async def check_before_countersigning(self) -> None:
        """Step 4: before the urgent entry is countersigned, a check only refers the person to the supervisor."""
        self._narrator.step(f"The same person wants to leave at {HOME}")
        answer = await self._scan(self.suspect, "exit")
        self._narrator.claim(
            "Held for the supervisor, not refused: nobody at Immigration has countersigned yet",
            answer["action"] == "refer_to_supervisor",
            answer["action"],
        )
        match = answer["matches"][0]
        self._narrator.claim("The counter sees its owner", match["contact"]["agency"] == "KPK", match)

    async def four_eyes(self) -> None:
        """Step 5: the officer may not countersign the own entry, a duty officer may; then the exit is refused."""
        narrator, cast = self._narrator, self._cast
        narrator.step("A duty officer of Immigration countersigns")
        refused = await self._api.decide(
            cast.officers_second_account, self._entry_id, "countersign", expected=403
        )
        narrator.received(str(refused))
        narrator.claim(
            "The officer may not countersign, not even with a second account",
            refused.problem == "four-eyes",
            refused.problem,
        )
        decided = (await self._api.decide(cast.duty_officer, self._entry_id, "countersign")).body
        narrator.received(f"201, countersigned at {decided['countersigned_at']}")
        delivery = await self._crowd.wait_for_alert("update", self._entry_id, len(self._crowd))
        self._everybody("are alerted to the change", len(delivery.arrived))
        answer = await self._scan(self.suspect, "exit")
        narrator.claim("Now the exit is refused", answer["action"] == "refuse_exit", answer["action"])
        gate = await self._api.check(
            cast.autogate, papers.scan(self.suspect, "exit"), "the same passport, exit"
        )
        shown = (gate["action"], gate["matches"])
        narrator.claim(
            "The autogate stays shut, and shows nothing about the case", shown == ("refuse_exit", []), shown
        )

    async def return_home(self) -> None:
        """Step 6: a citizen may always return home, and the owner of the entry is notified."""
        self._narrator.step("The same person comes home")
        answer = await self._scan(self.suspect, "entry")
        claim = "Allowed in: an exit ban never keeps a citizen out"
        self._narrator.claim(claim, answer["action"] == "allow", answer["action"])
        items = (await self._api.get(self._cast.officer, "/v1/worklist", "what is new?")).body["items"]
        seen = [item for item in items if item["check_id"] == answer["id"]]
        self._narrator.received(f"200, {seen[0]['name'] if seen else 'nothing'} at {HOME}")
        told_of = [(item["name"], item["entry_id"]) for item in seen]
        self._narrator.claim(
            "The owner is notified that the person was seen",
            told_of == [("sighting", self._entry_id)],
            told_of,
        )

    async def entry_ban(self) -> None:
        """Step 7: an entry ban by Immigration works for foreigners, and never for a citizen."""
        narrator, cast, who = self._narrator, self._cast, self.foreigner
        narrator.step("Immigration bans a foreigner from entering")
        body = papers.entry_ban(who, self.today, add_months(self.today, 24))
        wish = f"{who.name} of Utopia, passport {who.passport}, two years"
        submitter = cast.immigration_submitter
        entry = (await self._api.post(submitter, "/v1/entries", body, wish, expected=201)).body
        await self._api.decide(cast.immigration_verifier, entry["id"], "verify")
        entry = (await self._api.decide(cast.immigration_approver, entry["id"], "approve")).body
        narrator.received(f"201, {entry['state']}, until {entry['ends_on']}")
        narrator.claim(
            "Three persons in two offices have decided; it is in force", entry["in_force"], entry["state"]
        )
        answer = await self._scan(who, "entry")
        narrator.claim("Entry refused", answer["action"] == "refuse_entry", answer["action"])
        question = papers.typed(who, "entry", state=INDONESIA)
        answer = await self._api.check(
            cast.counter, question, "the same number as an Indonesian passport, entry"
        )
        narrator.claim(
            "Shown as an Indonesian, never refused entry: a supervisor looks",
            answer["action"] == "refer_to_supervisor",
            answer["action"],
        )

    async def namesake(self) -> None:
        """Step 8: another person with the same name travels freely."""
        other = self.suspect.namesake()
        self._narrator.step(f"Another {other.name} wants to leave")
        answer = await self._scan(other, "exit")
        shown = (answer["outcome"], answer["action"], answer["hit_id"])
        self._narrator.claim(
            "Clear: same name, but another birth date and passport", shown == ("clear", "allow", None), shown
        )

    async def disguise(self) -> None:
        """Step 9: the person under the exit ban is stopped despite a new passport and another spelling of the name."""
        same = self.suspect.disguised()
        self._narrator.step(f"{self.suspect.name} wants to leave as {same.name}, with a new passport")
        answer = await self._scan(same, "exit")
        found = [match["entry_id"] for match in answer["matches"]]
        held = answer["action"] == "refer_to_supervisor" and found == [self._entry_id]
        self._narrator.claim(
            "Held for the supervisor: the name sounds the same, and the birth date is equal", held, answer
        )
        match = answer["matches"][0]
        stated = "; ".join(dict.fromkeys(reason["text_en"].rstrip(".") for reason in match["reasons"]))
        self._narrator.received(f"{match['level']}, score {match['score']}: {stated}")

    async def broad_entry(self) -> None:
        """Step 10: an entry that would stop many innocent travellers is detected before it stops one."""
        narrator, cast = self._narrator, self._cast
        narrator.step("An officer asks how many travellers names would stop, before making an entry of them")
        passers = [Person.invent(INDONESIA) for _ in range(_PASSERS)]
        questions = {"items": [papers.scan(person, "exit") for person in passers]}
        await self._api.post(
            cast.counter, "/v1/checks/batch", questions, f"{_PASSERS} travellers", expected=200
        )
        wide, path = papers.broad_exit_ban(passers, self.today), "/v1/urgent-entries/preview"
        for _ in range(_TRIES):  # the process that answers takes in what was asked a moment ago
            preview = (await self._api.post(cast.officer, path, wide, "their names", expected=200)).body
            if preview["breadth"]["broad"]:
                break
            await asyncio.sleep(_WHILE)
        breadth = preview["breadth"]
        narrator.received(
            f"200, would stop {breadth['would_stop']} of {breadth['travellers']} travellers of the last 30 days"
        )
        narrator.claim(
            "It would hold nobody before a duty officer has countersigned it",
            preview["state"] == "submitted",
            preview["state"],
        )
        narrow = papers.urgent_exit_ban(Person.invent(INDONESIA), self.today)
        what = "one name, with passport and birth date"
        preview = (await self._api.post(cast.officer, path, narrow, what, expected=200)).body
        narrator.received(f"200, would stop fewer than {preview['breadth']['fewer_than']}")
        narrator.claim("It would hold at once", preview["state"] == "provisional", preview["state"])

    async def bad_requests(self) -> None:
        """Step 11: what the law forbids is refused with its reason, and changes nothing."""
        narrator, cast = self._narrator, self._cast
        narrator.step("What the law forbids is refused, with the reason")
        before = await self._head()
        citizen = Person.invent(INDONESIA)
        barred = papers.entry_ban(citizen, self.today, add_months(self.today, 24))
        held = papers.exit_ban(citizen, self.today, add_months(self.today, 7))
        for problem, who, body, summary in (
            (
                "wni-cannot-be-deterred",
                cast.immigration_submitter,
                barred,
                "an entry ban against an Indonesian",
            ),
            ("period-too-long", cast.officer, held, "an exit ban of seven months"),
        ):
            answer = await self._api.post(who, "/v1/entries", body, summary, expected=422)
            narrator.received(str(answer))
            narrator.claim(f"Refused as {problem}", answer.problem == problem, answer.problem)
        after = await self._head()
        narrator.claim("Nothing has changed in the register", before == after, f"{before} -> {after}")

    async def reconnection(self) -> None:
        """Step 12: a disconnected checkpoint receives the alerts it missed; then the measure is ended everywhere."""
        narrator, crowd = self._narrator, self._crowd
        narrator.step(f"A cable breaks at {CUT_OFF}, and an alert is raised meanwhile")
        await crowd.disconnect(CUT_OFF)
        person = Person.invent(INDONESIA)
        entry = (await self._make_urgent(papers.urgent_exit_ban(person, self.today), person.name))["entry"]
        delivery = await crowd.wait_for_alert("raise", entry["id"], len(crowd) - 1)
        narrator.received(f"{len(delivery.arrived)} checkpoints have it; {CUT_OFF} has not")
        missed = CUT_OFF not in delivery.arrived and len(delivery.arrived) == len(crowd) - 1
        narrator.claim(f"{CUT_OFF} missed it", missed)
        narrator.sent(f"{CUT_OFF}: GET /v1/alerts/stream with the Last-Event-ID that it had before")
        crowd.connect(CUT_OFF)
        delivery = await crowd.wait_for_alert("raise", entry["id"], len(crowd))
        narrator.claim(f"{CUT_OFF} is back and has what it missed", CUT_OFF in delivery.arrived)
        await self._api.decide(self._cast.duty_officer, entry["id"], "reject", "Withdrawn by the owner")
        delivery = await crowd.wait_for_alert("cancel", entry["id"], len(crowd))
        narrator.received(f"201, rejected; alert {delivery.alert['kind']}: {delivery.alert['action']}")
        self._everybody("are alerted to release the person", len(delivery.arrived))
        answer = await self._scan(person, "exit")
        narrator.claim("The person may leave", answer["action"] == "allow", answer["action"])

    async def drill(self) -> None:
        """Step 13: the alert of a drill reaches every checkpoint, as the alert of an urgent entry does."""
        self._narrator.step("The duty officer calls a drill")
        body = {
            "kind": "exercise",
            "message": "LATIHAN - drill - no action at the counter",
            "checkpoints": None,
        }
        sent_at = time.perf_counter()
        alert = (
            await self._api.post(self._cast.duty_officer, "/v1/alerts", body, "exercise", expected=201)
        ).body
        delivery = await self._crowd.wait_for_alert("exercise", alert["id"], len(self._crowd))
        self._narrator.received(
            f"201; the last checkpoint has it after {delivery.milliseconds(sent_at)[-1]:.0f} ms"
        )
        self._everybody("have the drill", len(delivery.arrived))
        self._narrator.claim("It names nobody, so no check can match it", delivery.alert["entry"] is None)

    async def formal_decision(self) -> None:
        """Step 14: the formal decision takes over from the urgent entry, without a gap."""
        narrator, cast, api = self._narrator, self._cast, self._api
        narrator.step("The formal decision follows, within the twenty days of the law")
        read = await api.get(cast.officer, f"/v1/entries/{self._entry_id}")
        path, ends_on = f"/v1/entries/{self._entry_id}/formalisation", add_months(self.today, 6)
        body = papers.formal_decision(self.today, ends_on, read.body["basis"]["case_reference"])
        formal = (
            await api.post(cast.officer, path, body, "six months", expected=201, if_match=read.etag)
        ).body
        self.formal_id = formal["id"]
        await api.decide(cast.kpk_verifier, self.formal_id, "verify")
        formal = (await api.decide(cast.immigration_approver, self.formal_id, "approve")).body
        narrator.received(f"201, {formal['state']}, until {formal['ends_on']}")
        delivery = await self._crowd.wait_for_alert("update", self.formal_id, len(self._crowd))
        self._everybody("are alerted by one message", len(delivery.arrived))
        urgent = (await api.get(cast.officer, f"/v1/entries/{self._entry_id}", "the urgent one?")).body
        narrator.claim("It has taken over", urgent["ended_reason"] == "superseded", urgent["state"])
        due = [each["name"] for each in formal["legal_deadlines"] if each["met_at"] is None]
        narrator.received(f"what the law still demands: {', '.join(due)}")

    async def foreign_letter(self) -> None:
        """Step 15: a letter from a body that does not own the entry does not end it."""
        narrator, cast, api = self._narrator, self._cast, self._api
        narrator.step("Somebody else writes that the name can be removed")
        version = (await api.get(cast.auditor, f"/v1/entries/{self.formal_id}")).etag
        path, submitter = f"/v1/entries/{self.formal_id}/amendments", cast.immigration_submitter
        body = papers.foreign_withdrawal(self.today)
        answer = await api.post(submitter, path, body, "their letter", expected=201, if_match=version)
        narrator.received(f"201, {answer.body['state']}: a question to {answer.body['owner']}")
        answer = await self._scan(self.suspect, "exit")
        narrator.claim("The exit is still refused", answer["action"] == "refuse_exit", answer["action"])

    async def ledger(self) -> None:
        """Step 16: the ledger contains all changes of the register, numbered without a gap."""
        self._narrator.step("The auditor reads the ledger")
        numbers: list[int] = []
        types: list[str] = []
        query: dict[str, str | int] = {"limit": _PAGE}
        summary, more = "everything, from the beginning", True
        while more:
            page = (await self._api.get(self._cast.auditor, "/v1/changes", summary, **query)).body
            numbers += [record["sequence"] for record in page["items"]]
            types += [record["type"] for record in page["items"] if record["entry_id"] == self._entry_id]
            summary, query["after"], more = "", page["cursor"], page["more"]
        self._narrator.received(f"200, {len(numbers)} records; of the first exit ban: {', '.join(types)}")
        whole = numbers == list(range(1, len(numbers) + 1)) and page["head"] == len(numbers)
        self._narrator.claim(f"Numbered from 1 to {len(numbers)} without a hole", whole, numbers[-3:])
        expected = ["entry.provisional", "alert.raised", "entry.countersigned", "alert.updated"]
        expected += ["entry.corrected", "entry.ended"]  # its formal decision was verified, and took over
        complete = sorted(types) == sorted(expected)
        self._narrator.claim("Every step of the measure is there", complete, types)

    async def _make_urgent(self, body: Any, what: str) -> Any:
        officer, path, key = self._cast.officer, "/v1/urgent-entries", secrets.token_hex(8)
        return (await self._api.post(officer, path, body, what, expected=201, idempotency_key=key)).body

    async def _scan(self, person: Person, direction: str) -> Any:
        what = f"passport {person.passport} scanned, {direction}"
        return await self._api.check(self._cast.counter, papers.scan(person, direction), what)

    async def _head(self) -> int:
        page = await self._api.get(self._cast.auditor, "/v1/changes", limit=1)
        return int(page.body["head"])

    def _everybody(self, what: str, found: int) -> None:
        count = len(self._crowd)
        self._narrator.claim(f"{count} of {count} checkpoints {what}", found == count, found)
