"""Step 17 of the story: three checkpoints are cut off, and people are paged until they acknowledge the alert."""

import asyncio
import os
import sys
from datetime import date
from pathlib import Path
from typing import Any, Final

from app.demo import papers
from app.demo.api_client import ApiClient
from app.demo.cast import Cast
from app.demo.checkpoints import Crowd
from app.demo.narrator import Narrator
from app.demo.people import INDONESIA, Person

CUT_OFF: Final = ("BPN", "KNO", "SUB")
"""The checkpoints that are cut off: Balikpapan, Kualanamu, Surabaya."""

_TRIES: Final = 60
_PAUSE: Final = 0.5


class Pager:
    """The paging command of the demonstration, which writes each message into a file in place of a telephone.

    Attributes:
        command: the file of the command, for the setting `CEKAL_PAGE_COMMAND`.
    """

    def __init__(self, folder: Path) -> None:
        self.command = folder.resolve() / "page"
        self._messages = folder / "pages"
        self._messages.mkdir(exist_ok=True)
        self._known = set(self._messages.iterdir())

    def install(self) -> None:
        """Write the command."""
        program = (
            "import os, pathlib, sys\n"
            f"folder = pathlib.Path({str(self._messages.resolve())!r})\n"
            "text = os.environ['CEKAL_PAGE_ADDRESS'] + '\\n' + sys.stdin.read()\n"
            "(folder / os.environ['CEKAL_PAGE_ID']).write_text(text, 'utf-8')\n"
        )
        self.command.write_text(f"#!{sys.executable}\n{program}", "utf-8")
        self.command.chmod(0o700)

    def messages(self) -> list[str]:
        """Return the messages of this run: an address and the text."""
        return [path.read_text("utf-8") for path in sorted(set(self._messages.iterdir()) - self._known)]


class Escalation:
    """The step about escalation."""

    def __init__(
        self, api: ApiClient, narrator: Narrator, crowd: Crowd, cast: Cast, today: date, pager: Pager
    ) -> None:
        self._api = api
        self._narrator = narrator
        self._crowd = crowd
        self._cast = cast
        self._today = today
        self._pager = pager

    async def page_people(self) -> None:
        """Cut three checkpoints off, raise an alert, watch how their people are paged, and bring them back."""
        narrator, crowd, count = self._narrator, self._crowd, len(self._crowd)
        narrator.step(f"{', '.join(CUT_OFF)} are cut off, and an alert is raised: their people are paged")
        for place in CUT_OFF:
            await self._set_contacts(place)
            await crowd.disconnect(place)
        person = Person.invent(INDONESIA)
        made = await self._api.post(
            self._cast.officer,
            "/v1/urgent-entries",
            papers.urgent_exit_ban(person, self._today),
            person.name,
            expected=201,
            idempotency_key=os.urandom(8).hex(),
        )
        alert, entry = made.body["alert"], made.body["entry"]
        await crowd.wait_for_alert("raise", entry["id"], count - len(CUT_OFF), confirmed=True)
        coverage = await self._coverage(alert["id"], lambda seen: len(_telephoned(seen)) >= len(CUT_OFF))
        narrator.received(
            f"200, {coverage['received']} of {coverage['recipients']} received; unreached: "
            f"{', '.join(coverage['unreached'])}; paged: "
            + ", ".join(f"{page['checkpoint']} ({page['state']})" for page in _telephoned(coverage))
        )
        narrator.claim("The officer sees which three have not got it", coverage["unreached"] == list(CUT_OFF))
        paged = {page["checkpoint"] for page in _telephoned(coverage)}
        narrator.claim("The people of these three were paged by telephone", paged == set(CUT_OFF), paged)
        messages = [text for text in self._pager.messages() if alert["id"] in text]
        narrator.received(f"a telephone: {messages[0].splitlines()[-1]}" if messages else "no message")
        silent = messages and all(
            person.name not in text and person.passport not in text for text in messages
        )
        narrator.claim("The message names the alert, and no person", bool(silent))
        await self._bring_back(alert["id"], entry["id"])

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
