"""A command of the deployment's own, which sends an SMS or pages somebody."""

import asyncio
import errno
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from app.alerting.channels.domain import ChannelName, Message, Outcome, SendState, address_fault, shortened

MOST_OUTPUT: Final = 65_536
"""Bytes of output above which a command is stopped."""

_TEMPORARY: Final = 75  # EX_TEMPFAIL of sysexits.h
_FOR_EVER: Final = {errno.ENOENT, errno.EACCES, errno.ENOEXEC, errno.ENOTDIR, errno.EPERM}
_INHERITED: Final = ("HOME", "LANG", "LC_ALL", "PATH", "TZ")
"""The variables that a command gets from the service; the others hold its secrets."""

_PIECE: Final = 4096


@dataclass(frozen=True, slots=True)
class Command:
    """The channel `command`: runs a program of the deployment for each message.

    The program runs without a shell, in a process group of its own. It gets the address in CEKAL_PAGE_ADDRESS, the
    message's id in CEKAL_PAGE_ID, 1 for a drill and else 0 in CEKAL_PAGE_DRILL, and the text on standard input. Exit
    code 0 means that the message was sent. Exit code 75 (EX_TEMPFAIL) is a transient failure, any other a permanent
    one. At the time limit its process group is killed, and the failure is transient. If it writes more than
    `MOST_OUTPUT` bytes it is killed too, and the failure is permanent. The failure is also permanent if the program is
    not there or not executable. Processes that it leaves in the background are not waited for.

    Attributes:
        arguments: the program and its arguments.
        seconds: the time limit.
    """

    arguments: tuple[str, ...]
    seconds: float

    async def send(self, message: Message) -> Outcome:
        """Run the command once for a message; an address with a fault fails permanently, without a run."""
        begun = perf_counter()
        state, detail = SendState.PERMANENT, address_fault(ChannelName.COMMAND, message.address)
        if detail is None:
            state, detail = await self._page(message)
        return Outcome(state, shortened(detail), (perf_counter() - begun) * 1000)

    async def _page(self, message: Message) -> tuple[SendState, str]:
        with _limited_output() as output:
            try:
                running = await self._start(message, output.writing_end)
            except OSError as error:
                state = SendState.PERMANENT if error.errno in _FOR_EVER else SendState.TRANSIENT
                return state, f"It did not start: {error.strerror}."
            output.follow(running)
            try:
                async with asyncio.timeout(self.seconds):
                    await _feed(running, message.marked_text)
                    code = await running.wait()
            except TimeoutError:
                return SendState.TRANSIENT, f"It took longer than {self.seconds:g} s, and was killed."
            finally:
                await _end(running)
            if output.exceeded:
                return SendState.PERMANENT, f"It wrote more than {MOST_OUTPUT} bytes, and was killed."
            said = output.text()
        if code == 0:
            return SendState.SENT, said
        state = SendState.TRANSIENT if code == _TEMPORARY else SendState.PERMANENT
        return state, f"exit code {code}: {said}" if said else f"exit code {code}"

    async def _start(self, message: Message, output: int) -> Process:
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        given = {
            "CEKAL_PAGE_ADDRESS": message.address,
            "CEKAL_PAGE_ID": message.id,
            "CEKAL_PAGE_DRILL": "1" if message.drill else "0",
        }
        return await asyncio.create_subprocess_exec(
            *self.arguments,
            stdin=PIPE,
            stdout=output,
            stderr=output,
            env=inherited | given,
            cwd="/",
            start_new_session=True,
        )


class _Output:
    """Reads what a command writes, and kills the command if it writes more than `MOST_OUTPUT` bytes."""

    def __init__(self, reading_end: int, writing_end: int) -> None:
        self.writing_end = writing_end
        self.exceeded = False
        self._reading_end = reading_end
        self._kept = bytearray()
        self._running: Process | None = None

    def follow(self, running: Process) -> None:
        """Read what the command writes from now on; only the command has the writing end then."""
        os.close(self.writing_end)
        self.writing_end = -1
        self._running = running
        asyncio.get_running_loop().add_reader(self._reading_end, self._read)

    def text(self) -> str:
        """Return what was written until now."""
        self._read()
        return self._kept.decode(errors="replace")

    def close(self) -> None:
        """Read no more; a process that goes on writing gets an error."""
        asyncio.get_running_loop().remove_reader(self._reading_end)
        for end in (self._reading_end, self.writing_end):
            if end >= 0:
                os.close(end)

    def _read(self) -> None:
        piece = b""
        with suppress(BlockingIOError):
            piece = os.read(self._reading_end, _PIECE)
        self._kept += piece
        if len(self._kept) > MOST_OUTPUT and self._running is not None:
            self.exceeded = True
            _kill(self._running)
        if not piece or self.exceeded:
            asyncio.get_running_loop().remove_reader(self._reading_end)


@contextmanager
def _limited_output() -> Iterator[_Output]:
    reading_end, writing_end = os.pipe()
    os.set_blocking(reading_end, False)
    output = _Output(reading_end, writing_end)
    try:
        yield output
    finally:
        output.close()


async def _feed(running: Process, text: str) -> None:
    """Write the text to a command, which need not read it."""
    standard_input = running.stdin
    assert standard_input is not None
    with suppress(ConnectionError):
        standard_input.write(text.encode())
        await standard_input.drain()
    standard_input.close()


async def _end(running: Process) -> None:
    """Kill a command that still runs, with its process group, and wait for its end."""
    if running.returncode is None:
        _kill(running)
        await running.wait()


def _kill(running: Process) -> None:
    if running.returncode is None:  # until then the number belongs to this command
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
