"""Typed access to what the guard knows about a request and a process; Starlette's own state is untyped."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, cast

from fastapi import Request
from starlette.datastructures import State
from starlette.types import Scope

from app.access.admission import idempotency
from app.access.admission.quotas import Quotas
from app.actor import Actor
from app.db.unit import Reader, Unit

NamesClosed = Callable[[Reader, bytes], Awaitable[bool]]
"""A function that returns whether a text names an entry that is sealed from the reader."""


class RequestState(State):
    """The guard's state of a request.

    Attributes:
        actor: the caller; missing before it is admitted.
        access_version: the gate's access version just before the caller was admitted: a number that every change of
            clients, keys or offices raises.
        limit: the time limit of the answer.
        sent: the body, parsed from JSON; missing if the body is empty or not JSON.
        stack: the contexts that close when the request ends.
        unit: the request's write transaction; None before it is opened.
        claim: the request's claim of its `Idempotency-Key`; None without one.
        secret: whether the answer contains a key's text; missing if it does not.
    """

    actor: Actor
    access_version: int
    limit: asyncio.Timeout
    sent: Any
    stack: AsyncExitStack
    unit: Unit | None
    claim: idempotency.Claim | None
    secret: bool


def state_of(request: Request) -> RequestState:
    """Return the guard's state of a request."""
    return cast(RequestState, request.state)


def count_for_key(scope: Scope, actor: Actor) -> None:
    """Count the request's connection against the connection limit of the caller's key.

    Before this call the connection counts against the limit of the client's address. Does nothing for an actor without
    a key.
    """
    connection = scope["state"].get("connection")
    if connection is not None and actor.key_id is not None:
        connection.show_key(actor.key_id)


def quotas_in(scope: Mapping[str, Any]) -> Quotas:
    """Return the quotas of this process; `scope` is a request, or its ASGI scope."""
    return cast(Quotas, scope["app"].state.process.quotas)


def names_closed_in(scope: Mapping[str, Any]) -> NamesClosed:
    """Return this process's function that checks whether a stored answer names an entry that a seal hides.

    `scope` is a request, or its ASGI scope.
    """
    return cast(NamesClosed, scope["app"].state.process.names_closed)
