"""Three checkpoints are cut off, the server is killed, and another process pages people until they acknowledge."""

import asyncio
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any, Final

from app.demo import papers
from app.demo.api_client import ApiClient
from app.demo.cast import Cast
from app.demo.checkpoints import Crowd
from app.demo.narrator import Narrator
from app.demo.people import INDONESIA, Person
from app.demo.server import Server

CUT_OFF: Final = ("BPN", "KNO", "SUB")
"""The checkpoints that are cut off: Balikpapan, Kualanamu, Surabaya."""

_TRIES: Final = 60
_PAUSE: Final = 0.5


class Pager:
    """Makes the demonstration's paging command, which writes each message into a file and calls no telephone.

    The name of a message's file begins with the id of the process that ran the command.

    Attributes:
        command: the path of the command, for the setting `CEKAL_PAGE_COMMAND`.
    """

    def __init__(self, folder: Path) -> None:
        self.command = folder.resolve() / "page"
        self._messages = folder / "pages"
        self._messages.mkdir(exist_ok=True)
        self._known = set(self._messages.iterdir())

    def install(self) -> None:
        """Write the executable file of the command."""
        program = (
            "import os, pathlib, sys\n"
            f"folder = pathlib.Path({str(self._messages.resolve())!r})\n"
            "text = os.environ['CEKAL_PAGE_ADDRESS'] + '\\n' + sys.stdin.read()\n"
            "name = f\"{os.getppid()}-{os.environ['CEKAL_PAGE_ID']}\"\n"
            "(folder / name).write_text(text, 'utf-8')\n"
        )
        self.command.write_text(f"#!{sys.executable}\n{program}", "utf-8")
        self.command.chmod(0o700)

    def messages(self, about: str) -> list[tuple[int, str]]:
        """Return the messages that were written since this object was made and that contain the text `about`.

        Each item is a pair: the id of the process that sent the message, and a text with the address and the message.
        The items are sorted by the names of the messages' files.
        """
        read = [
            (path, path.read_text("utf-8")) for path in sorted(set(self._messages.iterdir()) - self._known)
        ]
        return [(int(path.name.partition("-")[0]), text) for path, text in read if about in text]


