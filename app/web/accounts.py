"""What is told of answered requests: one line of the access log, one observation of the metrics each.

It is told at the end of the event loop's turn, for all requests answered in it: under load a request then pays
a small part of what it would alone, and nothing is told later than the turn's end.
"""

import asyncio
from time import time
from typing import NamedTuple

from fastapi.routing import iter_route_contexts
from starlette.types import Scope

from app.kit.logs import Correlation, Line, write_lines
from app.web.metrics import METHODS, Metrics

UNMATCHED = "(unmatched)"
"""The route of a request whose path belongs to none."""

_DEEPEST = 8
"""So many parts of an unknown path are outlined."""

_LOG = "app.access"


class Answered(NamedTuple):
    """A request that was answered.

    Attributes:
        scope: its ASGI scope, as routing left it.
        status: the status answered, 0 if the client left before.
        seconds: how long it took.
        at: when it ended, in seconds since 1970.
        known_as: its ids.
    """

    scope: Scope
    status: int
    seconds: float
    at: float
    known_as: Correlation


class Accounts:
    """Tells of answered requests; one per application.

    Args:
        metrics: where they are counted.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._templates = Templates()
        self._waiting: list[Answered] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def note(self, scope: Scope, status: int, seconds: float, known_as: Correlation) -> None:
        """Note one answered request; arguments as in `Answered`."""
        loop = asyncio.get_running_loop()
        if not self._waiting or loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._tell)
        self._waiting.append(Answered(scope, status, seconds, time(), known_as))

    def _tell(self) -> None:
        answered, self._waiting = self._waiting, []
        lines: list[Line] = []
        for each in answered:
            method, route = each.scope["method"], self._templates.of(each.scope)
            self._metrics.answered(method, route or UNMATCHED, each.status, each.seconds)
            members = {
                "method": method if method in METHODS else "other",
                "route": route or self._templates.outline(each.scope),
                "status": each.status,
                "ms": round(each.seconds * 1000, 2),
                "client_id": getattr(each.scope["state"].get("actor"), "client_id", None),
            }
            lines.append(Line(each.at, each.known_as, members))
        write_lines(_LOG, "answered", lines)


class Templates:
    """Finds the template of the route that served a request, such as `/v1/entries/{entry_id}`."""

    def __init__(self) -> None:
        self._of_endpoint: dict[int, str | None] = {}
        self._words: frozenset[str] | None = None

    def of(self, scope: Scope) -> str | None:
        """The route's template, or None for a path without a route; known once the request was routed."""
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return None
        if id(endpoint) not in self._of_endpoint:
            self._learn(scope)
        return self._of_endpoint.setdefault(id(endpoint), None)

    def outline(self, scope: Scope) -> str:
        """An unknown path with every part that no route has written as `*`: it may be a name or a number."""
        words = self._words or self._learn(scope)
        return "/".join(part if part in words else "*" for part in scope["path"].split("/")[:_DEEPEST])

    def _learn(self, scope: Scope) -> frozenset[str]:
        """Read the application's routes again; endpoints live as long as it does, so their ids are theirs."""
        found: dict[int, str | None] = {}
        for context in iter_route_contexts(scope["app"].routes):
            if context.endpoint is not None and context.path_format:
                found[id(context.endpoint)] = context.path_format
            elif context.path:  # a mount: its application is the endpoint
                found[id(getattr(context.original_route, "app", None))] = context.path
        self._of_endpoint = found
        parts = {part for template in found.values() if template for part in template.split("/")}
        self._words = frozenset({"", *(part for part in parts if "{" not in part)})
        return self._words
