"""The access log: each answered request gives one log line and one observation of the metrics.

The lines of all requests answered in one iteration of the event loop are written together at its end. Under load
this reduces the cost per request, and no line is delayed beyond that iteration.
"""

import asyncio
import sys
from time import time
from typing import NamedTuple

from fastapi.routing import iter_route_contexts
from starlette.types import Scope

from app.kit.logs import Correlation, Line, write_lines
from app.web.metrics import METHODS, Metrics

UNMATCHED = "(unmatched)"
"""The route in the metrics for a path without a route."""

_DEEPEST = 8
"""Largest number of parts of an unknown path in the log."""

_LOG = "app.access"


class Answered(NamedTuple):
    """The data of an answered request that its line in the access log contains.

    Attributes:
        method: the request's HTTP method.
        route: the template of its route (`/v1/entries/{entry_id}`), or None if its path has no route.
        path: the route's template again; for a path without a route, the path with `*` for its unknown parts.
        status: the status of the answer, or 0 if the client disconnected first.
        client_id: the id of the client; None if the request needed no key or had no valid one.
        request_ids: the ids of the request and of its trace.
    """

    method: str
    route: str | None
    path: str
    status: int
    client_id: str | None
    request_ids: Correlation


class AccessLog:
    """Writes a line in the access log for each answered request and counts it in the metrics; one per application.

    Args:
        metrics: the metrics that count the requests.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._templates = Templates()
        self._waiting: list[tuple[Answered, float, float]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def describe(self, scope: Scope, status: int, request_ids: Correlation) -> Answered:
        """Return the data of a request for its line in the access log.

        Args:
            scope: the request's ASGI scope after routing.
            status: the status of the answer, or 0 if the client disconnected first.
            request_ids: the ids of the request and of its trace.
        """
        route = self._templates.of(scope)
        path = route or self._templates.outline(scope)
        client_id = getattr(scope["state"].get("actor"), "client_id", None)
        method = sys.intern(scope["method"])  # one string for all open streams; the parser knows a few dozen
        return Answered(method, route, path, status, client_id, request_ids)

    def note(self, answered: Answered, seconds: float) -> None:
        """Record a request that has just ended, for the access log and the metrics.

        Its line is written at the end of the present iteration of the event loop, together with other requests' lines.

        Args:
            answered: the request's data.
            seconds: how long the request took.
        """
        loop = asyncio.get_running_loop()
        if not self._waiting or loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._write_lines)
        self._waiting.append((answered, seconds, time()))

    def _write_lines(self) -> None:
        waiting, self._waiting = self._waiting, []
        lines: list[Line] = []
        for each, seconds, at in waiting:
            self._metrics.answered(each.method, each.route or UNMATCHED, each.status, seconds)
            members = {
                "method": each.method if each.method in METHODS else "other",
                "route": each.path,
                "status": each.status,
                "ms": round(seconds * 1000, 2),
                "client_id": each.client_id,
            }
            lines.append(Line(at, each.request_ids, members))
        write_lines(_LOG, "answered", lines)


class Templates:
    """Finds the template of the route that served a request (`/v1/entries/{entry_id}`)."""

    def __init__(self) -> None:
        self._of_endpoint: dict[int, str | None] = {}
        self._words: frozenset[str] | None = None

    def of(self, scope: Scope) -> str | None:
        """Return the template of the request's route, or None if its path has no route; call it after routing."""
        endpoint = scope.get("endpoint")
        if endpoint is None:
            return None
        if id(endpoint) not in self._of_endpoint:
            self._learn(scope)
        return self._of_endpoint.setdefault(id(endpoint), None)

    def outline(self, scope: Scope) -> str:
        """Return the first eight parts of a path that has no route, for the log.

        A part that occurs in no route's template becomes `*`, because it may be personal data.
        """
        words = self._words or self._learn(scope)
        return "/".join(part if part in words else "*" for part in scope["path"].split("/")[:_DEEPEST])

    def _learn(self, scope: Scope) -> frozenset[str]:
        """Read the application's routes. Endpoints exist as long as the application, so `id()` identifies them."""
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
