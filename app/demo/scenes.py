"""The fourteen steps of the story: what is done, what comes back, and what must be true of it."""

import secrets
import statistics
import time
from datetime import date
from typing import Any

from app.demo import papers
from app.demo.cast import HOME, Cast
from app.demo.checkpoints import Crowd
from app.demo.desk import Desk
from app.demo.narrator import Narrator
from app.demo.people import INDONESIA, UTOPIA, Person
from app.entries.periods import add_months

CUT_OFF = "DPS"
"""The checkpoint whose line is cut in step 10: Ngurah Rai, Bali."""

_PAGE = 500


class Scenes:
    """The steps, in order, and what each leaves to the next.

    Attributes:
        suspect: the subject of the urgent exit ban.
        foreigner: the subject of the entry ban.
        alert_id: the alert of step 1.
        formal_id: the formal entry of step 12.
        today: the legal day, in Asia/Jakarta.
    """

    def __init__(self, desk: Desk, narrator: Narrator, crowd: Crowd, cast: Cast, today: date) -> None:
        self.suspect = Person.invent(INDONESIA)
        self.foreigner = Person.invent(UTOPIA)
        self.alert_id = self.formal_id = ""
        self._desk = desk
        self._told = narrator
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
            self.bad_requests,
            self.reconnection,
            self.drill,
            self.formal_decision,
            self.foreign_letter,
            self.ledger,
        )

    async def urgent_entry(self) -> None:
        """Step 1: an urgent exit ban reaches the register."""
        who, told = self.suspect, self._told
        told.step("A KPK officer makes an urgent exit ban")
        body = papers.urgent_exit_ban(who, self.today)
        self._sent_at = time.perf_counter()
        answer = await self._make_urgent(body, f"{who.name}, passport {who.passport}, with letter and photo")
        entry, alert = answer["entry"], answer["alert"]
        self._entry_id, self.alert_id = entry["id"], alert["id"]
        told.came(f"201, {entry['state']}, in force now, until {entry['ends_on']} (20 days) at most")
        told.claim(
            "The measure is stored and in force", entry["in_force"] and entry["state"] == "provisional"
        )
        count = len(self._crowd)
        reached = (alert["recipients"], alert["connected"])
        told.claim(
            f"The alert goes to {count} checkpoints, and {count} are connected",
            reached == (count, count),
            reached,
        )

    async def delivery(self) -> None:
        """Step 2: the alert is at every checkpoint, and how fast."""
        self._told.step("The alert arrives at the checkpoints")
        spread = await self._crowd.hear("raise", self._entry_id, len(self._crowd))
        times = spread.milliseconds(self._sent_at)
        self._told.came(
            f"first {times[0]:.0f} ms, median {statistics.median(times):.0f} ms, last {times[-1]:.0f} ms, "
            "from before the officer's request was sent"
        )
        self._everybody("have the alert", len(times))
        entry = spread.alert["entry"]
        said = (entry["full_name"], entry["documents"][0]["number"], spread.alert["action"])
        wanted = (self.suspect.name, self.suspect.passport, "refer_to_supervisor")
        self._told.claim("It says who, which passport, and what to do", said == wanted, said)

    async def receipts(self) -> None:
        """Step 3: every checkpoint confirms, and the officer sees it."""
        told, count = self._told, len(self._crowd)
        told.step("The checkpoints confirm; the officer sees who has it")
        told.sent(f'{count} machines: POST /v1/alerts/{{id}}/receipts - "received"')
        await self._crowd.hear("raise", self._entry_id, count, confirmed=True)
        seen = {"level": "acknowledged", "officer_reference": "Desk 4"}
        path = f"/v1/alerts/{self.alert_id}/receipts"
        await self._desk.post(self._cast.counter, path, seen, 'a person: "acknowledged"', expected=201)
        path = f"/v1/alerts/{self.alert_id}/coverage"
        coverage = (await self._desk.get(self._cast.officer, path, "who has it?")).body
        told.came(
            f"200, {coverage['received']} of {coverage['recipients']} received, "
            f"{coverage['acknowledged']} acknowledged, {len(coverage['unreached'])} unreached; "
            f"half of the receipts within {coverage['p50_ms']:.0f} ms, 99% within {coverage['p99_ms']:.0f} ms"
        )
        told.claim(f"All {count} have it, and no checkpoint is missing", not coverage["unreached"])
        told.claim(f"A person at {HOME} has seen it", coverage["acknowledged"] == 1, coverage["acknowledged"])

    async def check_before_countersigning(self) -> None:
        """Step 4: a request alone holds a person for the supervisor, and no more."""
        self._told.step(f"The same person wants to leave at {HOME}")
        answer = await self._scan(self.suspect, "exit")
        self._told.claim(
            "Held for the supervisor, not refused: nobody at Immigration has countersigned yet",
            answer["action"] == "refer_to_supervisor",
            answer["action"],
        )
        match = answer["matches"][0]
        self._told.claim("The counter sees whose measure it is", match["contact"]["agency"] == "KPK", match)

    async def four_eyes(self) -> None:
        """Step 5: a second pair of eyes, never the same person; then the exit is refused."""
        told, cast = self._told, self._cast
        told.step("A duty officer of Immigration countersigns")
        refused = await self._desk.decide(
            cast.officers_second_account, self._entry_id, "countersign", expected=403
        )
        told.came(str(refused))
        told.claim(
            "The officer may not countersign, not even with a second account",
            refused.problem == "four-eyes",
            refused.problem,
        )
        decided = (await self._desk.decide(cast.duty_officer, self._entry_id, "countersign")).body
        told.came(f"201, countersigned at {decided['countersigned_at']}")
        spread = await self._crowd.hear("update", self._entry_id, len(self._crowd))
        self._everybody("are told the change", len(spread.came))
        answer = await self._scan(self.suspect, "exit")
        told.claim("Now the exit is refused", answer["action"] == "refuse_exit", answer["action"])
        gate = await self._desk.check(
            cast.autogate, papers.scan(self.suspect, "exit"), "the same passport, exit"
        )
        shown = (gate["action"], gate["matches"])
        told.claim(
            "The autogate stays shut, and shows nothing about the case", shown == ("refuse_exit", []), shown
        )

    async def return_home(self) -> None:
        """Step 6: a citizen may always come home; the owner is told of it."""
        self._told.step("The same person comes home")
        answer = await self._scan(self.suspect, "entry")
        claim = "Allowed in: an exit ban never keeps a citizen out"
        self._told.claim(claim, answer["action"] == "allow", answer["action"])
        items = (await self._desk.get(self._cast.officer, "/v1/worklist", "what is new?")).body["items"]
        seen = [item for item in items if item["check_id"] == answer["id"]]
        self._told.came(f"200, {seen[0]['name'] if seen else 'nothing'} at {HOME}")
        told_of = [(item["name"], item["entry_id"]) for item in seen]
        self._told.claim(
            "The owner is told that the person was seen", told_of == [("sighting", self._entry_id)], told_of
        )

    async def entry_ban(self) -> None:
        """Step 7: an entry ban by Immigration works for foreigners, and never for a citizen."""
        told, cast, who = self._told, self._cast, self.foreigner
        told.step("Immigration bans a foreigner from entering")
        body = papers.entry_ban(who, self.today, add_months(self.today, 24))
        wish = f"{who.name} of Utopia, passport {who.passport}, two years"
        submitter = cast.immigration_submitter
        entry = (await self._desk.post(submitter, "/v1/entries", body, wish, expected=201)).body
        await self._desk.decide(cast.immigration_verifier, entry["id"], "verify")
        entry = (await self._desk.decide(cast.immigration_approver, entry["id"], "approve")).body
        told.came(f"201, {entry['state']}, until {entry['ends_on']}")
        told.claim(
            "Three persons in two offices have decided; it is in force", entry["in_force"], entry["state"]
        )
        answer = await self._scan(who, "entry")
        told.claim("Entry refused", answer["action"] == "refuse_entry", answer["action"])
        question = papers.typed(who, "entry", state=INDONESIA)
        answer = await self._desk.check(
            cast.counter, question, "the same number as an Indonesian passport, entry"
        )
        told.claim(
            "Shown as an Indonesian, never refused entry: a supervisor looks",
            answer["action"] == "refer_to_supervisor",
            answer["action"],
        )

    async def namesake(self) -> None:
        """Step 8: another person with the same name travels freely."""
        other = self.suspect.namesake()
        self._told.step(f"Another {other.name} wants to leave")
        answer = await self._scan(other, "exit")
        shown = (answer["outcome"], answer["action"], answer["hit_id"])
        self._told.claim(
            "Clear: same name, but another birth date and passport", shown == ("clear", "allow", None), shown
        )

    async def disguise(self) -> None:
        """Step 9: the person of the measure, with a new passport and another spelling of the name."""
        same = self.suspect.disguised()
        self._told.step(f"{self.suspect.name} wants to leave as {same.name}, with a new passport")
        answer = await self._scan(same, "exit")
        found = [match["entry_id"] for match in answer["matches"]]
        held = answer["action"] == "refer_to_supervisor" and found == [self._entry_id]
        self._told.claim(
            "Held for the supervisor: the name sounds the same, and the birth date is equal", held, answer
        )
        match = answer["matches"][0]
        said = "; ".join(dict.fromkeys(reason["text_en"].rstrip(".") for reason in match["reasons"]))
        self._told.came(f"{match['level']}, score {match['score']}: {said}")

    async def bad_requests(self) -> None:
        """Step 10: what the law forbids is refused with its reason, and changes nothing."""
        told, cast = self._told, self._cast
        told.step("What the law forbids is refused, with the reason")
        before = await self._head()
        citizen = Person.invent(INDONESIA)
        barred = papers.entry_ban(citizen, self.today, add_months(self.today, 24))
        held = papers.exit_ban(citizen, self.today, add_months(self.today, 7))
        for problem, who, body, told_as in (
            (
                "wni-cannot-be-deterred",
                cast.immigration_submitter,
                barred,
                "an entry ban against an Indonesian",
            ),
            ("period-too-long", cast.officer, held, "an exit ban of seven months"),
        ):
            answer = await self._desk.post(who, "/v1/entries", body, told_as, expected=422)
            told.came(str(answer))
            told.claim(f"Refused as {problem}", answer.problem == problem, answer.problem)
        after = await self._head()
        told.claim("Nothing has changed in the register", before == after, f"{before} -> {after}")

    async def reconnection(self) -> None:
        """Step 11: a checkpoint that was cut off gets what it missed; then the measure is ended everywhere."""
        told, crowd = self._told, self._crowd
        told.step(f"A cable breaks at {CUT_OFF}, and an alert is raised meanwhile")
        await crowd.cut(CUT_OFF)
        person = Person.invent(INDONESIA)
        entry = (await self._make_urgent(papers.urgent_exit_ban(person, self.today), person.name))["entry"]
        spread = await crowd.hear("raise", entry["id"], len(crowd) - 1)
        told.came(f"{len(spread.came)} checkpoints have it; {CUT_OFF} has not")
        told.claim(f"{CUT_OFF} missed it", CUT_OFF not in spread.came and len(spread.came) == len(crowd) - 1)
        told.sent(f"{CUT_OFF}: GET /v1/alerts/stream with the Last-Event-ID that it had before")
        crowd.connect(CUT_OFF)
        spread = await crowd.hear("raise", entry["id"], len(crowd))
        told.claim(f"{CUT_OFF} is back and has what it missed", CUT_OFF in spread.came)
        await self._desk.decide(self._cast.duty_officer, entry["id"], "reject", "Withdrawn by the owner")
        spread = await crowd.hear("cancel", entry["id"], len(crowd))
        told.came(f"201, rejected; alert {spread.alert['kind']}: {spread.alert['action']}")
        self._everybody("are told to release the person", len(spread.came))
        answer = await self._scan(person, "exit")
        told.claim("The person may leave", answer["action"] == "allow", answer["action"])

    async def drill(self) -> None:
        """Step 12: an exercise travels like the real thing."""
        self._told.step("The duty officer calls a drill")
        body = {
            "kind": "exercise",
            "message": "LATIHAN - drill - no action at the counter",
            "checkpoints": None,
        }
        sent_at = time.perf_counter()
        alert = (
            await self._desk.post(self._cast.duty_officer, "/v1/alerts", body, "exercise", expected=201)
        ).body
        spread = await self._crowd.hear("exercise", alert["id"], len(self._crowd))
        self._told.came(f"201; the last checkpoint has it after {spread.milliseconds(sent_at)[-1]:.0f} ms")
        self._everybody("have the drill", len(spread.came))
        self._told.claim("It names nobody, so no check can match it", spread.alert["entry"] is None)

    async def formal_decision(self) -> None:
        """Step 13: the formal decision takes over from the urgent entry, without a gap."""
        told, cast, desk = self._told, self._cast, self._desk
        told.step("The formal decision follows, within the twenty days of the law")
        read = await desk.get(cast.officer, f"/v1/entries/{self._entry_id}")
        path, ends_on = f"/v1/entries/{self._entry_id}/formalisation", add_months(self.today, 6)
        body = papers.formal_decision(self.today, ends_on, read.body["basis"]["case_reference"])
        formal = (
            await desk.post(cast.officer, path, body, "six months", expected=201, if_match=read.etag)
        ).body
        self.formal_id = formal["id"]
        await desk.decide(cast.kpk_verifier, self.formal_id, "verify")
        formal = (await desk.decide(cast.immigration_approver, self.formal_id, "approve")).body
        told.came(f"201, {formal['state']}, until {formal['ends_on']}")
        spread = await self._crowd.hear("update", self.formal_id, len(self._crowd))
        self._everybody("are told by one message", len(spread.came))
        urgent = (await desk.get(cast.officer, f"/v1/entries/{self._entry_id}", "the urgent one?")).body
        told.claim("It has taken over", urgent["ended_reason"] == "superseded", urgent["state"])
        due = [each["name"] for each in formal["legal_deadlines"] if each["met_at"] is None]
        told.came(f"what the law still wants: {', '.join(due)}")

    async def foreign_letter(self) -> None:
        """Step 14: a letter from a body that does not own the entry changes nothing, as it once did."""
        told, cast, desk = self._told, self._cast, self._desk
        told.step("Somebody else writes that the name can be removed")
        version = (await desk.get(cast.auditor, f"/v1/entries/{self.formal_id}")).etag
        path, submitter = f"/v1/entries/{self.formal_id}/amendments", cast.immigration_submitter
        body = papers.foreign_withdrawal(self.today)
        answer = await desk.post(submitter, path, body, "their letter", expected=201, if_match=version)
        told.came(f"201, {answer.body['state']}: a question to {answer.body['owner']}")
        answer = await self._scan(self.suspect, "exit")
        told.claim("The exit is still refused", answer["action"] == "refuse_exit", answer["action"])

    async def ledger(self) -> None:
        """Step 15: everything that changed the register stands in one numbered row, without a hole."""
        self._told.step("The auditor reads the ledger")
        numbers: list[int] = []
        types: list[str] = []
        query: dict[str, str | int] = {"limit": _PAGE}
        told, more = "everything, from the beginning", True
        while more:
            page = (await self._desk.get(self._cast.auditor, "/v1/changes", told, **query)).body
            numbers += [record["sequence"] for record in page["items"]]
            types += [record["type"] for record in page["items"] if record["entry_id"] == self._entry_id]
            told, query["after"], more = "", page["cursor"], page["more"]
        self._told.came(f"200, {len(numbers)} records; of the first exit ban: {', '.join(types)}")
        whole = numbers == list(range(1, len(numbers) + 1)) and page["head"] == len(numbers)
        self._told.claim(f"Numbered from 1 to {len(numbers)} without a hole", whole, numbers[-3:])
        wanted = ["entry.provisional", "alert.raised", "entry.countersigned", "alert.updated"]
        wanted += ["entry.corrected", "entry.ended"]  # its formal decision was verified, and took over
        self._told.claim("Every step of the measure is there", sorted(types) == sorted(wanted), types)

    async def _make_urgent(self, body: Any, told: str) -> Any:
        key = secrets.token_hex(8)
        call = self._desk.post(
            self._cast.officer, "/v1/urgent-entries", body, told, expected=201, idempotency_key=key
        )
        return (await call).body

    async def _scan(self, person: Person, direction: str) -> Any:
        told = f"passport {person.passport} scanned, {direction}"
        return await self._desk.check(self._cast.counter, papers.scan(person, direction), told)

    async def _head(self) -> int:
        page = await self._desk.get(self._cast.auditor, "/v1/changes", limit=1)
        return int(page.body["head"])

    def _everybody(self, what: str, found: int) -> None:
        count = len(self._crowd)
        self._told.claim(f"{count} of {count} checkpoints {what}", found == count, found)
