"""Calls of the public API, each shown by the narrator."""

import re
from dataclasses import dataclass
from typing import Any

import httpx2

from app.demo.cast import Holder
from app.demo.narrator import Narrator


class UnexpectedAnswer(Exception):
    """The register answered with another status than the story needs; the message contains the answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the register.

    Attributes:
        status: the HTTP status.
        body: the parsed JSON.
        problem: the slug of the problem, "" without one.
        etag: the version that was read or created, for `If-Match`; "" if the answer has none.
    """

    status: int
    body: Any
    problem: str
    etag: str

    def __str__(self) -> str:
        return (
            f"{self.status} {self.problem}: {self.body.get('detail')}" if self.problem else str(self.status)
        )


class ApiClient:
    """A client of the public API that makes the calls of officers, counters and auditors."""

    def __init__(self, http: httpx2.AsyncClient, narrator: Narrator) -> None:
        self._http = http
        self._narrator = narrator

    async def get(self, client: Holder, path: str, summary: str = "", **query: str | int) -> Answer:
        """Send a GET request and return the answer.

        Args:
            client: the client whose key is used.
            path: the path of the resource.
            summary: the purpose, shown by the narrator; nothing is shown without it.
            query: the query parameters.

        Raises:
            UnexpectedAnswer: the status is not 200.
        """
        if summary:
            self._narrator.sent(f"{client.name}: GET {_without_ids(path)} - {summary}")
        return _parse_answer(await self._http.get(path, params=query, headers=client.headers), 200)

    async def post(
        self, client: Holder, path: str, body: Any, summary: str, *, expected: int, **headers: str
    ) -> Answer:
        """Send a POST request and return the answer.

        Args:
            client: the client whose key is used.
            path: the path of the resource.
            body: the request's body.
            summary: a summary of the body, shown by the narrator.
            expected: the expected status.
            headers: further headers by name, each with `_` in place of `-`.

        Raises:
            UnexpectedAnswer: the status is not the expected one.
        """
        self._narrator.sent(f"{client.name}: POST {_without_ids(path)} - {summary}")
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self._http.post(path, json=body, headers={**client.headers, **more})
        return _parse_answer(answer, expected)

    async def put(self, client: Holder, path: str, body: Any, summary: str = "", *, if_match: str) -> Answer:
        """Send a PUT request that changes the version that was read, and return the answer.

        Args:
            client: the client whose key is used.
            path: the path of the resource.
            body: the request's body, made to JSON.
            summary: a summary of the body, shown by the narrator; nothing is shown without it.
            if_match: the ETag of the version that was read.

        Raises:
            UnexpectedAnswer: the status is not 200.
        """
        if summary:
            self._narrator.sent(f"{client.name}: PUT {_without_ids(path)} - {summary}")
        answer = await self._http.put(path, json=body, headers={**client.headers, "If-Match": if_match})
        return _parse_answer(answer, 200)

    async def check(self, client: Holder, question: dict[str, Any], summary: str) -> Any:
        """Check a traveller, and show the answer's outcome and action. Returns the answer's body.

        `question` is the request's body, and `summary` describes it for the narrator.

        Raises:
            UnexpectedAnswer: the status is not 200.
        """
        answer = (await self.post(client, "/v1/checks", question, summary, expected=200)).body
        found = "".join(f", match {m['level']} {m['score']:.2f}" for m in answer["matches"])
        self._narrator.received(f"200, {answer['outcome']}: {answer['action']}{found}")
        return answer

    async def decide(
        self, client: Holder, entry_id: str, verdict: str, reason: str | None = None, *, expected: int = 201
    ) -> Answer:
        """Read an entry and decide on exactly the version that was read, by `If-Match`. Returns the answer.

        Args:
            client: the client that decides.
            entry_id: id of the entry.
            verdict: the decision.
            reason: the reason; None without one.
            expected: the expected status of the decision.

        Raises:
            UnexpectedAnswer: the entry can't be read, or the status is not the expected one.
        """
        read = await self.get(client, f"/v1/entries/{entry_id}")
        path, body = f"/v1/entries/{entry_id}/decisions", {"verdict": verdict, "reason": reason}
        return await self.post(client, path, body, verdict, expected=expected, if_match=read.etag)


def _parse_answer(answer: httpx2.Response, expected: int) -> Answer:
    body = answer.json()
    problem = str(body["type"]).removeprefix("/problems/") if answer.is_error else ""
    understood = Answer(answer.status_code, body, problem, answer.headers.get("etag", ""))
    if answer.status_code != expected:
        raise UnexpectedAnswer(f"expected {expected}, but came {understood}")
    return understood


def _without_ids(path: str) -> str:
    return re.sub(r"[a-z]{3}_[0-9a-z]{26}", "{id}", path)
