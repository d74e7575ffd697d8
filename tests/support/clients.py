"""The clients of docs/examples, as processes: what they answer, and what they say of a stream."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.cli import LONGEST

Json = dict[str, Any]


@dataclass
class Client:
    """A client, and what it needs to know.

    Attributes:
        command: how it is run.
        environment: all of its environment.
        folder: where it runs.
        follows: its argument with which it follows a stream.
        matter: the event that must not be passed over.
    """

    command: tuple[str, ...]
    environment: dict[str, str]
    folder: Path
    follows: str
    matter: str

    async def asked(self, *arguments: str, given: object = None) -> Json:
        """What one of its commands answers."""
        process = await self.started(*arguments)
        out, err = await asyncio.wait_for(process.communicate(json.dumps(given).encode()), LONGEST)
        assert process.returncode == 0, err.decode()
        answered: Json = json.loads(out)
        return answered

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Listening"]:
        """The client at its stream, for the block's length; then it is killed."""
        process = await self.started(self.follows)
        try:
            yield Listening(process, self.matter)
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    async def started(self, *arguments: str) -> Process:
        """One of its commands, under way."""
        return await asyncio.create_subprocess_exec(
            *self.command,
            *arguments,
            cwd=self.folder,
            env=self.environment,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )


@dataclass
class Listening:
    """A client that listens.

    Attributes:
        process: the client.
        matter: the event that must not be passed over, unless it is of a seal of the query log: one comes at any time.
        sequence: the number of the last record of which it spoke; the next one has the next number.
    """

    process: Process
    matter: str
    sequence: int = 0

    async def _said(self) -> str:
        """What it said last."""
        return "" if self.process.stderr is None else (await self.process.stderr.read()).decode()

    async def next(self, event: str) -> Json:
        """The next event of a name; others, but those that matter, are passed over."""
        assert self.process.stdout is not None
        while True:
            line = await asyncio.wait_for(self.process.stdout.readline(), LONGEST)
            assert line, f"the client has ended: {await self._said()}"
            told: Json = json.loads(line)
            seal = told["event"] == self.matter and told.get("type") == "seal"
            if told["event"] == "change":
                self.sequence += 1
                assert told["sequence"] == self.sequence, told
            if told["event"] == event and not seal:
                return told
            assert told["event"] != self.matter or seal, told
