"""What a body asks for, made ready before the transaction begins.

A photo takes milliseconds to decode, and on SQLite an open transaction holds the lock that every other writer
waits for. FastAPI resolves parameters in the order of the signature: a route writes its `AskedFor` before its
Unit. Who may not submit is refused before anything is decoded.
"""

import asyncio
from typing import Annotated

from fastapi import Depends

from app.access.domain import Role
from app.access.guard import actor_for
from app.db.unit import Actor
from app.entries.schemas import EntryIn, FormalisationIn, UrgentEntryIn
from app.entries.wanted import Formal, UrgentWanted, Wanted

_Submitter = Annotated[Actor, actor_for(Role.SUBMITTER)]


async def _asked_for(_: _Submitter, body: EntryIn) -> Wanted:
    return await asyncio.to_thread(body.wanted)


async def _urgently_asked_for(_: _Submitter, body: UrgentEntryIn) -> UrgentWanted:
    return await asyncio.to_thread(body.wanted)


async def _formally_asked_for(_: _Submitter, body: FormalisationIn) -> Formal:
    return await asyncio.to_thread(body.formal)


AskedFor = Annotated[Wanted, Depends(_asked_for)]
"""The measure in a route's body; stands before the Unit."""

UrgentlyAskedFor = Annotated[UrgentWanted, Depends(_urgently_asked_for)]
"""The urgent measure in a route's body; stands before the Unit."""

FormallyAskedFor = Annotated[Formal, Depends(_formally_asked_for)]
"""The formal decision in a route's body; stands before the Unit."""