class Escalation:
    """The steps of the demonstration about alerts that checkpoints do not receive; `all` has the steps in order.

    A step checks claims. A false claim is recorded by the narrator and does not stop the step. A step raises
    UnexpectedAnswer, or another error of the client, if it can't go on.
    """

    def __init__(
        self,
        api: ApiClient,
        narrator: Narrator,
        crowd: Crowd,
        cast: Cast,
        today: date,
        pager: Pager,
        server: Server,
    ) -> None:
        self.all = (self.take_over, self.page_people)
        self._alert_id = self._entry_id = ""
        self._person = Person.invent(INDONESIA)
        self._server = server
        self._api = api
        self._narrator = narrator
        self._crowd = crowd
        self._cast = cast
        self._today = today
        self._pager = pager

    async def take_over(self) -> None:
        """Step 17: three checkpoints are cut off, and the server is killed after it has stored an alert.

        A new server process then delivers the alert to all other checkpoints.
        """
        narrator, crowd = self._narrator, self._crowd
        narrator.step(f"{', '.join(CUT_OFF)} are cut off, an alert is raised, and the server is killed")
        for place in CUT_OFF:
            await self._set_contacts(place)
            await crowd.disconnect(place)
        made = await self._api.post(
            self._cast.officer,
            "/v1/urgent-entries",
            papers.urgent_exit_ban(self._person, self._today),
            self._person.name,
            expected=201,
            idempotency_key=os.urandom(8).hex(),
        )
        self._alert_id, self._entry_id = made.body["alert"]["id"], made.body["entry"]["id"]
        killed = time.perf_counter()
        narrator.sent(f"kill -9 {self._server.process.pid}, as soon as it has answered")
        await self._server.kill()
        await self._server.start()
        ready = time.perf_counter() - killed
        narrator.received(f"process {self._server.process.pid} is ready after {ready:.1f} s")
        others = len(crowd) - len(CUT_OFF)
        connected = await crowd.wait_for_connections(others)
        after = time.perf_counter() - killed
        narrator.claim(f"{others} checkpoints are connected again after {after:.1f} s", connected == others)
        delivery = await crowd.wait_for_alert("raise", self._entry_id, others, confirmed=True)
        confirmed = len(delivery.confirmed)
        narrator.claim(f"{others} have confirmed the alert: none is lost", confirmed == others, confirmed)

    async def page_people(self) -> None:
        """Step 18: the new process pages the contacts of the three checkpoints; these then return and acknowledge."""
        narrator = self._narrator
        narrator.step("The process that has taken over pages the people of the three")
        coverage = await self._coverage(self._alert_id, lambda seen: len(_telephoned(seen)) >= len(CUT_OFF))
        narrator.received(
            f"200, {coverage['received']} of {coverage['recipients']} received; unreached: "
            f"{', '.join(coverage['unreached'])}; paged: "
            + ", ".join(f"{page['checkpoint']} ({page['state']})" for page in _telephoned(coverage))
        )
        narrator.claim("The officer sees which three have not got it", coverage["unreached"] == list(CUT_OFF))
        paged = {page["checkpoint"] for page in _telephoned(coverage)}
        narrator.claim("The people of these three were paged by telephone", paged == set(CUT_OFF), paged)
        self._judge_messages()
        await self._bring_back(self._alert_id, self._entry_id)

    def _judge_messages(self) -> None:
        """Show a message, and claim that each went out once, from the process that runs now, and names no person."""
        narrator, pid = self._narrator, self._server.process.pid
        messages = self._pager.messages(self._alert_id)
        narrator.received(f"a telephone: {messages[0][1].splitlines()[-1]}" if messages else "no message")
        senders = [sender for sender, _ in messages]
        claim = f"Process {pid} has sent them, each once: what is due is in the register, not in a process"
        narrator.claim(claim, senders == [pid] * len(CUT_OFF), senders)
        person = self._person
        silent = all(person.name not in text and person.passport not in text for _, text in messages)
        narrator.claim("The messages name the alert, and no person", bool(messages) and silent)

    async def _set_contacts(self, place: str) -> None:
        steps = [
            {"level": "checkpoint", "contacts": [{"channel": "command", "address": f"+62-{place}-1"}]},
            {"level": "supervisor", "contacts": [{"channel": "command", "address": f"+62-{place}-2"}]},
        ]
        path = f"/v1/checkpoints/{place}/escalation"
        read = await self._api.get(self._cast.admin, path)
        summary = "two steps by telephone" if place == CUT_OFF[0] else ""
        await self._api.put(self._cast.admin, path, {"steps": steps}, summary, if_match=read.etag)

    async def _bring_back(self, alert_id: str, entry_id: str) -> None:
        narrator, crowd = self._narrator, self._crowd
        for place in CUT_OFF:
            crowd.connect(place)
        delivery = await crowd.wait_for_alert("raise", entry_id, len(crowd), confirmed=True)
        narrator.claim("All three are back and have the alert", set(CUT_OFF) <= delivery.confirmed)
        for place in CUT_OFF:
            await self._api.post(
                self._cast.counters[place],
                f"/v1/alerts/{alert_id}/receipts",
                {"level": "acknowledged"},
                'a person: "acknowledged"',
                expected=201,
            )
        await self._api.decide(self._cast.duty_officer, entry_id, "reject", "The end of the example")
        coverage = await self._coverage(alert_id, lambda seen: not seen["unreached"])
        narrator.received(f"200, {coverage['received']} received, {coverage['acknowledged']} acknowledged")
        waiting = [page for page in coverage["pages"] if page["state"] == "due"]
        narrator.claim("No page waits any more", not waiting, waiting)

    async def _coverage(self, alert_id: str, enough: Any) -> Any:
        """Read the coverage of an alert until it satisfies a condition; as it is after some time otherwise."""
        path = f"/v1/alerts/{alert_id}/coverage"
        for _ in range(_TRIES):
            coverage = (await self._api.get(self._cast.officer, path)).body
            if enough(coverage) and all(page["state"] != "due" for page in coverage["pages"]):
                break
            await asyncio.sleep(_PAUSE)
        return (await self._api.get(self._cast.officer, path, "who has it?")).body


def _telephoned(coverage: Any) -> list[Any]:
    """Return the pages by the command; at checkpoints without contacts officers get notices."""
    return [page for page in coverage["pages"] if page["channel"] == "command"]
