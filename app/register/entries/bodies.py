"""Preparation of request bodies before the transaction begins.

A photo takes milliseconds to decode, and on SQLite an open transaction holds the lock that every other writer
needs. FastAPI resolves parameters in the order of the signature, so a route declares its body before its Unit. A
caller who may not submit is refused before anything is decoded. For the same reason the travellers that the measure
would have stopped are counted before the transaction.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import Depends, Request

from app.access.admission.guard import actor_for
from app.access.domain import Role
from app.actor import Actor
from app.register.entries.ports import ports_of
from app.register.entries.requested import Formal, RequestedMeasure, RequestedUrgentMeasure
from app.register.entries.schemas import EntryIn, FormalisationIn, UrgentEntryIn

_Submitter = Annotated[Actor, actor_for(Role.SUBMITTER)]


T = TypeVar("T")
W = TypeVar("W", bound=RequestedMeasure)


async def prepared(request: Request, prepare: Callable[[], T]) -> T:
    """Return the result of `prepare`, which runs in a thread; update the index of travellers at the same time.

    The update adds the newest checks to the index, from which the travellers that a measure would have stopped are
    counted. An exception of `prepare` or of the update is raised.

    Args:
        request: the HTTP request, through which the index of this process is found.
        prepare: a slow function, which turns the request's body into a domain object and decodes its photo.
    """
    ports = ports_of(request)
    update = asyncio.create_task(ports.see_newest())
    try:
        return await asyncio.to_thread(prepare)
    finally:
        await update


async def _counted(request: Request, prepare: Callable[[], W]) -> W:
    ports = ports_of(request)
    requested = await prepared(request, prepare)
    return replace(requested, breadth=await ports.count_travellers(requested.measure, requested.subject))


async def _read_entry(request: Request, _: _Submitter, body: EntryIn) -> RequestedMeasure:
    return await _counted(request, body.requested)


async def _read_urgent_entry(request: Request, _: _Submitter, body: UrgentEntryIn) -> RequestedUrgentMeasure:
    return await _counted(request, body.requested)


async def _read_formalisation(request: Request, _: _Submitter, body: FormalisationIn) -> Formal:
    return await prepared(request, body.formal)


EntryBody = Annotated[RequestedMeasure, Depends(_read_entry)]
"""Parameter of a route: the measure in the body. A route declares it before its Unit, so that no transaction is open
while the body is read."""

UrgentEntryBody = Annotated[RequestedUrgentMeasure, Depends(_read_urgent_entry)]
"""Parameter of a route: the urgent measure in the body, declared before the Unit (see `EntryBody`)."""

FormalisationBody = Annotated[Formal, Depends(_read_formalisation)]
"""Parameter of a route: the formal decision in the body, declared before the Unit (see `EntryBody`)."""
