"""Calls of the public API, told as they are made."""

import re
from dataclasses import dataclass
from typing import Any

import httpx2

from app.demo.cast import Holder
from app.demo.narrator import Narrator


class UnexpectedAnswer(Exception):
    """The register answered otherwise than the story can go on with; the message says what came."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        problem: slug of the problem, "" where there is none.
        etag: the version that was read or made, for `If-Match`.
    """

    status: int
    body: Any
    problem: str
    etag: str

    def __str__(self) -> str:
        return (
            f"{self.status} {self.problem}: {self.body.get('detail')}" if self.problem else str(self.status)
        )


class Desk:
    """Makes the calls of officers, counters and auditors."""

    def __init__(self, http: httpx2.AsyncClient, narrator: Narrator) -> None:
        self._http = http
        self._narrator = narrator

    async def get(self, who: Holder, path: str, told: str = "", **query: str | int) -> Answer:
        """Read something.

        Args:
            who: whose key is used.
            path: what to read.
            told: why, for the narrator; nothing is told without it.
            query: the query's parameters.

        Raises:
            UnexpectedAnswer: another status than 200 came.
        """
        if told:
            self._narrator.sent(f"{who.name}: GET {_without_ids(path)} - {told}")
        return _understood(await self._http.get(path, params=query, headers=who.headers), 200)

    async def post(
        self, who: Holder, path: str, body: Any, told: str, *, expected: int, **headers: str
    ) -> Answer:
        """Send something.

        Args:
            who: whose key is used.
            path: where to.
            body: what.
            told: the body in a few words, for the narrator.
            expected: the only status with which the story goes on.
            headers: further ones, with `_` for `-`.

        Raises:
            UnexpectedAnswer: another status came.
        """
        self._narrator.sent(f"{who.name}: POST {_without_ids(path)} - {told}")
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._http.post(path, json=body, headers={**who.headers, **more})
        return _understood(answer, expected)

    async def check(self, who: Holder, question: dict[str, Any], told: str) -> Any:
        """Ask about a traveller, and tell the answer's outcome and action."""
        answer = (await self.post(who, "/v1/checks", question, told, expected=200)).body
        found = "".join(f", match {m['level']} {m['score']:.2f}" for m in answer["matches"])
        self._narrator.came(f"200, {answer['outcome']}: {answer['action']}{found}")
        return answer

    async def decide(
        self, who: Holder, entry_id: str, verdict: str, reason: str | None = None, *, expected: int = 201
    ) -> Answer:
        """Read an entry and decide on the version that was read: nobody decides on what they have not seen."""
        read = await self.get(who, f"/v1/entries/{entry_id}")
        path, body = f"/v1/entries/{entry_id}/decisions", {"verdict": verdict, "reason": reason}
        return await self.post(who, path, body, verdict, expected=expected, if_match=read.etag)


def _understood(answer: httpx2.Response, expected: int) -> Answer:
    body = answer.json()
    problem = str(body["type"]).removeprefix("/problems/") if answer.is_error else ""
    understood = Answer(answer.status_code, body, problem, answer.headers.get("etag", ""))
    if answer.status_code != expected:
        raise UnexpectedAnswer(f"expected {expected}, but came {understood}")
    return understood


def _without_ids(path: str) -> str:
    return re.sub(r"[a-z]{3}_[0-9a-z]{26}", "{id}", path)
